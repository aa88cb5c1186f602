//! How far a database has come, asked without writing to it.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, EntityTrait};
use sea_orm_migration::seaql_migrations;

use crate::Migrator;

/// How far a database has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has every step that this version knows, and no other.
    Current,
    /// Some steps are to be taken.
    Behind,
    /// It has a step that this version does not know: a later one was here.
    Ahead {
        /// The newest such step.
        step: String,
    },
}

/// How far a database has come.
///
/// # Errors
///
/// Where the database cannot be read.
pub async fn state<'c, C>(db: &'c C) -> Result<State, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let taken: BTreeSet<String> = if SchemaManager::new(db).has_table("seaql_migrations").await? {
        let steps = seaql_migrations::Entity::find().all(db).await?;
        steps.into_iter().map(|step| step.version).collect()
    } else {
        BTreeSet::new()
    };
    let known: BTreeSet<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    Ok(if let Some(step) = taken.difference(&known).last() {
        State::Ahead { step: step.clone() }
    } else if taken == known {
        State::Current
    } else {
        State::Behind
    })
}
