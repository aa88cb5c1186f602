//! `bidarc files verify`: reads every stored file and compares it with its digest.

use std::fmt::Write as _;

use bidarc::clock::Clock;
use bidarc::config::Settings;
use bidarc::files::location::Location;
use bidarc::files::storage::FileStore;
use bidarc::files::verify::{Findings, is_orphan, verify};
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

/// Verifies the files of the settings. Missing and damaged ones are an error.
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
    let mut removed = 0;
    if command.remove_orphans {
        for orphan in &findings.orphans {
            // A fetch may have stored the same bytes meanwhile.
            if !is_orphan(&database, orphan).await? {
                continue;
            }
            store.remove(orphan).await?;
            removed += 1;
        }
    }
    database.close().await;
    write_stdout(&report(&findings, removed))?;
    let faults = findings.missing.len() + findings.wrong.len();
    if faults > 0 {
        return Err(format!("{faults} files are missing or damaged; restore them from a backup of {place}").into());
    }
    if !findings.unreadable.is_empty() {
        let files = findings.unreadable.len();
        return Err(format!(
            "{files} files cannot be read; check the disk or the bucket of {place}, then verify again"
        )
        .into());
    }
    Ok(())
}

fn report(findings: &Findings, removed: usize) -> String {
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
    if removed > 0 {
        let _ = write!(text, " (removed)");
    } else if !orphans.is_empty() {
        let _ = write!(text, " (--remove-orphans removes them)");
    }
    if *young > 0 {
        let _ = write!(text, "; {young} more that no row names are younger than a day");
    }
    if *foreign > 0 {
        let _ = write!(text, "; {foreign} others are not of bidarc");
    }
    text.push('\n');
    text
}
