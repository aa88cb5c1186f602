//! The fuzz targets: one function for each reader of foreign bytes. Each takes any bytes, and
//! panics if a promise of the reader is broken. `fuzz/` runs them under libFuzzer, and the tests
//! below run them on the same corpus with random edits.

use crate::domain::{EventKind, Header, NodeId, Provider};
use crate::files::outbound;
use crate::graphql;
use crate::http;
use crate::ingest::normalise::normalise;
use crate::vendor::arcsite::signature::{Signature, SignatureError};
use crate::vendor::content::{self, TEXT_BYTES_MAX};
use crate::vendor::envelope::{self, Envelope};

/// A target: its name, which is that of its corpus too, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("envelope", envelope),
    ("arcsite_payload", arcsite_payload),
    ("bidsketch_payload", bidsketch_payload),
    ("signature", signature),
    ("content", content),
    ("cursor", cursor),
    ("node_id", node_id),
    ("socket_message", socket_message),
    ("document", document),
    ("file_link", file_link),
];

const ARCSITE_TYPES: [&str; 9] = [
    "project.created",
    "project.updated",
    "drawing.created",
    "drawing.updated",
    "proposal.status_changed",
    "proposal.payment.received",
    "proposal.signed",
    "proposal.sent",
    "proposal.approved",
];

const BIDSKETCH_TYPES: [&str; 7] = [
    "client_created",
    "proposal_created",
    "proposal_sent",
    "proposal_viewed",
    "proposal_accepted",
    "proposal_declined",
    "proposal_accepted_or_declined",
];

/// The headers of a body, of which the first byte chooses some.
const CODINGS: [&str; 4] = ["", "gzip", "deflate", "br"];
const CONTENT_TYPES: [&str; 4] = ["", "application/json", "text/plain; charset=utf-16", "a/b; charset=\"latin1\""];

/// The text of a body as an envelope. `data` is a part of the text, unchanged.
pub fn envelope(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let data = envelope::data(text);
    if let Ok(envelope) = Envelope::parse(text) {
        assert!(text.contains(envelope.data) && envelope.data.starts_with('{'));
        assert!(serde_json::from_str::<&serde_json::value::RawValue>(envelope.data).is_ok());
        assert_eq!(data.map(serde_json::value::RawValue::get), Some(envelope.data));
    }
}

/// A payload of ArcSite, as each of its types.
pub fn arcsite_payload(bytes: &[u8]) {
    payload(Provider::Arcsite, &ARCSITE_TYPES, bytes);
}

/// A payload of Bidsketch, as each of its types.
pub fn bidsketch_payload(bytes: &[u8]) {
    payload(Provider::Bidsketch, &BIDSKETCH_TYPES, bytes);
}

fn payload(provider: Provider, types: &[&str], bytes: &[u8]) {
    let Ok(data) = str::from_utf8(bytes) else { return };
    for vendor_type in types {
        let text = format!(r#"{{"event":"{vendor_type}","data":{data}}}"#);
        match normalise(provider, &text) {
            Ok(event) => {
                let again = normalise(provider, &text).map(|event| event.identity.digest);
                assert_eq!(again.as_ref(), Ok(&event.identity.digest), "one text has one identity");
                assert!(event.kind == EventKind::Unrecognized || event.vendor_type == *vendor_type);
                assert!(!event.subject.0.is_empty());
            }
            Err(error) => assert!(!error.detail.is_empty()),
        }
    }
}

/// A signature header. Without the secret none verifies.
pub fn signature(bytes: &[u8]) {
    let Ok(header) = str::from_utf8(bytes) else { return };
    if let Ok(signature) = Signature::parse(header) {
        assert!(signature.unix_seconds >= 0);
        let secrets = ["9f2c4d1e7b".into(), "another".into()];
        assert_eq!(signature.verify(b"{}", &secrets), Err(SignatureError::Wrong));
    }
}

/// A body with its headers, which the first byte chooses. A text is never longer than it may be.
pub fn content(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    let choose = |names: &[&str; 4], bits: u8| names[usize::from(choice >> bits & 3)].to_owned();
    let header = |name: &str, value: String| Header { name: name.to_owned(), value };
    let headers = [header("content-encoding", choose(&CODINGS, 0)), header("content-type", choose(&CONTENT_TYPES, 2))];
    if let Ok(text) = content::decode(&headers, body) {
        assert!(text.len() <= TEXT_BYTES_MAX);
    }
}

/// A cursor. A position has one cursor.
pub fn cursor(bytes: &[u8]) {
    if let Ok(cursor) = str::from_utf8(bytes) {
        graphql::fuzz_cursor(cursor);
    }
}

/// A node id. An object has one id.
pub fn node_id(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(id) = text.parse::<NodeId>() {
        assert_eq!(id.to_string(), text);
    }
}

/// A message of a client on a socket, in both protocols.
pub fn socket_message(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        http::fuzz_socket_message(text);
    }
}

/// A GraphQL document through our own checks, up to the one before it runs.
pub fn document(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        graphql::fuzz_document(text);
    }
}

/// A link to a file, and a redirect to it. No link leads elsewhere than to an allowed host.
pub fn file_link(bytes: &[u8]) {
    outbound::fuzz_link(bytes);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    /// How many edited inputs a target gets. The whole test takes a few seconds.
    const CASES: u32 = 400;

    fn directory(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
    }

    fn names(directory: &Path) -> BTreeSet<String> {
        let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let directory = directory("corpus").join(target);
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read(file).unwrap()).collect()
    }

    /// A change of an input.
    #[derive(Clone, Debug)]
    enum Edit {
        Flip(Index, u8),
        Insert(Index, Vec<u8>),
        Remove(Index, usize),
        Repeat(Index, usize, usize),
        /// Puts the end of another input of the corpus after the beginning of this one.
        Join(Index, Index, Index),
    }

    fn edit() -> impl Strategy<Value = Edit> {
        let at = any::<Index>;
        let piece = prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..5),
            "[{}\\[\\]():,\"\\\\]{1,4}|null|-?[0-9]{1,20}|\\\\ud800|\\$a|\\.\\.\\.|e9".prop_map(String::into_bytes),
        ];
        prop_oneof![
            (at(), any::<u8>()).prop_map(|(at, bits)| Edit::Flip(at, bits)),
            (at(), piece).prop_map(|(at, piece)| Edit::Insert(at, piece)),
            (at(), 1..20_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
            (at(), 1..20_usize, 2..40_usize).prop_map(|(at, count, times)| Edit::Repeat(at, count, times)),
            (at(), at(), at()).prop_map(|(at, other, from)| Edit::Join(at, other, from)),
        ]
    }

    fn apply(edit: &Edit, mut bytes: Vec<u8>, corpus: &[Vec<u8>]) -> Vec<u8> {
        let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
        match edit {
            Edit::Flip(at, bits) => {
                let at = place(at, &bytes);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
            }
            Edit::Insert(at, piece) => {
                let at = place(at, &bytes);
                bytes.splice(at..at, piece.iter().copied());
            }
            Edit::Remove(at, count) => {
                let at = place(at, &bytes);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Edit::Repeat(at, count, times) => {
                let at = place(at, &bytes);
                let piece = bytes[at..(at + count).min(bytes.len())].repeat(*times);
                bytes.splice(at..at, piece);
            }
            Edit::Join(at, other, from) => {
                let other = &corpus[other.index(corpus.len())];
                bytes.truncate(place(at, &bytes));
                bytes.extend_from_slice(&other[place(from, other)..]);
            }
        }
        bytes
    }

    #[test]
    fn every_target_takes_its_corpus_and_edits_of_it() {
        for (name, target) in TARGETS {
            let corpus = corpus(name);
            assert!(!corpus.is_empty(), "{name} has no corpus");
            corpus.iter().for_each(|bytes| target(bytes));
            let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
            let edits = (any::<Index>(), proptest::collection::vec(edit(), 1..6));
            let result = runner.run(&edits, |(seed, edits)| {
                let seed = corpus[seed.index(corpus.len())].clone();
                target(&edits.iter().fold(seed, |bytes, edit| apply(edit, bytes, &corpus)));
                Ok(())
            });
            result.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn every_target_has_its_program_and_corpus() {
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names(&directory("fuzz_targets")), targets);
        assert_eq!(names(&directory("corpus")), targets);
        let manifest = std::fs::read_to_string(directory("Cargo.toml")).unwrap();
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "fuzz/Cargo.toml has no {target}");
        }
    }
}
