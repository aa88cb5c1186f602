//! `bidarc copy`: moving to another database with all that there is.

use bidarc::clock::Clock;
use bidarc::config::{Database, DatabaseUrl, Settings};
use bidarc::store::Store;
use bidarc::store::copy::{CopyProgress, copy_database};
use clap::Args;

use crate::commands::progress_line::ProgressLine;
use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Args)]
pub(crate) struct CopyCommand {
    /// The URL of the other database, which has no tables yet or empty ones; with a password better in the environment, where nobody
    /// sees it in a list of processes
    #[arg(long, value_name = "URL", env = "BIDARC_COPY_TO", hide_env_values = true)]
    to: String,
}

/// Copies the database of the settings into another.
pub(crate) async fn run(command: CopyCommand, settings: &Settings) -> Result<(), BoxError> {
    let here = &settings.database;
    let there = Database { url: DatabaseUrl::from(command.to), readers: 1, ..here.clone() };
    if there.url == here.url {
        return Err("--to names the database that is copied: name another".into());
    }
    let from = open_store(settings).await?;
    let to = Store::open(&there, Clock::system().now()).await;
    let to = to.map_err(|error| format!("{error}\n  --to is {}", there.url))?;
    if to.log_id() == from.log_id() {
        return Err("--to names the database that is copied, or one that it was copied to before: name another".into());
    }
    let mut progress = ProgressLine::new("copying", "rows");
    let copied = copy_database(&from, &to, |CopyProgress { done, total }| progress.report(done, total)).await;
    progress.finish();
    to.close().await;
    from.close().await;
    let CopyProgress { done, .. } = copied.map_err(|error| format!("nothing was copied: {error}"))?;
    write_stdout(&format!("copied {done} rows; set database.url to {} and start it there\n", there.url))
}
