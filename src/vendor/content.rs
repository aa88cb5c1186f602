//! A body as HTTP carries it: a content coding (RFC 9110, 8.4) around a text in some charset. Its
//! text is what was meant; its bytes are what was sent and signed.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::domain::Header;

/// The longest text of a body, in bytes of UTF-8: as long as a body may be. A few kilobytes can
/// unpack to gigabytes.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Why a body has no text. It is then stored as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// A content coding that is not decoded, or several.
    #[error("the body has the Content-Encoding {0:?}; only gzip and deflate are decoded, and only one of them")]
    UnsupportedCoding(String),
    /// The bytes are not those of the coding.
    #[error("the body is not valid {coding}: {problem}")]
    Corrupt {
        /// The coding.
        coding: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The text would be longer than [`TEXT_BYTES_MAX`].
    #[error("the decoded body is larger than {TEXT_BYTES_MAX} bytes")]
    TooLarge,
    /// A charset that is not decoded.
    #[error("the body has the charset {0:?}, which is not known")]
    UnsupportedCharset(String),
    /// The bytes are not a text in the charset.
    #[error("the body is not {charset}{}", .invalid_at.map(|at| format!(": byte {at} is invalid")).unwrap_or_default())]
    NotText {
        /// The charset.
        charset: &'static str,
        /// Where the first invalid byte is, if that is known.
        invalid_at: Option<usize>,
    },
}

/// Decodes a body to its text, without a byte order mark. Borrows a body that is its own text.
pub fn decode<'a>(headers: &[Header], body: &'a [u8]) -> Result<Cow<'a, str>, ContentError> {
    let unpacked = match coding(headers, body)? {
        None => Cow::Borrowed(body),
        Some(coding) => Cow::Owned(coding.unpack(body)?),
    };
    let charset = charset(headers, &unpacked)?;
    let text = match unpacked {
        Cow::Borrowed(bytes) => decode_charset(charset, bytes)?,
        Cow::Owned(bytes) => Cow::Owned(decode_charset(charset, &bytes)?.into_owned()),
    };
    if text.len() > TEXT_BYTES_MAX { Err(ContentError::TooLarge) } else { Ok(text) }
}

fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

#[derive(Clone, Copy, Debug)]
enum Coding {
    Gzip,
    Deflate,
}

/// The coding of a body. Nothing tells it of a delivery that an earlier version stored, so gzip is
/// also known by its first bytes, with which no JSON text begins.
fn coding(headers: &[Header], body: &[u8]) -> Result<Option<Coding>, ContentError> {
    let declared = header(headers, "content-encoding").unwrap_or_default();
    let codings = declared.split(',').map(str::trim).filter(|name| !name.is_empty());
    let codings: Vec<&str> = codings.filter(|name| !name.eq_ignore_ascii_case("identity")).collect();
    match codings.as_slice() {
        [] if body.starts_with(&[0x1f, 0x8b]) => Ok(Some(Coding::Gzip)),
        [] => Ok(None),
        [gzip] if gzip.eq_ignore_ascii_case("gzip") || gzip.eq_ignore_ascii_case("x-gzip") => Ok(Some(Coding::Gzip)),
        [deflate] if deflate.eq_ignore_ascii_case("deflate") => Ok(Some(Coding::Deflate)),
        _ => Err(ContentError::UnsupportedCoding(declared.to_owned())),
    }
}

impl Coding {
    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// Unpacks a body, but stops one byte past the limit.
    fn unpack(self, body: &[u8]) -> Result<Vec<u8>, ContentError> {
        let corrupt = |problem: String| ContentError::Corrupt { coding: self.name(), problem };
        let unpacked = match self {
            Self::Gzip => read_to_limit(MultiGzDecoder::new(body)).map(|(bytes, _)| (bytes, 0)),
            // The coding is zlib's format, but some senders leave its header out.
            Self::Deflate if is_zlib(body) => {
                read_to_limit(ZlibDecoder::new(body)).map(|(bytes, decoder)| (bytes, decoder.total_in()))
            }
            Self::Deflate => {
                read_to_limit(DeflateDecoder::new(body)).map(|(bytes, decoder)| (bytes, decoder.total_in()))
            }
        };
        let (bytes, read) = unpacked.map_err(|error| corrupt(error.to_string()))?;
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(ContentError::TooLarge);
        }
        // The gzip decoder reads to the end itself.
        if matches!(self, Self::Deflate) && usize::try_from(read) != Ok(body.len()) {
            return Err(corrupt(format!("it ends at byte {read}, but the body goes on")));
        }
        Ok(bytes)
    }
}

/// Whether bytes begin with the header of zlib's format (RFC 1950).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

fn read_to_limit<R: Read>(decoder: R) -> io::Result<(Vec<u8>, R)> {
    let mut bytes = Vec::new();
    let mut limited = decoder.take(TEXT_BYTES_MAX as u64 + 1);
    limited.read_to_end(&mut bytes)?;
    Ok((bytes, limited.into_inner()))
}

/// The charset of a body: its byte order mark's, else the declared one, else UTF-8. A JSON text
/// begins with two characters of ASCII, which tell the two forms of UTF-16 apart (RFC 4627, 3).
fn charset(headers: &[Header], body: &[u8]) -> Result<&'static Encoding, ContentError> {
    if let Some((charset, _)) = Encoding::for_bom(body) {
        return Ok(charset);
    }
    let declared = header(headers, "content-type").and_then(charset_parameter);
    let charset = match declared {
        None => UTF_8,
        // UTF-8 has every text of ASCII. WHATWG takes the label for windows-1252.
        Some(label) if label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii") => UTF_8,
        Some(label) => Encoding::for_label(label.as_bytes())
            .filter(|charset| *charset != REPLACEMENT && *charset != X_USER_DEFINED)
            .ok_or_else(|| ContentError::UnsupportedCharset(label.to_owned()))?,
    };
    let may_be_utf16 = declared.is_none() || charset == UTF_16LE || charset == UTF_16BE;
    Ok(match body {
        [0, 1..=0xff, ..] if may_be_utf16 => UTF_16BE,
        [1..=0xff, 0, ..] if may_be_utf16 => UTF_16LE,
        _ => charset,
    })
}

/// The charset of a value like `application/json; charset="utf-8"`.
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

fn decode_charset<'a>(charset: &'static Encoding, body: &'a [u8]) -> Result<Cow<'a, str>, ContentError> {
    let body = match Encoding::for_bom(body) {
        Some((_, length)) => &body[length..],
        None => body,
    };
    if charset == UTF_8 {
        let text = std::str::from_utf8(body).map_err(|error| ContentError::NotText {
            charset: charset.name(),
            invalid_at: Some(error.valid_up_to()),
        })?;
        return Ok(Cow::Borrowed(text));
    }
    charset
        .decode_without_bom_handling_and_without_replacement(body)
        .ok_or(ContentError::NotText { charset: charset.name(), invalid_at: None })
}

#[cfg(test)]
mod tests;
