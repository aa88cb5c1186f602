//! The order of the layers. A module may use only those above it in [`ORDER`].

mod imports;
mod storeys;

use std::collections::BTreeSet;

use imports::{Imports, Sources, segments};

/// The top-level modules from the lowest to the highest. A module may use only those before it.
const ORDER: [&str; 18] = [
    "clock",
    "metrics",
    "failpoint",
    "shown_url",
    "config",
    "domain",
    "vendor",
    "store",
    "feed",
    "auth",
    "ingest",
    "webhooks",
    "files",
    "graphql",
    "http",
    "fuzzing",
    "app",
    "commands",
];

/// A module, a lower module that it must not use, and the one child of that module that it may use.
const SEPARATED: [(&str, &str, Option<&str>); 2] = [("graphql", "ingest", Some("release")), ("ingest", "feed", None)];

/// The libraries that only some layers may use.
const LIBRARY_LAYERS: &[(&str, &[&str])] = &[
    ("reqwest", &["vendor", "files"]),
    ("axum", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("tungstenite", &["http"]),
    ("tower_http", &["http"]),
    ("async_graphql", &["graphql", "http"]),
    ("async_graphql_axum", &["http"]),
    ("sea_orm", &["store"]),
    ("entity", &["store"]),
    ("migration", &["store"]),
    ("web", &["http"]),
    ("object_store", &["files"]),
];

/// The imports that a module must not have.
fn violations(module: &[String], imports: &Imports) -> Vec<String> {
    let layer = module[0].as_str();
    let rank = |name: &str| ORDER.iter().position(|&other| other == name);
    let own_rank = rank(layer).unwrap_or_else(|| panic!("{layer} is not in the order of layers"));
    let is_separated = |path: &[String]| {
        SEPARATED.iter().any(|&(user, used, permitted)| {
            let child = path.get(1).map(String::as_str);
            user == layer && used == path[0] && (child.is_none() || child != permitted)
        })
    };
    let upward = imports
        .paths
        .iter()
        .map(|import| &import.path)
        .filter(|path| rank(&path[0]).is_some_and(|rank| rank > own_rank) || is_separated(path))
        .map(|path| path.join("::"));
    let libraries = imports
        .libraries
        .iter()
        .filter(|used| LIBRARY_LAYERS.iter().any(|(library, layers)| library == used && !layers.contains(&layer)))
        .cloned();
    upward.chain(libraries).map(|used| format!("{} uses {used}", module.join("::"))).collect()
}

#[test]
fn module_uses_only_those_before_it() {
    let imports = Sources::read().imports();
    let violations: Vec<String> = imports.iter().flat_map(|(module, imports)| violations(module, imports)).collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

/// An upgrade of async-graphql may change its internals, and then one file needs a look.
#[test]
fn internals_of_the_graphql_library_are_named_in_one_file() {
    let internals = ["Registry", "registry", "schema_env", "query_env", "RAW_VALUE_TOKEN"];
    assert_eq!(Sources::read().naming(&internals), ["graphql::execution::compat"]);
}

#[test]
fn violation_of_the_order_is_found() {
    let find = |source: &str, module: &str| {
        let module = segments(module);
        violations(&module, &imports::imports(source, &module, &BTreeSet::new()))
    };
    for (source, module) in [
        ("use crate::domain::Seq; use super::wire; use serde::Serialize;", "store::log"),
        ("use crate::ingest::release::Releaser; use crate::ingest::{release};", "graphql::mutation"),
        ("use crate::ingest::verify::Hook; use crate::graphql::ApiSchema;", "http"),
    ] {
        assert_eq!(find(source, module), [""; 0]);
    }
    for (source, module, violation) in [
        ("use crate::store::Store;", "domain::ids", "domain::ids uses store::Store"),
        ("use crate::{clock::Time, graphql};", "ingest::record", "ingest::record uses graphql"),
        ("fn f() { crate::ingest::x() }", "graphql::query", "graphql::query uses ingest::x"),
        ("use crate::ingest::{release, verify::Hook};", "graphql", "graphql uses ingest::verify::Hook"),
        ("use crate::ingest;", "graphql", "graphql uses ingest"),
        ("use crate::feed::Feed;", "ingest::writer", "ingest::writer uses feed::Feed"),
        ("use crate::feed;", "ingest", "ingest uses feed"),
        ("use super::super::app;", "http::hooks", "http::hooks uses app"),
        ("macro_rules! m { () => { $crate::http::x() } }", "feed", "feed uses http::x"),
        ("use axum::Router;", "ingest::verify", "ingest::verify uses axum"),
        ("fn f(_: sea_orm::DbErr) {}", "graphql::error", "graphql::error uses sea_orm"),
    ] {
        assert_eq!(find(source, module), [violation], "{source}");
    }
}
