//! The bytes of a file: a document, and padding that is made as it is sent.

use std::io;
use std::iter;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};

use super::document;

/// How many bytes of padding are sent at once.
const PIECE_BYTES: usize = 64 * 1024;

/// How many pieces a slow body has.
const SLOW_PIECES: usize = 10;

/// The pause before a body is cut.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// A file, whose padding is not in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    document: Vec<u8>,
    /// How many bytes of comments follow. Only a PDF can have them.
    padding: u64,
    end: Vec<u8>,
}

impl File {
    /// The version of the file at `path`. A PDF is padded to `pdf_bytes`. None if the path has
    /// another ending.
    pub(super) fn at(path: &str, version: u64, pdf_bytes: u64) -> Option<File> {
        let whole = |document| File { document, padding: 0, end: Vec::new() };
        if let Some(name) = path.strip_suffix(".png") {
            return document::png(name, version).ok().map(whole);
        }
        let document = document::pdf(path.strip_suffix(".pdf")?, version);
        if pdf_bytes <= document.len() as u64 {
            return Some(whole(document));
        }
        // A reader begins at the end: it must find there where the objects are.
        let text = String::from_utf8_lossy(&document);
        let end = text.rfind("startxref").map_or_else(Vec::new, |at| format!("\n{}", &text[at..]).into_bytes());
        let padding = pdf_bytes.saturating_sub((document.len() + end.len()) as u64);
        Some(File { document, padding, end })
    }

    pub(super) fn len(&self) -> u64 {
        (self.document.len() + self.end.len()) as u64 + self.padding
    }

    /// All of it, in pieces.
    pub(super) fn pieces(self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let comments = Bytes::from([b"%".repeat(PIECE_BYTES - 1), b"\n".to_vec()].concat());
        let mut left = self.padding;
        let padding = iter::from_fn(move || {
            let next = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
            left -= next as u64;
            (next > 0).then(|| comments.slice(..next))
        });
        iter::once(Bytes::from(self.document)).chain(padding).chain(iter::once(Bytes::from(self.end)))
    }

    /// The whole file, at full speed.
    pub(super) fn body(self) -> Body {
        Body::from_stream(stream::iter(self.pieces().map(Ok::<_, io::Error>)))
    }

    /// Half of the document. Then the connection breaks.
    pub(super) fn cut_body(self) -> Body {
        let mut half = Bytes::from(self.document);
        half.truncate(half.len() / 2);
        let cut = async {
            // The half leaves first.
            tokio::time::sleep(CUT_PAUSE).await;
            Err(io::Error::other("cut, as the fault asks"))
        };
        Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(cut)))
    }

    /// The whole file. The document takes this long.
    pub(super) fn slow_body(self, time: Duration) -> Body {
        let size = self.document.len().div_ceil(SLOW_PIECES).max(1);
        let pieces: Vec<Bytes> = self.document.chunks(size).map(Bytes::copy_from_slice).collect();
        let rest = File { document: Vec::new(), ..self };
        let all = pieces.into_iter().map(|piece| (true, piece)).chain(rest.pieces().map(|piece| (false, piece)));
        Body::from_stream(stream::unfold(all, move |mut all| async move {
            let (is_slow, piece) = all.next()?;
            if is_slow {
                tokio::time::sleep(time / u32::try_from(SLOW_PIECES).unwrap_or(1)).await;
            }
            Some((Ok::<_, io::Error>(piece), all))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_pdf_has_its_length_and_its_end() {
        let plain = File::at("options/1.pdf", 1, 0).unwrap();
        for bytes in [0, 1, plain.len(), plain.len() + 1, 300_000] {
            let file = File::at("options/1.pdf", 1, bytes).unwrap();
            let all: Vec<u8> = file.clone().pieces().flatten().collect();
            assert_eq!(all.len() as u64, file.len());
            assert!(file.len() >= bytes && file.len() < bytes.max(plain.len()) + 100);
            assert!(all.starts_with(b"%PDF-") && all.trim_ascii_end().ends_with(b"%%EOF"));
            // The last place that is named is that of the table of objects.
            let text = String::from_utf8_lossy(&all);
            let at: usize = text[text.rfind("startxref").unwrap()..].lines().nth(1).unwrap().parse().unwrap();
            assert!(all[at..].starts_with(b"xref"));
        }
        assert_eq!(File::at("options/1.doc", 1, 0), None);
    }
}
