//! The parts of the way of a delivery and of a page, each alone: `cargo bench -p bench`.
//!
//! They show where time goes when a part is changed. What a user waits for is measured by the
//! programs of this crate.

use std::hint::black_box;

use bidarc::clock::Clock;
use bidarc::config::Settings;
use bidarc::domain::{LogId, Provider, Seq};
use bidarc::graphql::event_cursor;
use bidarc::ingest::normalise::normalise;
use bidarc::ingest::record::{DedupWindowLengths, NormalisedDelivery};
use bidarc::ingest::verify::{Hook, Verifier};
use bidarc::ingest::writer::Writer;
use bidarc::store::Store;
use bidarc::store::files::FileRecording;
use bidarc::store::read::events_after;
use bidarc::store::read::filter::EventFilter;
use bidarc::vendor::arcsite::signature::Signature;
use bidarc::vendor::links::digest_without_signed_queries;
use divan::Bencher;
use secrecy::SecretString;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

/// A body of 280 bytes, as ArcSite's documentation shows it.
fn project(number: u64) -> String {
    format!(
        r#"{{"event":"project.created","data":{{"id":{},"name":"Deck and pergola","created_at":"2022-01-16T04:19:23","updated_at":"2022-01-16T04:19:23","job_number":"144111","customer":{{"name":"Jack","phone":"1441","second_phone":"1122"}},"tags":["deck","lot"]}}}}"#,
        36_029_621_652_000_000 + number
    )
}

/// The types whose bodies differ most: plain values, expiring links, an amount, and Bidsketch's.
const TYPES: [&str; 4] = ["project.created", "drawing.updated", "proposal.payment.received", "proposal_viewed"];

/// A body of a type, in the form that its vendor documents.
fn body(vendor_type: &str) -> (Provider, String) {
    let data = match vendor_type {
        "project.created" => return (Provider::Arcsite, project(1)),
        "drawing.updated" => {
            r#"{"id":36029621652000001,"project_id":36029621652000000,"name":"Sheet 1","pdf_url":"https://cdn.example.com/1/1.pdf?Expires=1767225600&Signature=c2lnbmF0dXJl&Key-Pair-Id=K1","png_url":"https://cdn.example.com/1/1.png?Expires=1767225600&Signature=c2lnbmF0dXJl&Key-Pair-Id=K1"}"#
        }
        "proposal.payment.received" => {
            r#"{"proposal_id":36029621652000002,"drawing_id":36029621652000001,"paid_amount":1250.50,"pay_channel":"mark_as_paid","paid_time":"2022-01-16T04:19:23"}"#
        }
        _ => {
            r#"{"id":11051955,"name":"Deck and pergola","status":"Viewed","updated_at":"2014-04-08T15:16:23-05:00","client":{"id":4815162342,"name":"Jack"}}"#
        }
    };
    let provider = if vendor_type.contains('.') { Provider::Arcsite } else { Provider::Bidsketch };
    (provider, format!(r#"{{"event":"{vendor_type}","data":{data}}}"#))
}

/// The signature over the raw body. It need not match: the time is the same.
#[divan::bench]
fn verify(bencher: Bencher) {
    let (body, header) = (project(1), format!("t=1700000000,v={}", "ab".repeat(32)));
    let secrets = [SecretString::from("a secret of the benchmark")];
    bencher.bench_local(|| {
        Signature::parse(black_box(&header)).map(|signature| signature.verify(body.as_bytes(), &secrets))
    });
}

/// The digest of a payload without the queries of its expiring links.
#[divan::bench(args = TYPES)]
fn identity(bencher: Bencher, vendor_type: &str) {
    let (_, body) = body(vendor_type);
    bencher.bench_local(|| digest_without_signed_queries(black_box(&body)));
}

/// A body to an event, its identity included.
#[divan::bench(args = TYPES, name = "normalise")]
fn normalise_body(bencher: Bencher, vendor_type: &str) {
    let (provider, body) = body(vendor_type);
    if let Err(error) = normalise(provider, &body) {
        panic!("{vendor_type} is not normalised: {error:?}");
    }
    bencher.bench_local(|| normalise(provider, black_box(&body)));
}

#[divan::bench]
fn cursor(bencher: Bencher) {
    let log = LogId("0123456789abcdef".into());
    bencher.bench_local(|| event_cursor(black_box(&log), Seq(123_456)));
}

/// New projects, recorded in one SQLite transaction that is on disk.
#[divan::bench(args = [1, 64], sample_count = 50)]
fn record(bencher: Bencher, deliveries: u64) {
    let recorder = Recorder::start();
    let mut next = 0;
    bencher.bench_local(|| {
        next += deliveries;
        recorder.record(next..next + deliveries);
    });
}

/// A page of 50 events, read from SQLite with all columns.
#[divan::bench]
fn page(bencher: Bencher) {
    let recorder = Recorder::start();
    recorder.record(0..1000);
    let filter = EventFilter::default();
    bencher.bench_local(|| {
        let page = events_after(recorder.store.reader(), &filter, (Seq(950), Seq(1000)), (50, u64::MAX));
        recorder.runtime.block_on(page)
    });
}

/// A database with a writer. It is deleted when this is dropped.
struct Recorder {
    runtime: Runtime,
    store: Store,
    writer: Writer,
    _directory: tempfile::TempDir,
}

impl Recorder {
    fn start() -> Self {
        let done = || -> Result<Self, Box<dyn std::error::Error>> {
            let (runtime, directory) = (Runtime::new()?, tempfile::tempdir()?);
            let mut settings = Settings::defaults()?;
            settings.database.url = format!("sqlite://{}", directory.path().join("bench.db").display()).into();
            let store = runtime.block_on(Store::open(&settings.database, Clock::system().now()))?;
            let windows =
                DedupWindowLengths { state: settings.state_window(), occurrence: settings.occurrence_window() };
            let (writer, _) = runtime.block_on(async {
                Writer::start(store.clone(), windows, FileRecording::Off, CancellationToken::new())
            });
            Ok(Self { runtime, store, writer, _directory: directory })
        };
        done().unwrap_or_else(|error| panic!("no database: {error}"))
    }

    /// Records new projects, all of which wait for the writer at once.
    fn record(&self, numbers: std::ops::Range<u64>) {
        let verifier = Verifier { arcsite_secrets: Vec::new(), arcsite_token: None, bidsketch_token: None, open: true };
        let mut waiting = JoinSet::new();
        for number in numbers {
            let Ok(candidate) = verifier.judge_head(Hook::Arcsite, None, None) else { panic!("the hook is not open") };
            let delivery = candidate.with_body(Vec::new(), project(number).into_bytes(), Clock::system().now());
            let Ok(delivery) = verifier.verify(delivery) else { panic!("the hook is not open") };
            let event = normalise(Provider::Arcsite, &project(number));
            let writer = self.writer.clone();
            waiting.spawn_on(
                async move { writer.record(NormalisedDelivery { delivery, event }).await },
                self.runtime.handle(),
            );
        }
        let results = self.runtime.block_on(waiting.join_all());
        assert!(results.iter().all(Result::is_ok), "a delivery was not recorded");
    }
}
