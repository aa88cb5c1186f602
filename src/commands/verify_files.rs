//! `bidarc files verify`: reads every stored file and compares it with its digest.

use std::fmt::Write as _;

use bidarc::clock::Clock;
use bidarc::config::Settings;
use bidarc::files::location::Location;
use bidarc::files::storage::{FileStore, StoredObject};
use bidarc::files::verify::{Findings, is_orphan, verify};
use bidarc::store::Store;
use clap::Args;

use crate::commands::progress_line::ProgressLine;
use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Args)]
pub(crate) struct VerifyCommand {
    /// Remove files without a row in the database, and leftovers of uploads, that are older than a
    /// day
    #[arg(long)]
    remove_orphans: bool,
}

/// Verifies the files of the settings. Missing and damaged ones are an error, after the report.
pub(crate) async fn run(command: &VerifyCommand, settings: &Settings) -> Result<(), BoxError> {
    let location = Location::of(settings);
    let Some(place) = location.place() else { return Err("files are off: files.store names no place".into()) };
    let database = open_store(settings, false).await?;
    let store = FileStore::open(place).map_err(|error| format!("{error}\n  files.store is {place}"))?;
    let mut progress = ProgressLine::new("verifying", "files");
    let now = Clock::system().now();
    let findings = verify(&database, &store, now, |done, total| progress.report(done, total)).await;
    progress.finish();
    let findings = findings.map_err(|error| format!("the files were not verified: {error}"))?;
    let mut removed = command.remove_orphans.then_some(0);
    let removal = match &mut removed {
        Some(removed) => remove_orphans(&database, &store, &findings.orphans, removed).await,
        None => Ok(()),
    };
    database.close().await;
    write_stdout(&report(&findings, removed))?;
    let mut problems = Vec::new();
    let faults = findings.missing.len() + findings.wrong.len();
    if faults > 0 {
        problems.push(format!("{faults} files are missing or damaged; restore them from a backup of {place}"));
    }
    if !findings.unreadable.is_empty() {
        let files = findings.unreadable.len();
        problems
            .push(format!("{files} files cannot be read; check the disk or the bucket of {place}, then verify again"));
    }
    if let Err(error) = removal {
        problems.push(format!("orphans could not be removed: {error}"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n  ").into()) }
}

/// Removes orphans until one cannot be removed. Counts those that it removed.
async fn remove_orphans(
    database: &Store,
    store: &FileStore,
    orphans: &[StoredObject],
    removed: &mut usize,
) -> Result<(), BoxError> {
    for orphan in orphans {
        // A fetch may have stored the same bytes meanwhile.
        if is_orphan(database, orphan).await? {
            store.remove(orphan).await?;
            *removed += 1;
        }
    }
    Ok(())
}

/// The findings in words. `removed` is how many orphans were removed, if they were to be.
fn report(findings: &Findings, removed: Option<usize>) -> String {
    let Findings { files, bytes, missing, wrong, unreadable, orphans, young, foreign } = findings;
    let mut text = String::new();
    for (what, digests) in [("missing", missing), ("damaged", wrong)] {
        for digest in digests {
            let _ = writeln!(text, "{what}: {digest}");
        }
    }
    for (digest, error) in unreadable {
        let _ = writeln!(text, "unreadable: {digest}: {error}");
    }
    for orphan in orphans {
        let _ = writeln!(text, "orphan: {orphan}, {} bytes", orphan.size_bytes);
    }
    let _ = write!(
        text,
        "verified {files} files, {bytes} bytes: {} missing, {} damaged, {} orphans",
        missing.len(),
        wrong.len(),
        orphans.len()
    );
    if let Some(removed) = removed {
        let _ = write!(text, " ({removed} removed)");
    } else if !orphans.is_empty() {
        let _ = write!(text, " (--remove-orphans removes them)");
    }
    if *young > 0 {
        let _ = write!(text, "; {young} without a row are younger than a day");
    }
    if *foreign > 0 {
        let _ = write!(text, "; {foreign} others are not of bidarc");
    }
    text.push('\n');
    text
}
