//! Requests to the API: keys, media types, JSON, documents, event streams.

use super::{Case, Context, Kind, case, chunked};

/// The largest request.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

fn document(text: &str) -> String {
    serde_json::json!({ "query": text }).to_string()
}

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let mut cases = keys(context);
    cases.extend(bodies(context));
    cases.extend(documents(context));
    cases.extend(streams(context));
    cases
}

fn keys(context: &Context) -> Vec<Case> {
    let right = context.authorization();
    let with = |headers: &str| {
        context.post("/graphql", &format!("Content-Type: application/json\r\n{headers}"), document("{ headCursor }"))
    };
    vec![
        case("no key", with(""), "401"),
        case("two keys", with(&format!("{right}{right}")), "401"),
        case("list of keys", with(&format!("{}, Bearer x\r\n", right.trim_end())), "401"),
        case("empty key", with("Authorization: Bearer \r\n"), "401"),
        case("key of 30 KB", with(&format!("Authorization: Bearer {}\r\n", "x".repeat(30_000))), "401"),
        case(
            "key in the query",
            context.get(&format!("/graphql?query={{headCursor}}&access_token={}", context.token), ""),
            "400",
        ),
        case("key with a percent escape", with(&format!("Authorization: Bearer %{}\r\n", context.token)), "401"),
        case("Basic that is no base64", with("Authorization: Basic \u{e9}!!\r\n"), "401"),
        case("Basic without a colon", with("Authorization: Basic dG9rZW4=\r\n"), "401"),
        case("Basic of bytes that are not UTF-8", with("Authorization: Basic /////w==\r\n"), "401"),
        case("other scheme", with("Authorization: Digest username=x\r\n"), "401"),
        case("metrics with a wrong key", context.get("/metrics", "Authorization: Bearer x\r\n"), "401"),
        case("metrics without a key", context.get("/metrics", ""), "401"),
        case("proxy's authorization", with(&right.replace("Authorization", "Proxy-Authorization")), "401"),
    ]
}

fn bodies(context: &Context) -> Vec<Case> {
    let typed = |media_type: &str, body: &[u8]| {
        let headers = format!("{}Content-Type: {media_type}\r\n", context.authorization());
        context.post("/graphql", &headers, body)
    };
    let right = document("{ headCursor }");
    let padded = |bytes: usize| format!("{right}{}", " ".repeat(bytes - right.len()));
    let over = padded(REQUEST_BYTES_MAX + 1);
    let in_chunks = |body: &str| -> Kind {
        let headers =
            format!("{}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", context.authorization());
        context.request("POST", "/graphql", &headers, chunked(body.as_bytes(), 8192))
    };
    let utf16: Vec<u8> = right.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        case("no media type", context.post("/graphql", &context.authorization(), &right), "415"),
        case("text/plain", typed("text/plain", right.as_bytes()), "415"),
        case("form", typed("application/x-www-form-urlencoded", b"query={headCursor}"), "415"),
        case("parts", typed("multipart/form-data; boundary=x", b"--x--"), "415"),
        case("media type of 30 KB", typed(&"x/".repeat(15_000), right.as_bytes()), "415"),
        case("body of the largest size", context.graphql(padded(REQUEST_BYTES_MAX)), "200"),
        case("body one byte over", context.graphql(&over), "413"),
        case("body one byte over in chunks", in_chunks(&over), "413"),
        case("UTF-16", typed("application/json; charset=utf-16", &utf16), "400"),
        case("bytes that are not UTF-8", context.graphql(b"{\"query\":\"\xff\"}"), "400"),
        case("overlong NUL", context.graphql(b"{\"query\":\"\xc0\x80\"}"), "400"),
        case("compressed body", context.graphql(b"\x1f\x8b\x08\x00\x00\x00\x00\x00"), "400"),
        case("empty body", context.graphql(""), "400"),
        case("byte order mark", context.graphql(format!("\u{feff}{right}")), "200"),
        case("JSON of 100,000 levels", context.graphql("[".repeat(100_000)), "400"),
        case("objects of 40,000 levels", context.graphql(r#"{"a":"#.repeat(40_000)), "400"),
        case(
            "variables of 100,000 levels",
            context.graphql(format!(
                r#"{{"query":"{{headCursor}}","variables":{{"a":{}{}}}}}"#,
                "[".repeat(100_000),
                "]".repeat(100_000)
            )),
            "400",
        ),
        case("query twice", context.graphql(r#"{"query":"{headCursor}","query":"{nothing}"}"#), "400"),
        case("NUL in a document", context.graphql("{\"query\":\"{headCursor\\u0000}\"}"), "200"),
        case("raw NUL in JSON", context.graphql("{\"query\":\"\0\"}"), "400"),
        case("lone surrogate", context.graphql(r#"{"query":"\ud800"}"#), "400"),
        case(
            "surrogates in the wrong order",
            context.graphql(r#"{"query":"{headCursor}","variables":{"a":"\udc00\ud800"}}"#),
            "400",
        ),
        case(
            "number of 200,000 digits",
            context.graphql(format!(r#"{{"query":"{{headCursor}}","variables":{{"a":{}}}}}"#, "9".repeat(200_000))),
            "400",
        ),
        case(
            "number beyond every float",
            context.graphql(r#"{"query":"{headCursor}","variables":{"a":1e999999}}"#),
            "400",
        ),
        case("NaN", context.graphql(r#"{"query":"{headCursor}","variables":{"a":NaN}}"#), "400"),
        case("batch of 50,000", context.graphql(format!("[{}]", vec!["{}"; 50_000].join(","))), "413"),
        case("batch of nothing", context.graphql("[]"), "400"),
        case("batch in a batch", context.graphql(format!("[[{right}]]")), "200"),
        case(
            "prototype of JavaScript",
            context.graphql(r#"{"query":"{headCursor}","__proto__":{"isAdmin":true},"constructor":1}"#),
            "200",
        ),
    ]
}

fn documents(context: &Context) -> Vec<Case> {
    let refused = |name, text: &str| case(name, context.graphql(document(text)), "200");
    vec![
        refused("document of braces", &"{".repeat(200_000)),
        refused("document of brackets in a value", &format!("{{ events(first: {})", "[".repeat(100_000))),
        refused("document of spreads", &"...".repeat(60_000)),
        refused("text without an end", &format!("{{ node(id: \"{}", "x".repeat(50_000))),
        refused("block text of quotes", &format!("{{ node(id: \"\"\"{}", "\\\"\"\"".repeat(25_000))),
        refused("document of comments", &"#\n".repeat(20_000)),
        refused("document of commas", &",".repeat(200_000)),
        refused("2,000 operations", &"query a { headCursor } ".repeat(2_000)),
        refused("name of 20,000 letters", &format!("{{ {} }}", "x".repeat(20_000))),
        refused("type of 50,000 levels", &format!("query ($a: {}Int) {{ headCursor }}", "[".repeat(50_000))),
        refused(
            "number of 200,000 digits in a document",
            &format!("{{ events(first: {}) {{ totalCount }} }}", "9".repeat(200_000)),
        ),
        refused("letters of every script", &"\u{202e}\u{0}\u{fffe}\u{10ffff}".repeat(1000)),
        case("document in a URL with a NUL", context.get("/graphql?query=%00", &context.authorization()), "200"),
        case("mutation by GET", context.get("/graphql?query=mutation%7Bx%7D", &context.authorization()), "405"),
        case(
            "URL with 5,000 parameters",
            context.get(&format!("/graphql?{}", "query=x&".repeat(3_000)), &context.authorization()),
            "400",
        ),
    ]
}

fn streams(context: &Context) -> Vec<Case> {
    let stream = |accept: &str, headers: &str, query: &str| {
        let headers =
            format!("{}Content-Type: application/json\r\nAccept: {accept}\r\n{headers}", context.authorization());
        context.post("/graphql/sse", &headers, document(query))
    };
    let events = "subscription { events { id } }";
    vec![
        case("stream for a client that wants none", stream("image/png", "", events), "406"),
        case("stream with the weight 0", stream("text/event-stream;q=0", "", events), "406"),
        case("stream with a weight that is no number", stream("text/event-stream;q=x", "", events), "200"),
        case("10,000 media types", stream(&"a/b,".repeat(7_000), "", events), "406"),
        case(
            "id of the last event of 30 KB",
            stream("text/event-stream", &format!("Last-Event-ID: {}\r\n", "x".repeat(30_000)), events),
            "200",
        ),
        case(
            "id of the last event of 64 KB",
            stream("text/event-stream", &format!("Last-Event-ID: {}\r\n", "x".repeat(65_536)), events),
            "431",
        ),
        case(
            "id of the last event with bytes that are not ASCII",
            stream("text/event-stream", "Last-Event-ID: \u{e9}\r\n", events),
            "400",
        ),
        case(
            "two ids of the last event",
            stream("text/event-stream", "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n", events),
            "200",
        ),
        case("stream of a document that is none", stream("text/event-stream", "", &"{".repeat(100_000)), "200"),
        case(
            "stream of a batch",
            context.post(
                "/graphql/sse",
                &format!("{}Content-Type: application/json\r\nAccept: text/event-stream\r\n", context.authorization()),
                "[{},{}]",
            ),
            "400",
        ),
        case("stream without a key", context.post("/graphql/sse", "Accept: text/event-stream\r\n", ""), "401"),
    ]
}
