//! The order of the storeys inside `store` and `graphql`, and import circles. Unit tests may import
//! their whole layer.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Import, Segments, Sources, segments};

/// The storey of the items that the `mod.rs` of a layer defines.
const ROOT: &str = "mod";

/// The storeys inside a layer, lowest first. A storey may use those below it, and those in its own
/// line if that makes no circle.
const STOREYS: [(&str, &[&[&str]]); 2] = [
    (
        "store",
        &[
            &["error", "tenths"],
            &["budget"],
            &["engine"],
            &["sql"],
            &["log", "projection", "read", "deliveries", "files", "refusals", "keys", "sessions", "audit", "webhooks"],
            &[ROOT],
            &["copy", "secrets"],
        ],
    ),
    ("graphql", &[&["error"], &["loader"], &["execution"], &["pagination"], &["live"], &["schema"], &[ROOT]]),
];

/// Imports against the order: the module, the path that it may use, and the reason. An import
/// circle needs an exception too.
const EXCEPTIONS: [(&str, &str, &str); 10] = [
    ("store::error", "store::engine::deadline::timed_out", "a timed-out statement becomes `Unavailable`"),
    ("store::engine::migrate", "store::sql::convert", "a new log gets its time of creation"),
    ("store::engine::postgres::listener", "store::log", "the listener reads the head on its own connection"),
    ("store::engine::commit_signal", "store::log", "the head is read after a notification"),
    ("graphql::execution", "graphql::live::Broadcasts", "the executor owns the broadcasts of its subscriptions"),
    ("graphql::execution", "graphql::Api", "the executor reads the head before it runs a query"),
    ("graphql::execution", "graphql::ApiSchema", "the executor runs documents against the schema"),
    ("graphql::pagination", "graphql::Api", "a page is read from the store"),
    ("graphql::pagination", "graphql::schema::model", "the nodes of a connection are types of the schema"),
    ("graphql::schema", "graphql::Api", "the fields read from the store and the feed"),
];

/// A layer or storey that uses another.
#[derive(Debug)]
struct Arrow {
    from: String,
    to: String,
    import: Import,
}

impl Arrow {
    fn is_exception(&self) -> bool {
        EXCEPTIONS.iter().any(|exception| self.matches(exception))
    }

    fn matches(&self, (module, path, _): &(&str, &str, &str)) -> bool {
        self.import.module.starts_with(&segments(module)) && self.import.path.starts_with(&segments(path))
    }

    /// Whether the storey uses a higher one of its layer.
    fn is_upward(&self) -> bool {
        match (rank(&self.from), rank(&self.to)) {
            (Some((layer, from)), Some((other_layer, to))) => layer == other_layer && from < to,
            _ => false,
        }
    }
}

/// The layer of a storey, and the storey's height in it.
fn rank(storey: &str) -> Option<(&str, usize)> {
    let (layer, name) = storey.split_once("::")?;
    Some((layer, storeys(layer)?.iter().position(|line| line.contains(&name)).expect("every module is in STOREYS")))
}

fn storeys(layer: &str) -> Option<&'static [&'static [&'static str]]> {
    STOREYS.iter().find(|(name, _)| *name == layer).map(|(_, storeys)| *storeys)
}

/// The storey of a path in its layer. An item that is in none is defined in the `mod.rs`.
fn storey(path: &[String]) -> Option<String> {
    let storeys = storeys(&path[0])?;
    let name = path.get(1).map(String::as_str).filter(|name| storeys.iter().any(|line| line.contains(name)));
    Some(format!("{}::{}", path[0], name.unwrap_or(ROOT)))
}

fn is_unit_test(module: &[String]) -> bool {
    module.iter().any(|name| name == "tests" || name == "test_support" || name.ends_with("_tests"))
}

/// All uses between the top-level modules, and between the storeys of a layer.
fn arrows(sources: &Sources) -> Vec<Arrow> {
    let imports: Vec<Import> = sources.imports().into_iter().flat_map(|(_, imports)| imports.paths).collect();
    let layers: BTreeSet<String> = sources.modules().map(|module| module[0].clone()).collect();
    // The paths that a layer's `mod.rs` re-exports or imports, by the layer and the name. Its
    // children use them by that name.
    let aliases: BTreeMap<(String, String), Segments> = imports
        .iter()
        .filter(|import| import.module.len() == 1 && import.path[0] == import.module[0] && import.path.len() > 2)
        .map(|import| ((import.path[0].clone(), import.path.last().unwrap().clone()), import.path.clone()))
        .collect();
    let mut arrows = Vec::new();
    for Import { module, mut path } in imports {
        if is_unit_test(&module) || !layers.contains(&path[0]) {
            continue;
        }
        if let Some(alias) = path.get(1).and_then(|name| aliases.get(&(path[0].clone(), name.clone()))) {
            path.splice(..2, alias.iter().cloned());
        }
        let ends = if module[0] == path[0] {
            storey(&module).zip(storey(&path))
        } else {
            Some((module[0].clone(), path[0].clone()))
        };
        if let Some((from, to)) = ends.filter(|(from, to)| from != to) {
            arrows.push(Arrow { from, to, import: Import { module, path } });
        }
    }
    arrows
}

/// The arrows that are part of a circle, or lead from one circle to another.
fn circles(mut arrows: Vec<Arrow>) -> Vec<Arrow> {
    loop {
        let users: BTreeSet<String> = arrows.iter().map(|arrow| arrow.from.clone()).collect();
        let used: BTreeSet<String> = arrows.iter().map(|arrow| arrow.to.clone()).collect();
        let count = arrows.len();
        arrows.retain(|arrow| used.contains(&arrow.from) && users.contains(&arrow.to));
        if arrows.len() == count {
            return arrows;
        }
    }
}

fn show(arrows: Vec<Arrow>) -> Vec<String> {
    arrows
        .iter()
        .map(|Arrow { import, .. }| format!("{} uses {}", import.module.join("::"), import.path.join("::")))
        .collect()
}

fn find_upward_imports(sources: &Sources) -> Vec<String> {
    show(arrows(sources).into_iter().filter(|arrow| arrow.is_upward() && !arrow.is_exception()).collect())
}

fn find_circles(sources: &Sources) -> Vec<String> {
    show(circles(arrows(sources).into_iter().filter(|arrow| !arrow.is_exception()).collect()))
}

#[test]
fn storey_uses_only_those_below_it() {
    let upward = find_upward_imports(&Sources::read());
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn imports_between_layers_and_storeys_form_no_circle() {
    let circles = find_circles(&Sources::read());
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn every_exception_is_needed() {
    let upward: Vec<Arrow> = arrows(&Sources::read()).into_iter().filter(Arrow::is_upward).collect();
    for exception in &EXCEPTIONS {
        assert!(upward.iter().any(|arrow| arrow.matches(exception)), "no import needs the exception {exception:?}");
    }
}

#[test]
fn every_module_inside_a_layer_with_storeys_has_its_storey() {
    for module in Sources::read().modules().filter(|module| module.len() > 1 && !is_unit_test(module)) {
        let Some(storeys) = storeys(&module[0]) else { continue };
        assert!(storeys.iter().any(|line| line.contains(&module[1].as_str())), "STOREYS has no {}", module.join("::"));
    }
}

#[test]
fn import_of_a_higher_storey_is_found() {
    let root = ("store", "mod engine; pub use log::append::Entry; pub use engine::Reader; pub struct Store;");
    for (module, source, upward) in [
        ("store::sql::lookup", "use crate::store::read;", "store::sql::lookup uses store::read"),
        ("store::engine::x", "use super::super::deliveries::Row;", "store::engine::x uses store::deliveries::Row"),
        ("store::engine::x", "use crate::store::Entry;", "store::engine::x uses store::log::append::Entry"),
        ("store::keys", "fn f(_: &super::Store) {}", "store::keys uses store::Store"),
        ("store::keys", "use crate::store;", "store::keys uses store"),
        ("graphql::live::x", "use crate::graphql::schema::Query;", "graphql::live::x uses graphql::schema::Query"),
    ] {
        let sources = Sources::of(&[root, ("store::engine", ""), ("store::log", ""), (module, source)]);
        assert_eq!(find_upward_imports(&sources), [upward], "{source}");
    }
    for (module, source) in [
        ("store::log::append", "use crate::store::{Reader, sql::lookup};"),
        ("store::projection", "use super::log;"),
        ("store::engine::x", "mod tests { use crate::store::Store; }"),
        ("store::engine::postgres::listener", "use crate::store::log;"),
        ("graphql::schema", "use super::{Api, live};"),
    ] {
        let sources = Sources::of(&[root, ("store::engine", ""), ("store::log", ""), (module, source)]);
        assert_eq!(find_upward_imports(&sources), [""; 0], "{source}");
    }
}

#[test]
fn import_circle_is_found() {
    for (sources, circle) in [
        (
            [("domain::a", "use crate::vendor::X;"), ("vendor::b", "use crate::clock; use crate::domain::Y;")],
            ["domain::a uses vendor::X", "vendor::b uses domain::Y"],
        ),
        (
            [("store::log::a", "use crate::store::read;"), ("store::read", "use super::log;")],
            ["store::log::a uses store::read", "store::read uses store::log"],
        ),
    ] {
        assert_eq!(find_circles(&Sources::of(&[&sources[..], &[("clock", "")]].concat())), circle);
    }
    let line = [("store::read", "use super::log; use crate::domain::X;"), ("store::log", "use crate::domain::X;")];
    assert_eq!(find_circles(&Sources::of(&line)), [""; 0]);
}
