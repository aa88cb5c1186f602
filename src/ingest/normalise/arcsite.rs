//! The event types of ArcSite.

use super::{Draft, required_status};
use crate::domain::change::StatusChange;
use crate::domain::{
    Change, DrawingChange, EventKind, NewPayment, Patch, ProjectChange, ProposalChange, ProposalStatus, References,
    VendorId,
};
use crate::vendor::arcsite::payload::{Drawing, Payment, Project, Proposal, SignedProposal};
use crate::vendor::envelope::Envelope;
use crate::vendor::wire::{Unread, read_payload};

mod files;

/// Drafts an ArcSite event. `None` for an unknown type. Adds the optional fields that cannot be
/// read to `unread`.
pub(super) fn draft(envelope: &Envelope<'_>, unread: &mut Unread) -> Result<Option<Draft>, String> {
    let data = envelope.data;
    let draft = match envelope.event.as_str() {
        "project.created" => project(EventKind::ProjectCreated, read_payload(data, unread)?),
        "project.updated" => project(EventKind::ProjectUpdated, read_payload(data, unread)?),
        "drawing.created" => drawing(EventKind::DrawingCreated, read_payload(data, unread)?),
        "drawing.updated" => drawing(EventKind::DrawingUpdated, read_payload(data, unread)?),
        "proposal.status_changed" => status_changed(read_payload(data, unread)?)?,
        "proposal.payment.received" => payment(read_payload(data, unread)?),
        "proposal.signed" => signed(read_payload(data, unread)?),
        "proposal.sent" => proposal(
            EventKind::ProposalSent,
            StatusChange::Implied(ProposalStatus::Pending, "PENDING"),
            read_payload(data, unread)?,
        ),
        "proposal.approved" => proposal(
            EventKind::ProposalApproved,
            StatusChange::Implied(ProposalStatus::Accepted, "APPROVED"),
            read_payload(data, unread)?,
        ),
        _ => return Ok(None),
    };
    Ok(Some(Draft { files: files::keep_bounded(draft.files, unread), ..draft }))
}

fn project(kind: EventKind, data: Project) -> Draft {
    let created_at = data.created_at.value().copied();
    let updated_at = data.updated_at.value().copied();
    let occurred_at = if kind == EventKind::ProjectCreated { created_at } else { updated_at };
    let change = ProjectChange {
        name: data.name,
        job_number: data.job_number,
        tags: data.tags,
        customer: data.customer.map(Into::into),
        work_site_address: data.work_site_address.or(data.work_site_addreess).map(Into::into),
        sales_rep: data.sales_rep.or(data.sale_rep).map(Into::into),
        created_at: data.created_at,
        updated_at: data.updated_at,
    };
    let references = References { project: Some(data.id.clone()), ..References::default() };
    let subject = format!("project:{}", data.id);
    Draft {
        references,
        occurred_at,
        state_updated_at: updated_at,
        ..Draft::new(kind, subject, Change::Project(data.id, Box::new(change)))
    }
}

fn drawing(kind: EventKind, data: Drawing) -> Draft {
    let references =
        References { project: Some(data.project_id.clone()), drawing: Some(data.id.clone()), ..References::default() };
    let files = files::of_drawing(&data);
    let change = DrawingChange {
        project_vendor_id: Patch::Value(data.project_id),
        name: data.name,
        tags: data.tags,
        pdf_url: data.pdf_url,
        png_url: data.png_url,
        file_name: data.file_name,
    };
    let subject = format!("drawing:{}", data.id);
    Draft { references, files, ..Draft::new(kind, subject, Change::Drawing(data.id, Box::new(change))) }
}

fn status_changed(data: Proposal) -> Result<Draft, String> {
    let word = required_status(&data.status)?.clone();
    let status = StatusChange::Stated(ProposalStatus::from_vendor(&word), word);
    Ok(proposal(EventKind::ProposalStatusChanged, status, data))
}

fn proposal(kind: EventKind, status: StatusChange, data: Proposal) -> Draft {
    let drawing = data.approved_option.value().map_or(Patch::Missing, |option| option.drawing_id.clone());
    let references = References {
        proposal: Some(data.proposal_id.clone()),
        project: data.project_id.value().cloned(),
        drawing: drawing.value().cloned(),
        client: None,
    };
    let files = files::of_proposal(&data);
    let change = ProposalChange {
        name: data.name,
        status,
        owner: data.sales_representative,
        total: data.total,
        customer_name: data.customer_name,
        customer_email: data.customer_email.or(data.receive_email),
        project_vendor_id: data.project_id,
        drawing_vendor_id: drawing,
        ..ProposalChange::default()
    };
    let subject = format!("proposal:{}", data.proposal_id);
    Draft { references, files, ..Draft::new(kind, subject, Change::Proposal(data.proposal_id, Box::new(change))) }
}

/// It names no proposal, so its subject is the drawing and it changes no state.
fn signed(data: SignedProposal) -> Draft {
    let references = References {
        project: data.project_id.value().cloned(),
        drawing: Some(data.drawing_id.clone()),
        ..References::default()
    };
    let files = files::of_signed_proposal(&data);
    let subject = format!("drawing:{}", data.drawing_id);
    Draft { references, files, ..Draft::new(EventKind::ProposalSigned, subject, Change::Nothing) }
}

fn payment(data: Payment) -> Draft {
    let paid_at = data.paid_time.value().copied();
    let drawing: Option<VendorId> = data.drawing_id.value().cloned();
    let references =
        References { proposal: Some(data.proposal_id.clone()), drawing: drawing.clone(), ..References::default() };
    let subject = format!("proposal:{}", data.proposal_id);
    let payment = NewPayment {
        proposal: data.proposal_id,
        drawing,
        amount: data.paid_amount,
        channel: data.pay_channel.value().cloned().unwrap_or_default(),
        method: data.payment_method.value().cloned(),
        paid_at,
        paid_on: data.paid_date.value().copied(),
    };
    Draft {
        references,
        occurred_at: paid_at,
        ..Draft::new(EventKind::ProposalPaymentReceived, subject, Change::Payment(Box::new(payment)))
    }
}
