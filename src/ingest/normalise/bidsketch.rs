//! The event types of Bidsketch.

use super::{Draft, required_status};
use crate::domain::change::StatusChange;
use crate::domain::{Change, EventKind, Patch, ProposalChange, ProposalStatus, References};
use crate::vendor::bidsketch::payload::{Client, Proposal};
use crate::vendor::envelope::Envelope;
use crate::vendor::wire::{Unread, read_payload};

/// Drafts a Bidsketch event. `None` for an unknown type. Adds the optional fields that cannot be
/// read to `unread`.
pub(super) fn draft(envelope: &Envelope<'_>, unread: &mut Unread) -> Result<Option<Draft>, String> {
    let data = envelope.data;
    let draft = match envelope.event.as_str() {
        "client_created" => client(read_payload(data, unread)?),
        "proposal_created" => proposal(EventKind::ProposalCreated, read_payload(data, unread)?),
        "proposal_sent" => proposal(EventKind::ProposalSent, read_payload(data, unread)?),
        "proposal_viewed" => proposal(EventKind::ProposalViewed, read_payload(data, unread)?),
        "proposal_accepted" => decision(EventKind::ProposalAccepted, read_payload(data, unread)?),
        "proposal_declined" => decision(EventKind::ProposalDeclined, read_payload(data, unread)?),
        "proposal_accepted_or_declined" => accepted_or_declined(read_payload(data, unread)?)?,
        _ => return Ok(None),
    };
    Ok(Some(draft))
}

fn client(data: Client) -> Draft {
    let references = References { client: Some(data.id.clone()), ..References::default() };
    let (occurred_at, state_updated_at) = (data.created_at.value().copied(), data.updated_at.value().copied());
    let (id, subject) = (data.id.clone(), format!("client:{}", data.id));
    Draft {
        references,
        occurred_at,
        state_updated_at,
        ..Draft::new(EventKind::ClientCreated, subject, Change::Client(id, Box::new(data.into())))
    }
}

/// The payload's status says which of the two it was. Any other status is a status change.
fn accepted_or_declined(data: Proposal) -> Result<Draft, String> {
    Ok(match ProposalStatus::from_vendor(required_status(&data.status)?) {
        Some(ProposalStatus::Accepted) => decision(EventKind::ProposalAccepted, data),
        Some(ProposalStatus::Declined) => decision(EventKind::ProposalDeclined, data),
        Some(
            ProposalStatus::Draft
            | ProposalStatus::Pending
            | ProposalStatus::Viewed
            | ProposalStatus::Void
            | ProposalStatus::Lost,
        )
        | None => proposal(EventKind::ProposalStatusChanged, data),
    })
}

/// The identity of a decision is its subject, its kind and `updated_at`. The two hooks for a
/// decision may write the proposal differently.
fn decision(kind: EventKind, data: Proposal) -> Draft {
    let draft = proposal(kind, data);
    Draft {
        identity_override: draft
            .state_updated_at
            .map(|updated_at| format!("updated_at {}", updated_at.timestamp_micros())),
        ..draft
    }
}

fn proposal(kind: EventKind, data: Proposal) -> Draft {
    let created_at = data.created_at.value().copied();
    let updated_at = data.updated_at.value().copied();
    let occurred_at = if kind == EventKind::ProposalCreated { created_at } else { updated_at };
    let (client_vendor_id, customer_name) = match data.client {
        Patch::Missing => (Patch::Missing, Patch::Missing),
        Patch::Null => (Patch::Null, Patch::Null),
        Patch::Value(client) => (client.id, client.name),
    };
    let references = References {
        proposal: Some(data.id.clone()),
        client: client_vendor_id.value().cloned(),
        ..References::default()
    };
    let status = match (data.status, kind) {
        (Patch::Value(word), _) if !word.trim().is_empty() => {
            StatusChange::Stated(ProposalStatus::from_vendor(&word), word)
        }
        (_, EventKind::ProposalAccepted) => StatusChange::Implied(ProposalStatus::Accepted, "Accepted"),
        (_, EventKind::ProposalDeclined) => StatusChange::Implied(ProposalStatus::Declined, "Declined"),
        _ => StatusChange::Missing,
    };
    let change = ProposalChange {
        name: data.name,
        description: data.description,
        status,
        is_draft: data.is_draft,
        owner: data.user,
        currency: data.currency,
        total: data.total,
        one_time_fees: data.one_time_fees,
        monthly_fees: data.monthly_fees,
        yearly_fees: data.yearly_fees,
        tax: data.tax,
        tax2: data.tax2,
        discount: data.discount,
        customer_name,
        client_vendor_id,
        url: data.url,
        app_url: data.app_url,
        created_at: data.created_at,
        updated_at: data.updated_at,
        ..ProposalChange::default()
    };
    let subject = format!("proposal:{}", data.id);
    Draft {
        references,
        occurred_at,
        state_updated_at: updated_at,
        ..Draft::new(kind, subject, Change::Proposal(data.id, Box::new(change)))
    }
}
