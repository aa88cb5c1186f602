use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// One request as it came in.
struct Got {
    path: String,
    signature: Option<String>,
    body: String,
}

/// A server that answers by a script; past its end the last status is repeated.
struct Server {
    script: Vec<u16>,
    next: AtomicUsize,
    got: Mutex<Vec<Got>>,
}

impl Server {
    async fn start(script: &[u16]) -> (Arc<Server>, Target) {
        let server = Arc::new(Server { script: script.to_vec(), next: AtomicUsize::new(0), got: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (server, target)
    }

    fn requests(&self) -> usize {
        self.got.lock().unwrap().len()
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
    server.got.lock().unwrap().push(Got { path: uri.path().to_owned(), signature, body });
    let at = server.next.fetch_add(1, Ordering::SeqCst).min(server.script.len() - 1);
    let status = StatusCode::from_u16(server.script[at]).unwrap();
    let mut headers = HeaderMap::new();
    if status.is_redirection() {
        headers.insert("location", "/elsewhere".parse().unwrap());
    }
    (status, headers)
}

fn sender(target: Target, patience: Patience) -> Sender {
    Sender::new(target, patience, Arc::new(Tally::keeping_bodies())).unwrap()
}

fn drawing() -> Hook {
    Hook::new(Vendor::Arcsite, "drawing.created", &json!({"id": 1}))
}

fn viewed() -> Hook {
    Hook::new(Vendor::Bidsketch, "proposal_viewed", &json!({"id": 1}))
}

#[tokio::test]
async fn a_failure_is_tried_again_until_it_is_delivered() {
    for hook in [drawing(), viewed()] {
        let (server, target) = Server::start(&[500, 503, 200]).await;
        let sender = sender(target, Patience::hasty());
        assert_eq!(sender.deliver(&hook).await, Outcome::Delivered { status: 200, attempts: 3 });
        assert_eq!(server.requests(), 3);
        assert!(server.got.lock().unwrap().iter().all(|got| got.body == hook.body));
        let counts = sender.tally().total();
        assert_eq!((counts.sent, counts.retried, counts.acknowledged), (1, 2, 1));
        assert_eq!(sender.tally().acknowledged()[0].hook, hook);
    }
}

#[tokio::test]
async fn any_2xx_is_delivered_for_arcsite_and_only_200_for_bidsketch() {
    let (server, target) = Server::start(&[201, 204, 200]).await;
    let sender = sender(target, Patience::hasty());
    assert_eq!(sender.deliver(&drawing()).await, Outcome::Delivered { status: 201, attempts: 1 });
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Delivered { status: 200, attempts: 2 });
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let (server, target) = Server::start(&[302, 200]).await;
    assert_eq!(sender(target, Patience::hasty()).deliver(&drawing()).await.attempts(), 2);
    assert!(server.got.lock().unwrap().iter().all(|got| got.path == "/webhooks/arcsite"));
}

#[tokio::test]
async fn after_20_attempts_bidsketch_writes_to_the_admin() {
    let (server, target) = Server::start(&[500]).await;
    let sender = sender(target, Patience::hasty());
    let outcome = sender.deliver(&viewed()).await;
    assert_eq!(outcome, Outcome::AdminEmailed { attempts: 20, last: Reply::Status(500) });
    assert_eq!(server.requests(), 20);
    assert!(!sender.tally().all_acknowledged());
}

#[tokio::test]
async fn arcsite_gives_up_after_its_own_number_and_410_is_one_more_failure() {
    let (server, target) = Server::start(&[410]).await;
    let sender = sender(target, Patience { arcsite_attempts: 3, ..Patience::hasty() });
    for _ in 0..2 {
        let outcome = sender.deliver(&drawing()).await;
        assert_eq!(outcome, Outcome::GivenUp { attempts: 3, last: Reply::Status(410) });
    }
    assert_eq!(server.requests(), 6);
}

#[tokio::test]
async fn on_410_bidsketch_forgets_the_webhook_for_good() {
    let (server, target) = Server::start(&[500, 410, 200]).await;
    let sender = sender(target.with_bidsketch_token("one"), Patience::hasty());
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Forgotten { attempts: 2 });
    assert_eq!(sender.deliver(&viewed()).await, Outcome::Forgotten { attempts: 0 });
    assert_eq!(server.requests(), 2);
    // ArcSite's webhook is another one.
    assert!(sender.deliver(&drawing()).await.is_delivered());
    assert_eq!(sender.tally().total().forgotten, 2);
}

/// A sender to what is registered, of which nothing is yet. The target is one that nothing may be sent to.
fn registered(patience: Patience) -> (Sender, Arc<Registry>) {
    let registry = Arc::new(Registry::new(1, 9));
    let target = Target::new("http://127.0.0.1:1").unwrap();
    (sender(target, patience).with_registry(Arc::clone(&registry), false), registry)
}

/// The one address that the hook has.
fn only(sender: &Sender, hook: &Hook) -> Address {
    let [address]: [Address; 1] = sender.addresses(hook).try_into().map_err(|all: Vec<_>| all.len()).unwrap();
    address
}

#[tokio::test]
async fn with_a_registry_bidsketch_s_hooks_go_to_each_webhook_of_their_type_only() {
    let (sender, registry) = registered(Patience::hasty());
    let ids = |sender: &Sender| -> Vec<_> { sender.addresses(&viewed()).iter().map(Address::webhook).collect() };
    assert_eq!(ids(&sender), []);
    for event in ["proposal_viewed", "proposal_sent", "proposal_viewed"] {
        registry.register(event, "http://127.0.0.1:9/hook").unwrap();
    }
    registry.register("proposal_viewed", "http://hooks.example/").unwrap();
    assert_eq!(ids(&sender), [Some(1), Some(3)], "and none on another machine");
    assert_eq!(ids(&sender.with_registry(registry, true)), [Some(1), Some(3), Some(4)]);
}

#[tokio::test]
async fn arcsite_s_hooks_go_to_the_target_whatever_is_registered() {
    let (server, target) = Server::start(&[200]).await;
    let sender = sender(target, Patience::hasty()).with_registry(Arc::new(Registry::new(1, 9)), false);
    assert!(sender.deliver_to(&drawing(), &only(&sender, &drawing())).await.is_delivered());
    assert_eq!(server.got.lock().unwrap()[0].path, "/webhooks/arcsite");
}

#[tokio::test]
async fn a_registered_webhook_is_tried_20_times_and_stays() {
    let (server, target) = Server::start(&[201]).await;
    let (sender, registry) = registered(Patience::hasty());
    registry.register("proposal_viewed", target.base().join("/mine").unwrap().as_str()).unwrap();
    let outcome = sender.deliver_to(&viewed(), &only(&sender, &viewed())).await;
    assert_eq!(outcome, Outcome::AdminEmailed { attempts: 20, last: Reply::Status(201) });
    assert_eq!(server.requests(), 20);
    assert!(server.got.lock().unwrap().iter().all(|got| got.path == "/mine"));
    assert!(registry.has(1));
}

#[tokio::test]
async fn on_410_the_registered_webhook_is_deleted_and_no_other_with_its_url() {
    let (server, target) = Server::start(&[500, 410, 200]).await;
    let (sender, registry) = registered(Patience::hasty());
    for _ in 0..2 {
        registry.register("proposal_viewed", target.base().as_str()).unwrap();
    }
    let addresses = sender.addresses(&viewed());
    assert_eq!(sender.deliver_to(&viewed(), &addresses[0]).await, Outcome::Forgotten { attempts: 2 });
    assert!(!registry.has(1) && registry.has(2));
    assert_eq!(sender.deliver_to(&viewed(), &addresses[0]).await, Outcome::Unregistered { attempts: 0 });
    assert_eq!(server.requests(), 2);
    assert!(sender.deliver_to(&viewed(), &addresses[1]).await.is_delivered());
}

#[tokio::test]
async fn a_delivery_ends_when_its_webhook_is_deleted_by_a_call() {
    let (server, target) = Server::start(&[500]).await;
    // Without the deletion it would go on for ever.
    let (sender, registry) = registered(Patience { bidsketch_attempts: u32::MAX, ..Patience::hasty() });
    registry.register("proposal_viewed", target.base().as_str()).unwrap();
    let (viewed, address) = (viewed(), only(&sender, &viewed()));
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
async fn a_signature_fits_the_bytes_on_the_wire() {
    let (server, target) = Server::start(&[200]).await;
    let sender = sender(target.with_arcsite_secret("s3cret"), Patience::hasty());
    let hook = drawing();
    assert_eq!(sender.attempt(&hook, 1_642_306_763).await, Reply::Status(200));
    assert_eq!(sender.attempt(&viewed(), 1_642_306_763).await, Reply::Status(200));
    let got = server.got.lock().unwrap();
    assert_eq!(got[0].signature, Some(signature::sign("s3cret", 1_642_306_763, got[0].body.as_bytes())));
    assert_eq!(got[1].signature, None, "Bidsketch proves nothing");
}

/// A clock on which every look is a second after the last.
fn ticking() -> DateTime<Utc> {
    static SECONDS: AtomicUsize = AtomicUsize::new(1_642_306_763);
    DateTime::from_timestamp(i64::try_from(SECONDS.fetch_add(1, Ordering::SeqCst)).unwrap(), 0).unwrap()
}

#[tokio::test]
async fn a_retry_is_signed_anew_or_not_as_wanted() {
    for (resign, different) in [(true, 3), (false, 1)] {
        let (server, target) = Server::start(&[500, 500, 200]).await;
        let mut sender = sender(target.with_arcsite_secret("s3cret"), Patience { resign, ..Patience::hasty() });
        sender.now = ticking;
        sender.deliver(&drawing()).await;
        let got = server.got.lock().unwrap();
        let signatures: HashSet<&str> = got.iter().filter_map(|attempt| attempt.signature.as_deref()).collect();
        assert_eq!((got.len(), signatures.len()), (3, different), "resign: {resign}");
    }
}

#[tokio::test]
async fn silence_and_refusal_are_failures() {
    // Bound and never accepted from: the connection stands and no answer comes.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::new(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let patience = Patience { time_out: Duration::from_millis(20), arcsite_attempts: 2, ..Patience::hasty() };
    let outcome = sender(target.clone(), patience.clone()).deliver(&drawing()).await;
    assert_eq!(outcome, Outcome::GivenUp { attempts: 2, last: Reply::TimedOut });
    drop(silent);
    let outcome = sender(target, patience).deliver(&drawing()).await;
    assert!(matches!(outcome, Outcome::GivenUp { attempts: 2, last: Reply::Broken(_) }), "{outcome:?}");
}
