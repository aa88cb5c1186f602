//! The first steps of a new user: start the service, post a sample of each vendor, watch the
//! events, query the result.

use serde_json::json;

use crate::harness::{Database, Process, Service, fixture};

#[tokio::test]
async fn sample_of_each_vendor_reaches_an_open_subscription() {
    let service = Service::open().await;
    let head = service.head().await;
    let live = format!("subscription {{ events(after: {head:?}) {{ __typename kind provider vendorTypes }} }}");
    let mut live = service.subscribe(&live).await;

    let response = service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await;
    assert_eq!(response.json(), json!({ "outcome": "ACCEPTED", "eventId": "event:1" }));
    let event = json!({
        "__typename": "ProjectEvent", "kind": "PROJECT_CREATED", "provider": "ARCSITE",
        "vendorTypes": ["project.created"],
    });
    assert_eq!(live.next().await["events"], event);

    service.post("/webhooks/bidsketch", fixture("bidsketch/client_created.json")).await.receipt().accepted();
    let event = json!({
        "__typename": "ClientEvent", "kind": "CLIENT_CREATED", "provider": "BIDSKETCH",
        "vendorTypes": ["client_created"],
    });
    assert_eq!(live.next().await["events"], event);
    live.complete().await;
    service.stop().await;
}

/// A subscription without `after` has no history. It does not report when it has begun, so the
/// events before its first message may or may not arrive.
#[tokio::test]
async fn subscription_without_a_cursor_gets_only_new_events() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1}"#).await.accepted();
    let mut live = service.subscribe("subscription { events { ... on ProjectEvent { project { vendorId } } } }").await;
    let mut id = 1;
    let first = loop {
        id += 1;
        service.arcsite("project.created", &format!(r#"{{"id":{id}}}"#)).await.accepted();
        if let Some(message) = live.next_within(std::time::Duration::from_millis(100)).await {
            break message["events"]["project"]["vendorId"].as_str().unwrap().parse::<u32>().unwrap();
        }
    };
    assert!(first > 1, "an event from before the subscription was sent");
    for expected in first + 1..=id {
        assert_eq!(live.next().await["events"]["project"]["vendorId"], expected.to_string());
    }
    live.complete().await;
    service.stop().await;
}

#[tokio::test]
async fn delivery_that_got_a_200_survives_a_kill() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    assert!(
        service.greeting().contains(&format!("{}/webhooks/arcsite (open", service.base())),
        "{}",
        service.greeting()
    );
    service.post("/webhooks/arcsite", fixture("arcsite/project_created.json")).await.receipt().accepted();
    service.post("/webhooks/bidsketch", fixture("bidsketch/client_created.json")).await.receipt().accepted();
    let query = r#"{
        project(vendorId: "36029621652695040") {
          id vendorId name jobNumber tags createdAt updatedAt workSiteAddress { city } salesRep { name }
          customer { name phone secondPhone email secondEmail address { city } }
        }
        client(vendorId: "4815162342") {
          id vendorId name firstName lastName email phone altPhone website addressFieldOne addressFieldTwo city state
          postalZip country notes url appUrl createdAt updatedAt otherContact { firstName lastName email phone }
        }
        events { totalCount nodes { id kind } }
    }"#;
    let before = service.query(query).await;
    let expected = json!({
        "project": {
            "id": "project:36029621652695040", "vendorId": "36029621652695040", "name": "Gutters, Hill Road 9",
            "jobNumber": "144111", "tags": [], "createdAt": "2022-01-16T04:19:23Z", "updatedAt": "2022-01-16T04:19:23Z",
            "workSiteAddress": null, "salesRep": null,
            "customer": {
                "name": "Jacqueline Oakes", "phone": "1441", "secondPhone": "1122", "email": null, "secondEmail": null,
                "address": null,
            },
        },
        "client": {
            "id": "client:4815162342", "vendorId": "4815162342", "name": "Stone Pergolas", "firstName": "Erica",
            "lastName": "Stone", "email": "erica@pergolas.example", "phone": "555-0142", "altPhone": "555-0143",
            "website": "pergolas.example", "addressFieldOne": "1 Arbor Way", "addressFieldTwo": "Yard B",
            "city": "Philadelphia", "state": "PA", "postalZip": "19106", "country": "USA",
            "notes": "Asks for \"the tall one\"",
            "url": "https://bidsketch.com/api/v1/clients/4815162342.json",
            "appUrl": "https://pergolas.bidsketch.example/clients/4815162342",
            "createdAt": "2014-04-08T20:16:23Z", "updatedAt": "2014-05-12T17:45:01Z",
            "otherContact": {
                "firstName": "June", "lastName": "Tully", "email": "june@pergolas.example", "phone": "555-0144",
            },
        },
        "events": {
            "totalCount": 2,
            "nodes": [{ "id": "event:2", "kind": "CLIENT_CREATED" }, { "id": "event:1", "kind": "PROJECT_CREATED" }],
        },
    });
    assert_eq!(before, expected);
    service.kill().await;

    let service = Process::start(0, &database).await;
    assert_eq!(service.query(query).await, before);
    service.stop(&database).await;
}
