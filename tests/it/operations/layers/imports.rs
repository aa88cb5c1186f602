//! Reads the imports of the sources. It parses tokens, so that it sees paths inside macros too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The segments of a path from the crate's root, such as `["store", "read"]`.
pub(super) type Segments = Vec<String>;

/// The use of one path in a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) module: Segments,
    pub(super) path: Segments,
}

/// All imports of one source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Imports {
    pub(super) paths: Vec<Import>,
    /// The first segments of the other paths: libraries, and names in scope.
    pub(super) libraries: Vec<String>,
}

/// The sources under `src` by their modules, without the roots of the library and of the binary,
/// which name every module.
#[derive(Debug)]
pub(super) struct Sources(BTreeMap<Segments, String>);

impl Sources {
    pub(super) fn read() -> Self {
        let mut sources = Self(BTreeMap::new());
        sources.read_directory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[]);
        assert!(sources.0.len() > 50, "only {} sources were found", sources.0.len());
        sources
    }

    fn read_directory(&mut self, directory: &Path, module: &[String]) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let inner = [module, std::slice::from_ref(&name)].concat();
            if path.is_dir() {
                self.read_directory(&path, &inner);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = if name == "mod" { module.to_vec() } else { inner };
                if module != ["lib"] && module != ["main"] {
                    self.0.insert(module, std::fs::read_to_string(&path).unwrap());
                }
            }
        }
    }

    /// Sources for a test of the rules themselves.
    pub(super) fn of(sources: &[(&str, &str)]) -> Self {
        Self(sources.iter().map(|(module, source)| (segments(module), (*source).to_owned())).collect())
    }

    /// The modules whose code names one of these identifiers.
    pub(super) fn naming(&self, identifiers: &[&str]) -> Vec<String> {
        fn names(tokens: TokenStream, identifiers: &[&str]) -> bool {
            tokens.into_iter().any(|token| match token {
                TokenTree::Ident(word) => identifiers.iter().any(|identifier| word == identifier),
                TokenTree::Group(group) => names(group.stream(), identifiers),
                TokenTree::Punct(_) | TokenTree::Literal(_) => false,
            })
        }
        let naming = self.0.iter().filter(|(_, source)| names(source.parse().unwrap(), identifiers));
        naming.map(|(module, _)| module.join("::")).collect()
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &Segments> {
        self.0.keys()
    }

    /// The imports of each source, with its module.
    pub(super) fn imports(&self) -> Vec<(Segments, Imports)> {
        let modules: BTreeSet<Segments> = self.0.keys().cloned().collect();
        self.0.iter().map(|(module, source)| (module.clone(), imports(source, module, &modules))).collect()
    }
}

/// The segments of a path in Rust's notation.
pub(super) fn segments(path: &str) -> Segments {
    path.split("::").map(str::to_owned).collect()
}

/// The imports of a source in `module`. `modules` are all modules of the crate: a path may begin
/// with a child of `module`.
pub(super) fn imports(source: &str, module: &[String], modules: &BTreeSet<Segments>) -> Imports {
    let mut reader = Reader { modules, imports: Imports::default() };
    reader.read(source.parse().unwrap(), module);
    reader.imports
}

struct Reader<'a> {
    modules: &'a BTreeSet<Segments>,
    imports: Imports,
}

impl Reader<'_> {
    fn read(&mut self, tokens: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let next = at + 1;
            match &tokens[at] {
                TokenTree::Ident(word) if is_path_start(&tokens, at) => {
                    at = self.read_path(&word.to_string(), &tokens, next, module);
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(next), tokens.get(at + 2))
                    {
                        self.read(body.stream(), &[module, &[name.to_string()]].concat());
                        at += 3;
                        continue;
                    }
                }
                TokenTree::Group(group) if is_visibility(group) => {}
                TokenTree::Group(group) => self.read(group.stream(), module),
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at = next;
        }
    }

    /// Reads the rest of a path after its first segment. Returns the index of the token behind it.
    fn read_path(&mut self, first: &str, tokens: &[TokenTree], at: usize, module: &[String]) -> usize {
        let base = match first {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len() - 1].to_vec(),
            name => {
                let child = [module, &[name.to_owned()]].concat();
                if !self.modules.contains(&child) {
                    self.imports.libraries.push(name.to_owned());
                    return at;
                }
                child
            }
        };
        let mut paths = Vec::new();
        let length = read_branches(&tokens[at + 2..], base, &mut paths);
        self.imports.paths.extend(paths.into_iter().map(|path| Import { module: module.to_vec(), path }));
        at + 2 + length
    }
}

/// Whether a group belongs to `pub(in …)`, whose path is not an import.
fn is_visibility(group: &Group) -> bool {
    matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "in")
}

/// Whether a path of several segments begins at this token.
fn is_path_start(tokens: &[TokenTree], at: usize) -> bool {
    is_colons(tokens, at + 1) && !(at >= 2 && is_colons(tokens, at - 2))
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// Reads the rest of a path, which may branch, into one path for each branch. Returns the number of
/// tokens it read.
fn read_branches(tokens: &[TokenTree], mut base: Segments, paths: &mut Vec<Segments>) -> usize {
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) if word == "super" => drop(base.pop()),
            Some(TokenTree::Ident(word)) if word == "self" => {}
            Some(TokenTree::Ident(word)) => base.push(word.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                for branch in split_at_commas(group.stream()) {
                    read_branches(&branch, base.clone(), paths);
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

fn split_at_commas(list: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = list.into_iter().collect();
    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(comma).map(<[TokenTree]>::to_vec).collect()
}

#[test]
fn every_form_of_a_path_is_read() {
    let source = r#"
        //! A mention of crate::app is not an import, and neither is "crate::app".
        use crate::clock::Time;
        use crate::{config, domain::{Event, ids::{self, Seq}}};
        use super::super::vendor;
        use super::log;
        use list::{Page, count};
        use serde::Deserialize;
        pub(in crate::app) fn f() -> crate::store::Store { let text = "crate::http::x"; make!(a, $crate::feed::Feed); super::rows() }
        mod tests { use super::super::super::ingest::Ingest; use super::page; }
    "#;
    let modules = BTreeSet::from([segments("store::read::list")]);
    let imports = imports(source, &segments("store::read"), &modules);
    let paths: Vec<String> = imports.paths.iter().map(|import| import.path.join("::")).collect();
    let expected = "clock::Time config domain::Event domain::ids domain::ids::Seq vendor store::log \
                    store::read::list::Page store::read::list::count store::Store feed::Feed store::rows \
                    ingest::Ingest store::read::page";
    assert_eq!(paths.join(" "), expected);
    assert_eq!(imports.paths.last().unwrap().module, segments("store::read::tests"));
    assert_eq!(imports.libraries, ["serde"]);
}
