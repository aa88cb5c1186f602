//! Payloads are served verbatim. The tests compare text, since a JSON value would hide a
//! difference.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{Launch, Message, Service, assert_same_rows, envelope};

/// Numbers that a float loses or writes differently, unordered and repeated keys, white space,
/// escapes, an emoji as a surrogate pair.
const PAYLOADS: [&str; 6] = [
    r#"{"id":36029621652695041,"a":9007199254740993,"b":7385.00,"c":1e400,"d":-0.0,"e":1E5,"f":0.1000000000000000055511151231257827}"#,
    r#"{ "z" : 1 ,  "a":2,
	"m" : [ 1,2 ,3 ] , "id" : "1" }"#,
    r#"{"id":2,"twice":1,"twice":2,"":{}}"#,
    r#"{"id":3,"text":"\u00e4\/\u0000\ud83d\ude00 \"ä\u2028"}"#,
    r#"{"id":4,"$serde_json::private::RawValue":"1","$serde_json::private::Number":"2"}"#,
    "{}",
];

#[tokio::test]
async fn payload_of_any_spelling_is_served_verbatim() {
    let service = Service::open().await;
    let mut live = service.socket().await;
    let start = service.head().await;
    live.subscribe("1", &format!("subscription {{ events(after: {start:?}) {{ payload id }} }}"), json!({})).await;
    for (number, payload) in PAYLOADS.into_iter().enumerate() {
        let event = service.arcsite(&format!("odd.{number}"), payload).await.accepted();
        let expected = format!(r#"{{"payload":{payload},"id":"{event}"}}"#);
        let by_id = format!("{{ node(id: {event:?}) {{ ... on Event {{ payload id }} }} }}");
        assert_eq!(service.graphql(&by_id, json!({})).await.body, format!(r#"{{"data":{{"node":{expected}}}}}"#));
        for query in [
            "{ events(first: 1) { nodes { payload id } } }",
            "{ events(first: 1) { edges { node { data: payload id } } } }",
        ] {
            let answer = service.graphql(query, json!({})).await;
            assert!(answer.body.contains(&format!(r#":{payload},"id":"{event}"}}"#)), "{query}: {}", answer.body);
        }
        let message = live.message().await;
        let Message::Text(text) = &message else { panic!("{message:?}") };
        assert!(text.contains(&format!(r#"{{"events":{expected}}}"#)), "{text}");
    }
    service.stop().await;
}

/// A `data` of this many levels.
fn nested(levels: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
}

#[tokio::test]
async fn payload_of_200_levels_is_served_verbatim() {
    let service = Service::open().await;
    let mut live = service.socket().await;
    let start = service.head().await;
    live.subscribe("1", &format!("subscription {{ events(after: {start:?}) {{ payload }} }}"), json!({})).await;
    let deep = nested(200);
    let event = service.bidsketch("deep", &deep).await.accepted();
    let by_id = format!("{{ node(id: {event:?}) {{ ... on Event {{ kind payload deliveries {{ body }} }} }} }}");
    let answer = service.graphql(&by_id, json!({})).await;
    assert!(answer.body.contains(&format!(r#""kind":"UNRECOGNIZED","payload":{deep},"#)), "{}", answer.body);
    let message = live.message().await;
    assert!(matches!(&message, Message::Text(text) if text.contains(&deep)), "{message:?}");
    // Brackets in a text are no levels.
    let text = format!(r#"{{"id":1,"name":"{}"}}"#, "[{".repeat(1_000));
    service.arcsite("project.created", &text).await.accepted();
    service.stop().await;
}

/// The parsers of followers give up at some depth.
#[tokio::test]
async fn payload_of_more_than_200_levels_is_quarantined() {
    let service = Service::open().await;
    let in_a_list = format!(r#"{{"id":1,"more":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for (event, data) in
        [("deep", nested(201)), ("project.created", in_a_list), ("deep", nested(5_000)), ("deep", nested(150_000))]
    {
        service.arcsite(event, &data).await.quarantined();
        let list = service
            .query("{ quarantinedDeliveries(first: 1) { nodes { id quarantineReason detail vendorType } } }")
            .await;
        let delivery = &list["quarantinedDeliveries"]["nodes"][0];
        assert_eq!(
            (&delivery["quarantineReason"], &delivery["vendorType"]),
            (&json!("INVALID_PAYLOAD"), &json!(event))
        );
        assert!(delivery["detail"].as_str().unwrap().contains("200 levels"), "{delivery}");
        let release = format!(
            "mutation {{ releaseQuarantinedDelivery(input: {{ id: {} }}) {{ userErrors {{ code }} }} }}",
            delivery["id"]
        );
        let released = service.query(&release).await;
        assert_eq!(released["releaseQuarantinedDelivery"]["userErrors"], json!([{ "code": "STILL_INVALID" }]));
    }
    assert_eq!(service.event_count().await, 0);
    service.stop().await;
}

/// An earlier version took any nesting, so the log may have such an event.
#[tokio::test]
async fn payload_recorded_with_more_levels_is_served_cut() {
    let service = Service::open().await;
    let start = service.head().await;
    let event = service.arcsite("project.created", r#"{"id":1,"name":"Roof","a":1}"#).await.accepted();
    let deep = format!(r#"{{"id":1,"name":"Roof","a":{}}}"#, nested(5_000));
    let connection = service.database().connect().await;
    let update = format!("UPDATE event SET body = '{}'", envelope("project.created", &deep));
    sea_orm::ConnectionTrait::execute_unprepared(&connection, &update).await.unwrap();
    connection.close().await.unwrap();
    let cut = format!(r#"{{"id":1,"name":"Roof","a":{}}}"#, nested(199).replace('1', "null"));
    let answer =
        service.graphql(&format!("{{ node(id: {event:?}) {{ ... on Event {{ payload }} }} }}"), json!({})).await;
    assert!(answer.body.contains(&format!(r#""payload":{cut}}}"#)), "{}", answer.body);
    let feed = format!("{{ eventFeed(after: {start:?}) {{ events {{ payload }} }} }}");
    let answer = service.graphql(&feed, json!({})).await;
    assert!(answer.body.contains(&cut), "{}", answer.body);
    // A rebuild keeps what the event gave.
    let database = service.stop().await;
    let before = database.dump().await;
    let rebuild = Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url());
    assert!(rebuild.run().await.status.success());
    assert_same_rows(&before, &database.dump().await);
}

/// Not every database can hold U+0000 in a text. The payload keeps it.
#[tokio::test]
async fn nul_in_a_name_reads_as_a_replacement_character() {
    let service = Service::open().await;
    let payload = r#"{"id":1,"name":"a\u0000b","tags":["\u0000"],"customer":{"name":"\u0000c"}}"#;
    service.arcsite("project.created", payload).await.accepted();
    let data = service.query(r#"{ project(vendorId: "1") { name tags customer { name } } }"#).await;
    assert_eq!(
        data["project"],
        json!({ "name": "a\u{fffd}b", "tags": ["\u{fffd}"], "customer": { "name": "\u{fffd}c" } })
    );
    let answer = service.graphql("{ events { nodes { payload } } }", json!({})).await;
    assert!(answer.body.contains(payload), "{}", answer.body);
    let data = service.query(r#"{ projects(filter: { nameContains: "A\uFFFDB" }) { totalCount } }"#).await;
    assert_eq!(data["projects"]["totalCount"], 1);
    service.stop().await;
}

/// Half a surrogate pair is no letter. The name has U+FFFD in its place, and the delivery keeps its
/// bytes.
#[tokio::test]
async fn half_a_surrogate_pair_in_a_name_is_replaced() {
    let service = Service::open().await;
    for (name, read) in [(r"\ud800", "\u{fffd}"), (r"a\udc00b", "a\u{fffd}b"), (r"\ud83dx", "\u{fffd}x")] {
        let body = envelope("project.updated", &format!(r#"{{"id":1,"name":"{name}"}}"#));
        let event = service.post("/webhooks/arcsite", body.as_str()).await.receipt().accepted();
        let data = service
            .query(&format!(
                r#"{{ project(vendorId: "1") {{ name }} node(id: "{event}") {{ ... on ProjectEvent {{ deliveries {{ body bodyBase64 }} }} }} }}"#
            ))
            .await;
        assert_eq!(data["project"]["name"], read);
        let delivery = &data["node"]["deliveries"][0];
        assert_eq!(delivery["body"], body);
        assert_eq!(STANDARD.decode(delivery["bodyBase64"].as_str().unwrap()).unwrap(), body.as_bytes());
    }
    assert_eq!(service.event_count().await, 3);
    service.stop().await;
}

#[tokio::test]
async fn redelivery_with_other_bytes_keeps_its_own_bytes() {
    let service = Service::open().await;
    let bodies = [
        envelope("project.created", r#"{"id":1,"name":"ä"}"#),
        envelope("project.created", r#"{"id":1,"name":"ä"}"#),
        format!(" {}\r\n", envelope("project.created", r#"{"id":1,"name":"ä"}"#)),
    ];
    for body in &bodies {
        assert_ne!(service.post("/webhooks/arcsite", body.as_str()).await.receipt().outcome, "QUARANTINED");
    }
    let log = service.log("deliveries { body bodyBase64 outcome }").await;
    assert_eq!(log.len(), 1);
    let deliveries = log[0]["deliveries"].as_array().unwrap();
    for (delivery, body) in deliveries.iter().zip(&bodies) {
        assert_eq!((&delivery["body"], &delivery["bodyBase64"]), (&json!(body), &json!(STANDARD.encode(body))));
    }
    service.stop().await;
}
