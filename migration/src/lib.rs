//! The migrations from an empty database to today's tables. A migration never changes once
//! released, and never imports `entity`: its result must not change when an entity does.
//!
//! A node of the previous version may still run and receive deliveries. So a new column must allow
//! null or have a permanent default, and the previous version must meet every new constraint.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait};

mod column;
mod m0001_log;
mod m0002_projections;
mod m0003_keys;
mod m0004_bidsketch_webhook;
mod m0005_search_columns;
mod m0006_folded_texts;
mod m0007_delivery_content;
mod m0008_state_order;
mod m0009_sessions;
mod m0010_proposal_facts;
mod m0011_lists_and_search;
mod m0012_files;
mod m0013_event_indexes;
mod state;

pub use state::{State, state};

/// All migrations, oldest first.
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
            Box::new(m0006_folded_texts::Migration),
            Box::new(m0007_delivery_content::Migration),
            Box::new(m0008_state_order::Migration),
            Box::new(m0009_sessions::Migration),
            Box::new(m0010_proposal_facts::Migration),
            Box::new(m0011_lists_and_search::Migration),
            Box::new(m0012_files::Migration),
            Box::new(m0013_event_indexes::Migration),
        ]
    }
}
