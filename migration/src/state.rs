//! Compares a database with the migrations of this version, without a write.

use std::collections::BTreeSet;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, EntityTrait};
use sea_orm_migration::seaql_migrations;

use crate::Migrator;

/// How a database compares with this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has exactly the migrations of this version.
    Current,
    /// It has no migration: it is new, or another program's.
    New,
    /// It lacks migrations.
    Behind,
    /// It has a migration that this version does not know: a later version has migrated it.
    Ahead {
        /// The newest such migration.
        step: String,
    },
}

/// Compares a database with this version.
pub async fn state<'c, C>(db: &'c C) -> Result<State, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let applied: BTreeSet<String> = if SchemaManager::new(db).has_table("seaql_migrations").await? {
        let rows = seaql_migrations::Entity::find().all(db).await?;
        rows.into_iter().map(|row| row.version).collect()
    } else {
        BTreeSet::new()
    };
    let known: BTreeSet<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    Ok(if let Some(step) = applied.difference(&known).last() {
        State::Ahead { step: step.clone() }
    } else if applied == known {
        State::Current
    } else if applied.is_empty() {
        State::New
    } else {
        State::Behind
    })
}
