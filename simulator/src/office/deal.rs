//! A deal: the history of one Bidsketch proposal.

use super::Scene;
use crate::bidsketch::{Client, Fees, Proposal, Status};
use crate::hook::Hook;
use crate::money::Money;
use crate::sample::{Person, Sampler, Work};

/// How often a proposal is viewed at most before it is decided.
const VIEWS_MAX: u32 = 4;

#[derive(Debug)]
pub(super) struct Deal {
    id: u64,
    client: Client,
    stage: Stage,
}

/// The stage of a deal. A deal without a proposal has a new client only.
#[derive(Debug)]
enum Stage {
    Met,
    Drafted(Proposal),
    Sent(Proposal, u32),
    Over,
}

impl Deal {
    pub(super) fn new(id: u64, client: Client) -> Deal {
        Deal { id, client, stage: Stage::Met }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Advances the deal: created, sent (sometimes again), viewed (mostly more than once), decided.
    /// One in twelve is never decided.
    pub(super) fn advance(&mut self, scene: &mut Scene) -> Vec<Hook> {
        let (stage, hooks) = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Met => {
                let proposal = proposal(self.id, &self.client, scene);
                let hooks = vec![proposal.hook("proposal_created")];
                (Stage::Drafted(proposal), hooks)
            }
            Stage::Drafted(mut proposal) => {
                proposal.is_draft = false;
                proposal.updated_at = scene.after(proposal.updated_at);
                let hooks = vec![proposal.hook("proposal_sent")];
                (Stage::Sent(proposal, 0), hooks)
            }
            Stage::Sent(_, views) if views > 1 && scene.sampler.chance(0.08) => (Stage::Over, Vec::new()),
            Stage::Sent(proposal, views) => advance_sent(proposal, views, scene),
            Stage::Over => (Stage::Over, Vec::new()),
        };
        self.stage = stage;
        hooks
    }
}

/// Advances a proposal that its client has.
fn advance_sent(mut proposal: Proposal, views: u32, scene: &mut Scene) -> (Stage, Vec<Hook>) {
    let decide = views >= VIEWS_MAX || (views > 0 && scene.sampler.chance(0.45));
    if !decide && scene.sampler.chance(0.1) {
        // Sent again unchanged, except for the time.
        proposal.updated_at = scene.after(proposal.updated_at);
        let hooks = vec![proposal.hook("proposal_sent")];
        return (Stage::Sent(proposal, views), hooks);
    }
    if !decide {
        // Only the first view changes the proposal. A later view has the same body as the one
        // before: a second event that no field tells from a redelivery.
        if views == 0 {
            proposal.status = Status::Viewed;
            proposal.updated_at = scene.after(proposal.updated_at);
        }
        let hooks = vec![proposal.hook("proposal_viewed")];
        return (Stage::Sent(proposal, views + 1), hooks);
    }
    proposal.status = if scene.sampler.chance(0.7) { Status::Accepted } else { Status::Declined };
    proposal.updated_at = scene.after(proposal.updated_at);
    (Stage::Over, proposal.decided())
}

/// Draws a draft.
pub(super) fn proposal(id: u64, client: &Client, scene: &mut Scene) -> Proposal {
    let at = scene.after(client.created_at);
    let work = Work::sample(&mut scene.sampler);
    let mut proposal = Proposal::new(id, &format!("{} for {}", work.name, client.name), client, at);
    proposal.description = work.description;
    proposal.user = Person::sample(&mut scene.sampler).name();
    proposal.currency = if scene.sampler.chance(0.85) { "USD" } else { "CAD" }.to_owned();
    proposal.proposal_date = scene.sampler.maybe(0.5, |_| at);
    proposal.fees = fees(work.price, &mut scene.sampler);
    proposal.settings.hide_monthly_total = proposal.fees.monthly_fees == Money::ZERO;
    proposal
}

fn fees(price: Money, sampler: &mut Sampler) -> Fees {
    Fees {
        tax: if sampler.chance(0.6) { price.percent(6) } else { Money::ZERO },
        tax2: if sampler.chance(0.2) { price.percent(2) } else { Money::ZERO },
        monthly_fees: if sampler.chance(0.3) { Money::whole(1_940) } else { Money::ZERO },
        yearly_fees: if sampler.chance(0.2) { Money::whole(1_100) } else { Money::ZERO },
        one_time_fees: price,
        discount: if sampler.chance(0.3) { -price.percent(10) } else { Money::ZERO },
        total: Money::ZERO,
    }
    .summed()
}
