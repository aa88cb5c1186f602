//! An estimate: the history of one ArcSite proposal and its hooks, including deprecated ones.

use super::Scene;
use crate::arcsite::{
    Approved, ApprovedOption, Channel, Drawing, Payment, Project, ProposalOption, Sent, Signed, Status, StatusChanged,
};
use crate::hook::Hook;
use crate::id::Id;
use crate::money::Money;
use crate::sample::works::{close_note, payment_method, price};
use crate::sample::{Ids, Person};

/// A sum up to this is paid at once.
const PARTIAL_PAYMENT_THRESHOLD: Money = Money::whole(500);

#[derive(Debug)]
pub(super) struct Estimate {
    proposal: StatusChanged,
    options: Vec<ProposalOption>,
    /// The unpaid amount. Zero before the approval.
    owed: Money,
}

impl Estimate {
    /// Creates a proposal with one or two of the drawings. With `initial`, it is a change order of
    /// that proposal.
    pub(super) fn open(
        project: &Project,
        drawings: &[Drawing],
        initial: Option<Id>,
        scene: &mut Scene,
        ids: &mut Ids,
    ) -> Estimate {
        let Scene { sampler, now, links } = scene;
        let (seller, buyer) = (Person::sample(sampler), Person::sample(sampler));
        let options: Vec<ProposalOption> = drawings
            .iter()
            .take(2)
            .map(|drawing| {
                let drawing_id = sampler.spelled(&drawing.id);
                let version = ids.next(sampler);
                let total = price(sampler);
                let path = format!("options/{}.pdf", drawing.id);
                let pdf_url = sampler.maybe(0.9, |sampler| links.signed(&path, version, *now, sampler));
                ProposalOption {
                    name: drawing.name.clone(),
                    drawing_id,
                    drawing_version_id: version.into(),
                    total,
                    pdf_url,
                }
            })
            .collect();
        let customer = project.customer.clone().unwrap_or_default();
        let name = if initial.is_some() { format!("{}, change order", project.name) } else { project.name.clone() };
        let proposal = StatusChanged {
            sales_representative: seller.name(),
            contact_email: seller.email,
            customer_name: customer.name.unwrap_or_else(|| buyer.name()),
            customer_email: customer.email.unwrap_or(buyer.email),
            document_number: sampler.maybe(0.6, |s| format!("P-{}", s.between(1_000, 9_999))),
            initial_proposal_id: initial,
            proposal_options: sampler.maybe(0.8, |_| options.clone()),
            template_id: sampler.maybe(0.4, |s| ids.next(s).into()),
            ..StatusChanged::new(ids.next(sampler), sampler.spelled(&project.id), &name, Status::Draft)
        };
        Estimate { proposal, options, owed: Money::ZERO }
    }

    pub(super) fn id(&self) -> Id {
        self.proposal.proposal_id.clone()
    }

    pub(super) fn was_approved(&self) -> bool {
        self.proposal.status == Status::Approved
    }

    /// `proposal.status_changed` with the current status.
    pub(super) fn announced(&self) -> Hook {
        self.proposal.status_changed()
    }

    /// Makes the next step; no hooks if there is none.
    pub(super) fn advance(&mut self, scene: &mut Scene, ids: &mut Ids) -> Vec<Hook> {
        match self.proposal.status {
            Status::Draft if scene.sampler.chance(0.06) => self.close(Status::Void, scene),
            Status::Draft => self.send(scene),
            Status::Pending if scene.sampler.chance(0.2) => self.close(Status::Lost, scene),
            Status::Pending if scene.sampler.chance(0.06) => self.close(Status::Void, scene),
            Status::Pending => self.approve(scene, ids),
            Status::Approved => self.pay(scene),
            Status::Void | Status::Lost => Vec::new(),
        }
    }

    /// Sends it to the customer, with hooks of both types.
    pub(super) fn send(&mut self, scene: &mut Scene) -> Vec<Hook> {
        self.proposal.status = Status::Pending;
        vec![self.sent(scene).sent(), self.announced()]
    }

    pub(super) fn close(&mut self, status: Status, scene: &mut Scene) -> Vec<Hook> {
        self.proposal.status = status;
        self.proposal.close_note = scene.sampler.maybe(0.8, close_note);
        vec![self.announced()]
    }

    /// Approves it, with two or three hooks: the deprecated types are still sent, and not every
    /// approval is signed.
    fn approve(&mut self, scene: &mut Scene, ids: &mut Ids) -> Vec<Hook> {
        let mut hooks = self.approve_signed(scene, ids);
        if hooks.len() > 2 && scene.sampler.chance(0.5) {
            hooks.remove(0);
        }
        hooks
    }

    /// Approves it with all three types: `proposal.signed`, `proposal.approved`,
    /// `proposal.status_changed`.
    pub(super) fn approve_signed(&mut self, scene: &mut Scene, ids: &mut Ids) -> Vec<Hook> {
        let Some(chosen) = self.options.get(scene.sampler.index(self.options.len())).cloned() else {
            return self.close(Status::Lost, scene);
        };
        let pdf = format!("proposals/{}.pdf", self.proposal.proposal_id);
        let approved_option =
            ApprovedOption { id: ids.next(&mut scene.sampler).into(), drawing_id: chosen.drawing_id.clone() };
        self.owed = chosen.total;
        self.proposal.status = Status::Approved;
        self.proposal.close_note = None;
        self.proposal.total = Some(chosen.total);
        self.proposal.pdf_url = Some(scene.links.signed(&pdf, 1, scene.now, &mut scene.sampler));
        self.proposal.approved_option = Some(approved_option.clone());
        let signed = Signed {
            project_id: self.proposal.project_id.clone(),
            name: self.proposal.name.clone(),
            url: scene.links.signed(&pdf, 1, scene.now, &mut scene.sampler),
            drawing_id: chosen.drawing_id,
            drawing_version_id: chosen.drawing_version_id,
        };
        vec![signed.signed(), Approved { sent: self.sent(scene), approved_option }.approved(), self.announced()]
    }

    /// The proposal as the deprecated types show it.
    fn sent(&self, scene: &mut Scene) -> Sent {
        let proposal = &self.proposal;
        Sent {
            proposal_id: proposal.proposal_id.clone(),
            project_id: scene.sampler.maybe(0.7, |_| proposal.project_id.clone()),
            name: proposal.name.clone(),
            customer_name: proposal.customer_name.clone(),
            receive_email: scene.sampler.maybe(0.9, |_| proposal.customer_email.clone()),
            receive_cc: scene.sampler.maybe(0.3, |_| vec!["office@example.com".to_owned()]),
            contact_email: proposal.contact_email.clone(),
            sales_representative: proposal.sales_representative.clone(),
            proposal_options: self.options.clone(),
        }
    }

    /// Makes a payment until nothing is owed. Sometimes the rest comes as two equal payments marked
    /// on one day: two events with identical bodies.
    fn pay(&mut self, scene: &mut Scene) -> Vec<Hook> {
        if self.owed <= Money::ZERO {
            return Vec::new();
        }
        let Some(option) = self.proposal.approved_option.clone() else {
            return Vec::new();
        };
        let half = self.owed.percent(50);
        let is_pair = half + half == self.owed && scene.sampler.chance(0.3);
        let is_partial = self.owed > PARTIAL_PAYMENT_THRESHOLD && scene.sampler.chance(0.5);
        let amount = if is_pair || is_partial { half } else { self.owed };
        let by_hand = is_pair || scene.sampler.chance(0.5);
        let payment = Payment {
            proposal_id: self.proposal.proposal_id.clone(),
            drawing_id: option.drawing_id,
            paid_amount: amount,
            channel: if by_hand {
                Channel::MarkAsPaid(scene.now.date_naive())
            } else {
                Channel::ArcsitePayment(scene.now)
            },
            payment_method: payment_method(&mut scene.sampler),
        };
        let count = if is_pair { 2 } else { 1 };
        self.owed = if is_pair { Money::ZERO } else { self.owed - amount };
        vec![payment.received(); count]
    }
}
