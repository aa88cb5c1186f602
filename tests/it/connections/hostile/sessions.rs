//! Sign-ins, and cookies of pages that are not our own, or that hold no token of a session.

use serde_json::json;

use super::sockets::{Opening, PROTOCOLS, init_without_token};
use super::{Case, Context, Kind, case, chunked};

/// What a browser says of a request of our own page.
const OWN: &str = "Sec-Fetch-Site: same-origin\r\n";

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let mut cases = cookies_of_other_pages(context);
    cases.extend(wrong_cookies(context));
    cases.extend(other_routes(context));
    cases.extend(sign_ins(context));
    cases.extend(sign_outs(context));
    cases.extend(sockets(context));
    cases
}

/// A query with these headers.
fn query(context: &Context, headers: &str) -> Kind {
    let body = json!({ "query": "{ viewer { name } }" }).to_string();
    context.post("/graphql", &format!("Content-Type: application/json\r\n{headers}"), body)
}

/// What tells that a request is not certainly of our own page.
fn other_pages(context: &Context) -> Vec<(&'static str, String)> {
    let host = &context.authority;
    vec![
        ("no page", String::new()),
        ("another site", "Sec-Fetch-Site: cross-site\r\n".to_owned()),
        ("another host of the site", "Sec-Fetch-Site: same-site\r\n".to_owned()),
        ("a link", "Sec-Fetch-Site: none\r\n".to_owned()),
        ("another site with our origin", format!("Sec-Fetch-Site: cross-site\r\nOrigin: http://{host}\r\n")),
        ("a site in capitals", "Sec-Fetch-Site: Same-Origin\r\n".to_owned()),
        ("two sites", format!("{OWN}Sec-Fetch-Site: cross-site\r\n")),
        ("our site twice", OWN.repeat(2)),
        ("a list of sites", "Sec-Fetch-Site: same-origin, cross-site\r\n".to_owned()),
        ("an empty site", format!("Sec-Fetch-Site: \r\nOrigin: http://{host}\r\n")),
        ("another port", "Origin: http://127.0.0.1:1\r\n".to_owned()),
        ("another scheme", format!("Origin: https://{host}\r\n")),
        ("a sandbox", "Origin: null\r\n".to_owned()),
        ("two origins", format!("Origin: http://{host}\r\nOrigin: http://evil.example\r\n")),
        ("a list of origins", format!("Origin: http://{host} http://evil.example\r\n")),
        ("an origin with a user", format!("Origin: http://evil.example@{host}\r\n")),
        ("an origin with a path", format!("Origin: http://{host}/graphql\r\n")),
        ("an origin that begins with ours", format!("Origin: http://{host}.evil.example\r\n")),
        ("a referrer of ours", format!("Referer: http://{host}/\r\n")),
    ]
}

fn cookies_of_other_pages(context: &Context) -> Vec<Case> {
    let cookie = context.cookie_header();
    let pages = other_pages(context).into_iter();
    pages
        .map(|(page, headers)| case(format!("cookie of {page}"), query(context, &format!("{cookie}{headers}")), "403"))
        .collect()
}

fn wrong_cookies(context: &Context) -> Vec<Case> {
    let Context { token, cookie, .. } = context;
    let (name, session) = cookie.split_once('=').unwrap();
    let with = |cookies: &str| query(context, &format!("Cookie: {cookies}\r\n{OWN}"));
    vec![
        case("cookie of our page", with(cookie), "200"),
        case("cookie among 5,000 others", with(&format!("{}{cookie}", "a=b; ".repeat(5_000))), "200"),
        case("cookie twice", with(&format!("{cookie}; {cookie}")), "401"),
        case("cookie in two headers", with(&format!("{cookie}\r\nCookie: {name}=x")), "401"),
        case("cookie that was never given", with(&format!("{name}={}", "A".repeat(43))), "401"),
        case("cookie of 30 KB", with(&format!("{name}={}", "A".repeat(30_000))), "401"),
        case("cookie that is empty", with(&format!("{name}=")), "401"),
        case("cookie in quotes", with(&format!("{name}=\"{session}\"")), "401"),
        case("cookie with a percent escape", with(&format!("{name}=%{session}")), "401"),
        case("cookie with bytes that are not ASCII", with(&format!("{name}=\u{e9}")), "401"),
        case("cookie with a shorter token", with(&cookie[..cookie.len() - 1]), "401"),
        case("cookie of another name", with(&format!("__Host-{cookie}")), "401"),
        case("name of a cookie in capitals", with(&format!("{}={session}", name.to_uppercase())), "401"),
        case("key as a cookie", with(&format!("{name}={token}")), "401"),
        case("cookie as a key", query(context, &format!("Authorization: Bearer {session}\r\n{OWN}")), "401"),
        case(
            "wrong key beside a cookie",
            query(context, &format!("{}{OWN}Authorization: Bearer x\r\n", context.cookie_header())),
            "401",
        ),
    ]
}

/// The other ways to a session's access.
fn other_routes(context: &Context) -> Vec<Case> {
    let cookie = context.cookie_header();
    let foreign = format!("{cookie}Sec-Fetch-Site: cross-site\r\n");
    let get = |target: &str, headers: &str| context.get(target, headers);
    let post = |target: &str, headers: &str, body: &str| {
        context.post(target, &format!("Content-Type: application/json\r\n{headers}"), body)
    };
    let accept = "Accept: text/event-stream\r\n";
    let live = r#"{"query":"subscription { events { id } }"}"#;
    vec![
        case("GET with a cookie of another site", get("/graphql?query={headCursor}", &foreign), "403"),
        case("batch with a cookie of another site", post("/graphql", &foreign, "[{},{}]"), "403"),
        case("metrics with a cookie of another site", get("/metrics", &foreign), "403"),
        case("metrics with a cookie and no page", get("/metrics", &cookie), "403"),
        case("stream with a cookie of another site", post("/graphql/sse", &format!("{foreign}{accept}"), live), "403"),
        case(
            "stream of a GET with a cookie of another site",
            get("/graphql/sse?query=subscription%7Bevents%7Bid%7D%7D", &format!("{foreign}{accept}")),
            "403",
        ),
        case(
            "parts with a cookie of another site",
            post("/graphql", &format!("{foreign}Accept: multipart/mixed;subscriptionSpec=1.0\r\n"), live),
            "403",
        ),
        case(
            "form with a cookie of another site",
            context.post(
                "/graphql",
                &format!("{foreign}Content-Type: application/x-www-form-urlencoded\r\n"),
                "query=mutation{x}",
            ),
            "403",
        ),
        case("mutation by GET with a cookie", get("/graphql?query=mutation%7Bx%7D", &format!("{cookie}{OWN}")), "405"),
    ]
}

fn sign_ins(context: &Context) -> Vec<Case> {
    let right = json!({ "token": context.token }).to_string();
    let typed = |media_type: &str, headers: &str, body: &[u8]| {
        context.post("/session", &format!("Content-Type: {media_type}\r\n{headers}"), body)
    };
    let with = |body: &str| typed("application/json", "", body.as_bytes());
    let from = |headers: &str| typed("application/json", headers, right.as_bytes());
    let large = format!("{right}{}", " ".repeat(4096));
    let mut cases = vec![
        case("sign-in with text", typed("text/plain", "", right.as_bytes()), "415"),
        case("sign-in with a form", typed("application/x-www-form-urlencoded", "", right.as_bytes()), "415"),
        case("sign-in without a media type", context.post("/session", "", &right), "415"),
        case("sign-in over the limit", with(&large), "413"),
        case(
            "sign-in over the limit in chunks",
            context.request(
                "POST",
                "/session",
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
                chunked(large.as_bytes(), 100),
            ),
            "413",
        ),
        case("sign-in with nothing", with(""), "400"),
        case("sign-in with a list", with("[]"), "400"),
        case("sign-in with 4,000 levels", with(&"[".repeat(4_000)), "400"),
        case("sign-in with a number", with(r#"{"token":1}"#), "400"),
        case("sign-in with two tokens", with(r#"{"token":"a","token":"b"}"#), "400"),
        case("sign-in with bytes that are not UTF-8", typed("application/json", "", b"{\"token\":\"\xff\"}"), "400"),
        case("compressed sign-in", typed("application/json", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\x00"), "400"),
        case("sign-in with an empty token", with(r#"{"token":""}"#), "401"),
        case("sign-in with a NUL", with(r#"{"token":"\u0000"}"#), "401"),
        case("sign-in with a wrong token", with(r#"{"token":"wrong"}"#), "401"),
        case(
            "sign-in with a session",
            with(&json!({ "token": context.cookie.split_once('=').unwrap().1 }).to_string()),
            "401",
        ),
        case(
            "sign-in with a wrong token beside a right key",
            typed("application/json", &context.authorization(), br#"{"token":"wrong"}"#),
            "401",
        ),
        case(
            "sign-in with a token in the URL",
            context.post(&format!("/session?token={}", context.token), "Content-Type: application/json\r\n", "{}"),
            "400",
        ),
        case("GET of the session", context.get("/session", &context.cookie_header()), "405"),
        case("PUT of the session", context.request("PUT", "/session", &context.cookie_header(), ""), "405"),
        case(
            "preflight of another site for a sign-in",
            context.request(
                "OPTIONS",
                "/session",
                "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
                 Access-Control-Request-Headers: content-type\r\n",
                "",
            ),
            "405",
        ),
    ];
    let pages = other_pages(context).into_iter().filter(|(page, _)| !["no page", "a referrer of ours"].contains(page));
    cases.extend(pages.map(|(page, headers)| case(format!("sign-in by {page}"), from(&headers), "403")));
    cases
}

fn sign_outs(context: &Context) -> Vec<Case> {
    let delete = |headers: &str| context.request("DELETE", "/session", headers, "");
    let cookie = context.cookie_header();
    let mut cases = vec![
        case("sign-out without a session", delete(OWN), "204"),
        case("sign-out with two cookies", delete(&format!("{cookie}{OWN}Cookie: {}\r\n", context.cookie)), "204"),
        case("sign-out with a wrong cookie", delete(&format!("Cookie: bidarc_session=x\r\n{OWN}")), "204"),
        case(
            "sign-out by a POST",
            context.post("/session", &format!("{cookie}{OWN}X-HTTP-Method-Override: DELETE\r\n"), ""),
            "415",
        ),
    ];
    let pages = other_pages(context).into_iter();
    cases.extend(
        pages.map(|(page, headers)| case(format!("sign-out by {page}"), delete(&format!("{cookie}{headers}")), "403")),
    );
    cases
}

fn sockets(context: &Context) -> Vec<Case> {
    let session = context.cookie.split_once('=').unwrap().1;
    let mut cases = Vec::new();
    for protocol in PROTOCOLS {
        for (name, headers) in [
            ("socket with a cookie and no page", context.cookie_header()),
            (
                "socket with a cookie of another site",
                format!("{}Sec-Fetch-Site: cross-site\r\n", context.cookie_header()),
            ),
            ("socket with a cookie twice", format!("{OWN}{}", context.cookie_header().repeat(2))),
            ("socket with a wrong cookie", format!("{OWN}Cookie: bidarc_session=x\r\n")),
            ("socket with a key as a cookie", format!("{OWN}Cookie: bidarc_session={}\r\n", context.token)),
            ("socket with a cookie as a key", format!("{OWN}Authorization: Bearer {session}\r\n")),
        ] {
            let opening = Opening { protocol, headers, token: None };
            cases.push(case(name, Kind::Socket(opening, init_without_token()), "4403"));
        }
    }
    cases
}
