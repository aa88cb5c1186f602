use serde_json::json;

use super::*;
use crate::domain::change::StatusChange;
use crate::domain::{Patch, ProposalStatus};

fn event(provider: Provider, vendor_type: &str, data: &str) -> Event {
    let body = format!(r#"{{"event":"{vendor_type}","data":{data}}}"#);
    normalise(provider, &body).unwrap()
}

fn arcsite(vendor_type: &str, data: &str) -> Event {
    event(Provider::Arcsite, vendor_type, data)
}

fn bidsketch(vendor_type: &str, data: &str) -> Event {
    event(Provider::Bidsketch, vendor_type, data)
}

fn id(reference: &Option<crate::domain::VendorId>) -> Option<&str> {
    reference.as_ref().map(crate::domain::VendorId::as_str)
}

#[test]
fn documented_type_has_its_kind_subject_and_dedup_window() {
    use DedupWindow::{SinceLastDelivery, Unlimited, UntilSubjectChanges};
    use EventKind as K;
    let project = r#"{"id":1,"updated_at":"2022-01-16T04:19:23"}"#;
    let drawing = r#"{"id":2,"project_id":1}"#;
    let status = r#"{"proposal_id":3,"project_id":1,"status":"PENDING"}"#;
    for (vendor_type, data, kind, subject, dedup_window) in [
        ("project.created", r#"{"id":1}"#, K::ProjectCreated, "project:1", Unlimited),
        ("project.updated", project, K::ProjectUpdated, "project:1", Unlimited),
        ("project.updated", r#"{"id":1}"#, K::ProjectUpdated, "project:1", UntilSubjectChanges),
        ("drawing.created", drawing, K::DrawingCreated, "drawing:2", Unlimited),
        ("drawing.updated", drawing, K::DrawingUpdated, "drawing:2", UntilSubjectChanges),
        ("proposal.status_changed", status, K::ProposalStatusChanged, "proposal:3", UntilSubjectChanges),
        ("proposal.signed", r#"{"drawing_id":2,"project_id":1}"#, K::ProposalSigned, "drawing:2", UntilSubjectChanges),
        ("proposal.sent", r#"{"proposal_id":3}"#, K::ProposalSent, "proposal:3", SinceLastDelivery),
        ("proposal.approved", r#"{"proposal_id":3}"#, K::ProposalApproved, "proposal:3", UntilSubjectChanges),
        (
            "proposal.payment.received",
            r#"{"proposal_id":3,"paid_amount":1.5,"paid_time":"2022-01-16T04:19:23"}"#,
            K::ProposalPaymentReceived,
            "proposal:3",
            Unlimited,
        ),
        (
            "proposal.payment.received",
            r#"{"proposal_id":3,"paid_amount":1.5,"paid_date":"2022-01-16"}"#,
            K::ProposalPaymentReceived,
            "proposal:3",
            SinceLastDelivery,
        ),
        ("drawing.deleted", r#"{"id":2}"#, K::Unrecognized, "unrecognized:drawing.deleted:2", UntilSubjectChanges),
    ] {
        let event = arcsite(vendor_type, data);
        assert_eq!(
            (event.kind, event.subject.0.as_str(), event.identity.dedup_window),
            (kind, subject, dedup_window),
            "{vendor_type}"
        );
    }
    let dated = r#"{"id":5,"status":"Viewed","updated_at":"2014-04-08T15:16:23-05:00"}"#;
    for (vendor_type, data, kind, subject, dedup_window) in [
        ("client_created", r#"{"id":4815162342}"#, K::ClientCreated, "client:4815162342", Unlimited),
        ("proposal_created", dated, K::ProposalCreated, "proposal:5", Unlimited),
        ("proposal_sent", dated, K::ProposalSent, "proposal:5", SinceLastDelivery),
        ("proposal_viewed", dated, K::ProposalViewed, "proposal:5", SinceLastDelivery),
        ("proposal_accepted", dated, K::ProposalAccepted, "proposal:5", Unlimited),
        ("proposal_declined", dated, K::ProposalDeclined, "proposal:5", Unlimited),
        ("proposal_declined", r#"{"id":5}"#, K::ProposalDeclined, "proposal:5", UntilSubjectChanges),
        ("proposal_accepted_or_declined", dated, K::ProposalStatusChanged, "proposal:5", Unlimited),
        (
            "proposal_accepted_or_declined",
            r#"{"id":5,"status":"Accepted"}"#,
            K::ProposalAccepted,
            "proposal:5",
            UntilSubjectChanges,
        ),
        (
            "proposal_accepted_or_declined",
            r#"{"id":5,"status":"declined"}"#,
            K::ProposalDeclined,
            "proposal:5",
            UntilSubjectChanges,
        ),
        ("proposal_archived", r#"{"id":5}"#, K::Unrecognized, "unrecognized:proposal_archived:5", UntilSubjectChanges),
    ] {
        let event = bidsketch(vendor_type, data);
        assert_eq!(
            (event.kind, event.subject.0.as_str(), event.identity.dedup_window),
            (kind, subject, dedup_window),
            "{vendor_type}"
        );
    }
}

#[test]
fn payload_without_required_field_is_invalid() {
    for (provider, vendor_type, data) in [
        (Provider::Arcsite, "project.created", "{}"),
        (Provider::Arcsite, "project.created", r#"{"id":null}"#),
        (Provider::Arcsite, "project.created", r#"{"id":[],"customer":[]}"#),
        (Provider::Arcsite, "drawing.created", r#"{"id":1}"#),
        (Provider::Arcsite, "proposal.status_changed", r#"{"proposal_id":1}"#),
        (Provider::Arcsite, "proposal.status_changed", r#"{"status":"VOID"}"#),
        (Provider::Arcsite, "proposal.payment.received", r#"{"proposal_id":1}"#),
        (Provider::Arcsite, "proposal.payment.received", r#"{"proposal_id":1,"paid_amount":"much"}"#),
        (Provider::Arcsite, "proposal.signed", r#"{"project_id":1}"#),
        (Provider::Bidsketch, "client_created", r#"{"name":"Eric"}"#),
        (Provider::Bidsketch, "proposal_accepted_or_declined", r#"{"id":1}"#),
    ] {
        let body = format!(r#"{{"event":"{vendor_type}","data":{data}}}"#);
        let error = normalise(provider, &body).unwrap_err();
        assert_eq!(error.reason, QuarantineReason::InvalidPayload, "{body}");
        assert_eq!(error.vendor_type.as_deref(), Some(vendor_type));
        assert!(error.detail.contains(vendor_type), "{}", error.detail);
    }
}

#[test]
fn optional_field_that_cannot_be_read_is_named_in_the_event() {
    let event =
        arcsite("project.created", r#"{"id":1,"name":"x","customer":{"phone":{"home":1}},"updated_at":"soon"}"#);
    let unread = event.unread.unwrap();
    assert!(unread.contains("`customer.phone`") && unread.contains("`updated_at`"), "{unread}");
    assert_eq!((event.state_updated_at, event.identity.dedup_window), (None, DedupWindow::Unlimited));
    assert_eq!(arcsite("project.created", r#"{"id":1,"more":[]}"#).unread, None);
    // A time that cannot be read dates nothing.
    let event = bidsketch("proposal_accepted", r#"{"id":5,"updated_at":"soon"}"#);
    assert_eq!(event.identity.dedup_window, DedupWindow::UntilSubjectChanges);
}

#[test]
fn rejected_payload_names_all_fields_at_fault() {
    let body = r#"{"event":"proposal.status_changed","data":{"proposal_id":1,"status":[],"total":"much"}}"#;
    let detail = normalise(Provider::Arcsite, body).unwrap_err().detail;
    assert!(detail.contains("`status` is missing") && detail.contains("`total` (expected an amount"), "{detail}");
}

#[test]
fn payload_nested_too_deep_is_rejected_unless_it_is_recorded() {
    let body = |levels: usize| {
        format!(r#"{{"event":"x","data":{}{}}}"#, r#"{"a":"#.repeat(levels - 1) + "{", "}".repeat(levels))
    };
    assert!(normalise(Provider::Arcsite, &body(200)).is_ok());
    for levels in [201, 5_000, 100_000] {
        let error = normalise(Provider::Arcsite, &body(levels)).unwrap_err();
        assert_eq!((error.reason, error.vendor_type.as_deref()), (QuarantineReason::InvalidPayload, Some("x")));
        assert!(normalise_recorded(Provider::Arcsite, &body(levels)).is_ok());
    }
}

#[test]
fn decision_from_two_hooks_has_one_identity() {
    let accepted = |vendor_type: &str, total: &str, updated_at: &str| {
        let data = format!(r#"{{"id":5,"status":"Accepted","total":{total},"updated_at":"{updated_at}"}}"#);
        bidsketch(vendor_type, &data).identity.digest
    };
    let first = accepted("proposal_accepted", "10", "2014-04-08T15:16:23-05:00");
    assert_eq!(first, accepted("proposal_accepted_or_declined", "10.00", "2014-04-08T20:16:23Z"));
    assert_ne!(first, accepted("proposal_accepted", "10", "2014-04-09T15:16:23-05:00"));
    assert_ne!(first, accepted("proposal_declined", "10", "2014-04-08T15:16:23-05:00"));
}

#[test]
fn equal_data_of_other_kind_or_vendor_has_another_identity() {
    let data = r#"{"id":5}"#;
    let identities = [
        arcsite("project.created", data).identity.digest,
        arcsite("project.updated", data).identity.digest,
        arcsite("x", data).identity.digest,
        arcsite("y", data).identity.digest,
        bidsketch("x", data).identity.digest,
        bidsketch("client_created", data).identity.digest,
        arcsite("PROJECT_CREATED", data).identity.digest,
    ];
    let different: std::collections::HashSet<_> = identities.iter().collect();
    assert_eq!(different.len(), identities.len());
}

#[test]
fn payload_ids_become_references() {
    let event = arcsite(
        "proposal.status_changed",
        r#"{"proposal_id":3,"project_id":"1","status":"APPROVED","approved_option":{"id":9,"drawing_id":36029621652695041}}"#,
    );
    assert_eq!(id(&event.references.proposal), Some("3"));
    assert_eq!(id(&event.references.project), Some("1"));
    assert_eq!(id(&event.references.drawing), Some("36029621652695041"));
    assert_eq!(event.status, Some(ProposalStatus::Accepted));
    let event = bidsketch("proposal_sent", r#"{"id":5,"client":{"id":7,"name":"Eric"}}"#);
    assert_eq!(id(&event.references.client), Some("7"));
}

#[test]
fn misspelled_fields_are_read_and_correct_spelling_wins() {
    let Change::Project(_, change) = arcsite(
        "project.created",
        &json!({
            "id": 1,
            "work_site_addreess": {"countity": "Alameda", "State": "CA"},
            "sale_rep": {"name": "Wrong"},
            "sales_rep": {"name": "Right"},
        })
        .to_string(),
    )
    .change
    else {
        panic!("not a change of a project")
    };
    let address = change.work_site_address.value().unwrap();
    assert_eq!(address.county, Patch::Value("Alameda".to_owned()));
    assert_eq!(address.state, Patch::Value("CA".to_owned()));
    assert_eq!(change.sales_rep.value().unwrap().name, Patch::Value("Right".to_owned()));
    assert_eq!(change.customer, Patch::Missing);
}

#[test]
fn proposal_status_is_stated_or_implied() {
    let status = |event: Event| {
        let Change::Proposal(_, change) = event.change else {
            panic!("not a change of a proposal: {:?}", event.change)
        };
        change.status
    };
    let stated = status(arcsite("proposal.status_changed", r#"{"proposal_id":3,"status":"ON_HOLD"}"#));
    assert_eq!(stated, StatusChange::Stated(None, "ON_HOLD".to_owned()));
    let sent = status(arcsite("proposal.sent", r#"{"proposal_id":3}"#));
    assert_eq!(sent, StatusChange::Implied(ProposalStatus::Pending, "PENDING"));
    let viewed = status(bidsketch("proposal_viewed", r#"{"id":3}"#));
    assert_eq!(viewed, StatusChange::Missing);
}
