//! The search, compared with one over all rows in the test.

use std::cmp::Reverse;

use serde_json::{Value, json};

use crate::harness::{Service, assert_bad_user_input, insert_projects, texts};

/// An object that can be found, with the time of its newest event.
struct Object {
    id: String,
    table: usize,
    vendor_id: String,
    name: String,
    code: String,
    last_event_at: String,
}

const SEARCH: &str = "query ($text: String!, $first: Int!) { search(text: $text, first: $first) {
    __typename ... on Node { id } ... on SearchResult { __typename ... on Project { name } } } }";

async fn found(service: &Service, text: &str, first: usize) -> Vec<String> {
    let data = service.query_with(SEARCH, json!({ "text": text, "first": first })).await;
    texts(data["search"].as_array().unwrap(), "id")
}

/// All objects, as the lists show them.
async fn objects(service: &Service) -> Vec<Object> {
    let data = service
        .query(
            "{ projects(first: 100) { nodes { id vendorId name code: jobNumber lastEventAt } }
               clients(first: 100) { nodes { id vendorId name code: email lastEventAt } }
               proposals(first: 100) { nodes { id vendorId name code: customerEmail lastEventAt } }
               drawings(first: 100) { nodes { id vendorId name lastEventAt } } }",
        )
        .await;
    let mut objects = Vec::new();
    for (table, list) in ["projects", "clients", "proposals", "drawings"].into_iter().enumerate() {
        for node in data[list]["nodes"].as_array().unwrap() {
            let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
            let (id, vendor_id, name) = (text("id"), text("vendorId"), text("name"));
            objects.push(Object { id, table, vendor_id, name, code: text("code"), last_event_at: text("lastEventAt") });
        }
    }
    objects
}

/// What the search must find: these names need no folding but that of case.
fn expected(objects: &[Object], text: &str, first: usize) -> Vec<String> {
    let lower = text.trim().to_lowercase();
    let mut ranked: Vec<_> = objects
        .iter()
        .filter_map(|object| {
            let (name, code) = (object.name.to_lowercase(), object.code.to_lowercase());
            let rank = if object.vendor_id == text.trim() || (!code.is_empty() && code == lower) {
                0
            } else if name.starts_with(&lower) || code.starts_with(&lower) {
                1
            } else if name.contains(&lower) {
                2
            } else {
                return None;
            };
            Some(((rank, Reverse(&object.last_event_at), object.table, Reverse(&object.id)), &object.id))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(first).map(|(_, id)| id.clone()).collect()
}

/// Names of two words, with every pair of a few.
fn names() -> Vec<String> {
    let words = ["Roof", "Dach", "100%", "a_b", "KÜCHE", "küchenzeile", r"c:\d"];
    words.iter().flat_map(|first| words.iter().map(move |second| format!("{first} {second}"))).collect()
}

#[tokio::test]
async fn search_finds_what_a_look_at_every_row_finds() {
    let service = Service::open().await;
    for (at, name) in names().into_iter().enumerate() {
        let name = serde_json::to_string(&name).unwrap();
        let (vendor, event, data) = match at % 5 {
            0 => ("arcsite", "project.created", format!(r#"{{"id":{at},"name":{name},"job_number":"J-{at}"}}"#)),
            1 => {
                ("bidsketch", "client_created", format!(r#"{{"id":{at},"name":{name},"email":"Roof{at}@x.example"}}"#))
            }
            2 => ("bidsketch", "proposal_created", format!(r#"{{"id":{at},"name":{name}}}"#)),
            3 => ("arcsite", "drawing.created", format!(r#"{{"id":{at},"project_id":{},"name":{name}}}"#, at - 3)),
            _ => (
                "arcsite",
                "proposal.status_changed",
                format!(
                    r#"{{"proposal_id":{},"name":{name},"status":"PENDING","customer_email":"KU@x.example"}}"#,
                    at - 2
                ),
            ),
        };
        match vendor {
            "arcsite" => service.arcsite(event, &data).await.accepted(),
            _ => service.bidsketch(event, &data).await.accepted(),
        };
    }
    let objects = objects(&service).await;
    assert_eq!(objects.len(), 49);
    let mut results = 0;
    for text in [
        "roof",
        "ROOF",
        " Dach ",
        "küche",
        "KÜCHEN",
        "ch",
        "0%",
        "%",
        "_",
        "\\",
        ":\\D",
        "a_B",
        "j-1",
        "J-10",
        "10",
        "7",
        "ku@X.example",
        "ku@",
        "roof11@x.example",
        "Roof R",
        "o",
        "x.example",
        "'; DROP TABLE project; --",
        "nothing of it",
    ] {
        for first in [50, 3] {
            let found = found(&service, text, first).await;
            assert_eq!(found, expected(&objects, text, first), "{text:?}");
            results += found.len();
        }
    }
    assert!(results > 200, "{results}");
    // Ways of typing that the lists fold too.
    assert_eq!(found(&service, "Ku\u{308}chen", 50).await, found(&service, "küchen", 50).await);
    assert_eq!(found(&service, "Ｊ－１０", 50).await, found(&service, "J-10", 50).await);
    service.stop().await;
}

/// More rows begin with the text than are read along an index. The newest come first still.
#[tokio::test]
async fn search_with_many_matches_gives_the_newest() {
    let service = Service::open().await;
    insert_projects(service.database(), 3000).await;
    for (text, of) in [("ro", "roof"), ("r-", "code"), ("oo", "inside")] {
        let newest = "SELECT 'project:' || vendor_id FROM project ORDER BY last_event_at DESC LIMIT 5";
        assert_eq!(found(&service, text, 5).await, service.database().texts(newest).await, "{of}");
    }
    assert_eq!(found(&service, "r-17", 1).await, ["project:17"], "an exact job number comes first");
    let same = "UPDATE project SET job_number_key = 'Same'";
    let connection = service.database().connect().await;
    sea_orm::ConnectionTrait::execute_unprepared(&connection, same).await.unwrap();
    connection.close().await.unwrap();
    let newest = "SELECT 'project:' || vendor_id FROM project ORDER BY last_event_at DESC LIMIT 5";
    assert_eq!(found(&service, "SAME", 5).await, service.database().texts(newest).await);
    service.stop().await;
}

#[tokio::test]
async fn search_refuses_a_text_or_number_out_of_range() {
    let service = Service::open().await;
    for text in ["", "  ", "\u{ad}\u{200b}"] {
        let error = service.query_error(&format!("{{ search(text: {text:?}) {{ __typename }} }}")).await;
        assert_bad_user_input(&error, "`text`");
    }
    let long = "ﬃ".repeat(67);
    let error = service.query_error(&format!("{{ search(text: {long:?}) {{ __typename }} }}")).await;
    assert_bad_user_input(&error, "`text` may have at most 200");
    for first in ["51", "-1"] {
        let error = service.query_error(&format!("{{ search(text: \"a\", first: {first}) {{ __typename }} }}")).await;
        assert_bad_user_input(&error, "`first`");
    }
    let data: Value = service.query(r#"{ search(text: "a", first: 0) { __typename } }"#).await;
    assert_eq!(data["search"], json!([]));
    service.stop().await;
}
