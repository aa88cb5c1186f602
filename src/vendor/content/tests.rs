use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

fn headers(content_type: Option<&str>, content_encoding: Option<&str>) -> Vec<Header> {
    let of = |name: &str, value: Option<&str>| value.map(|value| Header { name: name.into(), value: value.into() });
    of("content-type", content_type).into_iter().chain(of("content-encoding", content_encoding)).collect()
}

fn coded(coding: &str, body: &[u8]) -> Result<String, ContentError> {
    decode(&headers(None, Some(coding)), body).map(Cow::into_owned)
}

fn typed(content_type: &str, body: &[u8]) -> Result<String, ContentError> {
    decode(&headers(Some(content_type), None), body).map(Cow::into_owned)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const TEXT: &str = r#"{"event":"x","data":{"name":"Küche"}}"#;

#[test]
fn body_of_a_known_coding_is_unpacked() {
    let gzipped = gzip(TEXT.as_bytes());
    for coding in ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip", "gzip,", ""] {
        assert_eq!(coded(coding, &gzipped).as_deref(), Ok(TEXT), "{coding}");
    }
    for body in [zlib(TEXT.as_bytes()), raw_deflate(TEXT.as_bytes())] {
        assert_eq!(coded("deflate", &body).as_deref(), Ok(TEXT));
    }
    // Gzip in two members, as a writer that appends makes it.
    let (first, second) = TEXT.as_bytes().split_at(10);
    assert_eq!(coded("gzip", &[gzip(first), gzip(second)].concat()).as_deref(), Ok(TEXT));
    assert_eq!(coded("identity", TEXT.as_bytes()).as_deref(), Ok(TEXT));
    // Nothing is declared, as in a delivery that an earlier version stored.
    assert_eq!(decode(&[], &gzipped).unwrap(), TEXT);
}

#[test]
fn body_of_another_coding_is_named() {
    for coding in ["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "gzip;q=1"] {
        let error = coded(coding, &gzip(TEXT.as_bytes())).unwrap_err();
        assert_eq!(error, ContentError::UnsupportedCoding(coding.to_owned()));
        assert!(error.to_string().contains(coding));
    }
}

#[test]
fn corrupt_body_is_an_error() {
    let gzipped = gzip(TEXT.as_bytes());
    let cut = &gzipped[..gzipped.len() - 5];
    let mut flipped = gzipped.clone();
    flipped[15] ^= 0x55;
    for body in [cut, &flipped, TEXT.as_bytes(), b"", &[gzipped.as_slice(), b"more"].concat()] {
        assert!(matches!(coded("gzip", body), Err(ContentError::Corrupt { coding: "gzip", .. })), "{body:?}");
    }
    let zlibbed = zlib(TEXT.as_bytes());
    for body in [&zlibbed[..zlibbed.len() - 5], TEXT.as_bytes(), &[zlibbed.as_slice(), b"more"].concat()] {
        assert!(matches!(coded("deflate", body), Err(ContentError::Corrupt { coding: "deflate", .. })), "{body:?}");
    }
}

#[test]
fn text_is_bounded_by_its_own_size() {
    let fits = vec![b' '; TEXT_BYTES_MAX];
    let larger = vec![b' '; TEXT_BYTES_MAX + 1];
    let bomb = gzip(&vec![0; 64 * TEXT_BYTES_MAX]);
    assert!(bomb.len() < 100_000);
    assert_eq!(coded("gzip", &gzip(&fits)).map(|text| text.len()), Ok(TEXT_BYTES_MAX));
    for body in [gzip(&larger), bomb] {
        assert_eq!(coded("gzip", &body), Err(ContentError::TooLarge));
    }
    for body in [zlib(&larger), raw_deflate(&larger)] {
        assert_eq!(coded("deflate", &body), Err(ContentError::TooLarge));
    }
    // Two bytes of UTF-8 for one of Latin-1.
    let umlauts = vec![0xe4; TEXT_BYTES_MAX / 2 + 1];
    assert_eq!(typed("text/plain; charset=latin1", &umlauts), Err(ContentError::TooLarge));
}

#[test]
fn text_of_a_known_charset_is_decoded() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| TEXT.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let latin1: Vec<u8> = TEXT.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let with_mark = |mark: &[u8], body: &[u8]| [mark, body].concat();
    let utf8 = TEXT.as_bytes().to_vec();
    for (content_type, body) in [
        ("application/json", utf8.clone()),
        ("application/json; charset=utf-8", utf8.clone()),
        ("application/json;charset=\"UTF-8\"; version=1", utf8.clone()),
        ("application/json; charset=utf8", utf8.clone()),
        ("application/json; charset=us-ascii", utf8.clone()),
        ("application/json; charset=", utf8.clone()),
        ("application/json", with_mark(b"\xef\xbb\xbf", &utf8)),
        ("application/json; charset=iso-8859-1", with_mark(b"\xef\xbb\xbf", &utf8)),
        ("application/json; charset=iso-8859-1", latin1.clone()),
        ("application/json; charset=ISO-8859-15", latin1.clone()),
        ("application/json; CHARSET='windows-1252'", latin1),
        ("application/json; charset=utf-16", with_mark(b"\xff\xfe", &little)),
        ("application/json; charset=utf-16", with_mark(b"\xfe\xff", &big)),
        ("application/json; charset=utf-16", big.clone()),
        ("application/json; charset=utf-16le", little.clone()),
        ("application/json; charset=utf-16be", big.clone()),
        ("application/json", with_mark(b"\xff\xfe", &little)),
        ("application/json", little),
        ("", big),
    ] {
        assert_eq!(typed(content_type, &body).as_deref(), Ok(TEXT), "{content_type}");
    }
    assert_eq!(typed("a/b; charset=windows-1252", b"\x80 5").as_deref(), Ok("€ 5"));
    assert_eq!(typed("a/b; charset=shift_jis", b"\x93\xfa\x96\x7b").as_deref(), Ok("日本"));
}

#[test]
fn text_of_an_unknown_or_wrong_charset_is_an_error_that_names_it() {
    for label in ["utf-32", "utf-7", "klingon", "iso-2022-kr"] {
        let error = typed(&format!("a/b; charset={label}"), b"{}").unwrap_err();
        assert_eq!(error, ContentError::UnsupportedCharset(label.to_owned()));
        assert!(error.to_string().contains(label));
    }
    let not_utf8 = ContentError::NotText { charset: "UTF-8", invalid_at: Some(2) };
    assert_eq!(typed("a/b", b"{\"\xff\"}").unwrap_err(), not_utf8);
    assert_eq!(not_utf8.to_string(), "the body is not UTF-8: byte 2 is invalid");
    // Half a surrogate pair, and half a code unit.
    for body in [&b"{\0\x00\xd8"[..], b"{\0}"] {
        let error = typed("a/b; charset=utf-16le", body).unwrap_err();
        assert_eq!(error, ContentError::NotText { charset: "UTF-16LE", invalid_at: None });
    }
}

#[test]
fn plain_utf8_is_not_copied() {
    assert!(matches!(decode(&headers(Some("application/json"), None), TEXT.as_bytes()), Ok(Cow::Borrowed(TEXT))));
}

proptest! {
    #[test]
    fn decode_any_body_never_panics(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        coding in proptest::option::of("gzip|deflate|br|[a-z, ]{0,10}"),
        content_type in proptest::option::of("a/b; charset=(utf-16|latin1|[a-z0-9-]{0,8})|.{0,20}"),
    ) {
        let _ = decode(&headers(content_type.as_deref(), coding.as_deref()), &body);
    }

    #[test]
    fn packed_text_is_unpacked(text in ".{0,500}") {
        prop_assume!(!text.starts_with('\u{feff}') && !text.starts_with('\0') && text.chars().nth(1) != Some('\0'));
        prop_assert_eq!(coded("gzip", &gzip(text.as_bytes())), Ok(text.clone()));
        prop_assert_eq!(coded("deflate", &zlib(text.as_bytes())), Ok(text));
    }
}
