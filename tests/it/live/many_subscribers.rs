//! Many subscribers at once, and followers whose connections break and stall at random. Each one
//! gets the whole log.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::{Client, Database, Message, Process, Socket, TIMEOUT, within};

const SOCKETS: usize = 200;
const SUBSCRIPTIONS_PER_SOCKET: usize = 5;
const EVENTS: u64 = 30;

const FOLLOW: &str = "subscription ($after: String) { events(after: $after) { id cursor } }";

async fn post(client: &Client, ids: std::ops::Range<u64>) {
    for id in ids {
        client.arcsite("project.created", &format!(r#"{{"id":"p-{id}"}}"#)).await.accepted();
    }
}

async fn next(socket: &mut Socket) -> Option<Value> {
    match socket.message().await {
        Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
        Message::Closed(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousand_subscribers_get_every_event_in_order() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let head = service.head().await;
    let mut readers = JoinSet::new();
    for _ in 0..SOCKETS {
        let mut socket = Socket::open(&service).await;
        for id in 0..SUBSCRIPTIONS_PER_SOCKET {
            socket.subscribe(&id.to_string(), FOLLOW, json!({ "after": head })).await;
        }
        readers.spawn(async move {
            let mut seen = [0; SUBSCRIPTIONS_PER_SOCKET];
            while seen.iter().any(|&seen| seen < EVENTS) {
                let message = next(&mut socket).await.expect("the socket stays open");
                if message["type"] == "ping" {
                    continue;
                }
                let subscription: usize = message["id"].as_str().unwrap().parse().unwrap();
                seen[subscription] += 1;
                assert_eq!(message["payload"]["data"]["events"]["id"], format!("event:{}", seen[subscription]));
            }
        });
    }
    post(&service, 0..EVENTS).await;
    within("all subscribers have all events", readers.join_all()).await;
    service.stop(&database).await;
}

/// Follows the log over sockets that it drops or leaves unread at random. It resumes from the last
/// cursor each time.
async fn follow(client: Client, seed: u64, events: u64, mut posted: watch::Receiver<u64>) -> Vec<String> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut seen = Vec::new();
    let mut after = client.head().await;
    while seen.len() < usize::try_from(events).unwrap() {
        let mut socket = if rng.random_bool(0.3) {
            Socket::open_with_small_buffer(&client).await
        } else {
            Socket::open(&client).await
        };
        socket.subscribe("1", FOLLOW, json!({ "after": after })).await;
        let mut remaining: u32 = rng.random_range(1..60);
        while remaining > 0 && seen.len() < usize::try_from(events).unwrap() {
            let Some(message) = next(&mut socket).await else { break };
            if message["type"] == "ping" {
                continue;
            }
            assert_eq!(message["type"], "next", "{message}");
            let event = &message["payload"]["data"]["events"];
            seen.push(event["id"].as_str().unwrap().to_owned());
            after = event["cursor"].as_str().unwrap().to_owned();
            remaining -= 1;
            if rng.random_bool(0.02) {
                // The follower stalls: it reads nothing while more events are posted.
                let until = (*posted.borrow() + rng.random_range(1..100)).min(events);
                within("more is posted", posted.wait_for(|posted| *posted >= until)).await.unwrap();
            }
        }
        // The socket is dropped while messages may be in flight.
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn follower_with_random_breaks_and_stalls_gets_the_whole_log() {
    const EVENTS: u64 = 400;
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let mut followers = JoinSet::new();
    let posted = watch::Sender::new(0);
    for seed in 0..24 {
        followers.spawn(follow((*service).clone(), seed, EVENTS, posted.subscribe()));
    }
    // Each follower starts before the first event, at the head of an empty log.
    within("all followers have subscribed", async {
        while service.metric("bidarc_subscriptions").await < 24.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut posters = JoinSet::new();
    for poster in 0..4 {
        let client = (*service).clone();
        let posted = posted.clone();
        posters.spawn(async move {
            for id in poster * 100..(poster + 1) * 100 {
                post(&client, id..id + 1).await;
                posted.send_modify(|posted| *posted += 1);
            }
        });
    }
    posters.join_all().await;
    let lists = tokio::time::timeout(2 * TIMEOUT, followers.join_all()).await.expect("all followers reach the end");
    let log: Vec<String> = (1..=EVENTS).map(|seq| format!("event:{seq}")).collect();
    for list in lists {
        assert_eq!(list, log);
    }
    service.stop(&database).await;
}
