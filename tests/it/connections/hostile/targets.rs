//! Targets and methods. None of them may reach another route, and only a hook's own route answers
//! 200 below `/webhooks`.

use super::{Case, Context, case, raw};

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let host = &context.authority;
    let mut cases = vec![
        raw("absolute form", format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"), "200"),
        raw(
            "absolute form with a user",
            "GET http://user:pass@evil.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            "200",
        ),
        raw("other scheme", format!("GET file:///etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
        raw("authority form", format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        raw("authority form of a GET", format!("GET evil.example:443 HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        raw("asterisk form", format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        raw("no target", format!("GET  HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
        raw("target without a slash", format!("GET healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
        raw("space in the target", format!("GET /a b HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
        raw("NUL in the target", format!("GET /healthz\0 HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
        raw("fragment in the target", format!("GET /healthz#x HTTP/1.1\r\nHost: {host}\r\n\r\n"), "200"),
        raw(
            "bytes of UTF-8 in the target",
            format!("POST /webhooks/bidsketch/é HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"),
            "404",
        ),
        raw(
            "bytes that are not UTF-8 in the target",
            [b"GET /\xff\xfe HTTP/1.1\r\nHost: ".as_slice(), host.as_bytes(), b"\r\n\r\n"].concat(),
            "400",
        ),
        case("unknown method", context.request("FOO", "/webhooks/arcsite", "", ""), "405"),
        case("method in lower case", context.request("post", "/webhooks/arcsite", "", ""), "405"),
        case("GET of a hook", context.get("/webhooks/arcsite", ""), "405"),
        case("DELETE of a hook", context.request("DELETE", "/webhooks/bidsketch/the-right-token-of-16", "", ""), "405"),
        case("TRACE", context.request("TRACE", "/healthz", "", ""), "405"),
        case(
            "method override",
            context.post("/webhooks/bidsketch/wrong", "X-HTTP-Method-Override: DELETE\r\n", ""),
            "404",
        ),
        case("method of 30 KB", context.request(&"X".repeat(30_000), "/healthz", "", ""), "405"),
        raw("method that is no token", format!("G@T( /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
    ];
    let signed = format!("digest={}&expires=9999999999&signature={}", "a1".repeat(32), "b2".repeat(32));
    for (target, answer) in [
        ("/files/1/drawing-1.pdf".to_owned(), "403"),
        ("/files/1/thumbnail?digest=".to_owned(), "403"),
        (format!("/files/1/drawing-1.pdf?{signed}"), "403"),
        (format!("/files/1/thumbnail?{signed}"), "403"),
        (format!("/files/-1/drawing-1.pdf?{signed}"), "403"),
        (format!("/files/99999999999999999999/a.pdf?{signed}"), "403"),
        (format!("/files/1/..%2f..%2fbidarc.db?{signed}"), "403"),
        (format!("/files/1/%0d%0aSet-Cookie:%20a=b.pdf?{signed}"), "403"),
        (format!("/files/1/a.pdf?{signed}&{signed}"), "403"),
        (format!("/files/1/a.pdf?{}", "a=b&".repeat(5_000)), "403"),
        (format!("/files/1/a.pdf?{signed}{}", "0".repeat(10_000)), "403"),
        (format!("/files/1/%ff.pdf?{signed}"), "400"),
        (format!("/files/1/../2/a.pdf?{signed}"), "404"),
        ("/files/".to_owned(), "404"),
    ] {
        let name = format!("file {}", &target[..target.len().min(60)]);
        cases.push(case(name, context.get(&target, "Range: bytes=0-\r\n"), answer));
    }
    cases.push(case("POST of a file", context.post("/files/1/a.pdf", "", "x"), "405"));
    for target in [
        "/webhooks",
        "/webhooks/",
        "//webhooks/arcsite",
        "/webhooks//arcsite",
        "/webhooks/arcsite//",
        "/webhooks/arcsite%2F",
        "/webhooks%2Farcsite",
        "/webhooks/%61rcsite",
        "/webhooks/ARCSITE",
        "/webhooks/arcsite/../arcsite",
        "/webhooks/../graphql",
        "/webhooks/%2e%2e/graphql",
        "/webhooks/bidsketch/..%2fright",
        "/webhooks/bidsketch/the-right-token-of-16/x",
        "/webhooks/bidsketch/%00",
        "/webhooks/bidsketch/the-right-token-of-16%00",
        "/webhooks/bidsketch/%c0%af",
        "/webhooks/bidsketch/%ff%fe",
        "/webhooks/bidsketch/%",
        "/webhooks/bidsketch/%zz",
        "/webhooks/bidsketch/the-right-token-of-16%20",
        "/webhooks/bidsketch/the-right-token-of-16;x=y",
        "/webhooks/bidsketch/%F0%9F%92%A9",
        "/webhooks\\bidsketch\\right",
    ] {
        cases.push(case(target, context.post(target, "", "{}"), "404"));
    }
    cases
}
