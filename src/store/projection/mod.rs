//! What the log says now. Projections are changed by new events alone, in the order of the log, so that they can be
//! rebuilt from it with the same result.
//!
//! A row takes an event only if the event's order key is not older than what the row has. Fields that the event does not
//! mention stay.
//!
//! The rows that a group of events changes are `held` here meanwhile: whatever its size, a group costs a few statements a table. How an
//! event changes a row is a function of both, in the file of the row's table.

use std::collections::BTreeSet;

use entity::{drawing_tag, payment as payment_table, project_tag, proposal as proposal_table};
use sea_orm::{ConnectionTrait, EntityTrait};

use super::log::Entry;
use super::sql::convert::{from_json, to_json, to_micros};
use super::{BulkInsert, StoreError};
use crate::domain::text::sort_prefix;
use crate::domain::{Change, Event, Patch, Provider, References, VendorId, fold_case};

mod client;
mod drawing;
mod identity_map;
mod payment;
mod project;
mod proposal;
mod references;
mod tags;

use identity_map::IdentityMap;
use tags::TagChanges;

/// The projections as a group of events makes them, under the write lock. Nothing is in the database before it is written.
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
    /// Reads in a few statements what these events will need: each changes what it names, and what that belongs to. What else they turn
    /// out to need is read then.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn fetch<C: ConnectionTrait>(&mut self, db: &C, events: &[&Event]) -> Result<(), StoreError> {
        let changing = ChangedIds::from_events(events);
        let mut of: Vec<(Provider, References)> =
            events.iter().map(|event| (event.provider, event.references.clone())).collect();
        for (provider, changing) in
            [(Provider::Arcsite, changing.arcsite_proposals), (Provider::Bidsketch, changing.bidsketch_proposals)]
        {
            let its = of.iter().filter(|(its, _)| *its == provider);
            let its = its.filter_map(|(_, of)| of.proposal.as_ref()).collect();
            self.proposals_mut(provider).fetch(db, its, changing).await?;
        }
        for (provider, references) in &mut of {
            self.complete_from_proposal(*provider, references);
        }
        self.drawings
            .fetch(db, of.iter().filter_map(|(_, of)| of.drawing.as_ref()).collect(), changing.drawings)
            .await?;
        for (_, references) in &mut of {
            self.complete_from_drawing(references);
        }
        self.projects
            .fetch(db, of.iter().filter_map(|(_, of)| of.project.as_ref()).collect(), changing.projects)
            .await?;
        self.clients.fetch(db, of.iter().filter_map(|(_, of)| of.client.as_ref()).collect(), changing.clients).await
    }

    /// Brings the projections up to an event that has just been appended to the log.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub async fn apply<C: ConnectionTrait>(&mut self, db: &C, entry: &Entry<'_>) -> Result<(), StoreError> {
        match entry.event.change.clone() {
            Change::Project(id, change) => {
                let stored = self.projects.get(db, &id).await?;
                let (is_new, tags) = (stored.is_none(), change.tags.clone());
                if let Some(row) = project::apply(entry, &id, stored, *change)? {
                    self.project_tags.set(&id, &tags, is_new);
                    self.projects.upsert(db, &id, row).await?;
                }
            }
            Change::Drawing(id, change) => {
                let stored = self.drawings.get(db, &id).await?;
                let (is_new, tags) = (stored.is_none(), change.tags.clone());
                if let Some(row) = drawing::apply(entry, &id, stored, *change)? {
                    self.drawing_tags.set(&id, &tags, is_new);
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
                if let Some(row) = proposal::apply(entry, &id, stored, *change) {
                    proposals.upsert(db, &id, row).await?;
                }
            }
            Change::Payment(payment) => self.payments.push(payment::new_row(entry, *payment)),
            Change::Nothing => {}
        }
        self.touch(db, entry).await
    }

    /// Moves `last_event_at` of what the event belongs to: an event of a drawing is one of its project too.
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

    /// Writes what has changed, together with what else is to be written.
    ///
    /// # Errors
    ///
    /// Where the database refuses a value or is not available.
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

/// The things of which events say something new, by table.
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
        let mut changing = Self::default();
        for event in events {
            match (&event.change, event.provider) {
                (Change::Project(id, _), _) => changing.projects.insert(id),
                (Change::Drawing(id, _), _) => changing.drawings.insert(id),
                (Change::Client(id, _), _) => changing.clients.insert(id),
                (Change::Proposal(id, _), Provider::Arcsite) => changing.arcsite_proposals.insert(id),
                (Change::Proposal(id, _), Provider::Bidsketch) => changing.bidsketch_proposals.insert(id),
                (Change::Payment(_) | Change::Nothing, _) => false,
            };
        }
        changing
    }
}

/// Empties all projections, for the log to be gone through again.
///
/// # Errors
///
/// Where the database is not available.
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

/// What stands for a time that the vendor never gave in an order: before any.
const UNKNOWN_TIME_ORDER: i64 = i64::MIN;

/// What a name is ordered by and looked for in.
fn name_columns(name: Option<&str>) -> (String, String) {
    let name = name.unwrap_or_default();
    (sort_prefix(name), fold_case(name))
}

/// Changes a column that holds a list of texts.
fn apply_list(change: Patch<Vec<String>>, column: &mut Option<String>) -> Result<(), StoreError> {
    match change {
        Patch::Missing => {}
        Patch::Null => *column = None,
        Patch::Value(list) => *column = Some(to_json(&list)?),
    }
    Ok(())
}

/// Changes a column that holds a nested value, by a function that merges what the event says into it.
fn merge_nested<T>(column: &mut Option<String>, merge: impl FnOnce(&mut Option<T>)) -> Result<(), StoreError>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut value = from_json(column.as_deref())?;
    merge(&mut value);
    *column = value.as_ref().map(to_json).transpose()?;
    Ok(())
}
