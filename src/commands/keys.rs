//! `bidarc keys`: adds, lists and revokes the keys of the API.

use bidarc::auth::admin::Revocation;
use bidarc::auth::{ApiKey, Scope, admin, parse_expiry};
use bidarc::clock::{Clock, Time};
use bidarc::config::Settings;
use bidarc::store::{self, Store};
use chrono::SecondsFormat;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::{BoxError, open_store, write_stdout};

#[derive(Clone, Subcommand)]
pub(crate) enum KeysCommand {
    /// Add a key and print its token
    ///
    /// The command makes the database if it is not there and an option, a variable or a settings
    /// file names it.
    ///
    /// The token is the last line of standard output. Store it: bidarc shows it only now and keeps
    /// only its hash. A client sends it as `Authorization: Bearer <token>`. A running service
    /// accepts the key within a second.
    Add {
        /// The name of the key, 1 to 100 characters: the person or program that will use it
        name: String,
        /// What the key allows: read (queries and subscriptions) or manage (mutations as well)
        #[arg(long, value_parser = scope_values())]
        scope: String,
        /// When the key expires: after 90d, 12h or 4w, or at the beginning of a day in UTC, such as
        /// 2030-12-31. Without it the key never expires
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// List all keys, revoked ones included, without their tokens
    List,
    /// Revoke a key
    ///
    /// A running service refuses the key within a second, and closes the sockets and event streams
    /// that it opened. Revoking the last key brings open mode back where the settings allow it.
    Revoke {
        /// The name of the key, or its ID in `bidarc keys list`
        #[arg(value_name = "NAME")]
        name_or_id: String,
    },
}

fn scope_values() -> PossibleValuesParser {
    Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().into()
}

/// Runs the command. It needs no secret. Only `add` may create the database.
pub(crate) async fn run(command: KeysCommand, settings: &Settings) -> Result<(), BoxError> {
    let store = open_store(settings, matches!(command, KeysCommand::Add { .. })).await?;
    if store.is_new() {
        let url = &settings.database.url;
        let made = store::file(&settings.database).map_or_else(|| url.to_string(), |file| file.display().to_string());
        write_stdout(&format!("made a new database: {made}\n"))?;
    }
    let result = execute(command, &store, settings, Clock::system().now()).await;
    store.close().await;
    write_stdout(&result?)
}

/// Executes the command and returns the text to print.
async fn execute(command: KeysCommand, store: &Store, settings: &Settings, now: Time) -> Result<String, BoxError> {
    Ok(match command {
        KeysCommand::Add { name, scope, expires } => {
            let scope = Scope::from_name(&scope).ok_or("--scope must be read or manage")?;
            let expires_at = expires.map(|expires| parse_expiry(&expires, now)).transpose()?;
            let token = admin::add(store, &name, scope, expires_at, now).await?;
            let expiry = expires_at.map_or_else(String::new, |time| format!(", until {}", format_time(time)));
            format!(
                "added the key {name:?} with the scope {scope}{expiry}; store its token, it is shown only now:\n\
                 {token}\n",
                token = token.expose()
            )
        }
        KeysCommand::List => format_table(&admin::list(store).await?, now),
        KeysCommand::Revoke { name_or_id } => {
            let Revocation { key, remaining } = admin::revoke(store, &name_or_id, now).await?;
            let mut text = format!("revoked the key {} ({:?})\n", key.id, key.name);
            if remaining == 0 {
                text.push_str(last_key_warning(settings));
            }
            text
        }
    })
}

/// What it means that no key is left. The service may have other settings than this command, so the
/// text names those that decide.
fn last_key_warning(settings: &Settings) -> &'static str {
    if settings.is_open_mode(settings.server.listen) {
        "no key is left, so open mode is back: on this machine every program and user can read and manage everything \
         without a key. To end it, add a key (bidarc keys add NAME --scope manage) or set server.public_url\n"
    } else {
        "no key is left: the service refuses every request to the API, and does not start again, until there is one \
         (bidarc keys add NAME --scope manage)\n"
    }
}

/// The keys as a table. The name comes last, because it can be wide.
fn format_table(keys: &[ApiKey], now: Time) -> String {
    if keys.is_empty() {
        return "there are no keys; add one: bidarc keys add NAME --scope read|manage\n".to_owned();
    }
    let row = |id: &str, scope: &str, created: &str, revoked: &str, expires: &str, used: &str, name: &str| {
        format!("{id:<4} {scope:<6} {created:<20} {revoked:<20} {expires:<20} {used:<20} {name}\n")
    };
    let time = |time: Option<Time>| time.map_or_else(|| "-".to_owned(), format_time);
    let mut text = row("ID", "SCOPE", "CREATED", "REVOKED", "EXPIRES", "LAST USED", "NAME");
    for key in keys {
        let is_expired = key.revoked_at.is_none() && key.is_expired(now);
        let revoked = if is_expired { "expired".to_owned() } else { time(key.revoked_at) };
        text.push_str(&row(
            &key.id.to_string(),
            key.scope.as_str(),
            &format_time(key.created_at),
            &revoked,
            &time(key.expires_at),
            &time(key.last_used_at),
            &key.name,
        ));
    }
    text
}

fn format_time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
