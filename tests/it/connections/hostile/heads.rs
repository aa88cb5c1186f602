//! Heads and framing of HTTP/1.

use super::{Case, Context, case, chunked, raw};

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let host = &context.authority;
    let get = |rest: &str| format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{rest}\r\n");
    let post = |headers: &str, body: &str| context.request("POST", "/webhooks/x", headers, body);
    vec![
        // Smuggling: two parsers must not see two different requests.
        case(
            "chunked wins over a length",
            post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            "404",
        ),
        case("length after chunked", post("Transfer-Encoding: chunked\r\nContent-Length: 99\r\n", "0\r\n\r\n"), "404"),
        case("two lengths", post("Content-Length: 1\r\nContent-Length: 2\r\n", "xx"), "400"),
        case("list of lengths", post("Content-Length: 1, 2\r\n", "xx"), "400"),
        case("length with a sign", post("Content-Length: +1\r\n", "x"), "400"),
        case("negative length", post("Content-Length: -1\r\n", "x"), "400"),
        case("hexadecimal length", post("Content-Length: 0x1\r\n", "x"), "400"),
        case("empty length", post("Content-Length:\r\n", "x"), "400"),
        case("length of 2^64", post("Content-Length: 18446744073709551616\r\n", "x"), "400"),
        case("length of 2^64 - 1", post("Content-Length: 18446744073709551615\r\n", "x"), "431"),
        case(
            "length of 2^63",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Content-Length: 9223372036854775808\r\n",
                "x",
            ),
            "408",
        ),
        case("unknown coding", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), "400"),
        case("chunked is not last", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), "400"),
        case("identity before chunked", post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), "400"),
        case("gzip before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "400"),
        case("chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), "400"),
        case(
            "two headers with codings",
            post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            "400",
        ),
        case("coding with a vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), "400"),
        case("coding in capitals", post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"), "404"),
        case("coding with a tab", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), "404"),
        raw(
            "chunked in HTTP/1.0",
            format!("POST /webhooks/x HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400",
        ),
        case(
            "negative chunk",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                "-1\r\nx\r\n0\r\n\r\n",
            ),
            "400",
        ),
        case(
            "chunk of 2^64",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                "10000000000000000\r\nx",
            ),
            "400",
        ),
        case(
            "chunk without its end",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                "1\r\nxx\r\n0\r\n\r\n",
            ),
            "400",
        ),
        case(
            "flood of chunk extensions",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                format!("1;{}\r\nx\r\n0\r\n\r\n", "x".repeat(100_000)),
            ),
            "400",
        ),
        case(
            "flood of trailers",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                format!("1\r\nx\r\n0\r\n{}\r\n", "X: x\r\n".repeat(20_000)),
            ),
            "400",
        ),
        case(
            "chunks of one byte",
            context.request(
                "POST",
                "/webhooks/bidsketch/the-right-token-of-16",
                "Transfer-Encoding: chunked\r\n",
                chunked(&[b' '; 20_000], 1),
            ),
            "200",
        ),
        // Malformed lines.
        raw("folded header", get("X: x\r\n folded\r\n"), "400"),
        raw("bare line feeds", format!("GET /healthz HTTP/1.1\nHost: {host}\n\n"), "200"),
        raw("bare carriage return", get("X: x\ry\r\n"), "400"),
        raw("NUL in a header's value", get("X: \0\r\n"), "400"),
        raw("NUL in a header's name", get("X\0: x\r\n"), "400"),
        raw("space before the colon", get("X : x\r\n"), "400"),
        raw("header without a name", get(": x\r\n"), "400"),
        raw("header without a colon", get("X\r\n"), "400"),
        raw(
            "bytes that are not ASCII in a header",
            [get("X: ").trim_end().as_bytes(), b"\xff\xfe\r\n\r\n"].concat(),
            "200",
        ),
        raw("no host", "GET /healthz HTTP/1.1\r\n\r\n", "400"),
        raw("two hosts", get("Host: evil.example\r\n"), "400"),
        raw("two equal hosts", get(&format!("Host: {host}\r\n")), "400"),
        raw("two hosts in HTTP/1.0", format!("GET /healthz HTTP/1.0\r\nHost: {host}\r\nHost: {host}\r\n\r\n"), "400"),
        raw(
            "two hosts and an absolute target",
            format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {host}\r\nHost: x\r\n\r\n"),
            "400",
        ),
        // Floods.
        raw("head over 32 KiB", get(&format!("X: {}\r\n", "x".repeat(33 * 1024))), "431"),
        raw("101 headers", get(&"X: x\r\n".repeat(100)), "431"),
        raw("cookie of 30 KB", get(&format!("Cookie: {}\r\n", "x=y; ".repeat(6_000))), "200"),
        raw("target of 60 KB", format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "x".repeat(60_000)), "431"),
        raw("empty lines before the request", "\r\n".repeat(100_000), "431"),
        raw("100 requests in one piece", get("").repeat(100), "200"),
        // Versions.
        raw("HTTP/0.9", "GET /healthz\r\n\r\n", "400"),
        raw("HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", "200"),
        raw("HTTP/1.2", "GET /healthz HTTP/1.2\r\n\r\n", "400"),
        raw("HTTP/2.0 without its preface", "GET /healthz HTTP/2.0\r\n\r\n", "400"),
        raw("HTTP/3.0", "GET /healthz HTTP/3.0\r\n\r\n", "400"),
        raw("version in lower case", "GET /healthz http/1.1\r\n\r\n", "400"),
        raw("half a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", "closed"),
        raw("handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50), "400"),
        raw("random bytes", (0..=255_u8).cycle().skip(128).take(4096).collect::<Vec<_>>(), "400"),
        // Asking for another protocol.
        raw(
            "upgrade to h2c",
            get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
            "200",
        ),
        raw("upgrade of a request that has none", get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "200"),
        case("expectation of a refused body", post("Content-Length: 5\r\nExpect: 100-continue\r\n", ""), "404"),
        case("unknown expectation", post("Content-Length: 1\r\nExpect: 200-maybe\r\n", "x"), "404"),
    ]
}
