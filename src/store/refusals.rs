//! When a delivery of each vendor was last refused. A refused delivery leaves nothing else.

use std::collections::HashMap;

use entity::hook_refusal::{ActiveModel, Column, Entity};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use super::StoreError;
use super::sql::convert::{from_micros, to_micros};
use crate::clock::Time;
use crate::domain::Provider;

/// Records that deliveries of these vendors were refused. A later time stays.
pub async fn record<C: ConnectionTrait>(db: &C, refusals: &[(Provider, Time)]) -> Result<(), StoreError> {
    for (provider, at) in refusals {
        let row = ActiveModel { provider: Set(provider.as_str().to_owned()), refused_at: Set(to_micros(*at)) };
        let is_later = Expr::col(("excluded", "refused_at")).gt(Expr::col(("hook_refusal", "refused_at")));
        let keep_later =
            OnConflict::column(Column::Provider).update_column(Column::RefusedAt).action_and_where(is_later).to_owned();
        Entity::insert(row).on_conflict(keep_later).exec_without_returning(db).await?;
    }
    Ok(())
}

/// When a delivery of each vendor was last refused.
pub async fn last<C: ConnectionTrait>(db: &C) -> Result<HashMap<Provider, Time>, StoreError> {
    let rows = Entity::find().all(db).await?;
    let known = rows.into_iter().filter_map(|row| Some((Provider::from_name(&row.provider)?, row.refused_at)));
    known.map(|(provider, at)| Ok((provider, from_micros(at)?))).collect()
}
