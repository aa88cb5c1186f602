//! Fifty who post at once, for seconds: each is answered 200, and many are written in one commit.

use tokio::task::JoinSet;

use crate::harness::{Database, Process};

const POSTERS: u64 = 50;
/// How many each posts, one after the other: some seconds' worth.
const EACH: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_posters_get_only_200_and_share_commits() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let mut posters = JoinSet::new();
    for poster in 0..POSTERS {
        let client = (*service).clone();
        posters.spawn(async move {
            for at in 0..EACH {
                let body = format!(r#"{{"event":"project.created","data":{{"id":"{poster}-{at}"}}}}"#);
                client.post("/webhooks/arcsite", body).await.receipt().accepted();
            }
        });
    }
    posters.join_all().await;
    let posted = POSTERS * EACH;
    assert_eq!(service.total().await, posted);
    let text = service.get("/metrics").await.body;
    let number = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (written, commits) = (number("bidarc_commit_deliveries_sum"), number("bidarc_commit_deliveries_count"));
    assert_eq!(written, posted as f64, "each delivery is in one group");
    assert!(commits * 2.0 < written, "{written} deliveries in {commits} commits");
    assert_eq!(number("bidarc_commit_seconds_count"), commits);
    assert_eq!(number(r#"bidarc_deliveries_total{provider="ARCSITE",outcome="ACCEPTED"}"#), posted as f64);
    service.stop(&database).await;
}
