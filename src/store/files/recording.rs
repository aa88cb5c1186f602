//! Records the files of a group of deliveries, in its transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use entity::file::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::clock::Time;
use crate::domain::{FileLink, FileState, Seq};
use crate::store::sql::convert::to_micros;
use crate::store::sql::lookup::{LOOKUP_VALUE, pad_to_power_of_four, values_table};
use crate::store::{BulkInsert, StoreError};
use crate::vendor::links::{expires_at, link_hash};

/// How long a link lives that does not say so. ArcSite's links live as long.
const LINK_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The longest that a link is taken to live after its arrival, whatever it says. A file would
/// otherwise wait for years, and no one would learn that it is lost.
const LINK_LIFETIME_MAX: TimeDelta = TimeDelta::days(7);

/// Whether the files of events are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRecording {
    /// The service keeps files.
    On,
    /// It has no place for them.
    Off,
}

/// What a delivery is to the event whose files it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It is the first of the event.
    New(Seq),
    /// It repeats the event.
    Repeated(Seq),
}

/// The files of a group, before they are written.
#[derive(Debug)]
pub struct NewFiles {
    recording: FileRecording,
    renewed_max: u64,
    last_id: i64,
    rows: Vec<Model>,
    /// The rows of the group by the keys of their files.
    by_key: BTreeMap<String, Vec<usize>>,
    /// The links of the group by the keys of their files, in their order.
    fresh: BTreeMap<String, Vec<FreshLink>>,
}

/// A link that may replace those of earlier files.
#[derive(Clone, Debug)]
struct FreshLink {
    /// The event that it came with.
    event: i64,
    link: String,
    expires: i64,
    /// When it arrived.
    at: i64,
}

/// Whether a file's link may be replaced. Values in place of the states would hide the partial
/// index.
const RENEWABLE: &str = r#""state" IN ('PENDING', 'EXPIRED')"#;

/// How many keys are looked up at once.
const LOOKUP_MAX: usize = 1024;

/// How many keys' files are read at once.
const KEYS_READ_MAX: usize = 64;

/// How many files of these keys get fresh links at once. Files that have waited for weeks may be
/// many, and the group's transaction must end. The rest wait for the next fresh link.
const RENEWED_MAX: u64 = 4096;

impl NewFiles {
    /// No files yet. `last_id` is the number of the newest file.
    #[must_use]
    pub const fn after(last_id: i64, recording: FileRecording) -> Self {
        Self {
            recording,
            renewed_max: RENEWED_MAX,
            last_id,
            rows: Vec::new(),
            by_key: BTreeMap::new(),
            fresh: BTreeMap::new(),
        }
    }

    /// Gives so few earlier files fresh links that a test reaches the limit.
    #[cfg(test)]
    pub(super) fn renewing_at_most(self, max: u64) -> Self {
        Self { renewed_max: max, ..self }
    }

    /// Records the links of a delivery: the files of its event, if the event is new, and fresh
    /// links to earlier files.
    pub fn record(&mut self, links: &[FileLink], received_at: Time, of: Links) {
        if self.recording == FileRecording::Off {
            return;
        }
        let (Links::New(event) | Links::Repeated(event)) = of;
        for link in links {
            let key = file_key(link);
            let fresh = FreshLink {
                event: event.0,
                link: link.url.clone(),
                expires: to_micros(deadline(&link.url, received_at)),
                at: to_micros(received_at),
            };
            for &index in self.by_key.get(&key).into_iter().flatten() {
                fresh.replace(&mut self.rows[index]);
            }
            if matches!(of, Links::New(_)) {
                self.by_key.entry(key.clone()).or_default().push(self.rows.len());
                self.last_id += 1;
                self.rows.push(new_row(self.last_id, event, link, key.clone(), &fresh));
            }
            self.fresh.entry(key).or_default().push(fresh);
        }
    }

    /// Replaces the links of earlier files and adds the new rows to the batch. Most links are of
    /// new files, so that earlier ones are looked up by their keys alone, which are short.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn write<C: ConnectionTrait>(&mut self, db: &C, batch: &mut BulkInsert) -> Result<(), StoreError> {
        let renewable = renewable_keys(db, self.fresh.keys().map(String::as_str)).await?;
        for mut row in self.renewable_files(db, &renewable).await? {
            let expires_before = row.link_expires_at;
            for fresh in self.fresh.get(&row.file_key).into_iter().flatten() {
                fresh.replace(&mut row);
            }
            if row.link_expires_at > expires_before {
                batch.upsert(&row);
            }
        }
        for row in self.rows.drain(..) {
            batch.insert(&row);
        }
        Ok(())
    }

    /// The files with these keys whose links a fresh one of the group may replace.
    async fn renewable_files<C: ConnectionTrait>(
        &self,
        db: &C,
        keys: &BTreeSet<String>,
    ) -> Result<Vec<Model>, StoreError> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut files = Vec::new();
        for keys in keys.chunks(KEYS_READ_MAX) {
            let fresh = || keys.iter().filter_map(|key| self.fresh.get(*key)).flatten();
            let events: BTreeSet<i64> = fresh().map(|fresh| fresh.event).collect();
            let Some(newest) = fresh().map(|fresh| fresh.at).max() else { continue };
            files.extend(with_renewable_links(keys, &events, newest, self.renewed_max).all(db).await?);
        }
        Ok(files)
    }
}

/// What all links to a file have in common: the drawing or proposal that it shows, and a hash of
/// the link without what expires. Keys of one drawing are beside each other in the index, and those
/// of new drawings at its end; hashes alone would be written all over.
fn file_key(link: &FileLink) -> String {
    let owner = link.drawing.as_ref().or(link.proposal.as_ref()).map(ToString::to_string).unwrap_or_default();
    format!("{owner}/{}", link_hash(&link.url))
}

/// When a link dies: by its own word, within a bound.
fn deadline(link: &str, received_at: Time) -> Time {
    Ord::min(expires_at(link).unwrap_or(received_at + LINK_LIFETIME), received_at + LINK_LIFETIME_MAX)
}

/// Those of the keys that files have whose links may be replaced.
async fn renewable_keys<C: ConnectionTrait>(
    db: &C,
    keys: impl Iterator<Item = &str>,
) -> Result<BTreeSet<String>, StoreError> {
    let keys: Vec<[Option<&str>; 1]> = keys.map(|key| [Some(key)]).collect();
    let mut renewable = BTreeSet::new();
    for keys in keys.chunks(LOOKUP_MAX) {
        for row in db.query_all(&renewable_sql(keys)).await? {
            renewable.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(renewable)
}

/// The statement that looks keys up.
pub(super) fn renewable_sql(keys: &[[Option<&str>; 1]]) -> SelectStatement {
    let file = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::FileKey.into_expr().equals(LOOKUP_VALUE))
        .and_where(Expr::cust(RENEWABLE))
        .limit(1)
        .take();
    Query::select()
        .column(LOOKUP_VALUE)
        .from(values_table(keys))
        .and_where(Expr::SubQuery(None, Box::new(file.into())).is_not_null())
        .take()
}

/// At most so many files with these keys whose links are dead at a time or are of these events. A
/// file that retention has removed has a time of storing. The statement has no order: for one, the
/// database might read the table in that order.
pub(super) fn with_renewable_links(keys: &[&str], events: &BTreeSet<i64>, at: i64, max: u64) -> Select<Entity> {
    let is_of_events = Column::EventSeq.is_in(pad_to_power_of_four(events.iter().copied()));
    Entity::find()
        .filter(Column::FileKey.is_in(pad_to_power_of_four(keys.iter().copied())))
        .filter(Expr::cust(RENEWABLE))
        .filter(Column::StoredAt.is_null())
        .filter(Column::LinkExpiresAt.lte(at).or(is_of_events))
        .limit(max)
}

impl FreshLink {
    /// Gives a file this link, if the file's own dies earlier, and makes the file due.
    ///
    /// A later event is a version of its own, and its link may lead to later bytes. So it replaces
    /// only a dead link: later bytes are better than none. That of a redelivery replaces any of its
    /// event.
    fn replace(&self, row: &mut Model) {
        let may_replace = row.event_seq == self.event || row.link_expires_at <= self.at;
        if may_replace && row.link_expires_at < self.expires {
            row.link.clone_from(&self.link);
            row.link_expires_at = self.expires;
            row.next_attempt_at = self.at;
            FileState::Pending.as_str().clone_into(&mut row.state);
            row.problem = None;
            row.attempts = 0;
        }
    }
}

fn new_row(id: i64, event: Seq, link: &FileLink, key: String, fresh: &FreshLink) -> Model {
    Model {
        id,
        event_seq: event.0,
        drawing_vendor_id: link.drawing.as_ref().map(ToString::to_string),
        proposal_vendor_id: link.proposal.as_ref().map(ToString::to_string),
        role: link.role.as_str().to_owned(),
        kind: link.kind.as_str().to_owned(),
        name: link.name.clone(),
        link: link.url.clone(),
        file_key: key,
        link_expires_at: fresh.expires,
        state: FileState::Pending.as_str().to_owned(),
        next_attempt_at: fresh.at,
        ..Model::default()
    }
}
