//! Deliveries. One with a right proof is kept, whatever its body is; every other is refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Case, Context, HOOK_TOKEN, case, chunked, signature};

/// The largest delivery.
const DELIVERY_BYTES_MAX: usize = 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn cases(context: &Context) -> Vec<Case> {
    let bomb = gzip(&vec![b' '; 32 * 1024 * 1024]);
    let twice = gzip(&bomb);
    let over = vec![b' '; DELIVERY_BYTES_MAX + 1];
    let right = br#"{"event":"project.created","data":{"id":1}}"#;
    let with = |headers: &str| context.post("/webhooks/arcsite", headers, right);
    let proof = signature(right);
    let in_chunks = context.request(
        "POST",
        "/webhooks/arcsite",
        &format!("{}Transfer-Encoding: chunked\r\n", signature(&over)),
        chunked(&over, 65_536),
    );
    let deep = format!(r#"{{"event":"project.created","data":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    vec![
        case("no signature", with(""), "401"),
        case("signature of another body", context.post("/webhooks/arcsite", &proof, "{}"), "401"),
        case("signature twice", with(&format!("{proof}{proof}")), "401"),
        case("signature of 30 KB", with(&format!("ArcSite-Signature: t=1,v={}\r\n", "0".repeat(30_000))), "401"),
        case("3,000 signatures", with(&format!("ArcSite-Signature: t=1{}\r\n", ",v=00".repeat(3_000))), "401"),
        case(
            "signature with a time of 100 digits",
            with(&format!("ArcSite-Signature: t={},v={}\r\n", "9".repeat(100), "0".repeat(64))),
            "401",
        ),
        case("signature of bytes that are not ASCII", with("ArcSite-Signature: t=\u{e9},v=\u{e9}\r\n"), "401"),
        case("key of the API on a hook", with(&context.authorization()), "401"),
        case("token of another vendor", context.post(&format!("/webhooks/arcsite/{HOOK_TOKEN}"), "", right), "404"),
        case("unknown token", context.post(&format!("/webhooks/bidsketch/{}", "f".repeat(64)), "", right), "404"),
        case("token of 20 KB", context.post(&format!("/webhooks/bidsketch/{}", "f".repeat(20_000)), "", right), "404"),
        case("bomb", context.delivery("Content-Encoding: gzip\r\n", &bomb), "200"),
        case("bomb in a bomb", context.delivery("Content-Encoding: gzip, gzip\r\n", &twice), "200"),
        case(
            "3,000 codings",
            context.delivery(&format!("Content-Encoding: gzip{}\r\n", ", gzip".repeat(3_000)), gzip(right)),
            "200",
        ),
        case("coding that is none", context.delivery("Content-Encoding: gzip\r\n", right), "200"),
        case("unknown charset", context.delivery("Content-Type: application/json; charset=klingon\r\n", right), "200"),
        case(
            "UTF-16 that is none",
            context.delivery("Content-Type: application/json; charset=utf-16\r\n", b"\xd8"),
            "200",
        ),
        case("bytes that are not UTF-8", context.delivery("", b"\xff\xfe\x00"), "200"),
        case("data of 200,000 levels", context.delivery("", deep), "200"),
        case("body one byte over", context.delivery("", &over), "413"),
        case("body one byte over in chunks", in_chunks, "413"),
        case(
            "lone surrogate",
            context.delivery("", br#"{"event":"project.created","data":{"id":2,"name":"\ud800"}}"#),
            "200",
        ),
        case("NUL", context.delivery("", r#"{"event":"project.created","data":{"id":3,"name":"\u0000"}}"#), "200"),
        case(
            "number of 500,000 digits",
            context.delivery("", format!(r#"{{"event":"project.created","data":{{"id":{}}}}}"#, "9".repeat(500_000))),
            "200",
        ),
        case("event twice", context.delivery("", r#"{"event":"a","event":"project.created","data":{"id":4}}"#), "200"),
        case(
            "20,000 members",
            context.delivery("", format!(r#"{{"event":"x","data":{{{}"a":1}}}}"#, r#""a":1,"#.repeat(20_000))),
            "200",
        ),
        case("no body", context.delivery("", ""), "200"),
    ]
}
