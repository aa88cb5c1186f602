//! The web pages: an index of the service's paths, and the playground. Each has a Content Security
//! Policy that names what the page loads; `protection` adds the other headers.

use std::sync::LazyLock;

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::error::HttpError;

const INDEX: &str = include_str!("pages/index.html");
const PLAYGROUND: &str = include_str!("pages/playground.html");

/// The directives of both pages.
const COMMON_DIRECTIVES: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The index has one style and loads nothing.
static INDEX_POLICY: LazyLock<String> =
    LazyLock::new(|| format!("{COMMON_DIRECTIVES}; style-src {}", inline_sources(INDEX, "style")));

/// The playground runs its own script and those that it names, each by its whole URL. GraphiQL adds
/// styles while it runs, and its style sheet has fonts and images in it.
static PLAYGROUND_POLICY: LazyLock<String> = LazyLock::new(|| {
    let (own_scripts, scripts) = (inline_sources(PLAYGROUND, "script"), attribute_values(PLAYGROUND, "src"));
    let styles = attribute_values(PLAYGROUND, "href");
    format!(
        "{COMMON_DIRECTIVES}; script-src {own_scripts} {scripts}; style-src 'unsafe-inline' {styles}; font-src data:; \
         img-src data:; connect-src 'self'"
    )
});

/// The index of paths.
pub(super) async fn index() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, INDEX_POLICY.as_str())], Html(INDEX))
}

/// GraphiQL, with a query and a subscription in its first tab.
pub(super) async fn playground() -> impl IntoResponse {
    ([(CONTENT_SECURITY_POLICY, PLAYGROUND_POLICY.as_str())], Html(PLAYGROUND))
}

/// Any other path.
pub(super) async fn not_found() -> HttpError {
    HttpError::NotFound
}

/// The sources of a page's elements of this name that have their content inside: their hashes.
fn inline_sources(page: &str, element: &str) -> String {
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    let contents = page.split(&begin).skip(1).filter_map(|rest| rest.split(&end).next());
    let hashes: Vec<String> =
        contents.map(|content| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))).collect();
    hashes.join(" ")
}

/// The values of a page's attributes of this name.
fn attribute_values(page: &str, attribute: &str) -> String {
    let begin = format!(" {attribute}=\"");
    let values: Vec<&str> = page.split(&begin).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    values.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_names_what_the_page_loads() {
        let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        assert_eq!(
            inline_sources("<style>a</style><p><style>b</style>", "style"),
            format!("{} {}", hash("a"), hash("b"))
        );
        // printf a | openssl dgst -sha256 -binary | base64
        assert_eq!(hash("a"), "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='");
        assert_eq!(INDEX_POLICY.matches("sha256-").count(), 1);
        assert!(!INDEX_POLICY.contains("unsafe") && !INDEX_POLICY.contains("http"), "{}", *INDEX_POLICY);
        assert_eq!(PLAYGROUND_POLICY.matches("sha256-").count(), 1);
        assert_eq!(PLAYGROUND_POLICY.matches("https://unpkg.com/").count(), 5, "four scripts and a style sheet");
        let scripts =
            PLAYGROUND_POLICY.split(';').find(|directive| directive.trim().starts_with("script-src")).unwrap();
        assert!(!scripts.contains("unsafe"), "{scripts}");
    }
}
