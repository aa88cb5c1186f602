//! Links between objects, in whatever order their events come.

use serde_json::json;

use crate::harness::{Service, fixture};

async fn post(service: &Service, path: &str) {
    let vendor = path.split_once('/').unwrap().0;
    service.post(&format!("/webhooks/{vendor}"), fixture(&format!("{path}.json"))).await.receipt().accepted();
}

#[tokio::test]
async fn drawing_before_its_project_is_linked_later() {
    let service = Service::open().await;
    post(&service, "arcsite/drawing_created").await;
    let drawing = async || {
        let query = r#"{ drawing(vendorId: "36029621652695041") { name projectVendorId project { id name } } }"#;
        service.query(query).await["drawing"].take()
    };
    let mut expected = json!({ "name": "North side", "projectVendorId": "36029621652695040", "project": null });
    assert_eq!(drawing().await, expected);
    post(&service, "arcsite/project_created").await;
    expected["project"] = json!({ "id": "project:36029621652695040", "name": "Gutters, Hill Road 9" });
    assert_eq!(drawing().await, expected);
    service.stop().await;
}

#[tokio::test]
async fn payment_before_its_proposal_is_linked_later() {
    let service = Service::open().await;
    post(&service, "arcsite/payment_marked").await;
    let payment = async || {
        let query = r#"{ node(id: "event:1") { ... on ProposalEvent {
            proposalVendorId proposal { id paidTotal } payment { amount } status drawing { id } project { id }
        } } }"#;
        service.query(query).await["node"].take()
    };
    let mut expected = json!({
        "proposalVendorId": "36029621652695042", "proposal": null, "payment": { "amount": "1250.50" }, "status": null,
        "drawing": null, "project": null,
    });
    assert_eq!(payment().await, expected);
    post(&service, "arcsite/proposal_approved").await;
    expected["proposal"] = json!({ "id": "proposal:arcsite:36029621652695042", "paidTotal": "1250.50" });
    assert_eq!(payment().await, expected);
    post(&service, "arcsite/drawing_created").await;
    expected["drawing"] = json!({ "id": "drawing:36029621652695041" });
    assert_eq!(payment().await, expected);

    let query = r#"{ proposal(provider: ARCSITE, vendorId: "36029621652695042") {
        status vendorStatus owner customerName customerEmail total projectVendorId project { id } paidTotal
        payments { id amount channel method paidAt paidOn }
    } }"#;
    let payments = json!([{
        "id": "payment:1", "amount": "1250.50", "channel": "mark_as_paid", "method": "Check", "paidAt": null,
        "paidOn": "2026-01-05",
    }]);
    let expected = json!({
        "status": "ACCEPTED", "vendorStatus": "APPROVED", "owner": "Sam Eaves", "customerName": "Jacqueline Oakes",
        "customerEmail": "j.oakes@mail.example", "total": "7385.00", "projectVendorId": "36029621652695040",
        "project": null, "paidTotal": "1250.50", "payments": payments,
    });
    assert_eq!(service.query(query).await["proposal"], expected);
    service.stop().await;
}

#[tokio::test]
async fn proposal_before_its_client_is_linked_later() {
    let service = Service::open().await;
    post(&service, "bidsketch/proposal_accepted").await;
    let proposal = async || {
        let query = r#"{ proposal(provider: BIDSKETCH, vendorId: "11051955") {
            clientVendorId customerName customerEmail client { email }
        } }"#;
        service.query(query).await["proposal"].take()
    };
    let mut expected = json!({
        "clientVendorId": "4815162342", "customerName": "Stone Pergolas", "customerEmail": null, "client": null,
    });
    assert_eq!(proposal().await, expected);
    post(&service, "bidsketch/client_created").await;
    expected["client"] = json!({ "email": "erica@pergolas.example" });
    expected["customerEmail"] = json!("erica@pergolas.example");
    assert_eq!(proposal().await, expected);
    service.stop().await;
}

/// `lastEventAt` counts the events of everything below an object, and also those that came before
/// the object.
#[tokio::test]
async fn object_times_follow_the_events_of_everything_below_it() {
    let clock = crate::harness::ManualClock::new();
    let service = crate::harness::Setup::new().clock(&clock).start().await;
    let mut received_at = Vec::new();
    for path in ["drawing_created", "project_created", "proposal_approved", "payment_marked"] {
        received_at.push(clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        post(&service, &format!("arcsite/{path}")).await;
        clock.advance(chrono::TimeDelta::minutes(1));
    }
    let found = service
        .query(
            r#"{
                drawing(vendorId: "36029621652695041") { firstSeenAt lastEventAt }
                project(vendorId: "36029621652695040") { firstSeenAt lastEventAt }
                proposal(provider: ARCSITE, vendorId: "36029621652695042") { firstSeenAt lastEventAt }
            }"#,
        )
        .await;
    // The payment belongs to all three.
    let times = |first: usize| json!({ "firstSeenAt": received_at[first], "lastEventAt": received_at[3] });
    assert_eq!(found, json!({ "drawing": times(0), "project": times(1), "proposal": times(2) }));
    service.stop().await;
}

/// ArcSite's `proposal.signed` names no proposal, but a drawing.
#[tokio::test]
async fn signed_event_without_a_proposal_has_its_drawing_and_project() {
    let service = Service::open().await;
    post(&service, "arcsite/project_created").await;
    post(&service, "arcsite/drawing_created").await;
    service
        .arcsite("proposal.signed", r#"{"drawing_id":36029621652695041,"name":"x","url":"https://x.example"}"#)
        .await
        .accepted();
    let fields = "... on ProposalEvent { proposal { id } proposalVendorId drawing { id } project { id } }";
    let found = service.query(&format!("{{ node(id: \"event:3\") {{ {fields} }} }}")).await;
    let expected = json!({
        "proposal": null, "proposalVendorId": null, "drawing": { "id": "drawing:36029621652695041" },
        // The payload names no project; the drawing's project is known.
        "project": { "id": "project:36029621652695040" },
    });
    assert_eq!(found["node"], expected);
    service.stop().await;
}
