//! Tags: one row each, so that an index finds what has one.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query};

use crate::domain::text::search_key;
use crate::domain::{Patch, VendorId};
use crate::store::StoreError;

/// How many rows one statement inserts: a database bounds the values of a statement.
const AT_ONCE: usize = 500;

/// Keeps what an event says of the tags of a project or drawing, in its table of tags.
pub(super) async fn save<C: ConnectionTrait>(
    db: &C,
    table: &'static str,
    id: &VendorId,
    change: &Patch<Vec<String>>,
    is_new: bool,
) -> Result<(), StoreError> {
    if change.is_missing() {
        return Ok(());
    }
    // What was not there has none.
    if !is_new {
        let old = Query::delete().from_table(table).and_where(Expr::col("vendor_id").eq(id.as_str())).take();
        db.execute(&old).await?;
    }
    // What is too long to be found by is kept with its project or drawing alone.
    let tags: BTreeSet<String> = change.value().into_iter().flatten().cloned().filter_map(search_key).collect();
    let tags: Vec<String> = tags.into_iter().collect();
    for tags in tags.chunks(AT_ONCE) {
        let mut new = Query::insert().into_table(table).columns(["tag", "vendor_id"]).take();
        for tag in tags {
            new.values_panic([Expr::val(tag.as_str()), Expr::val(id.as_str())]);
        }
        db.execute(&new).await?;
    }
    Ok(())
}
