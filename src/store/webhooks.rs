//! The webhooks at Bidsketch. A row is never deleted, because the URL of a deleted webhook must
//! stay retired.

use std::collections::HashMap;

use entity::bidsketch_webhook::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    UpdateMany,
};

use super::StoreError;
use super::read::{Page, Position, Sort, SortValue, Window};
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{BidsketchEvent, WebhookId, WebhookState};

/// A webhook and its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its number in this database.
    pub id: WebhookId,
    /// Bidsketch's id, once it has answered.
    pub vendor_id: Option<String>,
    /// The event type that it delivers.
    pub event: BidsketchEvent,
    /// The URL that it sends to, with the secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint, in hexadecimal digits.
    pub endpoint_hash: String,
    /// Whether it sends to a hook URL of this service.
    pub is_own: bool,
    /// Its state.
    pub state: WebhookState,
    /// The last error.
    pub last_error: Option<String>,
    /// When it was requested.
    pub created_at: Time,
    /// When it last delivered to its own hook URL.
    pub last_delivery_at: Option<Time>,
    /// How many deliveries came to that URL.
    pub delivery_count: u64,
}

/// A webhook to create.
#[derive(Debug)]
pub struct NewWebhook {
    /// The event type that it delivers.
    pub event: BidsketchEvent,
    /// The URL that it sends to, with the secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint, in hexadecimal digits.
    pub endpoint_hash: String,
    /// SHA-256 of the token in the hook URL, in hexadecimal digits; `None` if it sends elsewhere.
    pub token_hash: Option<String>,
    /// When it is requested.
    pub created_at: Time,
}

/// The owner of a hook URL's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookToken {
    /// The webhook with this token.
    pub webhook: WebhookId,
    /// Whether the webhook is deleted, about to be, or superseded by another. Its URL is then
    /// retired.
    pub is_retired: bool,
}

fn from_row(row: Model) -> Result<Webhook, StoreError> {
    let unreadable = |column| StoreError::Unreadable(format!("the {column} of webhook {}", row.id));
    Ok(Webhook {
        event: BidsketchEvent::from_name(&row.event).ok_or_else(|| unreadable("event"))?,
        state: WebhookState::from_name(&row.state).ok_or_else(|| unreadable("state"))?,
        id: WebhookId(row.id),
        vendor_id: row.vendor_id,
        endpoint: row.endpoint,
        endpoint_hash: row.endpoint_hash,
        is_own: row.token_hash.is_some(),
        last_error: row.last_error,
        created_at: from_micros(row.created_at)?,
        last_delivery_at: row.last_delivery_at.map(from_micros).transpose()?,
        delivery_count: u64::try_from(row.delivery_count).unwrap_or_default(),
    })
}

/// Inserts a PENDING webhook as the live one for its event. Must be called under the write lock.
///
/// # Errors
///
/// [`StoreError::Refused`] if the event has a live webhook already.
pub async fn insert<C: ConnectionTrait>(db: &C, new: NewWebhook) -> Result<Webhook, StoreError> {
    let newest: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Id.max(), "newest").into_tuple().one(db).await?;
    let row = Model {
        id: newest.flatten().unwrap_or_default() + 1,
        vendor_id: None,
        event: new.event.as_str().to_owned(),
        endpoint: new.endpoint,
        endpoint_hash: new.endpoint_hash,
        token_hash: new.token_hash,
        state: WebhookState::Pending.as_str().to_owned(),
        live_event: Some(new.event.as_str().to_owned()),
        superseded: false,
        error_code: None,
        last_error: None,
        created_at: to_micros(new.created_at),
        last_delivery_at: None,
        delivery_count: 0,
    };
    Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(db).await?;
    from_row(row)
}

/// The live webhook for an event. It is PENDING or ACTIVE, or it sends elsewhere and is not deleted
/// yet.
pub async fn live_for_event<C: ConnectionTrait>(db: &C, event: BidsketchEvent) -> Result<Option<Webhook>, StoreError> {
    Entity::find().filter(Column::LiveEvent.eq(event.as_str())).one(db).await?.map(from_row).transpose()
}

/// The webhook of this number.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    Entity::find_by_id(id.0).one(db).await?.map(from_row).transpose()
}

/// The newest webhook that has this id at Bidsketch.
pub async fn by_vendor_id<C: ConnectionTrait>(db: &C, vendor_id: &str) -> Result<Option<Webhook>, StoreError> {
    let vendor_id = replace_nul(vendor_id.to_owned());
    let found = Entity::find().filter(Column::VendorId.eq(vendor_id)).order_by_desc(Column::Id).one(db).await?;
    found.map(from_row).transpose()
}

/// All webhooks in one of these states, oldest first.
pub async fn in_states<C: ConnectionTrait>(db: &C, states: &[WebhookState]) -> Result<Vec<Webhook>, StoreError> {
    select_in_states(states).order_by_asc(Column::Id).all(db).await?.into_iter().map(from_row).collect()
}

/// The first `limit` webhooks in one of these states, oldest first.
pub async fn first_in_states<C: ConnectionTrait>(
    db: &C,
    states: &[WebhookState],
    limit: u64,
) -> Result<Vec<Webhook>, StoreError> {
    let rows = select_in_states(states).order_by_asc(Column::Id).limit(limit).all(db).await?;
    rows.into_iter().map(from_row).collect()
}

/// The table of the webhooks, for the cursors of their list.
pub const TABLE: &str = "bidsketch_webhook";

/// The order of the list of webhooks: the oldest first.
pub const LIST_ORDER: Sort = Sort { column: "id", tie_breakers: &[], descending: false };

impl Webhook {
    /// The webhook's position in the list.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { key: SortValue::Integer(self.id.0), ties: Vec::new() }
    }
}

/// A page of the webhooks in one of these states, oldest first.
pub async fn page_in_states<C: ConnectionTrait>(
    db: &C,
    states: &[WebhookState],
    window: &Window,
) -> Result<Page<Webhook>, StoreError> {
    let mut rows = select_in_states(states);
    if let Some(Position { key: SortValue::Integer(id), .. }) = window.after {
        rows = rows.filter(Column::Id.gt(id));
    }
    if let Some(Position { key: SortValue::Integer(id), .. }) = window.before {
        rows = rows.filter(Column::Id.lt(id));
    }
    let order = if window.backward { Order::Desc } else { Order::Asc };
    let rows = rows.order_by(Column::Id, order).limit(window.fetch_limit()).all(db).await?;
    Ok(window.to_page(rows.into_iter().map(from_row).collect::<Result<_, _>>()?))
}

/// How many webhooks are in one of these states.
pub async fn count_in_states<C: ConnectionTrait>(db: &C, states: &[WebhookState]) -> Result<u64, StoreError> {
    Ok(select_in_states(states).count(db).await?)
}

fn select_in_states(states: &[WebhookState]) -> Select<Entity> {
    Entity::find().filter(Column::State.is_in(states.iter().map(|state| state.as_str())))
}

/// The owners of tokens, by the tokens' SHA-256 in hexadecimal digits. A row that cannot be read is
/// an error for its own token alone.
pub async fn by_tokens<C: ConnectionTrait>(
    db: &C,
    token_hashes: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, Result<HookToken, StoreError>>, StoreError> {
    let rows = Entity::find().filter(Column::TokenHash.is_in(token_hashes)).all(db).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.token_hash.clone()?, hook_token(row)))).collect())
}

fn hook_token(row: Model) -> Result<HookToken, StoreError> {
    let superseded = row.superseded;
    let webhook = from_row(row)?;
    let is_retired = match webhook.state {
        WebhookState::Deleting | WebhookState::Deleted => true,
        // Bidsketch may have created a failed webhook nevertheless. Its deliveries are accepted
        // until another webhook supersedes it.
        WebhookState::Pending | WebhookState::Active | WebhookState::Failed => superseded,
    };
    Ok(HookToken { webhook: webhook.id, is_retired })
}

/// How many webhooks have a hook URL of this service that accepts deliveries.
pub async fn count_accepting<C: ConnectionTrait>(db: &C) -> Result<u64, StoreError> {
    let accepting = [WebhookState::Pending, WebhookState::Active, WebhookState::Failed].map(WebhookState::as_str);
    let rows = Entity::find()
        .filter(Column::TokenHash.is_not_null())
        .filter(Column::State.is_in(accepting))
        .filter(Column::Superseded.eq(false));
    Ok(rows.count(db).await?)
}

/// Records that Bidsketch has created the webhook. It becomes ACTIVE if it is still wanted, even if
/// another node marked it FAILED meanwhile, and supersedes all other webhooks for the event.
/// Returns whether it was still wanted.
///
/// If it was not, the row keeps Bidsketch's id, which the deletion needs, and a FAILED webhook
/// becomes DELETING.
pub async fn mark_created<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    event: BidsketchEvent,
    vendor_id: &str,
) -> Result<bool, StoreError> {
    let updated = update_by_id(id).col_expr(Column::VendorId, Expr::val(vendor_id)).exec(db).await?;
    if updated.rows_affected == 0 {
        return Err(StoreError::Unreadable(format!("webhook {id} does not exist")));
    }
    // After a restart of the database another node may have marked it FAILED. It exists after all,
    // and is wanted unless another webhook has become the live one.
    let mut wanted_states = vec![WebhookState::Pending.as_str()];
    if live_for_event(db, event).await?.is_none() {
        wanted_states.push(WebhookState::Failed.as_str());
    }
    let activated = update_by_id(id)
        .filter(Column::State.is_in(wanted_states))
        .filter(Column::Superseded.eq(false))
        .col_expr(Column::State, Expr::val(WebhookState::Active.as_str()))
        .col_expr(Column::LiveEvent, Expr::val(event.as_str()))
        .col_expr(Column::ErrorCode, Expr::val(None::<String>))
        .col_expr(Column::LastError, Expr::val(None::<String>))
        .exec(db)
        .await?;
    // A second call, after a commit that seemed to fail, may find it ACTIVE already.
    let is_wanted = activated.rows_affected == 1
        || by_id(db, id).await?.is_some_and(|webhook| webhook.state == WebhookState::Active);
    if is_wanted {
        Entity::update_many()
            .filter(Column::Event.eq(event.as_str()))
            .filter(Column::Id.ne(id.0))
            .col_expr(Column::Superseded, Expr::val(true))
            .exec(db)
            .await?;
    } else {
        update_in_state(id, WebhookState::Failed)
            .col_expr(Column::State, Expr::val(WebhookState::Deleting.as_str()))
            .exec(db)
            .await?;
    }
    Ok(is_wanted)
}

/// Marks a PENDING webhook as FAILED: it was not created, or the outcome is unknown. Returns
/// whether it was still PENDING.
pub async fn mark_failed<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    code: &str,
    error: &str,
) -> Result<bool, StoreError> {
    let updated = update_in_state(id, WebhookState::Pending)
        .col_expr(Column::State, Expr::val(WebhookState::Failed.as_str()))
        .col_expr(Column::LiveEvent, Expr::val(None::<String>))
        .col_expr(Column::ErrorCode, Expr::val(code))
        .col_expr(Column::LastError, Expr::val(error))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Marks a webhook as DELETING. If it sends to a hook URL of this service, that URL is retired from
/// now on, and another webhook may take its place. A webhook that sends elsewhere does so until
/// Bidsketch has deleted it, and stays the live one for its event until then.
pub async fn mark_deleting<C: ConnectionTrait>(db: &C, id: WebhookId) -> Result<(), StoreError> {
    update_by_id(id)
        .col_expr(Column::State, Expr::val(WebhookState::Deleting.as_str()))
        .col_expr(Column::ErrorCode, Expr::val(None::<String>))
        .col_expr(Column::LastError, Expr::val(None::<String>))
        .exec(db)
        .await?;
    update_by_id(id)
        .filter(Column::TokenHash.is_not_null())
        .col_expr(Column::LiveEvent, Expr::val(None::<String>))
        .exec(db)
        .await?;
    Ok(())
}

/// Marks a webhook as DELETED.
pub async fn mark_deleted<C: ConnectionTrait>(db: &C, id: WebhookId) -> Result<(), StoreError> {
    update_by_id(id)
        .col_expr(Column::State, Expr::val(WebhookState::Deleted.as_str()))
        .col_expr(Column::LiveEvent, Expr::val(None::<String>))
        .col_expr(Column::ErrorCode, Expr::val(None::<String>))
        .col_expr(Column::LastError, Expr::val(None::<String>))
        .exec(db)
        .await?;
    Ok(())
}

/// Records an error and leaves the state as it is.
pub async fn record_error<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    code: &str,
    error: &str,
) -> Result<(), StoreError> {
    update_by_id(id)
        .col_expr(Column::ErrorCode, Expr::val(code))
        .col_expr(Column::LastError, Expr::val(error))
        .exec(db)
        .await?;
    Ok(())
}

/// Deliveries of a webhook that are recorded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// How many they are.
    pub count: i64,
    /// When the last of them came.
    pub last_at: Time,
}

/// Records deliveries of a webhook.
pub async fn record_deliveries<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    arrivals: Arrivals,
) -> Result<(), StoreError> {
    update_by_id(id)
        .col_expr(Column::LastDeliveryAt, Expr::val(to_micros(arrivals.last_at)))
        .col_expr(Column::DeliveryCount, Expr::col(Column::DeliveryCount).add(arrivals.count))
        .exec(db)
        .await?;
    Ok(())
}

fn update_by_id(id: WebhookId) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::Id.eq(id.0))
}

fn update_in_state(id: WebhookId, state: WebhookState) -> UpdateMany<Entity> {
    update_by_id(id).filter(Column::State.eq(state.as_str()))
}
