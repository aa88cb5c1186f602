//! Fifty clients post at once, for some seconds. Each delivery is answered 200, and a commit holds
//! many of them.

use tokio::task::JoinSet;

use crate::harness::{Database, Process};

const POSTERS: u64 = 50;
/// Deliveries of each poster, one after the other. They take some seconds.
const POSTS_EACH: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_posters_get_only_200_and_share_commits() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let mut posters = JoinSet::new();
    for poster in 0..POSTERS {
        let client = (*service).clone();
        posters.spawn(async move {
            for index in 0..POSTS_EACH {
                let body = format!(r#"{{"event":"project.created","data":{{"id":"{poster}-{index}"}}}}"#);
                client.post("/webhooks/arcsite", body).await.receipt().accepted();
            }
        });
    }
    posters.join_all().await;
    let posted = POSTERS * POSTS_EACH;
    assert_eq!(service.event_count().await, posted);
    let text = service.get("/metrics").await.body;
    let metric = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (deliveries, commits) = (metric("bidarc_commit_deliveries_sum"), metric("bidarc_commit_deliveries_count"));
    assert_eq!(deliveries, posted as f64, "each delivery is in one group");
    assert!(commits * 2.0 < deliveries, "{deliveries} deliveries in {commits} commits");
    assert_eq!(metric("bidarc_commit_seconds_count"), commits);
    assert_eq!(metric(r#"bidarc_deliveries_total{provider="ARCSITE",outcome="ACCEPTED"}"#), posted as f64);
    service.stop(&database).await;
}
