//! Filling a database in bulk, through the service's own verifying, normalising and writer, without
//! HTTP. As many deliveries wait for the writer as it takes in a group.

use std::sync::Arc;

use bidarc::clock::Clock;
use bidarc::config::Settings;
use bidarc::domain::Seq;
use bidarc::ingest::normalise::normalise;
use bidarc::ingest::record::{DedupWindowLengths, NormalisedDelivery};
use bidarc::ingest::verify::{Hook, Verifier};
use bidarc::ingest::writer::Writer;
use bidarc::store::files::FileRecording;
use bidarc::store::{Store, log};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::report::progress;
use crate::{Failure, seed};

/// How many deliveries wait for the writer at once.
const WAITING: usize = 512;
/// Drawings of each project.
const DRAWINGS: u64 = 4;
/// Events between two lines of progress.
const PROGRESS_EVENTS: u64 = 200_000;

/// Fills a database until its log has this many events.
pub(super) async fn fill(url: &str, events: u64) -> Result<(), Failure> {
    let mut settings = Settings::defaults()?;
    settings.database.url = url.into();
    let clock = Clock::system();
    let store = Store::open(&settings.database, clock.now()).await?;
    let Seq(head) = log::head(store.reserved_reader()).await?;
    let windows = DedupWindowLengths { state: settings.state_window(), occurrence: settings.occurrence_window() };
    let ending = CancellationToken::new();
    let (writer, writing) = Writer::start(store.clone(), windows, FileRecording::Off, ending.clone());
    let filler = Arc::new(Filler { writer, clock });
    let mut waiting = JoinSet::new();
    for number in u64::try_from(head)?..events {
        if waiting.len() >= WAITING {
            waiting.join_next().await.transpose()?.transpose()?;
        }
        let filler = Arc::clone(&filler);
        waiting.spawn(async move { filler.record(number).await });
        if number % PROGRESS_EVENTS == 0 {
            progress(&format!("  {number} of {events} events"));
        }
    }
    while let Some(recorded) = waiting.join_next().await {
        recorded??;
    }
    drop(filler);
    ending.cancel();
    writing.await?;
    store.close().await;
    Ok(())
}

struct Filler {
    writer: Writer,
    clock: Clock,
}

impl Filler {
    /// Records the event with this number: a project, and then its drawings.
    async fn record(&self, number: u64) -> Result<(), Failure> {
        let (project, drawing) = (FIRST_PROJECT + number / (DRAWINGS + 1), number % (DRAWINGS + 1));
        let body = match drawing.checked_sub(1) {
            None => seed::project_body(project),
            Some(drawing) => seed::drawing_body(project, drawing),
        };
        let verifier = Verifier { arcsite_secrets: Vec::new(), arcsite_token: None, bidsketch_token: None, open: true };
        let candidate = verifier.judge_head(Hook::Arcsite, None, None)?;
        let delivery = verifier.verify(candidate.with_body(Vec::new(), body.into_bytes(), self.clock.now()))?;
        let event = delivery.text().and_then(|text| normalise(delivery.provider(), text));
        self.writer.record(NormalisedDelivery { delivery, event }).await?;
        Ok(())
    }
}

/// The projects of a measurement have the numbers below.
const FIRST_PROJECT: u64 = 100_000_000;
