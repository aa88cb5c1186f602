//! Which bytes are a file of a kind. What a host says of its type does not count.

use crate::domain::FileKind;

/// How many bytes a verdict needs: those of the longest signature.
pub(super) const HEAD_BYTES: usize = 8;

/// The first bytes of each file of a kind. A reader of PDFs accepts other bytes before them (ISO
/// 32000-2 does not), but such a file could be a page of HTML at the same time.
const fn signature(kind: FileKind) -> &'static [u8] {
    match kind {
        FileKind::Pdf => b"%PDF-",
        FileKind::Png => b"\x89PNG\r\n\x1a\n",
    }
}

/// What the first bytes of a body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A file of the kind.
    Right,
    /// A file of another kind, or of none.
    Wrong,
    /// A page or a message in the place of the file. Such an answer can pass.
    Page,
    /// Too few bytes to tell.
    Cut,
}

/// Judges the first bytes of a body: [`HEAD_BYTES`], or all of a shorter one.
pub(super) fn judge(kind: FileKind, head: &[u8]) -> Verdict {
    let signature = signature(kind);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if head.starts_with(signature) {
        Verdict::Right
    } else if signature.starts_with(head) {
        Verdict::Cut
    } else if text.is_empty() || text.starts_with(b"<") || text.starts_with(b"{") {
        Verdict::Page
    } else {
        Verdict::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_kind() {
        for (kind, head, verdict) in [
            (FileKind::Pdf, &b"%PDF-1.7"[..], Verdict::Right),
            (FileKind::Pdf, b"%PDF-", Verdict::Right),
            (FileKind::Png, b"\x89PNG\r\n\x1a\n", Verdict::Right),
            (FileKind::Png, b"%PDF-1.7", Verdict::Wrong),
            (FileKind::Pdf, b"\x89PNG\r\n\x1a\n", Verdict::Wrong),
            (FileKind::Png, b"\x89PNG\n\n\x1a\n", Verdict::Wrong),
            (FileKind::Png, b"\xff\xd8\xff\xe0..JF", Verdict::Wrong),
            (FileKind::Pdf, b"%pdf-1.7", Verdict::Wrong),
            (FileKind::Pdf, b"\n%PDF-1.", Verdict::Wrong),
            (FileKind::Pdf, b"PK\x03\x04....", Verdict::Wrong),
            (FileKind::Pdf, b"<!DOCTYP", Verdict::Page),
            (FileKind::Png, b"\n  <html", Verdict::Page),
            (FileKind::Png, b"\xef\xbb\xbf<?xml", Verdict::Page),
            (FileKind::Pdf, b"{\"messag", Verdict::Page),
            (FileKind::Pdf, b"        ", Verdict::Page),
            (FileKind::Pdf, b"", Verdict::Cut),
            (FileKind::Pdf, b"%PD", Verdict::Cut),
            (FileKind::Png, b"\x89PNG", Verdict::Cut),
            (FileKind::Png, b"GIF", Verdict::Wrong),
        ] {
            assert_eq!(judge(kind, head), verdict, "{kind:?} {:?}", String::from_utf8_lossy(head));
        }
    }
}
