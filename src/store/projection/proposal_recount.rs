//! Counts the events of one proposal again, from its first one on: those that a node of an earlier
//! version recorded are not counted.

use entity::proposal::{Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::{proposal, proposal_facts};
use crate::domain::Change;
use crate::store::StoreError;
use crate::store::log::{Derived, Entry};

/// The row of a proposal as its events make it, one after the other.
#[derive(Debug, Default)]
pub struct ProposalRecount {
    row: Option<Model>,
    /// The sum of the payments before the row.
    paid_before: i64,
}

impl ProposalRecount {
    /// Counts the next event. Returns the columns of the event's own row that it gives.
    pub fn count(&mut self, entry: &Entry<'_>) -> Result<Derived, StoreError> {
        let derived = proposal_facts::derive(entry, self.row.as_ref());
        match &entry.event.change {
            Change::Proposal(id, change) => {
                if let Some(mut row) = proposal::apply(entry, id, self.row.as_ref(), (**change).clone())? {
                    if self.row.is_none() {
                        row.paid = self.paid_before;
                    }
                    self.row = Some(row);
                }
            }
            Change::Payment(payment) => match &mut self.row {
                Some(row) => proposal_facts::add_payment(row, payment),
                None => self.paid_before = self.paid_before.saturating_add(payment.amount.0),
            },
            Change::Project(..) | Change::Drawing(..) | Change::Client(..) | Change::Nothing => {}
        }
        Ok(derived)
    }

    /// Writes what was counted into the stored row. Its state stays as it is.
    pub async fn write<C: ConnectionTrait>(self, db: &C) -> Result<(), StoreError> {
        let Some(row) = self.row else { return Ok(()) };
        Entity::update_many()
            .col_expr(Column::SentAt, Expr::value(row.sent_at))
            .col_expr(Column::FirstViewedAt, Expr::value(row.first_viewed_at))
            .col_expr(Column::LastViewedAt, Expr::value(row.last_viewed_at))
            .col_expr(Column::ViewCount, Expr::value(row.view_count))
            .col_expr(Column::DecidedAt, Expr::value(row.decided_at))
            .col_expr(Column::StatsKey, Expr::cust(proposal_facts::STATS_KEY))
            .col_expr(Column::Paid, Expr::value(row.paid))
            .filter(Column::Provider.eq(row.provider))
            .filter(Column::VendorId.eq(row.vendor_id))
            .exec(db)
            .await?;
        Ok(())
    }
}
