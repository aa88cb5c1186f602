//! Texts of almost a megabyte, which a vendor may send. An index entry of PostgreSQL holds less
//! than 2,700 bytes.

use serde_json::{Value, json};

use crate::harness::{HttpResponse, Pages, Service, envelope, texts};

/// Longer than any index entry, and about as long as a delivery can hold.
const LONG_BYTES: usize = 900_000;

const LETTERS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.";

/// A text of `bytes` bytes that begins with `start`. A database cannot compress it by much.
fn random_text(start: &str, bytes: usize) -> String {
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

async fn vendor_ids(service: &Service, list: &str, filter: Value) -> Vec<String> {
    let kind = if list == "projects" { "ProjectFilter" } else { "ClientFilter" };
    let query = format!("query ($filter: {kind}) {{ {list}(filter: $filter) {{ totalCount nodes {{ vendorId }} }} }}");
    let data = service.query_with(&query, json!({ "filter": filter })).await;
    let ids = texts(data[list]["nodes"].as_array().unwrap(), "vendorId");
    assert_eq!(data[list]["totalCount"], ids.len());
    ids
}

/// Creates a project or a client with this one field.
async fn deliver(service: &Service, list: &str, id: &str, field: &str, value: Value) {
    let data = json!({ "id": id, field: value }).to_string();
    let receipt = match list {
        "projects" => service.arcsite("project.created", &data).await,
        _ => service.bidsketch("client_created", &data).await,
    };
    receipt.accepted();
}

#[tokio::test]
async fn field_of_any_length_is_shown_in_full_and_found_up_to_500_bytes() {
    let service = Service::open().await;
    let fields = [
        ("projects", "job_number", "jobNumber", "jobNumber"),
        ("projects", "tags", "tags", "tag"),
        ("clients", "email", "email", "email"),
        ("clients", "city", "city", "city"),
    ];
    for (number, (list, field, shown, filter)) in fields.into_iter().enumerate() {
        for bytes in [500, 501, LONG_BYTES] {
            let (id, text) = (format!("{number}{bytes}"), random_text("", bytes));
            let value = if field == "tags" { json!(["roof", text]) } else { json!(text) };
            deliver(&service, list, &id, field, value.clone()).await;
            let singular = list.trim_end_matches('s');
            let data = service.query(&format!(r#"{{ {singular}(vendorId: "{id}") {{ {shown} }} }}"#)).await;
            assert!(data[singular][shown] == value, "{field} of {bytes} bytes is shown changed");
            // Searched in another case if the filter ignores case.
            let searched = if list == "clients" { text.to_ascii_uppercase() } else { text };
            let expected: &[&str] = if bytes <= 500 { &[&id] } else { &[] };
            if bytes < LONG_BYTES {
                assert_eq!(vendor_ids(&service, list, json!({ filter: searched })).await, expected, "{field} {bytes}");
            }
        }
    }
    assert_eq!(vendor_ids(&service, "projects", json!({ "tag": "roof" })).await.len(), 3);
    // A value that was too long is found once it is short, and the other way round.
    service.arcsite("project.updated", r#"{"id":"0501","job_number":"J-1"}"#).await.accepted();
    assert_eq!(vendor_ids(&service, "projects", json!({ "jobNumber": "J-1" })).await, ["0501"]);
    let long = json!({ "id": "0501", "job_number": random_text("J", LONG_BYTES) }).to_string();
    service.arcsite("project.updated", &long).await.accepted();
    assert_eq!(vendor_ids(&service, "projects", json!({ "jobNumber": "J-1" })).await, [""; 0]);
    service.stop().await;
}

/// Names sort by their first 200 letters. The order is the same at any page size.
#[tokio::test]
async fn names_too_long_for_an_index_have_one_order_across_pages() {
    let service = Service::open().await;
    // The names with z, and those with houses, differ only after the first 200 letters: their ids
    // give the order.
    let houses = "\u{1f3e0}".repeat(300);
    let mut names: Vec<(String, String)> =
        [("c", LONG_BYTES), ("A", 500), ("b", 501), ("Ä", LONG_BYTES), ("z", LONG_BYTES), ("z", LONG_BYTES)]
            .into_iter()
            .enumerate()
            .map(|(id, (start, bytes))| (id.to_string(), random_text(start, bytes - 8) + &format!("end of {id}")))
            .collect();
    names.push(("6".to_owned(), format!("{houses}b")));
    names.push(("7".to_owned(), format!("{houses}a")));
    for list in ["projects", "clients"] {
        for (id, name) in &names {
            deliver(&service, list, id, "name", json!(name)).await;
        }
        for (id, name) in &names {
            let singular = list.trim_end_matches('s');
            let data = service.query(&format!(r#"{{ {singular}(vendorId: "{id}") {{ name }} }}"#)).await;
            assert!(data[singular]["name"] == *name, "the name of {id} is shown changed");
        }
        for size in [1, 3, 100] {
            let pages = Pages::of(list, "vendorId").with("orderBy: { field: NAME, direction: ASC }");
            let ids = texts(&pages.both_directions(&service, size).await, "vendorId");
            assert_eq!(ids, ["1", "2", "0", "4", "5", "3", "6", "7"], "{list} in pages of {size}");
        }
        // A part is found at any place of a name.
        assert_eq!(vendor_ids(&service, list, json!({ "nameContains": "END OF 0" })).await, ["0"]);
    }
    service.stop().await;
}

/// A long text in any other field is accepted. A type or an id of the subject that is too long is
/// quarantined, an id of another object is left out.
#[tokio::test]
async fn delivery_with_another_long_text_is_recorded() {
    let service = Service::open().await;
    let text = random_text("", LONG_BYTES);
    for (event, data) in [
        ("drawing.created", json!({ "id": 1, "project_id": 1, "name": text })),
        ("drawing.created", json!({ "id": 2, "project_id": 1, "tags": ["roof", text] })),
        ("proposal_sent", json!({ "id": 1, "name": text })),
        ("proposal_sent", json!({ "id": 2, "status": text })),
        ("proposal_sent", json!({ "id": 3, "currency": text })),
        ("proposal_sent", json!({ "id": 4, "client": { "id": text } })),
    ] {
        post(&service, event, &data).await.receipt().accepted();
    }
    let too_long = [
        (text.as_str(), json!({ "id": 1 })),
        ("project.created", json!({ "id": text })),
        ("drawing.created", json!({ "id": 2, "project_id": text })),
        ("client_created", json!({ "id": text })),
    ];
    let event = service.query("{ events(first: 1) { nodes { deliveries { detail } } } }").await;
    let detail = event["events"]["nodes"][0]["deliveries"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("`client.id`") && detail.len() < 1000, "{detail:.300}");
    for (event, data) in &too_long {
        post(&service, event, data).await.receipt().quarantined();
    }
    let quarantined = service.query("{ quarantinedDeliveries { nodes { detail body } } }").await;
    let quarantined = quarantined["quarantinedDeliveries"]["nodes"].as_array().unwrap();
    assert_eq!(quarantined.len(), too_long.len());
    for delivery in quarantined {
        let detail = delivery["detail"].as_str().unwrap();
        assert!(detail.contains("1 to 200 bytes") && detail.len() < 1000, "{} bytes: {detail:.300}", detail.len());
        assert!(delivery["body"].as_str().unwrap().contains(&text), "its body is complete");
    }
    service.stop().await;
}

async fn post(service: &Service, event: &str, data: &Value) -> HttpResponse {
    let vendor = if event.contains('_') { "bidsketch" } else { "arcsite" };
    service.post(&format!("/webhooks/{vendor}"), envelope(event, &data.to_string())).await
}
