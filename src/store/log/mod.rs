//! The log: its head, appends, duplicates of deliveries, and reads from a position on.

use sea_orm::{ConnectionTrait, Statement};

use super::StoreError;
use crate::domain::Seq;

mod append;
mod duplicates;
mod stored_event;

pub use append::{Derived, Entry, append};
pub(in crate::store) use duplicates::is_same;
pub use duplicates::{DuplicateIndex, NewestKeys, PriorEvent, event_body, subject_changed_since};
pub use stored_event::{
    StoredEvent, count, count_uncounted, stored_events_after, stored_events_of_proposal, uncounted_proposals,
    write_derived,
};

/// Selects the newest seq; no row if the log is empty. It avoids MAX for the reason that
/// `duplicates::greatest_key` has.
pub(in crate::store) const HEAD_QUERY: &str = r#"SELECT "seq" FROM "event" ORDER BY "seq" DESC LIMIT 1"#;

/// The newest seq in the log; 0 if it is empty.
pub async fn head<C: ConnectionTrait>(db: &C) -> Result<Seq, StoreError> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), HEAD_QUERY)).await?;
    let newest: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(Seq(newest.unwrap_or_default()))
}
