use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// One request as it was received.
struct ReceivedRequest {
    path: String,
    signature: Option<String>,
    body: String,
}

/// A server that answers with scripted statuses. After the last one, it repeats it.
struct Server {
    script: Vec<u16>,
    next: AtomicUsize,
    received: Mutex<Vec<ReceivedRequest>>,
}

impl Server {
    async fn start(script: &[u16]) -> (Arc<Server>, Target) {
        let server =
            Arc::new(Server { script: script.to_vec(), next: AtomicUsize::new(0), received: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (server, target)
    }

    fn requests(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap) {
    let signature = headers.get(signature::HEADER).map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.to_vec()).unwrap();
    server.received.lock().unwrap().push(ReceivedRequest { path: uri.path().to_owned(), signature, body });
    let index = server.next.fetch_add(1, Ordering::SeqCst).min(server.script.len() - 1);
    let status = StatusCode::from_u16(server.script[index]).unwrap();
    let mut headers = HeaderMap::new();
    if status.is_redirection() {
        headers.insert("location", "/elsewhere".parse().unwrap());
    }
    (status, headers)
}

fn sender(target: Target, policy: RetryPolicy) -> Sender {
    Sender::new(target, policy, Arc::new(Tally::keeping_bodies())).unwrap()
}

fn drawing() -> Hook {
    Hook::new(Vendor::Arcsite, "drawing.created", &json!({"id": 1}))
}

fn viewed() -> Hook {
    Hook::new(Vendor::Bidsketch, "proposal_viewed", &json!({"id": 1}))
}

#[tokio::test]
async fn failed_delivery_is_retried_until_delivered() {
    for hook in [drawing(), viewed()] {
        let (server, target) = Server::start(&[500, 503, 200]).await;
        let sender = sender(target, RetryPolicy::fast());
        assert_eq!(sender.deliver(&hook).await, Outcome::Delivered { status: 200, attempts: 3 });
        assert_eq!(server.requests(), 3);
        assert!(server.received.lock().unwrap().iter().all(|received| received.body == hook.body));
        let counts = sender.tally().total();
        assert_eq!((counts.sent, counts.retried, counts.acknowledged), (1, 2, 1));
        assert_eq!(sender.tally().acknowledged()[0].hook, hook);
    }
}

#[tokio::test]
async fn success_is_any_2xx_for_arcsite_and_only_200_for_bidsketch() {
    let (server, target) = Server::start(&[201, 204, 200]).await;
    let sender = sender(target, RetryPolicy::fast());
    assert_eq!(sender.deliver(&drawing()).await, Outcome::Delivered { status: 201, attempts: 1 });
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Delivered { status: 200, attempts: 2 });
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn redirect_is_a_failure_and_not_followed() {
    let (server, target) = Server::start(&[302, 200]).await;
    assert_eq!(sender(target, RetryPolicy::fast()).deliver(&drawing()).await.attempts(), 2);
    assert!(server.received.lock().unwrap().iter().all(|received| received.path == "/webhooks/arcsite"));
}

#[tokio::test]
async fn bidsketch_delivery_failing_20_times_emails_the_admin() {
    let (server, target) = Server::start(&[500]).await;
    let sender = sender(target, RetryPolicy::fast());
    let outcome = sender.deliver(&viewed()).await;
    assert_eq!(outcome, Outcome::AdminEmailed { attempts: 20, last: Reply::Status(500) });
    assert_eq!(server.requests(), 20);
    assert!(!sender.tally().all_acknowledged());
}

#[tokio::test]
async fn arcsite_delivery_answered_410_is_retried_until_given_up() {
    let (server, target) = Server::start(&[410]).await;
    let sender = sender(target, RetryPolicy { arcsite_attempts: 3, ..RetryPolicy::fast() });
    for _ in 0..2 {
        let outcome = sender.deliver(&drawing()).await;
        assert_eq!(outcome, Outcome::GivenUp { attempts: 3, last: Reply::Status(410) });
    }
    assert_eq!(server.requests(), 6);
}

#[tokio::test]
async fn bidsketch_webhook_answering_410_is_deleted_for_good() {
    let (server, target) = Server::start(&[500, 410, 200]).await;
    let sender = sender(target.with_bidsketch_token("one"), RetryPolicy::fast());
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Forgotten { attempts: 2 });
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Forgotten { attempts: 0 });
    assert_eq!(server.requests(), 2);
    // ArcSite's webhook is not affected.
    assert!(sender.deliver(&drawing()).await.is_delivered());
    assert_eq!(sender.tally().total().forgotten, 2);
}

/// A sender with an empty registry. Its target is an address at which nothing listens.
fn sender_with_registry(policy: RetryPolicy) -> (Sender, Arc<Registry>) {
    let registry = Arc::new(Registry::new(1, 9));
    let target = Target::new("http://127.0.0.1:1").unwrap();
    (sender(target, policy).with_registry(Arc::clone(&registry), false), registry)
}

/// The only address of the hook.
fn only_address(sender: &Sender, hook: &Hook) -> Address {
    let [address]: [Address; 1] = sender.addresses(hook).try_into().map_err(|all: Vec<_>| all.len()).unwrap();
    address
}

#[tokio::test]
async fn bidsketch_hook_goes_to_each_registered_webhook_of_its_type() {
    let (sender, registry) = sender_with_registry(RetryPolicy::fast());
    let ids = |sender: &Sender| -> Vec<_> { sender.addresses(&viewed()).iter().map(Address::webhook).collect() };
    assert_eq!(ids(&sender), []);
    for event in ["proposal_viewed", "proposal_sent", "proposal_viewed"] {
        registry.register(event, "http://127.0.0.1:9/hook").unwrap();
    }
    registry.register("proposal_viewed", "http://hooks.example/").unwrap();
    assert_eq!(ids(&sender), [Some(1), Some(3)], "without the one on another machine");
    assert_eq!(ids(&sender.with_registry(registry, true)), [Some(1), Some(3), Some(4)]);
}

#[tokio::test]
async fn arcsite_hook_goes_to_the_target_despite_registry() {
    let (server, target) = Server::start(&[200]).await;
    let sender = sender(target, RetryPolicy::fast()).with_registry(Arc::new(Registry::new(1, 9)), false);
    assert!(sender.deliver_to(&drawing(), &only_address(&sender, &drawing())).await.is_delivered());
    assert_eq!(server.received.lock().unwrap()[0].path, "/webhooks/arcsite");
}

#[tokio::test]
async fn registered_webhook_failing_20_times_stays_registered() {
    let (server, target) = Server::start(&[201]).await;
    let (sender, registry) = sender_with_registry(RetryPolicy::fast());
    registry.register("proposal_viewed", target.base().join("/mine").unwrap().as_str()).unwrap();
    let outcome = sender.deliver_to(&viewed(), &only_address(&sender, &viewed())).await;
    assert_eq!(outcome, Outcome::AdminEmailed { attempts: 20, last: Reply::Status(201) });
    assert_eq!(server.requests(), 20);
    assert!(server.received.lock().unwrap().iter().all(|received| received.path == "/mine"));
    assert!(registry.contains(1));
}

#[tokio::test]
async fn registered_webhook_answering_410_is_deleted_alone() {
    let (server, target) = Server::start(&[500, 410, 200]).await;
    let (sender, registry) = sender_with_registry(RetryPolicy::fast());
    for _ in 0..2 {
        registry.register("proposal_viewed", target.base().as_str()).unwrap();
    }
    let addresses = sender.addresses(&viewed());
    assert_eq!(sender.deliver_to(&viewed(), &addresses[0]).await, Outcome::Forgotten { attempts: 2 });
    assert!(!registry.contains(1) && registry.contains(2));
    assert_eq!(sender.deliver_to(&viewed(), &addresses[0]).await, Outcome::Unregistered { attempts: 0 });
    assert_eq!(server.requests(), 2);
    assert!(sender.deliver_to(&viewed(), &addresses[1]).await.is_delivered());
}

#[tokio::test]
async fn delivery_ends_when_its_webhook_is_deleted() {
    let (server, target) = Server::start(&[500]).await;
    // Without the deletion it would be retried for ever.
    let (sender, registry) = sender_with_registry(RetryPolicy { bidsketch_attempts: u32::MAX, ..RetryPolicy::fast() });
    registry.register("proposal_viewed", target.base().as_str()).unwrap();
    let (viewed, address) = (viewed(), only_address(&sender, &viewed()));
    let delete = async {
        while server.requests() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(registry.delete(1));
    };
    let both = async { tokio::join!(sender.deliver_to(&viewed, &address), delete) };
    let (outcome, ()) = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
    assert!(matches!(outcome, Outcome::Unregistered { attempts: 1.. }), "{outcome:?}");
    assert_eq!(sender.tally().total().forgotten, 1);
}

#[tokio::test]
async fn signature_matches_the_bytes_on_the_wire() {
    let (server, target) = Server::start(&[200]).await;
    let sender = sender(target.with_arcsite_secret("s3cret"), RetryPolicy::fast());
    let hook = drawing();
    assert_eq!(sender.attempt(&hook, 1_642_306_763).await, Reply::Status(200));
    assert_eq!(sender.attempt(&viewed(), 1_642_306_763).await, Reply::Status(200));
    let received = server.received.lock().unwrap();
    assert_eq!(received[0].signature, Some(signature::sign("s3cret", 1_642_306_763, received[0].body.as_bytes())));
    assert_eq!(received[1].signature, None, "Bidsketch does not sign");
}

/// A clock that advances by one second at every reading.
fn ticking() -> DateTime<Utc> {
    static SECONDS: AtomicUsize = AtomicUsize::new(1_642_306_763);
    DateTime::from_timestamp(i64::try_from(SECONDS.fetch_add(1, Ordering::SeqCst)).unwrap(), 0).unwrap()
}

#[tokio::test]
async fn retry_is_signed_again_only_if_configured() {
    for (resign, different) in [(true, 3), (false, 1)] {
        let (server, target) = Server::start(&[500, 500, 200]).await;
        let mut sender = sender(target.with_arcsite_secret("s3cret"), RetryPolicy { resign, ..RetryPolicy::fast() });
        sender.now = ticking;
        sender.deliver(&drawing()).await;
        let received = server.received.lock().unwrap();
        let signatures: HashSet<&str> = received.iter().filter_map(|attempt| attempt.signature.as_deref()).collect();
        assert_eq!((received.len(), signatures.len()), (3, different), "resign: {resign}");
    }
}

#[tokio::test]
async fn silence_and_refused_connection_are_failures() {
    // The listener never accepts: the connection opens, but no answer comes.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let policy = RetryPolicy { time_out: Duration::from_millis(20), arcsite_attempts: 2, ..RetryPolicy::fast() };
    let outcome = sender(target.clone(), policy.clone()).deliver(&drawing()).await;
    assert_eq!(outcome, Outcome::GivenUp { attempts: 2, last: Reply::TimedOut });
    drop(silent);
    let outcome = sender(target, policy).deliver(&drawing()).await;
    assert!(matches!(outcome, Outcome::GivenUp { attempts: 2, last: Reply::Broken(_) }), "{outcome:?}");
}
