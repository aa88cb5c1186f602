//! An optional field that cannot be read is left out and named. The rest of the delivery counts.

use serde_json::{Value, json};

use crate::harness::{ManualClock, Service, Setup, envelope};

/// The outcome, the reason and the detail of an event's first delivery.
async fn delivery_of(service: &Service, event: &str) -> Value {
    let query = format!(
        r#"{{ node(id: "{event}") {{ ... on Event {{ deliveries {{ outcome quarantineReason detail }} }} }} }}"#
    );
    service.query(&query).await["node"]["deliveries"][0].take()
}

#[tokio::test]
async fn field_that_cannot_be_read_keeps_its_value_and_is_named() {
    let service = Service::open().await;
    let before = r#"{"id":1,"name":"Roof","job_number":"J-1","tags":["a"],"created_at":"2026-03-01T00:00:00",
        "customer":{"name":"Ada","phone":"1","address":{"city":"Fremont"}},"sales_rep":{"name":"Sam"}}"#;
    service.arcsite("project.created", before).await.accepted();
    let state = async || {
        let query = r#"{ project(vendorId: "1") { name jobNumber tags createdAt customer { name phone address { city } } salesRep { name } } }"#;
        service.query(query).await["project"].take()
    };
    let expected = state().await;
    for (number, (field, path)) in [
        (r#""name":{"first":"x"}"#, "`name`"),
        (r#""name":[]"#, "`name`"),
        (r#""job_number":{}"#, "`job_number`"),
        (r#""job_number":"a","job_number":"b""#, "`job_number`"),
        (r#""tags":"a,b""#, "`tags`"),
        (r#""tags":{}"#, "`tags`"),
        (r#""created_at":"yesterday""#, "`created_at`"),
        (r#""created_at":"2026-03-02""#, "`created_at`"),
        (r#""created_at":"0000-00-00 00:00:00""#, "`created_at`"),
        (r#""created_at":true"#, "`created_at`"),
        (r#""customer":[]"#, "`customer`"),
        (r#""customer":"Ada""#, "`customer`"),
        (r#""customer":{"phone":[]}"#, "`customer.phone`"),
        (r#""customer":{"address":{"city":{}}}"#, "`customer.address.city`"),
        (r#""sales_rep":"""#, "`sales_rep`"),
    ]
    .into_iter()
    .enumerate()
    {
        let data = format!(r#"{{"id":1,"more":{number},{field}}}"#);
        let event = service.arcsite("project.updated", &data).await.accepted();
        assert_eq!(state().await, expected, "{field}");
        let delivery = delivery_of(&service, &event).await;
        assert_eq!((&delivery["outcome"], &delivery["quarantineReason"]), (&json!("ACCEPTED"), &Value::Null));
        assert!(delivery["detail"].as_str().unwrap().contains(path), "{field}: {delivery}");
        let stored = service.graphql("{ events(first: 1) { nodes { payload } } }", json!({})).await.body;
        assert!(stored.contains(&data), "the payload stays: {stored}");
    }
    // A list keeps the entries that can be read, and a null still clears.
    let event =
        service.arcsite("project.updated", r#"{"id":1,"tags":["x",{"y":1},"z"],"customer":null}"#).await.accepted();
    let after = state().await;
    assert_eq!((&after["tags"], &after["customer"]), (&json!(["x", "z"]), &Value::Null));
    assert!(delivery_of(&service, &event).await["detail"].as_str().unwrap().contains("`tags[1]`"));
    let data = service.query(r#"{ projects(filter: { tag: "z" }) { totalCount } }"#).await;
    assert_eq!(data["projects"]["totalCount"], 1);
    service.stop().await;
}

#[tokio::test]
async fn value_in_another_exact_spelling_is_read() {
    let service = Service::open().await;
    for (number, (created_at, utc)) in [
        (r#""2026-03-02T14:05:11+0500""#, "2026-03-02T09:05:11Z"),
        (r#""2026-03-02T14:05:11+05""#, "2026-03-02T09:05:11Z"),
        (r#""2026-03-02 14:05:11 +0500""#, "2026-03-02T09:05:11Z"),
        (r#""2026-03-02 14:05:11 UTC""#, "2026-03-02T14:05:11Z"),
        (r#""2026-03-02T14:05Z""#, "2026-03-02T14:05:00Z"),
        (r#""Mon, 02 Mar 2026 14:05:11 +0500""#, "2026-03-02T09:05:11Z"),
        ("1772460311", "2026-03-02T14:05:11Z"),
        ("1772460311000", "2026-03-02T14:05:11Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let event = service
            .arcsite("project.created", &format!(r#"{{"id":{number},"created_at":{created_at}}}"#))
            .await
            .accepted();
        let data = service.query(&format!(r#"{{ project(vendorId: "{number}") {{ createdAt }} }}"#)).await;
        assert_eq!(data["project"]["createdAt"], utc, "{created_at}");
        assert_eq!(delivery_of(&service, &event).await["detail"], Value::Null, "{created_at}");
    }
    for (number, (members, is_draft, total)) in [
        (r#""is_draft":0,"total":"7,385.00""#, json!(false), json!("7385.00")),
        (r#""is_draft":1,"total":"$7,385.00""#, json!(true), json!("7385.00")),
        (r#""is_draft":"true","total":"7.385,00 €""#, json!(true), json!("7385.00")),
        (r#""is_draft":"0","total":"-$250""#, json!(false), json!("-250.00")),
        (r#""is_draft":"perhaps","total":"7,385""#, json!(null), json!(null)),
        (r#""is_draft":2,"total":123456789012345678901234567890"#, json!(null), json!(null)),
        (r#""is_draft":[],"total":{"amount":1}"#, json!(null), json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        let event = service.bidsketch("proposal_created", &format!(r#"{{"id":{number},{members}}}"#)).await.accepted();
        let query = format!(r#"{{ proposal(provider: BIDSKETCH, vendorId: "{number}") {{ isDraft total }} }}"#);
        let proposal = service.query(&query).await["proposal"].take();
        assert_eq!((&proposal["isDraft"], &proposal["total"]), (&is_draft, &total), "{members}");
        let detail = delivery_of(&service, &event).await["detail"].take();
        let left_out = |field: &str| detail.as_str().is_some_and(|detail| detail.contains(field));
        assert_eq!(
            (left_out("`is_draft`"), left_out("`total`")),
            (is_draft.is_null(), total.is_null()),
            "{members}: {detail}"
        );
    }
    service.stop().await;
}

/// What PostgreSQL, JSON parsers or a float would not survive.
#[tokio::test]
async fn odd_text_beside_the_fields_does_no_harm() {
    let service = Service::open().await;
    let long = "x".repeat(200_000);
    for (number, members) in [
        r#""name":"a\u0000b","tags":["\u0000","\u0001"]"#.to_owned(),
        r#""name":"\ud800","\udfff":1,"customer":{"\ud800":{},"name":"\udc00"}"#.to_owned(),
        r#""name":123456789012345678901234567890,"job_number":1e999"#.to_owned(),
        r#""a":1,"a":2,"name":"x","name":"x""#.to_owned(),
        format!(r#""name":"{long}","tags":["{long}"],"job_number":"{long}","customer":{{"email":"{long}"}}"#),
        r#""name":"","job_number":"","created_at":"","tags":[],"customer":{}"#.to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let event = service.arcsite("project.created", &format!(r#"{{"id":{number},{members}}}"#)).await.accepted();
        assert_eq!(delivery_of(&service, &event).await["detail"], Value::Null, "{number}");
    }
    service.stop().await;
}

#[tokio::test]
async fn value_that_the_event_needs_is_quarantined_where_it_has_no_one_reading() {
    let service = Service::open().await;
    for (vendor, event, data, named) in [
        ("arcsite", "proposal.payment.received", r#"{"proposal_id":1,"paid_amount":"7,385"}"#, "`paid_amount`"),
        (
            "arcsite",
            "proposal.payment.received",
            r#"{"proposal_id":1,"paid_amount":1,"paid_amount":2}"#,
            "`paid_amount`",
        ),
        ("arcsite", "proposal.payment.received", r#"{"proposal_id":[],"paid_amount":1}"#, "`proposal_id`"),
        ("arcsite", "proposal.status_changed", r#"{"proposal_id":1,"status":["VOID"]}"#, "`status`"),
        ("arcsite", "proposal.status_changed", r#"{"proposal_id":1,"status":""}"#, "`status`"),
        ("arcsite", "project.created", r#"{"id":1,"id":2}"#, "`id`"),
        ("arcsite", "project.created", r#"{"id":"a\u0001"}"#, "`id`"),
        ("bidsketch", "proposal_accepted_or_declined", r#"{"id":1,"status":{}}"#, "`status`"),
    ] {
        service.post(&format!("/webhooks/{vendor}"), envelope(event, data)).await.receipt().quarantined();
        let list = service.query("{ quarantinedDeliveries(first: 1) { nodes { quarantineReason detail } } }").await;
        let delivery = &list["quarantinedDeliveries"]["nodes"][0];
        assert_eq!(delivery["quarantineReason"], "INVALID_PAYLOAD");
        assert!(delivery["detail"].as_str().unwrap().contains(named), "{data}: {delivery}");
    }
    // Other values of the same events are not needed.
    let payment = r#"{"proposal_id":1,"paid_amount":"1,500.00","paid_time":"soon","pay_channel":[],"drawing_id":{}}"#;
    let event = service.arcsite("proposal.payment.received", payment).await.accepted();
    let detail = delivery_of(&service, &event).await["detail"].take();
    for field in ["`paid_time`", "`pay_channel`", "`drawing_id`"] {
        assert!(detail.as_str().unwrap().contains(field), "{detail}");
    }
    let data = service
        .query(&format!(r#"{{ node(id: "{event}") {{ ... on ProposalEvent {{ payment {{ amount paidAt }} }} }} }}"#))
        .await;
    assert_eq!(data["node"]["payment"], json!({ "amount": "1500.00", "paidAt": null }));
    // A viewed proposal needs no status.
    service.bidsketch("proposal_viewed", r#"{"id":1,"status":{}}"#).await.accepted();
    service.stop().await;
}

#[tokio::test]
async fn released_delivery_names_the_fields_that_are_left_out() {
    let clock = ManualClock::new();
    let service = Setup::new().signing_secrets(&["whsec_one"]).clock(&clock).start().await;
    let body = envelope("project.created", r#"{"id":1,"name":"Roof","customer":[]}"#);
    service.post_signed("whsec_one", clock.unix() - 73 * 3600, body).await.receipt().quarantined();
    let mutation = r#"mutation { releaseQuarantinedDelivery(input: { id: "delivery:1" }) { delivery { outcome quarantineReason detail } } }"#;
    let delivery = service.query(mutation).await["releaseQuarantinedDelivery"]["delivery"].take();
    assert_eq!((&delivery["outcome"], &delivery["quarantineReason"]), (&json!("ACCEPTED"), &json!("STALE_SIGNATURE")));
    let detail = delivery["detail"].as_str().unwrap();
    assert!(detail.starts_with("the signature is valid") && detail.contains("`customer`"), "{detail}");
    service.stop().await;
}
