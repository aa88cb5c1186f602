//! `bidarc files`: fetches files once more, verifies them, and removes old ones.

use bidarc::app::outbound_settings;
use bidarc::auth::Keys;
use bidarc::clock::Clock;
use bidarc::config::{Database, Settings};
use bidarc::domain::FileId;
use bidarc::files::location::Location;
use bidarc::files::outbound::Outbound;
use bidarc::files::retention::{Retention, remove_page};
use bidarc::files::storage::FileStore;
use bidarc::files::worker::{Parts, Worker};
use bidarc::store::files::make_due;
use bidarc::store::{Job, OpenError, Store};
use clap::{Args, Subcommand};
use tokio::runtime::Handle;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use crate::commands::progress_line::ProgressLine;
use crate::commands::verify_files::{self, VerifyCommand};
use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Subcommand)]
pub(crate) enum FilesCommand {
    /// Fetch once more each file that failed or waits, and whose link still lives
    ///
    /// A running service fetches them; where none runs, this command does. Files that were refused
    /// stay so.
    Fetch,
    /// Remove the files that are older than files.keep_pdf_days and files.keep_png_days allow
    ///
    /// A running service does so by itself, once a day.
    Prune(PruneCommand),
    /// Read every stored file, and find those that are missing, damaged or without a row in the
    /// database
    ///
    /// It works beside a running service. A backup of the database does not hold the bytes of
    /// files: after a restore, this finds what differs.
    Verify(VerifyCommand),
}

#[derive(Clone, Args)]
pub(crate) struct PruneCommand {
    /// List the files that would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs a command on the files of the settings.
pub(crate) async fn run(command: FilesCommand, settings: &Settings) -> Result<(), BoxError> {
    match command {
        FilesCommand::Fetch => fetch(settings).await,
        FilesCommand::Verify(command) => verify_files::run(&command, settings).await,
        FilesCommand::Prune(PruneCommand { dry_run }) => {
            let retention = Retention::of(&settings.files);
            if retention.is_empty() {
                return write_stdout(
                    "retention is off: set files.keep_pdf_days or files.keep_png_days, and older files are removed\n",
                );
            }
            if dry_run { list_old(retention, settings).await } else { prune(retention, settings).await }
        }
    }
}

async fn fetch(settings: &Settings) -> Result<(), BoxError> {
    let (clock, place) = (Clock::system(), place(settings)?);
    let store = open_store(settings, false).await?;
    let tx = store.begin().await?;
    let files = make_due(&tx, clock.now()).await?;
    store.commit(tx, None).await?;
    store.close().await;
    if files == 0 {
        return write_stdout("nothing to fetch: no waiting or failed file has a link that still lives\n");
    }
    let Some(store) = open_without_service(settings).await? else { return hand_over(files) };
    // A key ends open mode, for this command too.
    let is_open_mode = settings.is_open_mode(settings.server.listen);
    let keys = Keys::new(store.clone(), clock.clone(), is_open_mode).await?;
    let parts = Parts {
        store: store.clone(),
        files: FileStore::open(&place)?,
        outbound: Outbound::new(outbound_settings(settings, keys.is_open_mode()), clock.clone())?,
        clock,
        downloads: Handle::current(),
        stopping: CancellationToken::new(),
    };
    let mut progress = ProgressLine::new("fetching", "files");
    let stored = Worker::new(parts, &settings.files).run_once(|done, total| progress.report(done, total)).await;
    progress.finish();
    store.close().await;
    match stored? {
        Some(stored) => write_stdout(&format!("stored {stored} of {files} files\n")),
        None => hand_over(files),
    }
}

fn hand_over(files: u64) -> Result<(), BoxError> {
    write_stdout(&format!("{files} files are due; the running service fetches them\n"))
}

async fn list_old(retention: Vec<Retention>, settings: &Settings) -> Result<(), BoxError> {
    let now = Clock::system().now();
    let store = open_store(settings, false).await?;
    let (mut files, mut bytes) = (0_u64, 0_u64);
    for retention in retention {
        let mut last = FileId(0);
        loop {
            let page = retention.list(&store, now, last).await?;
            let Some(newest) = page.last() else { break };
            last = newest.id;
            for file in page {
                files += 1;
                bytes += file.size_bytes;
                let name = file.name.as_deref().unwrap_or("(no name)");
                let (id, kind) = (file.id.0, retention.kind);
                write_stdout(&format!("{id}\t{kind}\t{}\t{} bytes\t{name:?}\n", file.stored_at, file.size_bytes))?;
            }
        }
    }
    store.close().await;
    write_stdout(&format!("{files} files of {bytes} bytes would be removed; equal bytes of other files stay\n"))
}

async fn prune(retention: Vec<Retention>, settings: &Settings) -> Result<(), BoxError> {
    let (now, place) = (Clock::system().now(), place(settings)?);
    let store = open_store(settings, false).await?;
    let mut marked = 0;
    for retention in retention {
        loop {
            let page = retention.mark_page(&store, now).await?;
            marked += page.files;
            if page.is_last {
                break;
            }
        }
    }
    store.close().await;
    // Beside a fetch, no other process may remove bytes.
    let removed = match open_without_service(settings).await? {
        Some(store) => {
            let mut locks = store.job_locks().await?;
            let files = FileStore::open(&place)?;
            let is_alone = locks.try_lock(Job::Files).await?;
            // Asked before each page: a server may have ended the lock.
            while is_alone && locks.try_lock(Job::Files).await? {
                let page = remove_page(&store, &files, &RwLock::new(()), None).await?;
                if let Some(error) = page.failure {
                    return Err(format!("bytes of old files cannot be removed: {error}").into());
                }
                if page.last.is_none() {
                    break;
                }
            }
            drop(locks);
            store.close().await;
            is_alone
        }
        None => false,
    };
    let rest = if removed { "" } else { "; the running service will delete their bytes" };
    write_stdout(&format!("removed {marked} files{rest}\n"))
}

fn place(settings: &Settings) -> Result<String, BoxError> {
    match Location::of(settings) {
        Location::Store(place) => Ok(place),
        Location::Off(reason) => Err(format!("no files are kept: {reason}").into()),
    }
}

/// Opens the database as the service does; none if one runs on this SQLite file. The nodes of a
/// PostgreSQL database share the job lock instead.
async fn open_without_service(settings: &Settings) -> Result<Option<Store>, BoxError> {
    let database = Database { readers: 1, ..settings.database.clone() };
    match Store::open_for_service(&database, Clock::system().now()).await {
        Ok(store) => Ok(Some(store)),
        Err(OpenError::Served(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
