//! The order of the layers: a module may use only those above it. The tokens of the sources are read, so that a path
//! within a macro counts as well.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules of the service from the lowest up; the order in which they may use each other.
const ORDER: [&str; 15] = [
    "clock",
    "metrics",
    "failpoint",
    "config",
    "domain",
    "vendor",
    "store",
    "feed",
    "auth",
    "ingest",
    "webhooks",
    "graphql",
    "http",
    "app",
    "commands",
];

/// What may not be used although it lies above, but for one of its modules.
const KEPT_APART: [(&str, &str, &str); 1] = [("graphql", "ingest", "release")];

/// Libraries that belong to some layers alone.
const AT_HOME: [(&str, &[&str]); 8] = [
    ("reqwest", &["vendor"]),
    ("axum", &["http", "app"]),
    ("tungstenite", &["http"]),
    ("tower_http", &["http"]),
    ("async_graphql", &["graphql", "http"]),
    ("sea_orm", &["store"]),
    ("entity", &["store"]),
    ("migration", &["store"]),
];

/// What one module uses: of the others whole paths, counted from the crate's root; of libraries their names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Uses {
    paths: Vec<Vec<String>>,
    libraries: Vec<String>,
}

/// Reads the paths of a source. `module` is where it stands: `["store", "read"]`.
fn uses(source: &str, module: &[&str]) -> Uses {
    let mut uses = Uses::default();
    let at = module.iter().map(|&name| name.to_owned()).collect();
    walk(source.parse().unwrap(), at, &mut uses);
    uses
}

fn walk(tokens: TokenStream, module: Vec<String>, uses: &mut Uses) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let next = at + 1;
        match &tokens[at] {
            TokenTree::Ident(word) if is_path_start(&tokens, at) => {
                at = path(&word.to_string(), &tokens, next, &module, uses);
                continue;
            }
            TokenTree::Ident(word) if word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(next), tokens.get(at + 2))
                {
                    walk(body.stream(), [module.clone(), vec![name.to_string()]].concat(), uses);
                    at += 3;
                    continue;
                }
            }
            TokenTree::Group(group) => walk(group.stream(), module.clone(), uses),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        at = next;
    }
}

/// Whether a path of several segments begins here.
fn is_path_start(tokens: &[TokenTree], at: usize) -> bool {
    is_colons(tokens, at + 1) && !(at >= 2 && is_colons(tokens, at - 2))
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Follows a path whose first segment was read; gives where to read on.
fn path(first: &str, tokens: &[TokenTree], at: usize, module: &[String], uses: &mut Uses) -> usize {
    // Where the path leads from: the crate's root, or so many modules above this one.
    let base: Vec<String> = match first {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len() - 1].to_vec(),
        library => {
            uses.libraries.push(library.to_owned());
            return at;
        }
    };
    at + 2 + ends(&tokens[at + 2..], base, &mut uses.paths)
}

/// Reads the rest of a path, which may branch, into all its ends; gives how many tokens it took.
fn ends(tokens: &[TokenTree], mut base: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) if word == "super" => drop(base.pop()),
            Some(TokenTree::Ident(word)) if word == "self" => {}
            Some(TokenTree::Ident(word)) => base.push(word.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for entry in entries(group.stream()) {
                    ends(&entry, base.clone(), paths);
                }
                return at + 1;
            }
            Some(TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_)) | None => break,
        }
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    paths.extend((!base.is_empty()).then_some(base));
    at
}

/// The parts between the commas of a `use` list.
fn entries(list: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = list.into_iter().collect();
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(comma).map(<[TokenTree]>::to_vec).collect()
}

/// What a source does that its module may not.
fn violations(source: &str, module: &[&str]) -> Vec<String> {
    let own = module[0];
    let rank = |name: &str| ORDER.iter().position(|&other| other == name);
    let own_rank = rank(own).unwrap_or_else(|| panic!("{own} is not in the order of layers"));
    let uses = uses(source, module);
    let is_kept_apart = |path: &[String]| {
        KEPT_APART.iter().any(|&(module, other, door)| {
            module == own && path[0] == other && path.get(1).is_none_or(|inner| inner != door)
        })
    };
    let below = uses
        .paths
        .iter()
        .filter(|path| rank(&path[0]).is_some_and(|rank| rank > own_rank) || is_kept_apart(path))
        .map(|path| path.join("::"));
    let strange = uses
        .libraries
        .iter()
        .filter(|&used| AT_HOME.iter().any(|(library, homes)| library == used && !homes.contains(&own)))
        .cloned();
    below.chain(strange).map(|used| format!("{} uses {used}", module.join("::"))).collect()
}

/// Every source below `src`, with the module it is.
fn sources(directory: &Path, module: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [module, std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            sources(&path, &inner, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { module.to_vec() } else { inner };
            // The roots of the library and of the binary name every module.
            if module != ["lib"] && module != ["main"] {
                found.push((module, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
}

#[test]
fn every_module_uses_only_those_above_it() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut found);
    assert!(found.len() > 50, "the sources are not where they were: {}", found.len());
    let mut wrong = Vec::new();
    for (module, source) in &found {
        let module: Vec<&str> = module.iter().map(String::as_str).collect();
        wrong.extend(violations(source, &module));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_form_of_a_path_is_seen() {
    let source = r#"
        //! crate::app is not used by being mentioned, and "crate::app" neither.
        use crate::clock::Time;
        use crate::{config, domain::{Event, ids::{self, Seq}}};
        use super::super::vendor;
        use super::log;
        use serde::Deserialize;
        fn f() -> crate::store::Store { let text = "crate::http::x"; make!(a, $crate::feed::Feed); super::rows() }
        mod tests { use super::super::super::ingest::Ingest; use super::page; }
    "#;
    let uses = uses(source, &["store", "read"]);
    let paths: Vec<String> = uses.paths.iter().map(|path| path.join("::")).collect();
    let expected = "clock::Time config domain::Event domain::ids domain::ids::Seq vendor store::log store::Store \
                    feed::Feed store::rows ingest::Ingest store::read::page";
    assert_eq!(paths.join(" "), expected);
    assert_eq!(uses.libraries, ["serde"]);
}

#[test]
fn a_violation_is_found() {
    for (source, module) in [
        ("use crate::domain::Seq; use super::wire; use serde::Serialize;", &["store", "log"][..]),
        ("use crate::ingest::release::Releaser; use crate::ingest::{release};", &["graphql", "mutation"]),
        ("use crate::ingest::verify::Hook; use crate::graphql::ApiSchema;", &["http"]),
    ] {
        assert_eq!(violations(source, module), [""; 0]);
    }
    for (source, module, wrong) in [
        ("use crate::store::Store;", &["domain", "ids"][..], "domain::ids uses store::Store"),
        ("use crate::{clock::Time, graphql};", &["ingest", "record"], "ingest::record uses graphql"),
        ("fn f() { crate::ingest::x() }", &["graphql", "query"], "graphql::query uses ingest::x"),
        ("use crate::ingest::{release, verify::Hook};", &["graphql"], "graphql uses ingest::verify::Hook"),
        ("use crate::ingest;", &["graphql"], "graphql uses ingest"),
        ("use super::super::app;", &["http", "hooks"], "http::hooks uses app"),
        ("macro_rules! m { () => { $crate::http::x() } }", &["feed"], "feed uses http::x"),
        ("use axum::Router;", &["ingest", "verify"], "ingest::verify uses axum"),
        ("fn f(_: sea_orm::DbErr) {}", &["graphql", "error"], "graphql::error uses sea_orm"),
    ] {
        assert_eq!(violations(source, module), [wrong], "{source}");
    }
}
