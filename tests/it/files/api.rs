//! Stored files in the API.

use serde_json::{Value, json};

use super::{FILE, File, NEVER, digest_of, insert, setup, texts};
use crate::harness::{Service, assert_bad_user_input};

/// Two events of drawing 2, one of proposal 3 that was made from it, and one of its signing.
async fn sample_events(service: &Service) {
    service.arcsite("drawing.created", r#"{"id":2,"project_id":9,"name":"Fence"}"#).await.accepted();
    service.arcsite("drawing.updated", r#"{"id":2,"project_id":9,"name":"Fence and gate"}"#).await.accepted();
    let proposal = r#"{"proposal_id":3,"project_id":9,"status":"APPROVED","approved_option":{"drawing_id":2}}"#;
    service.arcsite("proposal.status_changed", proposal).await.accepted();
    service.arcsite("proposal.signed", r#"{"drawing_id":2,"project_id":9}"#).await.accepted();
}

async fn sample_service() -> Service {
    let service = setup().start().await;
    sample_events(&service).await;
    let content = Some((digest_of(b"%PDF-1.7 fence"), 14));
    let pending = File { state: "PENDING", problem: Some("the host answered 503"), ..FILE };
    insert(
        service.database(),
        &[
            File { content, ..FILE },
            File { id: 2, kind: "PNG", content, ..FILE },
            File { id: 3, event: 2, ..pending.clone() },
            File { id: 4, event: 2, kind: "PNG", state: "EXPIRED", link_expires_at: 1, ..FILE },
            File { id: 5, event: 3, drawing: None, proposal: Some("3"), role: "PROPOSAL", content, ..FILE },
            File {
                id: 6,
                event: 3,
                drawing: None,
                proposal: Some("3"),
                role: "OPTION",
                name: Some("Option A"),
                state: "FAILED",
                ..FILE
            },
            File { id: 7, event: 4, role: "SIGNED", state: "REFUSED", ..FILE },
        ],
    )
    .await;
    service
}

const STATE: &str = "{ id kind name state problem url thumbnailUrl sizeBytes sha256 contentType storedAt expiresAt }";

#[tokio::test]
async fn files_of_drawing_and_proposal_have_their_states() {
    let service = sample_service().await;
    let data = service
        .query(&format!(
            r#"{{ drawing(vendorId: "2") {{ pdf {STATE} png {STATE}
                versions {{ event {{ id kind }} pdf {STATE} png {{ id }} }} }}
              proposal(provider: ARCSITE, vendorId: "3") {{ files {STATE} }}
              events {{ nodes {{ id ... on DrawingEvent {{ pdf {{ id state }} png {{ id }} }}
                ... on ProposalEvent {{ files {{ id }} }} }} }} }}"#
        ))
        .await;
    let drawing = &data["drawing"];
    assert_eq!(drawing["pdf"]["id"], "file:3");
    assert_eq!(drawing["pdf"]["state"], "PENDING");
    assert_eq!(drawing["pdf"]["problem"], "the host answered 503");
    assert_eq!(drawing["pdf"]["url"], Value::Null);
    assert_eq!(drawing["png"]["id"], "file:4");
    let versions = drawing["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(versions[0]["event"], json!({ "id": "event:2", "kind": "DRAWING_UPDATED" }));
    assert_eq!(versions[0]["png"]["id"], "file:4");
    let stored = &versions[1]["pdf"];
    assert_eq!(stored["id"], "file:1");
    assert_eq!(stored["sha256"], digest_of(b"%PDF-1.7 fence").to_string());
    assert_eq!(stored["sizeBytes"], 14);
    assert_eq!(stored["contentType"], "application/pdf");
    assert_eq!(stored["storedAt"], "2026-01-05T15:00:00Z");
    assert_eq!(stored["expiresAt"], "2096-10-02T07:06:40Z");
    assert_eq!(stored["thumbnailUrl"], Value::Null);
    let url = stored["url"].as_str().unwrap();
    assert!(url.starts_with("/files/1/drawing-1.pdf?digest="), "{url}");

    let files = &data["proposal"]["files"];
    assert_eq!(texts(files, "id"), ["file:7", "file:6", "file:5"]);
    assert_eq!(files[1]["name"], "Option A");
    assert!(files[2]["url"].as_str().unwrap().starts_with("/files/5/proposal-5.pdf?"), "{files}");
    let events = &data["events"]["nodes"];
    assert_eq!(texts(&events[0]["files"], "id"), ["file:7"]);
    assert_eq!(texts(&events[1]["files"], "id"), ["file:5", "file:6"]);
    assert_eq!(events[2]["pdf"], json!({ "id": "file:3", "state": "PENDING" }));
    assert_eq!(events[3]["png"], json!({ "id": "file:2" }));

    let node = service.query(r#"{ nodes(ids: ["file:6", "file:8"]) { id __typename } }"#).await;
    assert_eq!(node["nodes"], json!([{ "id": "file:6", "__typename": "StoredFile" }, null]));
    service.stop().await;
}

#[tokio::test]
async fn files_off_are_null_and_empty() {
    let service =
        crate::harness::Setup::new().with(|settings| settings.files.store = Some("off".to_owned())).start().await;
    sample_events(&service).await;
    insert(service.database(), &[FILE, File { id: 2, event: 3, proposal: Some("3"), ..FILE }]).await;
    let query = r#"{ drawing(vendorId: "2") { pdf { id } png { id } versions { pdf { id } } } node(id: "file:1") { id }
        proposal(provider: ARCSITE, vendorId: "3") { files { id } }
        events(last: 1) { nodes { ... on DrawingEvent { pdf { id } } } } }"#;
    let expected = json!({
        "drawing": { "pdf": null, "png": null, "versions": [] },
        "node": null,
        "proposal": { "files": [] },
        "events": { "nodes": [{ "pdf": null }] },
    });
    assert_eq!(service.query(query).await, expected);
    let retry = r#"mutation { retryFile(input: { drawingId: "drawing:2" }) { files { id } userErrors { code } } }"#;
    let retry = service.query(retry).await;
    assert_eq!(retry["retryFile"], json!({ "files": [], "userErrors": [{ "code": "NOT_CONFIGURED" }] }));
    service.stop().await;
}

async fn retry(service: &Service, input: &str) -> Value {
    let query =
        format!("mutation {{ retryFile(input: {input}) {{ files {{ id }} userErrors {{ code message field }} }} }}");
    service.query(&query).await["retryFile"].take()
}

#[tokio::test]
async fn retried_files_are_due_unless_their_links_are_dead() {
    let service = sample_service().await;
    let retried = retry(&service, r#"{ drawingId: "drawing:2" }"#).await;
    assert_eq!(texts(&retried["files"], "id"), ["file:4", "file:3", "file:2", "file:1"]);
    let errors = &retried["userErrors"];
    assert_eq!(texts(errors, "code"), ["LINK_EXPIRED"]);
    assert!(errors[0]["message"].as_str().unwrap().starts_with("file:4: "), "{errors}");
    assert_eq!(errors[0]["field"], json!(["input", "drawingId"]));
    let audit = service.query("{ auditLog(first: 1) { nodes { action detail } } }").await;
    let entry = json!({ "action": "retryFile", "detail": "drawing:2: 1 files are due" });
    assert_eq!(audit["auditLog"]["nodes"][0], entry);
    // The state that a worker may have given them meanwhile does not matter.
    let touched = "SELECT id FROM file WHERE next_attempt_at < 3000000000000000 OR attempts > 0 ORDER BY id";
    assert_eq!(service.database().numbers(touched).await, [3]);

    let retried = retry(&service, r#"{ proposalId: "proposal:arcsite:3" }"#).await;
    assert_eq!(texts(&retried["files"], "id"), ["file:7", "file:6", "file:5"]);
    assert_eq!(texts(&retried["userErrors"], "code"), ["LINK_REFUSED"]);
    assert_eq!(service.database().numbers(touched).await, [3, 6]);

    for missing in [r#"{ drawingId: "drawing:9" }"#, r#"{ proposalId: "proposal:arcsite:9" }"#] {
        let retried = retry(&service, missing).await;
        assert_eq!(texts(&retried["userErrors"], "code"), ["NOT_FOUND"], "{missing}");
    }
    for wrong in [
        r#"{ drawingId: "proposal:arcsite:3" }"#,
        r#"{ proposalId: "proposal:bidsketch:3" }"#,
        r#"{ drawingId: "x" }"#,
        "{ }",
        r#"{ drawingId: "drawing:2", proposalId: "proposal:arcsite:3" }"#,
    ] {
        let query = format!("mutation {{ retryFile(input: {wrong}) {{ userErrors {{ code }} }} }}");
        assert_bad_user_input(&service.query_error(&query).await, "");
    }
    service.stop().await;
}

/// A long life has many versions. The lists are bounded, and the newest come first.
#[tokio::test]
async fn lists_of_files_are_bounded() {
    let service = setup().start().await;
    sample_events(&service).await;
    let files: Vec<File<'_>> = (1..=120)
        .map(|id| File { id, event: (id + 1) / 2, kind: if id % 2 == 0 { "PNG" } else { "PDF" }, ..FILE })
        .collect();
    for number in 5..=60 {
        let data = format!(r#"{{"id":2,"project_id":9,"name":"Fence {number}"}}"#);
        service.arcsite("drawing.updated", &data).await.accepted();
    }
    insert(service.database(), &files).await;
    let data = service.query(r#"{ drawing(vendorId: "2") { versions { pdf { id } png { id } event { id } } } }"#).await;
    let versions = data["drawing"]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 50);
    let newest = json!({ "pdf": { "id": "file:119" }, "png": { "id": "file:120" }, "event": { "id": "event:60" } });
    assert_eq!(versions[0], newest);
    assert_eq!(NEVER, FILE.link_expires_at);
    service.stop().await;
}
