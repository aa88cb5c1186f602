//! `bidarc keys`: making, listing and revoking the keys of the API.

use bidarc::auth::{Key, Scope, admin};
use bidarc::clock::{Clock, Time};
use bidarc::config::Settings;
use bidarc::store::Store;
use chrono::SecondsFormat;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::{Failure, open_store, say};

#[derive(Clone, Subcommand)]
pub(crate) enum Keys {
    /// Make a key and print its token, which is shown this once and kept nowhere
    ///
    /// The token is the last line of standard output. A client sends it as `Authorization: Bearer <token>`.
    Add {
        /// What to call it: for whom or for what it is, 1 to 100 characters
        name: String,
        /// `read` for queries and subscriptions, `manage` for mutations as well
        #[arg(long, value_parser = scopes())]
        scope: String,
    },
    /// List every key there ever was, without its token
    List,
    /// Revoke a key: a running service refuses it within a second and closes the sockets that it opened
    Revoke {
        /// Its name, or its number in the list
        #[arg(value_name = "NAME")]
        which: String,
    },
}

fn scopes() -> PossibleValuesParser {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().into()
}

/// Does what the command says. The database is made if it is not there; no secret is needed.
pub(crate) async fn run(command: Keys, settings: &Settings) -> Result<(), Failure> {
    let store = open_store(settings).await?;
    let done = execute(command, &store, Clock::system().now()).await;
    store.close().await;
    say(&done?)
}

/// What is to be printed.
async fn execute(command: Keys, store: &Store, now: Time) -> Result<String, Failure> {
    Ok(match command {
        Keys::Add { name, scope } => {
            let scope = Scope::from_name(&scope).ok_or("the scope is read or manage")?;
            let token = admin::add(store, &name, scope, now).await?;
            format!("the key {name:?} may {scope}; its token is shown this once:\n{token}\n", token = token.expose())
        }
        Keys::List => table(&admin::list(store).await?),
        Keys::Revoke { which } => {
            let key = admin::revoke(store, &which, now).await?;
            format!("the key {} ({:?}) is revoked\n", key.id, key.name)
        }
    })
}

/// The keys in columns; the name, which can be wide, comes last.
fn table(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "there are no keys: bidarc keys add NAME --scope read|manage makes one\n".to_owned();
    }
    let line = |id: &str, scope: &str, created: &str, revoked: &str, name: &str| {
        format!("{id:<4} {scope:<6} {created:<20} {revoked:<20} {name}\n")
    };
    let mut text = line("ID", "SCOPE", "CREATED", "REVOKED", "NAME");
    for key in keys {
        let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), shown);
        text.push_str(&line(&key.id.to_string(), key.scope.as_str(), &shown(key.created_at), &revoked, &key.name));
    }
    text
}

fn shown(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
