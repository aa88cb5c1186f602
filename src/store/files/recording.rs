//! Records the files of a group of deliveries, in its transaction.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use entity::file::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait};
use serde::Serialize;

use super::execute;
use crate::clock::Time;
use crate::domain::{FileLink, FileState, Seq};
use crate::store::engine::dialect::Dialect;
use crate::store::sql::convert::{to_json, to_micros};
use crate::store::sql::lookup::{LOOKUP_VALUE, values_table};
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
    last_id: i64,
    rows: Vec<Model>,
    /// The rows of the group by the keys of their files.
    by_key: BTreeMap<String, Vec<usize>>,
    /// The link of each key that lives longest.
    fresh: BTreeMap<String, FreshLink>,
    /// The same of each key and each event that is repeated.
    repeated: BTreeMap<(String, i64), FreshLink>,
}

/// A link that may replace those of earlier files.
#[derive(Clone, Debug, Serialize)]
struct FreshLink {
    /// The event that it came with.
    event: i64,
    link: String,
    expires: i64,
    /// When it arrived.
    at: i64,
}

#[derive(Serialize)]
struct FreshLinkRow<'a> {
    key: &'a str,
    #[serde(flatten)]
    link: &'a FreshLink,
}

/// How many keys are looked up at once.
const LOOKUP_MAX: usize = 1024;

/// Which files a fresh link is for. A later event is a version of its own, and its link may lead to
/// later bytes. So it replaces only a dead link: later bytes are better than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    /// Those of the event that the delivery repeats.
    OfTheEvent,
    /// Those whose own links are dead, of any event.
    Dead,
}

/// A fresh link replaces one that dies earlier, of a file that is not stored yet, and makes the
/// file due. A file that retention has removed has a time of storing.
const REPLACE_LINKS: &str = r#"UPDATE "file" SET "link" = "fresh"."link", "link_expires_at" = "fresh"."expires",
    "next_attempt_at" = "fresh"."at", "state" = 'PENDING', "problem" = NULL, "attempts" = 0
FROM {fresh} WHERE "file"."file_key" = "fresh"."key" AND "file"."state" IN ('PENDING', 'EXPIRED')
    AND "file"."stored_at" IS NULL AND "file"."link_expires_at" < "fresh"."expires" AND {replaced}"#;

const FRESH_ON_SQLITE: &str = r#"(SELECT value ->> 'key' AS "key", value ->> 'link' AS "link",
    value ->> 'expires' AS "expires", value ->> 'at' AS "at", value ->> 'event' AS "event" FROM json_each($1)) AS "fresh""#;

const FRESH_ON_POSTGRES: &str = r#"json_to_recordset(CAST($1 AS json))
    AS "fresh"("key" text, "link" text, "expires" bigint, "at" bigint, "event" bigint)"#;

impl NewFiles {
    /// No files yet. `last_id` is the number of the newest file.
    #[must_use]
    pub const fn after(last_id: i64, recording: FileRecording) -> Self {
        Self {
            recording,
            last_id,
            rows: Vec::new(),
            by_key: BTreeMap::new(),
            fresh: BTreeMap::new(),
            repeated: BTreeMap::new(),
        }
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
            match of {
                Links::New(_) => {
                    self.by_key.entry(key.clone()).or_default().push(self.rows.len());
                    self.last_id += 1;
                    self.rows.push(new_row(self.last_id, event, link, key.clone(), &fresh));
                }
                Links::Repeated(_) => {
                    keep_longest(self.repeated.entry((key.clone(), event.0)), &fresh);
                }
            }
            keep_longest(self.fresh.entry(key), &fresh);
        }
    }

    /// Replaces the links of earlier files and adds the new rows to the batch. Most links are of new
    /// files, so that earlier ones are looked up by their keys alone, which are short.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn write<C: ConnectionTrait>(&mut self, db: &C, batch: &mut BulkInsert) -> Result<(), StoreError> {
        let renewable = renewable_keys(db, self.fresh.keys().map(String::as_str)).await?;
        let is_renewable = |row: &FreshLinkRow<'_>| renewable.contains(row.key);
        let repeated = self.repeated.iter().map(|((key, _), link)| FreshLinkRow { key, link });
        let repeated = repeated.filter(is_renewable).collect();
        replace_links(db, Replaced::OfTheEvent, repeated).await?;
        let fresh = self.fresh.iter().map(|(key, link)| FreshLinkRow { key, link });
        let fresh = fresh.filter(is_renewable).collect();
        replace_links(db, Replaced::Dead, fresh).await?;
        for row in self.rows.drain(..) {
            batch.insert(&row);
        }
        Ok(())
    }
}

/// What all links to a file have in common: the drawing or proposal that it shows, and a hash of the
/// link without what expires. Keys of one drawing are beside each other in the index, and those of
/// new drawings at its end; hashes alone would be written all over.
fn file_key(link: &FileLink) -> String {
    let owner = link.drawing.as_ref().or(link.proposal.as_ref()).map(ToString::to_string).unwrap_or_default();
    format!("{owner}/{}", link_hash(&link.url))
}

/// When a link dies: by its own word, within a bound.
fn deadline(link: &str, received_at: Time) -> Time {
    Ord::min(expires_at(link).unwrap_or(received_at + LINK_LIFETIME), received_at + LINK_LIFETIME_MAX)
}

fn keep_longest<K: Ord>(entry: Entry<'_, K, FreshLink>, fresh: &FreshLink) {
    let longest = entry.or_insert_with(|| fresh.clone());
    if longest.expires < fresh.expires {
        longest.clone_from(fresh);
    }
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

/// The statement that looks keys up. Values in place of the states would hide the partial index.
pub(super) fn renewable_sql(keys: &[[Option<&str>; 1]]) -> SelectStatement {
    let file = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::FileKey.into_expr().equals(LOOKUP_VALUE))
        .and_where(Expr::cust(r#""state" IN ('PENDING', 'EXPIRED')"#))
        .limit(1)
        .take();
    Query::select()
        .column(LOOKUP_VALUE)
        .from(values_table(keys))
        .and_where(Expr::SubQuery(None, Box::new(file.into())).is_not_null())
        .take()
}

async fn replace_links<C: ConnectionTrait>(
    db: &C,
    replaced: Replaced,
    fresh: Vec<FreshLinkRow<'_>>,
) -> Result<(), StoreError> {
    if !fresh.is_empty() {
        let sql = replace_links_sql(Dialect::of(db.get_database_backend()), replaced);
        execute(db, &sql, [to_json(&fresh)?.into()]).await?;
    }
    Ok(())
}

/// The statement that replaces links, with the links as a JSON array.
pub(super) fn replace_links_sql(dialect: Dialect, replaced: Replaced) -> String {
    let fresh = match dialect {
        Dialect::Sqlite => FRESH_ON_SQLITE,
        Dialect::Postgres => FRESH_ON_POSTGRES,
    };
    let replaced = match replaced {
        Replaced::OfTheEvent => r#""file"."event_seq" = "fresh"."event""#,
        Replaced::Dead => r#""file"."link_expires_at" <= "fresh"."at""#,
    };
    REPLACE_LINKS.replace("{fresh}", fresh).replace("{replaced}", replaced)
}

impl FreshLink {
    /// Does to a row of the group what [`REPLACE_LINKS`] does to a stored one.
    fn replace(&self, row: &mut Model) {
        let is_replaced = row.event_seq == self.event || row.link_expires_at <= self.at;
        if is_replaced && row.link_expires_at < self.expires {
            row.link.clone_from(&self.link);
            row.link_expires_at = self.expires;
            row.next_attempt_at = self.at;
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
