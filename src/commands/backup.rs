//! `bidarc backup`: writes a copy of the database that a restore can use.

use std::io::Write;
use std::path::PathBuf;

use bidarc::config::Settings;
use bidarc::store::{Backup, BackupProgress, back_up};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::progress_line::ProgressLine;
use crate::{BoxError, write_stdout};

const MEBIBYTE: u64 = 1024 * 1024;

#[derive(Clone, Args)]
pub(crate) struct BackupCommand {
    /// The file to write, such as /var/backups/bidarc.db
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it exists; it stays as it is until the backup is complete
    #[arg(long)]
    overwrite: bool,
}

/// Backs up the database of the settings.
pub(crate) async fn run(command: BackupCommand, settings: &Settings) -> Result<(), BoxError> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut progress = ProgressLine::new("backing up", "MiB");
    let written = back_up(&settings.database, &command.file, command.overwrite, |step| match step {
        BackupProgress::Writing { done, total } => progress.report(done.div_ceil(MEBIBYTE), total.div_ceil(MEBIBYTE)),
        BackupProgress::Verifying => {
            progress.finish();
            let _ = writeln!(std::io::stderr(), "verifying the backup");
        }
    });
    // Dropped halfway, it deletes what it has written.
    let backup = tokio::select! {
        backup = written => backup,
        _ = interrupted.recv() => return Err("nothing was backed up: interrupted".into()),
    };
    let Backup { path, bytes, events } = backup.map_err(|error| format!("nothing was backed up: {error}"))?;
    write_stdout(&format!("wrote {}: {events} events, {bytes} bytes, verified\n", path.display()))
}
