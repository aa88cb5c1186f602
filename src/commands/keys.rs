//! `bidarc keys`: making, listing and revoking the keys of the API.

use bidarc::auth::{ApiKey, Scope, admin};
use bidarc::clock::{Clock, Time};
use bidarc::config::Settings;
use bidarc::store::Store;
use chrono::SecondsFormat;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print its token, which is shown this once and kept nowhere
    ///
    /// The token is the last line of standard output. A client sends it as `Authorization: Bearer <token>`.
    Add {
        /// What to call it: for whom or for what it is, 1 to 100 characters
        name: String,
        /// `read` for queries and subscriptions, `manage` for mutations as well
        #[arg(long, value_parser = scope_values())]
        scope: String,
    },
    /// List every key there ever was, without its token
    List,
    /// Revoke a key: a running service refuses it within a second and closes the sockets that it opened
    Revoke {
        /// Its name, or its number in the list
        #[arg(value_name = "NAME")]
        name_or_id: String,
    },
}

fn scope_values() -> PossibleValuesParser {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().into()
}

/// Does what the command says. The database is made if it is not there; no secret is needed.
pub(crate) async fn run(command: KeysCommand, settings: &Settings) -> Result<(), BoxError> {
    let store = open_store(settings).await?;
    let done = execute(command, &store, Clock::system().now()).await;
    store.close().await;
    write_stdout(&done?)
}

/// What is to be printed.
async fn execute(command: KeysCommand, store: &Store, now: Time) -> Result<String, BoxError> {
    Ok(match command {
        KeysCommand::Add { name, scope } => {
            let scope = Scope::from_name(&scope).ok_or("the scope is read or manage")?;
            let token = admin::add(store, &name, scope, now).await?;
            format!("the key {name:?} may {scope}; its token is shown this once:\n{token}\n", token = token.expose())
        }
        KeysCommand::List => format_table(&admin::list(store).await?),
        KeysCommand::Revoke { name_or_id: which } => {
            let key = admin::revoke(store, &which, now).await?;
            format!("the key {} ({:?}) is revoked\n", key.id, key.name)
        }
    })
}

/// The keys in columns; the name, which can be wide, comes last.
fn format_table(keys: &[ApiKey]) -> String {
    if keys.is_empty() {
        return "there are no keys: bidarc keys add NAME --scope read|manage makes one\n".to_owned();
    }
    let line = |id: &str, scope: &str, created: &str, revoked: &str, name: &str| {
        format!("{id:<4} {scope:<6} {created:<20} {revoked:<20} {name}\n")
    };
    let mut text = line("ID", "SCOPE", "CREATED", "REVOKED", "NAME");
    for key in keys {
        let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), format_time);
        text.push_str(&line(
            &key.id.to_string(),
            key.scope.as_str(),
            &format_time(key.created_at),
            &revoked,
            &key.name,
        ));
    }
    text
}

fn format_time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
