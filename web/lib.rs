//! The built pages: the dashboard and the playground, and the files that they load.

use std::borrow::Cow;

use rust_embed::Embed;

#[derive(Embed)]
#[folder = "$OUT_DIR/pages/"]
struct Files;

/// The paths at which the dashboard is shown, one a line, with names in braces for what varies.
/// The dashboard's own router reads the same file.
const ROUTES: &str = include_str!("routes.txt");

/// A built file.
#[derive(Debug)]
pub struct File {
    /// Its path below the pages' root, without a slash before it: `assets/index-B1x.js`.
    pub path: String,
    /// What it holds.
    pub content: Content,
    /// SHA-256 of the content: in `Content::Compressed` of the brotli copy.
    pub hash: [u8; 32],
}

/// What a file holds.
#[derive(Debug)]
pub enum Content {
    /// As it is.
    Plain(Cow<'static, [u8]>),
    /// Compressed only. Every browser takes gzip; brotli only over HTTPS and on its own machine.
    Compressed {
        /// With brotli.
        brotli: Cow<'static, [u8]>,
        /// With gzip.
        gzip: Cow<'static, [u8]>,
    },
}

/// The paths of the dashboard's pages: `/events/{id}`.
pub fn routes() -> impl Iterator<Item = &'static str> {
    ROUTES.lines()
}

/// Every built file, each once.
pub fn files() -> impl Iterator<Item = File> {
    Files::iter().filter_map(|name| {
        let file = Files::get(&name)?;
        let hash = file.metadata.sha256_hash();
        if name.ends_with(".gz") {
            return None;
        }
        let Some(path) = name.strip_suffix(".br") else {
            return Some(File { path: name.into_owned(), content: Content::Plain(file.data), hash });
        };
        let gzip = Files::get(&format!("{path}.gz"))?.data;
        Some(File { path: path.to_owned(), content: Content::Compressed { brotli: file.data, gzip }, hash })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_include_both_pages_uncompressed() {
        for page in ["index.html", "playground.html"] {
            let file = files().find(|file| file.path == page).unwrap();
            let Content::Plain(text) = file.content else { panic!("{page} is compressed") };
            assert!(text.starts_with(b"<!doctype html>"), "{page}");
        }
    }

    #[test]
    fn routes_are_outside_of_hooks_and_the_api() {
        let routes: Vec<_> = routes().collect();
        assert!(routes.contains(&"/") && routes.contains(&"/events/{id}"), "{routes:?}");
        for route in routes {
            assert!(route.starts_with('/') && !route.contains('*'), "{route}");
            for taken in ["/webhooks", "/graphql", "/playground", "/assets", "/files", "/export", "/session"] {
                assert!(!route.starts_with(taken), "{route}");
            }
        }
    }
}
