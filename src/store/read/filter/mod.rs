//! Filters of lists. `None` sets no condition; no row meets an empty list.

mod log;
mod projections;

use std::collections::BTreeSet;

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query};

pub use self::log::{DeliveryFilter, EventFilter};
pub use self::projections::{ClientFilter, DrawingFilter, PaymentFilter, ProjectFilter, ProposalFilter};
use crate::domain::fold;
use crate::domain::text::replace_nul;

fn equals(column: &'static str, value: Option<&str>) -> Option<Expr> {
    value.map(|value| Expr::col(column).eq(replace_nul(value.to_owned())))
}

fn is_one_of<T: Copy>(column: &'static str, values: &Option<Vec<T>>, name: impl Fn(T) -> &'static str) -> Option<Expr> {
    // Each name once: a database limits the values of a statement, but a list may repeat itself
    // without limit.
    let names: BTreeSet<&str> = values.as_ref()?.iter().map(|value| name(*value)).collect();
    Some(Expr::col(column).is_in(names))
}

fn is_one_of_texts(column: &'static str, values: Option<&[String]>) -> Option<Expr> {
    let values: BTreeSet<String> = values?.iter().cloned().map(replace_nul).collect();
    Some(Expr::col(column).is_in(values))
}

/// We fold both sides, not the database.
fn name_contains(part: Option<&str>) -> Option<Expr> {
    Some(Expr::col("name_search").like(like("%", &replace_nul(fold(part?)))))
}

/// A pattern: the wildcard `before`, a folded text, and anything. Wildcards in the text are taken
/// literally, those too that only folding makes of other characters.
pub(in crate::store::read) fn like(before: &str, folded: &str) -> LikeExpr {
    let mut pattern = String::from(before);
    for letter in folded.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

fn has_tag(table: &'static str, tag: Option<&str>) -> Option<Expr> {
    let having = Query::select()
        .column("vendor_id")
        .from(table)
        .and_where(Expr::col("tag").eq(replace_nul(tag?.to_owned())))
        .take();
    Some(Expr::col("vendor_id").in_subquery(having))
}
