use std::future::pending;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::disorder::Disorder;
use crate::hook::Vendor;
use crate::office::every_event;
use crate::registry::Registry;
use crate::sender::RetryPolicy;
use crate::tally::Tally;
use crate::target::Target;

async fn sender(status: StatusCode, policy: RetryPolicy) -> Arc<Sender> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let app = Router::new().fallback(move || async move { status });
    tokio::spawn(async move { axum::serve(listener, app).await });
    Arc::new(Sender::new(target, policy, Arc::new(Tally::keeping_bodies())).unwrap())
}

fn at_full_speed() -> Plan {
    Plan { rate: 1e6, ..Plan::default() }
}

#[tokio::test]
async fn every_hook_is_sent_despite_disorder() {
    let sender = sender(StatusCode::OK, RetryPolicy::fast()).await;
    let disorder = Disorder { late: 0.5, late_by: Duration::from_millis(2), twice: 1.0, shuffle: 6 };
    let mut out = Vec::new();
    let hooks = disorder.over(every_event(4).into_iter(), 4);
    run(hooks, Arc::clone(&sender), &at_full_speed(), pending(), &mut out).await.unwrap();

    let acknowledged = sender.tally().acknowledged();
    assert!(sender.tally().all_acknowledged());
    for hook in every_event(4) {
        let entry = acknowledged.iter().find(|acknowledged| acknowledged.hook == hook);
        assert!(entry.is_some_and(|entry| entry.times >= 2), "{}", hook.body);
    }
    let lines = String::from_utf8(out).unwrap();
    assert_eq!(lines.lines().count(), 2 * every_event(4).len());
    assert!(lines.contains("proposal.payment.received"), "{lines}");
}

#[tokio::test]
async fn hook_goes_to_each_registered_webhook_and_missing_webhook_is_said_once() {
    let sender = sender(StatusCode::OK, RetryPolicy::fast()).await;
    let registry = Arc::new(Registry::new(1, 9));
    for _ in 0..2 {
        registry.register("client_created", sender.target().base().as_str()).unwrap();
    }
    let sender = Arc::new(Arc::into_inner(sender).unwrap().with_registry(registry, false));
    let mut out = Vec::new();
    let hooks = every_event(4).into_iter().filter(|hook| hook.vendor == Vendor::Bidsketch);
    let hooks = Disorder::default().over(hooks, 4);
    run(hooks, Arc::clone(&sender), &at_full_speed(), pending(), &mut out).await.unwrap();

    let lines = String::from_utf8(out).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains("are not sent")).count(), 1, "{lines}");
    for id in [1, 2] {
        let of_webhook = |line: &&str| line.contains("client_created") && line.contains(&format!("webhook {id})"));
        assert_eq!(lines.lines().filter(of_webhook).count(), 1, "{lines}");
    }
    assert_eq!((sender.tally().total().sent, sender.tally().total().acknowledged), (2, 2));
}

#[tokio::test]
async fn stop_ends_an_unfinished_run() {
    // Retries with the default pauses: without the stop this run would last for minutes.
    let sender = sender(StatusCode::INTERNAL_SERVER_ERROR, RetryPolicy::default()).await;
    let plan = Plan { grace: Duration::ZERO, ..at_full_speed() };
    let (stop, stopped) = oneshot::channel::<()>();
    let mut hooks = every_event(1).into_iter();
    // The stop comes with the last hook, so some deliveries are in progress.
    let mut stop = Some(stop);
    let until_stop = std::iter::from_fn(|| {
        if hooks.len() == 1 {
            drop(stop.take());
        }
        hooks.next().map(|hook| Planned { hook, after: Duration::ZERO })
    });
    let mut out = Vec::new();
    run(until_stop, Arc::clone(&sender), &plan, async { drop(stopped.await) }, &mut out).await.unwrap();
    assert!(!sender.tally().all_acknowledged());
    assert!(String::from_utf8(out).unwrap().contains("stopping"));
}

#[test]
fn period_of_any_rate_is_positive() {
    assert_eq!(period(2.0), Duration::from_millis(500));
    for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(period(odd) > Duration::ZERO);
    }
}
