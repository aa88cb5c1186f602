//! The projections: the current state, made from the log. Only new events change them, in the order
//! of the log, so that a rebuild gives the same result.
//!
//! `state_order` says whether an event changes a row. Fields that the event does not mention stay.
//!
//! An `IdentityMap` holds the rows that a group of events changes, so that a group of any size
//! costs a few statements a table. How an event changes a row is a pure function, in the file of
//! the row's table.

use std::collections::BTreeSet;

use entity::{drawing_tag, payment as payment_table, project_tag, proposal as proposal_table};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::log::{Derived, Entry};
use super::sql::convert::{from_json, to_json, to_micros};
use super::{BulkInsert, StoreError};
use crate::domain::{Change, Event, Provider, References, VendorId};

mod client;
mod drawing;
pub(super) mod folded;
mod identity_map;
mod payment;
mod project;
mod proposal;
mod proposal_facts;
mod proposal_recount;
mod references;
mod state_order;
mod tags;

use identity_map::IdentityMap;
pub use proposal_facts::VIEW_SLOT_MICROS;
pub use proposal_recount::ProposalRecount;
use tags::TagChanges;

/// The projections as a group of events changes them, under the write lock. The database has none
/// of the changes before [`Projections::write`].
#[derive(Debug)]
pub struct Projections {
    projects: IdentityMap<entity::project::Entity>,
    drawings: IdentityMap<entity::drawing::Entity>,
    clients: IdentityMap<entity::client::Entity>,
    arcsite_proposals: IdentityMap<proposal_table::Entity>,
    bidsketch_proposals: IdentityMap<proposal_table::Entity>,
    project_tags: TagChanges,
    drawing_tags: TagChanges,
    payments: Vec<payment_table::Model>,
}

impl Default for Projections {
    fn default() -> Self {
        let provider = proposal_table::Column::Provider;
        Self {
            projects: IdentityMap::new(),
            drawings: IdentityMap::new(),
            clients: IdentityMap::new(),
            arcsite_proposals: IdentityMap::of_provider(provider, Provider::Arcsite),
            bidsketch_proposals: IdentityMap::of_provider(provider, Provider::Bidsketch),
            project_tags: TagChanges::default(),
            drawing_tags: TagChanges::default(),
            payments: Vec::new(),
        }
    }
}

impl Projections {
    /// Reads in a few statements what these events are known to need: the rows that they change and
    /// the rows that they belong to. The rest is read on demand.
    pub async fn fetch<C: ConnectionTrait>(&mut self, db: &C, events: &[&Event]) -> Result<(), StoreError> {
        let changed = ChangedIds::from_events(events);
        let mut references_of_events: Vec<(Provider, References)> =
            events.iter().map(|event| (event.provider, event.references.clone())).collect();
        for (provider, changed_ids) in
            [(Provider::Arcsite, changed.arcsite_proposals), (Provider::Bidsketch, changed.bidsketch_proposals)]
        {
            let of_provider = references_of_events.iter().filter(|(event_provider, _)| *event_provider == provider);
            let ids = of_provider.filter_map(|(_, references)| references.proposal.as_ref()).collect();
            self.proposals_mut(provider).fetch(db, ids, changed_ids).await?;
        }
        for (provider, references) in &mut references_of_events {
            self.complete_from_proposal(*provider, references);
        }
        let ids = references_of_events.iter().filter_map(|(_, references)| references.drawing.as_ref()).collect();
        self.drawings.fetch(db, ids, changed.drawings).await?;
        for (_, references) in &mut references_of_events {
            self.complete_from_drawing(references);
        }
        let ids = references_of_events.iter().filter_map(|(_, references)| references.project.as_ref()).collect();
        self.projects.fetch(db, ids, changed.projects).await?;
        let ids = references_of_events.iter().filter_map(|(_, references)| references.client.as_ref()).collect();
        self.clients.fetch(db, ids, changed.clients).await
    }

    /// Applies an event that is appended to the log. Returns the columns of the event's own row
    /// that the projections give it.
    pub async fn apply<C: ConnectionTrait>(&mut self, db: &C, entry: &Entry<'_>) -> Result<Derived, StoreError> {
        let derived = self.derive(db, entry).await?;
        match entry.event.change.clone() {
            Change::Project(id, change) => {
                let stored = self.projects.get(db, &id).await?;
                let (is_new, tags) = (stored.is_none(), change.tags.clone());
                let stored_tags = stored.as_ref().and_then(|row| row.tags.clone());
                if let Some(row) = project::apply(entry, &id, stored, *change)? {
                    if row.tags != stored_tags {
                        self.project_tags.set(&id, &tags, is_new);
                    }
                    self.projects.upsert(db, &id, row).await?;
                }
            }
            Change::Drawing(id, change) => {
                let stored = self.drawings.get(db, &id).await?;
                let (is_new, tags) = (stored.is_none(), change.tags.clone());
                let stored_tags = stored.as_ref().and_then(|row| row.tags.clone());
                if let Some(row) = drawing::apply(entry, &id, stored, *change)? {
                    if row.tags != stored_tags {
                        self.drawing_tags.set(&id, &tags, is_new);
                    }
                    self.drawings.upsert(db, &id, row).await?;
                }
            }
            Change::Client(id, change) => {
                let stored = self.clients.get(db, &id).await?;
                if let Some(row) = client::apply(entry, &id, stored, *change)? {
                    self.clients.upsert(db, &id, row).await?;
                }
            }
            Change::Proposal(id, change) => {
                let proposals = self.proposals_mut(entry.event.provider);
                let stored = proposals.get(db, &id).await?;
                if let Some(mut row) = proposal::apply(entry, &id, stored.as_ref(), *change)? {
                    if stored.is_none() && proposals.has_events(db, &id).await? {
                        row.paid = self.paid_before(db, entry.event.provider, &id).await?;
                    }
                    self.proposals_mut(entry.event.provider).upsert(db, &id, row).await?;
                }
            }
            Change::Payment(payment) => {
                let (proposals, id) = (self.proposals_mut(entry.event.provider), payment.proposal.clone());
                if let Some(mut row) = proposals.get(db, &id).await? {
                    proposal_facts::add_payment(&mut row, &payment);
                    proposals.upsert(db, &id, row).await?;
                }
                self.payments.push(payment::new_row(entry, *payment));
            }
            Change::Nothing => {}
        }
        self.touch(db, entry).await?;
        Ok(derived)
    }

    /// The columns of an event's own row that its proposal gives it.
    async fn derive<C: ConnectionTrait>(&mut self, db: &C, entry: &Entry<'_>) -> Result<Derived, StoreError> {
        let Some(id) = &entry.event.references.proposal else { return Ok(Derived::default()) };
        self.proposals_mut(entry.event.provider).fetch(db, BTreeSet::from([id]), BTreeSet::new()).await?;
        Ok(proposal_facts::derive(entry, self.proposals(entry.event.provider).loaded(id)))
    }

    /// The sum of the payments that arrived before their proposal, in the order of the log.
    async fn paid_before<C: ConnectionTrait>(
        &self,
        db: &C,
        provider: Provider,
        proposal: &VendorId,
    ) -> Result<i64, StoreError> {
        if provider == Provider::Bidsketch {
            return Ok(0);
        }
        use payment_table::Column;
        let amounts = payment_table::Entity::find().select_only().column(Column::Amount);
        let amounts = amounts.filter(Column::ProposalVendorId.eq(proposal.as_str())).order_by_asc(Column::EventSeq);
        let stored: Vec<i64> = amounts.into_tuple().all(db).await?;
        let of_group = self.payments.iter().filter(|payment| payment.proposal_vendor_id == proposal.as_str());
        Ok(stored.into_iter().chain(of_group.map(|payment| payment.amount)).fold(0, i64::saturating_add))
    }

    /// Renews the links that expire, as a repeated event's payload has them. It is the only change
    /// that a redelivery makes. Returns whether it changed a row.
    pub async fn renew_links<C: ConnectionTrait>(&mut self, db: &C, change: &Change) -> Result<bool, StoreError> {
        let Change::Drawing(id, change) = change else { return Ok(false) };
        let Some(mut row) = self.drawings.get(db, id).await? else { return Ok(false) };
        let is_renewed = drawing::renew_links(&mut row, change);
        if is_renewed {
            self.drawings.upsert(db, id, row).await?;
        }
        Ok(is_renewed)
    }

    /// Updates `last_event_at` of all rows that the event belongs to: an event of a drawing belongs
    /// to the drawing's project too.
    async fn touch<C: ConnectionTrait>(&mut self, db: &C, entry: &Entry<'_>) -> Result<(), StoreError> {
        let received_at = to_micros(entry.received_at);
        let References { proposal, client, project, drawing } = &entry.event.references;
        if let Some(id) = project {
            self.projects.touch(db, id, received_at).await?;
        }
        if let Some(id) = drawing {
            self.drawings.touch(db, id, received_at).await?;
        }
        if let Some(id) = client {
            self.clients.touch(db, id, received_at).await?;
        }
        if let Some(id) = proposal {
            self.proposals_mut(entry.event.provider).touch(db, id, received_at).await?;
        }
        Ok(())
    }

    /// Writes the changed rows, together with the batch.
    pub async fn write<C: ConnectionTrait>(self, db: &C, mut batch: BulkInsert) -> Result<(), StoreError> {
        self.projects.stage_changes(&mut batch);
        self.drawings.stage_changes(&mut batch);
        self.clients.stage_changes(&mut batch);
        self.arcsite_proposals.stage_changes(&mut batch);
        self.bidsketch_proposals.stage_changes(&mut batch);
        self.project_tags.write::<project_tag::Entity, C>(db, &mut batch).await?;
        self.drawing_tags.write::<drawing_tag::Entity, C>(db, &mut batch).await?;
        for payment in &self.payments {
            batch.insert(payment);
        }
        batch.write(db).await
    }

    const fn proposals(&self, provider: Provider) -> &IdentityMap<proposal_table::Entity> {
        match provider {
            Provider::Arcsite => &self.arcsite_proposals,
            Provider::Bidsketch => &self.bidsketch_proposals,
        }
    }

    const fn proposals_mut(&mut self, provider: Provider) -> &mut IdentityMap<proposal_table::Entity> {
        match provider {
            Provider::Arcsite => &mut self.arcsite_proposals,
            Provider::Bidsketch => &mut self.bidsketch_proposals,
        }
    }
}

/// The ids of the rows that events change, by table.
#[derive(Default)]
struct ChangedIds<'a> {
    projects: BTreeSet<&'a VendorId>,
    drawings: BTreeSet<&'a VendorId>,
    clients: BTreeSet<&'a VendorId>,
    arcsite_proposals: BTreeSet<&'a VendorId>,
    bidsketch_proposals: BTreeSet<&'a VendorId>,
}

impl<'a> ChangedIds<'a> {
    fn from_events(events: &[&'a Event]) -> Self {
        let mut changed = Self::default();
        for event in events {
            match (&event.change, event.provider) {
                (Change::Project(id, _), _) => changed.projects.insert(id),
                (Change::Drawing(id, _), _) => changed.drawings.insert(id),
                (Change::Client(id, _), _) => changed.clients.insert(id),
                (Change::Proposal(id, _), Provider::Arcsite) => changed.arcsite_proposals.insert(id),
                (Change::Proposal(id, _), Provider::Bidsketch) => changed.bidsketch_proposals.insert(id),
                (Change::Payment(_) | Change::Nothing, _) => false,
            };
        }
        changed
    }
}

/// Empties all projections, before a rebuild.
pub async fn clear<C: ConnectionTrait>(db: &C) -> Result<(), StoreError> {
    use entity::{client, drawing, drawing_tag, payment, project, project_tag, proposal};
    project::Entity::delete_many().exec(db).await?;
    project_tag::Entity::delete_many().exec(db).await?;
    drawing::Entity::delete_many().exec(db).await?;
    drawing_tag::Entity::delete_many().exec(db).await?;
    client::Entity::delete_many().exec(db).await?;
    proposal::Entity::delete_many().exec(db).await?;
    payment::Entity::delete_many().exec(db).await?;
    Ok(())
}

/// The sort value of an unknown time: before any.
const UNKNOWN_TIME_ORDER: i64 = i64::MIN;

/// Applies a change to a column that holds a nested value. `merge` merges the event's value into
/// it.
fn merge_nested<T>(column: &mut Option<String>, merge: impl FnOnce(&mut Option<T>)) -> Result<(), StoreError>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut value = from_json(column.as_deref())?;
    merge(&mut value);
    *column = value.as_ref().map(to_json).transpose()?;
    Ok(())
}
