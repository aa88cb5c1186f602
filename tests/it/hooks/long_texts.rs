//! Texts of almost a megabyte, which a vendor may send: an entry of PostgreSQL's indexes has room for less than 2,700 bytes.

use serde_json::{Value, json};

use crate::harness::{Answer, Pages, Service, envelope, texts};

/// Longer than any index holds, and as long as a delivery has room for.
const LONG: usize = 900_000;

const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.";

/// So many bytes of text that no database can pack smaller by much: each begins with `start`.
fn letters(start: &str, bytes: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut text = start.to_owned();
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(char::from(LETTERS[usize::try_from(state >> 58).unwrap()]));
    }
    assert_eq!(text.len(), bytes);
    text
}

async fn found(service: &Service, list: &str, filter: Value) -> Vec<String> {
    let kind = if list == "projects" { "ProjectFilter" } else { "ClientFilter" };
    let query = format!("query ($filter: {kind}) {{ {list}(filter: $filter) {{ totalCount nodes {{ vendorId }} }} }}");
    let data = service.query_with(&query, json!({ "filter": filter })).await;
    let ids = texts(data[list]["nodes"].as_array().unwrap(), "vendorId");
    assert_eq!(data[list]["totalCount"], ids.len());
    ids
}

/// A project or a client of which one field is so long, in an event of its own.
async fn deliver(service: &Service, list: &str, id: &str, field: &str, value: Value) {
    let data = json!({ "id": id, field: value }).to_string();
    let receipt = match list {
        "projects" => service.arcsite("project.created", &data).await,
        _ => service.bidsketch("client_created", &data).await,
    };
    receipt.accepted();
}

/// One field of each length in turn: shown whole, and found by its value up to 500 bytes.
#[tokio::test]
async fn is_taken_and_shown_whole_and_found_where_it_is_short_enough() {
    let service = Service::open().await;
    let fields = [
        ("projects", "job_number", "jobNumber", "jobNumber"),
        ("projects", "tags", "tags", "tag"),
        ("clients", "email", "email", "email"),
        ("clients", "city", "city", "city"),
    ];
    for (number, (list, field, shown, filter)) in fields.into_iter().enumerate() {
        for bytes in [500, 501, LONG] {
            let (id, text) = (format!("{number}{bytes}"), letters("", bytes));
            let value = if field == "tags" { json!(["roof", text]) } else { json!(text) };
            deliver(&service, list, &id, field, value.clone()).await;
            let one = list.trim_end_matches('s');
            let data = service.query(&format!(r#"{{ {one}(vendorId: "{id}") {{ {shown} }} }}"#)).await;
            assert!(data[one][shown] == value, "{field} of {bytes} bytes is shown otherwise");
            // Asked for with another case where the case does not count.
            let asked = if list == "clients" { text.to_ascii_uppercase() } else { text };
            let expected: &[&str] = if bytes <= 500 { &[&id] } else { &[] };
            if bytes < LONG {
                assert_eq!(found(&service, list, json!({ filter: asked })).await, expected, "{field} {bytes}");
            }
        }
    }
    assert_eq!(found(&service, "projects", json!({ "tag": "roof" })).await.len(), 3);
    // What was too long is found once it is short, and the other way round.
    service.arcsite("project.updated", r#"{"id":"0501","job_number":"J-1"}"#).await.accepted();
    assert_eq!(found(&service, "projects", json!({ "jobNumber": "J-1" })).await, ["0501"]);
    let long = json!({ "id": "0501", "job_number": letters("J", LONG) }).to_string();
    service.arcsite("project.updated", &long).await.accepted();
    assert_eq!(found(&service, "projects", json!({ "jobNumber": "J-1" })).await, [""; 0]);
    service.stop().await;
}

/// By their first 200 letters, and in the same order on every page.
#[tokio::test]
async fn names_have_one_order_across_pages() {
    let service = Service::open().await;
    // Those with z, and those with houses, are told apart by their ids alone.
    let houses = "\u{1f3e0}".repeat(300);
    let mut names: Vec<(String, String)> = [("c", LONG), ("A", 500), ("b", 501), ("Ä", LONG), ("z", LONG), ("z", LONG)]
        .into_iter()
        .enumerate()
        .map(|(id, (start, bytes))| (id.to_string(), letters(start, bytes - 8) + &format!("end of {id}")))
        .collect();
    names.push(("6".to_owned(), format!("{houses}b")));
    names.push(("7".to_owned(), format!("{houses}a")));
    for list in ["projects", "clients"] {
        for (id, name) in &names {
            deliver(&service, list, id, "name", json!(name)).await;
        }
        for (id, name) in &names {
            let one = list.trim_end_matches('s');
            let data = service.query(&format!(r#"{{ {one}(vendorId: "{id}") {{ name }} }}"#)).await;
            assert!(data[one]["name"] == *name, "the name of {id} is shown otherwise");
        }
        for size in [1, 3, 100] {
            let pages = Pages::of(list, "vendorId").with("orderBy: { field: NAME, direction: ASC }");
            let ids = texts(&pages.both_ways(&service, size).await, "vendorId");
            assert_eq!(ids, ["1", "2", "0", "4", "5", "3", "6", "7"], "{list} in pages of {size}");
        }
        // A part of a name is found wherever it stands.
        assert_eq!(found(&service, list, json!({ "nameContains": "END OF 0" })).await, ["0"]);
    }
    service.stop().await;
}

/// Whatever other text is so long, the delivery is taken: as an event, or into quarantine where it would be an id or a type.
#[tokio::test]
async fn every_other_text_is_taken() {
    let service = Service::open().await;
    let text = letters("", LONG);
    for (event, data) in [
        ("drawing.created", json!({ "id": 1, "project_id": 1, "name": text })),
        ("drawing.created", json!({ "id": 2, "project_id": 1, "tags": ["roof", text] })),
        ("proposal_sent", json!({ "id": 1, "name": text })),
        ("proposal_sent", json!({ "id": 2, "status": text })),
        ("proposal_sent", json!({ "id": 3, "currency": text })),
    ] {
        post(&service, event, &data).await.receipt().accepted();
    }
    let too_long = [
        (text.as_str(), json!({ "id": 1 })),
        ("project.created", json!({ "id": text })),
        ("drawing.created", json!({ "id": 2, "project_id": text })),
        ("client_created", json!({ "id": text })),
        ("proposal_sent", json!({ "id": 3, "client": { "id": text } })),
    ];
    for (event, data) in &too_long {
        post(&service, event, data).await.receipt().quarantined();
    }
    let kept = service.query("{ quarantinedDeliveries { nodes { detail body } } }").await;
    let kept = kept["quarantinedDeliveries"]["nodes"].as_array().unwrap();
    assert_eq!(kept.len(), too_long.len());
    for delivery in kept {
        let detail = delivery["detail"].as_str().unwrap();
        assert!(detail.contains("1 to 200 bytes") && detail.len() < 1000, "{} bytes: {detail:.300}", detail.len());
        assert!(delivery["body"].as_str().unwrap().contains(&text), "its body is whole");
    }
    service.stop().await;
}

async fn post(service: &Service, event: &str, data: &Value) -> Answer {
    let vendor = if event.contains('_') { "bidsketch" } else { "arcsite" };
    service.post(&format!("/webhooks/{vendor}"), envelope(event, &data.to_string())).await
}
