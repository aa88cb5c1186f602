//! No log line, error or database row holds the API token or a hook's secret.

use serde_json::json;
use simulator::api::Fault;

use super::{TOKEN, create, create_all, delete, list, path, proposal, vendor};
use crate::harness::{Database, Launch, envelope, reserved_port};

#[tokio::test]
async fn secrets_are_shown_once_and_stored_nowhere() {
    let (api, port, database) = (vendor().await, reserved_port().await, Database::fresh());
    let service = Launch::new(database.directory())
        .env("BIDARC_BIDSKETCH__API_URL", &api.url())
        .env("BIDARC_BIDSKETCH__API_TOKEN", TOKEN)
        .env("BIDARC_BIDSKETCH__API_TIMEOUT_SECONDS", "1")
        .env("BIDARC_LOG__FILTER", "trace")
        .serve(port, &database)
        .await;
    let mut output = String::new();
    for fault in [
        Fault::Status(401, String::new()),
        Fault::Status(422, r#"{"errors":["no"]}"#.to_owned()),
        Fault::CutAfter,
        Fault::HangAfter,
        Fault::NotJson,
    ] {
        api.next(fault);
        output.push_str(&create(&service, "PROPOSAL_SENT").await.to_string());
    }
    let all = create_all(&service).await;
    assert_eq!(all["userErrors"], json!([]));
    api.deliver("proposal_viewed", &proposal(1)).await;
    output.push_str(&delete(&service, json!({ "id": all["bidsketchWebhooks"][0]["id"] })).await.to_string());
    let mut secrets = vec![TOKEN.to_owned()];
    // Including those of the orphans, which were never shown.
    for request in api.requests().iter().filter(|request| request.method == "POST") {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let endpoint = body["endpoint"].as_str().unwrap().to_owned();
        service.post(path(&endpoint), envelope("proposal_sent", &proposal(2))).await;
        secrets.push(endpoint.rsplit('/').next().unwrap().to_owned());
    }
    assert_eq!(secrets.len(), 1 + 5 + 7);
    assert!(secrets.iter().skip(1).all(|secret| secret.len() == 64), "{secrets:?}");
    output.push_str(&json!(list(&service).await).to_string());
    output.push_str(&service.query("{ events { nodes { deliveries { id body } } } }").await.to_string());
    output.push_str(&service.get("/metrics").await.body);
    output.push_str(&service.log_so_far());
    assert!(service.log_so_far().contains("webhook"), "the log mentions webhooks");
    service.stop(&database).await;

    let stored = database.bytes();
    assert!(stored.windows(8).any(|bytes| bytes == b"webhooks"), "the database was read");
    for secret in &secrets {
        assert!(!output.contains(secret), "a secret was shown");
        assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "a secret was stored");
    }
}
