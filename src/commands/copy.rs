//! `bidarc copy`: moves everything to another database.

use bidarc::clock::Clock;
use bidarc::config::{Database, Settings};
use bidarc::shown_url::SecretUrl;
use bidarc::store::Store;
use bidarc::store::copy::{CopyProgress, copy_database};
use clap::Args;

use crate::commands::progress_line::ProgressLine;
use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Args)]
pub(crate) struct CopyCommand {
    /// The URL of the new database, which must have no tables or only empty ones
    ///
    /// If the URL has a password, set BIDARC_COPY_TO instead: other users of the machine can see
    /// the options in the list of processes.
    #[arg(long, value_name = "URL", env = "BIDARC_COPY_TO", hide_env_values = true)]
    to: String,
}

/// Copies the database of the settings into another.
pub(crate) async fn run(command: CopyCommand, settings: &Settings) -> Result<(), BoxError> {
    let source = &settings.database;
    let target = Database { url: SecretUrl::from(command.to), readers: 1, ..source.clone() };
    if target.url == source.url {
        return Err("--to names the source database; name another, empty database".into());
    }
    let from = open_store(settings, false).await?;
    // No service may use the target meanwhile: the copy gives it another log.
    let to = Store::open_for_service(&target, Clock::system().now()).await;
    let to = to.map_err(|error| format!("{error}\n  --to is {}", target.url))?;
    if to.log_id() == from.log_id() {
        return Err("--to names the source database, or an earlier copy of it; name another, empty database".into());
    }
    let mut progress = ProgressLine::new("copying", "rows");
    let copied = copy_database(&from, &to, |CopyProgress { done, total }| progress.report(done, total)).await;
    progress.finish();
    to.close().await;
    from.close().await;
    let CopyProgress { done, .. } = copied.map_err(|error| format!("nothing was copied: {error}"))?;
    write_stdout(&format!(
        "copied {done} rows; now set database.url to the URL of the copy ({}) and start bidarc\n",
        target.url
    ))
}
