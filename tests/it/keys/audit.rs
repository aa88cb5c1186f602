//! The audit: who changed what, and when.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Options};

use crate::harness::{
    Client, Database, HttpResponse, Launch, Service, Setup, TIMEOUT, add_key, envelope, eventually, fixture, revoke_key,
};

const FIELDS: &str = "id kind actor action detail count at";

/// All entries of these kinds, oldest first.
async fn entries(client: &Client, kinds: &str) -> Vec<Value> {
    let query = format!("{{ auditLog(first: 100, filter: {{ kind: {kinds} }}) {{ nodes {{ {FIELDS} }} }} }}");
    let mut nodes = client.query(&query).await["auditLog"]["nodes"].as_array().unwrap().clone();
    nodes.reverse();
    nodes
}

fn details(entries: &[Value]) -> Vec<String> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    entries
        .iter()
        .map(|entry| format!("{} {} {}", text(entry, "actor"), text(entry, "action"), text(entry, "detail")))
        .collect()
}

async fn start() -> (Service, Client, Client) {
    let database = Database::fresh();
    let manage = add_key(&database, "office", "manage").await;
    let read = add_key(&database, "wall", "read").await;
    let service = Setup::new().database(database).start().await;
    let (manage, read) = (service.client().with_token(&manage), service.client().with_token(&read));
    (service, manage, read)
}

#[tokio::test]
async fn mutation_and_its_audit_entry_are_one_transaction() {
    let (service, manage, _) = start().await;
    let body = fixture("arcsite/project_created.json");
    service.post("/webhooks/arcsite", "not json").await.receipt().quarantined();
    service.post("/webhooks/arcsite", body.clone()).await.receipt().accepted();
    // The second delivery in quarantine can be released.
    let connection = service.database().connect().await;
    service.post("/webhooks/arcsite", envelope("drawing.created", "{}")).await.receipt().quarantined();
    let repair = format!(
        "UPDATE delivery SET body = {} WHERE id = 3",
        service.database().by_dialect("CAST('{}' AS BLOB)", "convert_to('{}', 'UTF8')").replace("{}", &body)
    );
    sea_orm::ConnectionTrait::execute_unprepared(&connection, &repair).await.unwrap();
    connection.close().await.unwrap();
    let release = |id: &str| {
        format!(r#"mutation {{ releaseQuarantinedDelivery(input: {{ id: "{id}" }}) {{ userErrors {{ code }} }} }}"#)
    };
    manage.query(&release("delivery:3")).await;
    manage.query(&release("delivery:1")).await;
    assert_eq!(manage.query_error(&release("bidarc_secret")).await["extensions"]["code"], "BAD_USER_INPUT");
    let found = eventually("the entries are written", TIMEOUT, async || {
        let found = entries(&manage, "[MUTATION]").await;
        (found.len() == 3).then_some(found)
    })
    .await;
    assert_eq!(
        details(&found),
        [
            "office releaseQuarantinedDelivery delivery:3 as event:1",
            "office releaseQuarantinedDelivery delivery:1: no change",
            "office releaseQuarantinedDelivery a malformed id: no change",
        ]
    );
    service.stop().await;
}

/// Nothing is changed without an entry.
#[tokio::test]
async fn mutation_whose_entry_cannot_be_written_changes_nothing() {
    let api = BidsketchApi::start(Options { token: "token".to_owned(), ..Options::default() }).await.unwrap();
    let service = Setup::new().bidsketch_api(&api, "token").start().await;
    let create = "mutation { createBidsketchWebhook(input: { event: PROPOSAL_SENT }) { bidsketchWebhook { id } } }";
    let connection = service.database().connect().await;
    let rename = async |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        sea_orm::ConnectionTrait::execute_unprepared(&connection, &sql).await.unwrap();
    };
    rename("audit", "lost").await;
    let failed = service.graphql(create, json!({})).await;
    assert!(failed.json()["errors"].is_array() && !failed.body.contains("audit"), "{failed:?}");
    assert!(api.webhooks().is_empty());
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM bidsketch_webhook").await, [0]);
    service.arcsite("project.created", r#"{"id":1,"name":"Roof"}"#).await.accepted();
    rename("lost", "audit").await;
    connection.close().await.unwrap();
    service.query(create).await;
    service.query(r#"mutation { deleteBidsketchWebhook(input: { id: "webhook:1" }) { userErrors { code } } }"#).await;
    let found = details(&entries(service.client(), "[MUTATION]").await);
    for entry in ["- createBidsketchWebhook webhook:1 for PROPOSAL_SENT", "- deleteBidsketchWebhook webhook:1"] {
        assert!(found.iter().any(|found| found == entry), "{entry}: {found:?}");
    }
    let secret = api.webhooks().first().map(|webhook| webhook.endpoint.clone());
    assert!(secret.is_none_or(|secret| !found.join(" ").contains(&secret)), "{found:?}");
    service.stop().await;
}

#[tokio::test]
async fn keys_and_sign_ins_are_in_the_audit() {
    let (service, manage, read) = start().await;
    let token = read.token().unwrap();
    let signed_in = service.post("/session", json!({ "token": token }).to_string()).await;
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let sign_out = service.request(Method::DELETE, "/session").header("cookie", &cookie);
    assert_eq!(HttpResponse::of(sign_out.header("sec-fetch-site", "same-origin")).await.status, 204);
    let expiring = ["add", "visitor", "--scope", "read", "--expires", "1h"];
    assert!(Launch::keys(service.database(), &expiring).run().await.status.success());
    revoke_key(service.database(), "wall").await;
    let connection = service.database().connect().await;
    let expire = "UPDATE key SET expires_at = 1000000 WHERE name = 'visitor'";
    sea_orm::ConnectionTrait::execute_unprepared(&connection, expire).await.unwrap();
    connection.close().await.unwrap();
    let kinds = "[KEY_ADDED, KEY_REVOKED, KEY_EXPIRED, SIGN_IN, SIGN_OUT]";
    let found = eventually("the key's expiry is noted", TIMEOUT, async || {
        let found = entries(&manage, kinds).await;
        (found.len() == 7).then_some(found)
    })
    .await;
    let texts = details(&found);
    assert_eq!(
        texts[..4],
        [
            r#"- addKey key 1 "office", scope manage, never expires"#,
            r#"- addKey key 2 "wall", scope read, never expires"#,
            "wall signIn -",
            "wall signOut -",
        ]
    );
    assert!(texts[4].starts_with(r#"- addKey key 3 "visitor", scope read, expires 20"#), "{texts:?}");
    assert_eq!(texts[5..], [r#"- revokeKey key 2 "wall""#, r#"- expireKey key 3 "visitor""#]);
    assert_eq!(found[6]["at"], "1970-01-01T00:00:01Z");
    service.stop().await;
}

#[tokio::test]
async fn audit_needs_the_scope_manage_and_is_paged() {
    let (service, manage, read) = start().await;
    let both = "{ auditLog(first: 1) { totalCount pageInfo { endCursor hasNextPage } nodes { id kind } } }";
    for query in ["{ auditLog { nodes { id } } }", r#"{ node(id: "audit:1") { id } }"#] {
        assert_eq!(read.query_error(query).await["extensions"]["code"], "FORBIDDEN", "{query}");
    }
    let kinds = r"filter: { kind: [KEY_ADDED] }";
    let first = manage.query(&both.replace("first: 1", &format!("first: 1, {kinds}"))).await["auditLog"].take();
    assert_eq!((&first["totalCount"], &first["nodes"][0]["id"]), (&json!(2), &json!("audit:2")), "{first}");
    let cursor = first["pageInfo"]["endCursor"].as_str().unwrap();
    let second = manage.query(&both.replace("first: 1", &format!(r#"{kinds}, first: 1, after: "{cursor}""#))).await;
    assert_eq!(second["auditLog"]["nodes"], json!([{ "id": "audit:1", "kind": "KEY_ADDED" }]));
    let last = manage.query(&both.replace("first: 1", &format!("{kinds}, last: 1"))).await;
    assert_eq!(last["auditLog"]["nodes"], second["auditLog"]["nodes"]);
    let node = manage.query(r#"{ node(id: "audit:1") { ... on AuditEntry { action } } }"#).await;
    assert_eq!(node["node"]["action"], "addKey");
    let at = "filter: { before: \"2000-01-01T00:00:00Z\" }";
    let none = manage.query(&both.replace("first: 1", at)).await;
    assert_eq!(none["auditLog"]["nodes"], json!([]));
    service.stop().await;
}

#[tokio::test]
async fn refusals_of_an_hour_are_one_entry_a_reason() {
    let (service, _, read) = start().await;
    for _ in 0..5 {
        assert_eq!(service.with_token("wrong").post("/graphql", "{}").await.status, 401);
    }
    assert_eq!(read.query_error("mutation { __typename }").await["extensions"]["code"], "FORBIDDEN");
    service.post("/webhooks/arcsite/unknown", "{}").await;
    let database = service.stop().await;
    let sums = "SELECT detail || ' ' || SUM(count) FROM audit WHERE kind = 'REFUSALS' GROUP BY detail ORDER BY detail";
    assert_eq!(database.texts(sums).await, ["API scope 1", "API wrong_token 5", "ARCSITE unknown_hook 1"]);
    assert!(database.numbers("SELECT COUNT(*) FROM audit WHERE kind = 'REFUSALS'").await[0] <= 6, "an hour may end");
}

#[tokio::test]
async fn start_is_in_the_audit_with_settings_and_without_secrets() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory())
        .env("BIDARC_GRAPHQL__MAX_DEPTH", "18")
        .env("BIDARC_BIDSKETCH__PATH_TOKEN", "0123456789abcdef0123456789abcdef")
        .env("BIDARC_ARCSITE__SIGNING_SECRETS", "hush-hush-hush-hush-hush-hush-hush");
    let service = launch.serve(0, &database).await;
    let found = eventually("the start is noted", TIMEOUT, async || {
        let found = entries(&service, "[START]").await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    let text = details(&found).remove(0);
    for part in ["start version ", "graphql.max_depth is \"18\"", "database.url is ", "server.listen is "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("bidsketch.path_token is set to a value that is not shown"), "{text}");
    assert!(!text.contains("hush") && !text.contains("0123456789"), "{text}");
    service.stop(&database).await;
}
