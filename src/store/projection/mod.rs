//! What the log says now. Projections are changed by new events alone, in the order of the log, so that they can be
//! rebuilt from it with the same result.
//!
//! A row takes an event only if the event's order key is not older than what the row has. Fields that the event does not
//! mention stay.

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};

use super::StoreError;
use super::convert::{from_json, micros, to_json};
use super::log::Entry;
use crate::domain::text::order_key;
use crate::domain::{Change, Patch, References, fold};

mod client;
mod drawing;
mod payment;
mod project;
mod proposal;
mod references;
mod tags;

pub use references::complete;

/// Brings the projections up to an event that has just been appended to the log.
///
/// # Errors
///
/// Where the database refuses a value or is not available.
pub async fn apply<C: ConnectionTrait>(db: &C, entry: &Entry<'_>) -> Result<(), StoreError> {
    let mut touched = entry.event.references.clone();
    match entry.event.change.clone() {
        Change::Project(id, change) => {
            if project::apply(db, entry, &id, *change).await? == Saved::Yes {
                touched.project = None;
            }
        }
        Change::Drawing(id, change) => {
            if drawing::apply(db, entry, &id, *change).await? == Saved::Yes {
                touched.drawing = None;
            }
        }
        Change::Client(id, change) => {
            if client::apply(db, entry, &id, *change).await? == Saved::Yes {
                touched.client = None;
            }
        }
        Change::Proposal(id, change) => {
            if proposal::apply(db, entry, &id, *change).await? == Saved::Yes {
                touched.proposal = None;
            }
        }
        Change::Payment(payment) => payment::insert(db, entry, *payment).await?,
        Change::Nothing => {}
    }
    touch(db, entry, &touched).await
}

/// Whether an event changed the row of its subject; if so, the row has the event's time as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saved {
    Yes,
    /// It is older than the row.
    No,
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

/// Moves `last_event_at` of what the event belongs to: an event of a drawing is one of its project too.
async fn touch<C: ConnectionTrait>(db: &C, entry: &Entry<'_>, references: &References) -> Result<(), StoreError> {
    use entity::{client, drawing, project, proposal};
    let received_at = micros(entry.received_at);
    if let Some(id) = &references.project {
        move_up::<project::Entity, _, _>(
            db,
            project::Column::LastEventAt,
            project::Column::VendorId.eq(id.as_str()),
            received_at,
        )
        .await?;
    }
    if let Some(id) = &references.drawing {
        move_up::<drawing::Entity, _, _>(
            db,
            drawing::Column::LastEventAt,
            drawing::Column::VendorId.eq(id.as_str()),
            received_at,
        )
        .await?;
    }
    if let Some(id) = &references.client {
        move_up::<client::Entity, _, _>(
            db,
            client::Column::LastEventAt,
            client::Column::VendorId.eq(id.as_str()),
            received_at,
        )
        .await?;
    }
    if let Some(id) = &references.proposal {
        let key = proposal::Column::Provider
            .eq(entry.event.provider.as_str())
            .and(proposal::Column::VendorId.eq(id.as_str()));
        move_up::<proposal::Entity, _, _>(db, proposal::Column::LastEventAt, key, received_at).await?;
    }
    Ok(())
}

async fn move_up<E, C, K>(db: &C, column: E::Column, key: K, received_at: i64) -> Result<(), StoreError>
where
    E: EntityTrait,
    C: ConnectionTrait,
    K: IntoCondition,
{
    E::update_many().col_expr(column, received_at.into()).filter(key).filter(column.lt(received_at)).exec(db).await?;
    Ok(())
}

/// When the newest event of those that belong to a new row was received: some may have come before it.
async fn newest_event<C: ConnectionTrait, K: IntoCondition>(db: &C, key: K) -> Result<i64, StoreError> {
    let newest: Option<Option<i64>> = entity::event::Entity::find()
        .select_only()
        .column_as(entity::event::Column::ReceivedAt.max(), "newest")
        .filter(key)
        .into_tuple()
        .one(db)
        .await?;
    newest.flatten().ok_or_else(|| StoreError::Unreadable("the event just appended is not in the log".to_owned()))
}

/// Writes a row that was read before, or a new one.
async fn save<C, M, A>(db: &C, row: M, is_new: bool) -> Result<Saved, StoreError>
where
    C: ConnectionTrait,
    M: IntoActiveModel<A>,
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let row = row.into_active_model().reset_all();
    if is_new {
        A::Entity::insert(row).exec_without_returning(db).await?;
    } else {
        A::Entity::update(row).exec_without_returning(db).await?;
    }
    Ok(Saved::Yes)
}

/// What stands for a time that the vendor never gave in an order: before any.
const NEVER: i64 = i64::MIN;

/// What a name is ordered by and looked for in.
fn names(name: Option<&str>) -> (String, String) {
    let name = name.unwrap_or_default();
    (order_key(name), fold(name))
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
