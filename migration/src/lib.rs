//! The steps that take a database from nothing to today's tables. A step is frozen once released and never imports
//! `entity`: what it makes must not change when an entity does.
//!
//! A node of the version before may still be running and be sent deliveries: a new column takes null or has a default that stays, and a
//! new constraint is one that the version before keeps.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait};

mod column;
mod m0001_log;
mod m0002_projections;
mod m0003_keys;
mod m0004_bidsketch_webhook;
mod m0005_search_columns;
mod state;

pub use state::{State, state};

/// All steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_log::Migration),
            Box::new(m0002_projections::Migration),
            Box::new(m0003_keys::Migration),
            Box::new(m0004_bidsketch_webhook::Migration),
            Box::new(m0005_search_columns::Migration),
        ]
    }
}
