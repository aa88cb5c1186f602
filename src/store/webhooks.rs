//! The webhooks at Bidsketch: one row each, kept for good, since the URL of one that is gone must stay dead.

use entity::bidsketch_webhook::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
};

use super::StoreError;
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;
use crate::domain::text::replace_nul;
use crate::domain::{BidsketchEvent, WebhookId, WebhookState};

/// A webhook as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its number here.
    pub id: WebhookId,
    /// Bidsketch's id, once it has answered.
    pub vendor_id: Option<String>,
    /// What it is for.
    pub event: BidsketchEvent,
    /// Where it sends to, the secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint, in hexadecimal digits.
    pub endpoint_hash: String,
    /// Whether it sends to a hook URL of this service.
    pub is_own: bool,
    /// How far its life has come.
    pub state: WebhookState,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When its life began.
    pub created_at: Time,
    /// When it last delivered to its own hook URL.
    pub last_delivery_at: Option<Time>,
}

/// A webhook that is to be created.
#[derive(Debug)]
pub struct NewWebhook {
    /// What it is for.
    pub event: BidsketchEvent,
    /// Where it sends to, the secret part masked.
    pub endpoint: String,
    /// SHA-256 of the whole endpoint, in hexadecimal digits.
    pub endpoint_hash: String,
    /// SHA-256 of the token in our own hook URL, in hexadecimal digits.
    pub token_hash: Option<String>,
    /// When it is.
    pub created_at: Time,
}

/// What is known of the token of a hook URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookToken {
    /// Whose it is.
    pub webhook: WebhookId,
    /// Whether the webhook was retired or replaced: its URL is dead then.
    pub is_retired: bool,
}

fn from_row(row: Model) -> Result<Webhook, StoreError> {
    let unreadable = |what| StoreError::Unreadable(format!("the {what} of webhook {}", row.id));
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
    })
}

/// Begins the life of a webhook: PENDING, and the live one for its event. To be called under the write lock.
///
/// # Errors
///
/// Where there is a live one already, or the database is not available.
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
    };
    Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(db).await?;
    from_row(row)
}

/// The live webhook for an event: the one that is PENDING or ACTIVE, or that sends to another place until it is deleted.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn live_for_event<C: ConnectionTrait>(db: &C, event: BidsketchEvent) -> Result<Option<Webhook>, StoreError> {
    Entity::find().filter(Column::LiveEvent.eq(event.as_str())).one(db).await?.map(from_row).transpose()
}

/// A webhook by its number.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_id<C: ConnectionTrait>(db: &C, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    Entity::find_by_id(id.0).one(db).await?.map(from_row).transpose()
}

/// The newest webhook with this id of Bidsketch's.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_vendor_id<C: ConnectionTrait>(db: &C, vendor_id: &str) -> Result<Option<Webhook>, StoreError> {
    let vendor_id = replace_nul(vendor_id.to_owned());
    let found = Entity::find().filter(Column::VendorId.eq(vendor_id)).order_by_desc(Column::Id).one(db).await?;
    found.map(from_row).transpose()
}

/// All webhooks in one of these states, the oldest first.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn in_states<C: ConnectionTrait>(db: &C, states: &[WebhookState]) -> Result<Vec<Webhook>, StoreError> {
    let names = states.iter().map(|state| state.as_str());
    let rows = Entity::find().filter(Column::State.is_in(names)).order_by_asc(Column::Id).all(db).await?;
    rows.into_iter().map(from_row).collect()
}

/// What is known of a token, by its SHA-256 in hexadecimal digits.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn by_token<C: ConnectionTrait>(db: &C, token_hash: &str) -> Result<Option<HookToken>, StoreError> {
    let Some(row) = Entity::find().filter(Column::TokenHash.eq(token_hash)).one(db).await? else { return Ok(None) };
    let superseded = row.superseded;
    let webhook = from_row(row)?;
    let is_dead = match webhook.state {
        WebhookState::Deleting | WebhookState::Deleted => true,
        // Of a failed one Bidsketch may know all the same: what it sends is taken until another has its place.
        WebhookState::Pending | WebhookState::Active | WebhookState::Failed => superseded,
    };
    Ok(Some(HookToken { webhook: webhook.id, is_retired: is_dead }))
}

/// Bidsketch has created it: ACTIVE, where it was still wanted, be it that somebody had given it up meanwhile. All that failed for the
/// event before are superseded by it. Tells whether it was still wanted; where not, Bidsketch's id is kept all the same, to delete it
/// by, and it is DELETING.
///
/// # Errors
///
/// Where the database is not available.
pub async fn mark_created<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    event: BidsketchEvent,
    vendor_id: &str,
) -> Result<bool, StoreError> {
    let answered = update_by_id(id).col_expr(Column::VendorId, Expr::val(vendor_id)).exec(db).await?;
    if answered.rows_affected == 0 {
        return Err(StoreError::Unreadable(format!("webhook {id} is gone")));
    }
    // Where the database was restarted meanwhile, another node may have given it up: it is here after all, and wanted unless another has
    // taken its place.
    let mut wanted = vec![WebhookState::Pending.as_str()];
    if live_for_event(db, event).await?.is_none() {
        wanted.push(WebhookState::Failed.as_str());
    }
    let activated = update_by_id(id)
        .filter(Column::State.is_in(wanted))
        .filter(Column::Superseded.eq(false))
        .col_expr(Column::State, Expr::val(WebhookState::Active.as_str()))
        .col_expr(Column::LiveEvent, Expr::val(event.as_str()))
        .col_expr(Column::ErrorCode, Expr::val(None::<String>))
        .col_expr(Column::LastError, Expr::val(None::<String>))
        .exec(db)
        .await?;
    // Asked a second time, because the first commit seemed to fail, it may be ACTIVE already.
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

/// It was not created, or nobody knows: FAILED, where it was still PENDING. Tells whether it was.
///
/// # Errors
///
/// Where the database is not available.
pub async fn mark_failed<C: ConnectionTrait>(
    db: &C,
    id: WebhookId,
    code: &str,
    error: &str,
) -> Result<bool, StoreError> {
    let done = update_in_state(id, WebhookState::Pending)
        .col_expr(Column::State, Expr::val(WebhookState::Failed.as_str()))
        .col_expr(Column::LiveEvent, Expr::val(None::<String>))
        .col_expr(Column::ErrorCode, Expr::val(code))
        .col_expr(Column::LastError, Expr::val(error))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// It is to go: DELETING. A hook URL of this service is dead from here on, and makes room for another; what sends to another place
/// does so until Bidsketch has deleted it, and stays the one for its event as long.
///
/// # Errors
///
/// Where the database is not available.
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

/// It is gone: DELETED.
///
/// # Errors
///
/// Where the database is not available.
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

/// Keeps what went wrong, and changes nothing else.
///
/// # Errors
///
/// Where the database is not available.
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

/// It has delivered.
///
/// # Errors
///
/// Where the database is not available.
pub async fn record_delivery<C: ConnectionTrait>(db: &C, id: WebhookId, at: Time) -> Result<(), StoreError> {
    let row = ActiveModel { id: Set(id.0), last_delivery_at: Set(Some(to_micros(at))), ..Default::default() };
    Entity::update(row).exec_without_returning(db).await?;
    Ok(())
}

fn update_by_id(id: WebhookId) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::Id.eq(id.0))
}

fn update_in_state(id: WebhookId, state: WebhookState) -> UpdateMany<Entity> {
    update_by_id(id).filter(Column::State.eq(state.as_str()))
}
