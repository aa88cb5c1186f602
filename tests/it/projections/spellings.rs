//! The spellings of the vendors: ids as numbers and as texts, two spellings of a field, times with
//! and without a zone, amounts of any size.

use serde_json::json;

use crate::harness::Service;

#[tokio::test]
async fn id_as_number_or_text_is_the_same_id() {
    let service = Service::open().await;
    for id in ["36029621652695041", "9007199254740993", "340282366920938463463374607431768211456"] {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"by number"}}"#)).await.accepted();
        service.arcsite("project.updated", &format!(r#"{{"id":"{id}","name":"by text"}}"#)).await.accepted();
        let found = service.query(&format!(r#"{{ project(vendorId: "{id}") {{ id vendorId name }} }}"#)).await;
        let expected = json!({ "id": format!("project:{id}"), "vendorId": id, "name": "by text" });
        assert_eq!(found["project"], expected);
    }
    assert_eq!(service.database().numbers("SELECT COUNT(*) FROM project").await, [3]);
    service.stop().await;
}

/// A float would round two neighbours to one number.
#[tokio::test]
async fn ids_beyond_2_to_the_53_are_not_rounded() {
    let service = Service::open().await;
    for id in ["9007199254740992", "9007199254740993"] {
        let drawing = format!(r#"{{"id":{id},"project_id":{id},"name":"{id}"}}"#);
        service.arcsite("drawing.created", &drawing).await.accepted();
    }
    for id in ["9007199254740992", "9007199254740993"] {
        let query = format!(r#"{{ drawing(vendorId: "{id}") {{ name projectVendorId }} }}"#);
        assert_eq!(service.query(&query).await["drawing"], json!({ "name": id, "projectVendorId": id }));
    }
    service.stop().await;
}

#[tokio::test]
async fn field_in_either_spelling_is_read() {
    let service = Service::open().await;
    for (id, site, rep, county, state) in [
        (1, "work_site_address", "sales_rep", "county", "state"),
        (2, "work_site_addreess", "sale_rep", "countity", "State"),
    ] {
        let address = format!(
            r#"{{"street":"Hill Road 9","city":"Troy","{county}":"Rensselaer","{state}":"NY","zip_code":"12180"}}"#
        );
        let data = format!(
            r#"{{"id":{id},"{site}":{address},"{rep}":{{"name":"Sam Eaves","email":"sam@eaves.example","phone":"1441"}},
                "customer":{{"name":"J. Oakes","address":{address}}}}}"#
        );
        service.arcsite("project.created", &data).await.accepted();
    }
    let address = "{ street city county state zipCode }";
    let fields =
        format!("workSiteAddress {address} salesRep {{ name email phone }} customer {{ name address {address} }}");
    let found = service
        .query(&format!(
            r#"{{ one: project(vendorId: "1") {{ {fields} }} two: project(vendorId: "2") {{ {fields} }} }}"#
        ))
        .await;
    let address =
        json!({ "street": "Hill Road 9", "city": "Troy", "county": "Rensselaer", "state": "NY", "zipCode": "12180" });
    let expected = json!({
        "workSiteAddress": address,
        "salesRep": { "name": "Sam Eaves", "email": "sam@eaves.example", "phone": "1441" },
        "customer": { "name": "J. Oakes", "address": address },
    });
    assert_eq!(found["one"], expected);
    assert_eq!(found["two"], expected);
    service.stop().await;
}

#[tokio::test]
async fn time_without_a_zone_is_utc() {
    let service = Service::open().await;
    for (id, written, read) in [
        (1, "2022-01-16T04:19:23", "2022-01-16T04:19:23Z"),
        (2, "2022-01-16T04:19:23.250", "2022-01-16T04:19:23.250Z"),
        (3, "2014-04-08T15:16:23-05:00", "2014-04-08T20:16:23Z"),
        (4, "2014-04-08T15:16:23Z", "2014-04-08T15:16:23Z"),
        (5, "1955-11-05T06:15:00", "1955-11-05T06:15:00Z"),
    ] {
        let data = format!(r#"{{"id":{id},"created_at":"{written}","updated_at":"{written}"}}"#);
        service.arcsite("project.created", &data).await.accepted();
        let found = service.query(&format!(r#"{{ project(vendorId: "{id}") {{ createdAt updatedAt }} }}"#)).await;
        assert_eq!(found["project"], json!({ "createdAt": read, "updatedAt": read }), "{written}");
    }
    let log = service.log("occurredAt").await;
    assert_eq!(log[0]["occurredAt"], "2022-01-16T04:19:23Z");
    service.stop().await;
}

#[tokio::test]
async fn amount_of_any_size_is_exact() {
    let service = Service::open().await;
    for (id, (written, read)) in [
        ("7385.00", "7385.00"),
        ("7385", "7385.00"),
        (r#""7385.5""#, "7385.50"),
        ("0.1", "0.10"),
        ("0.0001", "0.0001"),
        ("-40", "-40.00"),
        ("1e3", "1000.00"),
        ("1.005", "1.005"),
        // An amount that does not fit is left out rather than rounded.
        ("9007199254740993", "null"),
        ("922337203685477.5807", "922337203685477.5807"),
        ("0.00005", "0.0001"),
    ]
    .into_iter()
    .enumerate()
    {
        let data = format!(r#"{{"proposal_id":{id},"status":"APPROVED","total":{written}}}"#);
        service.arcsite("proposal.status_changed", &data).await.accepted();
        let found = service.query(&format!(r#"{{ proposal(provider: ARCSITE, vendorId: "{id}") {{ total }} }}"#)).await;
        assert_eq!(found["proposal"]["total"].as_str().unwrap_or("null"), read, "{written}");
    }
    service.stop().await;
}

#[tokio::test]
async fn bidsketch_proposal_is_read_in_every_field() {
    let service = Service::open().await;
    service
        .post("/webhooks/bidsketch", crate::harness::fixture("bidsketch/proposal_accepted.json"))
        .await
        .receipt()
        .accepted();
    let query = r#"{ proposal(provider: BIDSKETCH, vendorId: "11051955") {
        id provider vendorId name description status vendorStatus isDraft owner currency total oneTimeFees monthlyFees
        yearlyFees tax tax2 discount customerName customerEmail clientVendorId projectVendorId paidTotal url appUrl
        createdAt updatedAt client { id } project { id } payments { id }
    } }"#;
    let found = service.query(query).await;
    let expected = json!({
        "id": "proposal:bidsketch:11051955", "provider": "BIDSKETCH", "vendorId": "11051955",
        "name": "Pergola for the yard", "description": "Cedar, four posts", "status": "ACCEPTED",
        "vendorStatus": "Accepted", "isDraft": false, "owner": "Wanda Ridgebeam", "currency": "USD",
        "total": "4464.89", "oneTimeFees": "4345.00", "monthlyFees": "0.00", "yearlyFees": "120.50", "tax": "39.39",
        "tax2": "0.00", "discount": "-40.00", "customerName": "Stone Pergolas", "customerEmail": null,
        "clientVendorId": "4815162342", "projectVendorId": null, "paidTotal": null,
        "url": "https://bidsketch.com/api/v1/proposals/11051955.json",
        "appUrl": "https://pergolas.bidsketch.example/proposals/11051955",
        "createdAt": "1985-10-26T08:21:00Z", "updatedAt": "2015-10-21T23:29:00Z",
        "client": null, "project": null, "payments": [],
    });
    assert_eq!(found["proposal"], expected);
    service.stop().await;
}
