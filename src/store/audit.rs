//! The audit: who changed what, and when. Entries are appended and never changed, except for
//! sums: one entry counts equal refusals of an hour, or the sign-ins of a key in an hour.

use entity::audit::{Column, Entity, Model};
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::StoreError;
use super::read::{Page, Position, Sort, SortValue, Window};
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;
use crate::domain::AuditKind;
use crate::domain::text::replace_nul;

/// An entry to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// When it happened.
    pub at: Time,
    /// The kind of what happened.
    pub kind: AuditKind,
    /// The name of the key that did it; none if no key did.
    pub actor: Option<String>,
    /// What was done: of a mutation, the name of its field.
    pub action: String,
    /// On what, and with which result. Never a secret.
    pub detail: Option<String>,
    /// How many times.
    pub count: u64,
    /// Entries with the same are summed in the first one.
    pub sum_key: Option<String>,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When it happened; of a sum, when it first did.
    pub at: Time,
    /// The kind of what happened.
    pub kind: AuditKind,
    /// The name of the key that did it; none if no key did.
    pub actor: Option<String>,
    /// What was done.
    pub action: String,
    /// On what, and with which result.
    pub detail: Option<String>,
    /// How many times.
    pub count: i64,
}

/// Which entries. A condition that is none is not one.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The kind is one of these.
    pub kinds: Option<Vec<AuditKind>>,
    /// It happened at this time or later.
    pub from: Option<Time>,
    /// It happened before this time.
    pub before: Option<Time>,
}

/// The table of the audit, for the cursors of its list.
pub const TABLE: &str = "audit";

/// The order of the list: the newest first.
pub const LIST_ORDER: Sort = Sort { column: "id", tie_breakers: &[], descending: true };

impl Entry {
    /// The entry's position in the list.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { key: SortValue::Integer(self.id), ties: Vec::new() }
    }
}

impl Filter {
    fn condition(&self) -> Condition {
        let kinds = self.kinds.as_ref().map(|kinds| Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())));
        Condition::all()
            .add_option(kinds)
            .add_option(self.from.map(|from| Column::At.gte(to_micros(from))))
            .add_option(self.before.map(|before| Column::At.lt(to_micros(before))))
    }
}

/// How many entries are kept: years of an office's use. One more deletes the oldest, so that a
/// program that signs in at each request does not fill the disk.
const ENTRIES_MAX: i64 = 100_000;

/// Appends an entry, or adds its count to the entry that has the same `sum_key`. Must be called
/// under the write lock.
pub async fn append<C: ConnectionTrait>(db: &C, new: &NewEntry) -> Result<(), StoreError> {
    let count = i64::try_from(new.count).unwrap_or(i64::MAX);
    if let Some(sum_key) = &new.sum_key {
        let added = Entity::update_many()
            .filter(Column::SumKey.eq(sum_key))
            .col_expr(Column::Count, Expr::col(Column::Count).add(count))
            .exec(db)
            .await?;
        if added.rows_affected > 0 {
            return Ok(());
        }
    }
    let newest: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Id.max(), "newest").into_tuple().one(db).await?;
    let id = newest.flatten().unwrap_or_default() + 1;
    let row = Model {
        id,
        at: to_micros(new.at),
        kind: new.kind.as_str().to_owned(),
        actor: new.actor.clone(),
        action: new.action.clone(),
        detail: new.detail.clone().map(replace_nul),
        count,
        sum_key: new.sum_key.clone(),
    };
    Entity::insert(row.into_active_model().reset_all()).exec_without_returning(db).await?;
    if id > ENTRIES_MAX {
        Entity::delete_many().filter(Column::Id.lte(id - ENTRIES_MAX)).exec(db).await?;
    }
    Ok(())
}

/// Whether an entry has this `sum_key`.
pub async fn has_sum_key<C: ConnectionTrait>(db: &C, sum_key: &str) -> Result<bool, StoreError> {
    Ok(Entity::find().filter(Column::SumKey.eq(sum_key)).count(db).await? > 0)
}

/// The entry of this number.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: i64) -> Result<Option<Entry>, StoreError> {
    Entity::find_by_id(id).one(db).await?.map(from_row).transpose()
}

/// A page of the entries that match, newest first.
pub async fn page<C: ConnectionTrait>(db: &C, filter: &Filter, window: &Window) -> Result<Page<Entry>, StoreError> {
    let mut rows = Entity::find().filter(filter.condition());
    if let Some(Position { key: SortValue::Integer(id), .. }) = window.after {
        rows = rows.filter(Column::Id.lt(id));
    }
    if let Some(Position { key: SortValue::Integer(id), .. }) = window.before {
        rows = rows.filter(Column::Id.gt(id));
    }
    let order = if window.backward { Order::Asc } else { Order::Desc };
    let rows = rows.order_by(Column::Id, order).limit(window.fetch_limit()).all(db).await?;
    Ok(window.to_page(rows.into_iter().map(from_row).collect::<Result<_, _>>()?))
}

/// How many entries match.
pub async fn count<C: ConnectionTrait>(db: &C, filter: &Filter) -> Result<u64, StoreError> {
    Ok(Entity::find().filter(filter.condition()).count(db).await?)
}

fn from_row(row: Model) -> Result<Entry, StoreError> {
    let kind = AuditKind::from_name(&row.kind)
        .ok_or_else(|| StoreError::Unreadable(format!("the kind {:?} of the audit entry {}", row.kind, row.id)))?;
    Ok(Entry {
        id: row.id,
        at: from_micros(row.at)?,
        kind,
        actor: row.actor,
        action: row.action,
        detail: row.detail,
        count: row.count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn oldest_entry_gives_way_to_one_beyond_the_limit() {
        let (_directory, store) = Store::for_test().await;
        let (at, kind) = (Time::UNIX_EPOCH, AuditKind::SignIn);
        let new =
            NewEntry { at, kind, actor: None, action: "signIn".to_owned(), detail: None, count: 1, sum_key: None };
        let tx = store.begin().await.unwrap();
        append(&tx, &new).await.unwrap();
        append(&tx, &new).await.unwrap();
        let row = Entity::find_by_id(2).one(&tx).await.unwrap().unwrap();
        let last = Model { id: ENTRIES_MAX, ..row };
        Entity::insert(last.into_active_model().reset_all()).exec_without_returning(&tx).await.unwrap();
        append(&tx, &new).await.unwrap();
        store.commit(tx, None).await.unwrap();
        let window = Window { after: None, before: None, limit: 10, backward: false };
        let page = page(store.reader(), &Filter::default(), &window).await.unwrap();
        let ids: Vec<i64> = page.rows.iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [ENTRIES_MAX + 1, ENTRIES_MAX, 2]);
    }
}
