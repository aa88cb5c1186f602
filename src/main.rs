//! The command line.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bidarc::app::Service;
use bidarc::clock::Clock;
use bidarc::config::{Database, LogFormat, Overrides, Settings};
use bidarc::ingest::rebuild::{self, RebuildProgress};
use bidarc::store::Store;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use commands::copy::{self, CopyCommand};
use commands::keys::{self, KeysCommand};
use commands::progress_line::ProgressLine;

mod commands {
    pub(crate) mod copy;
    pub(crate) mod keys;
    pub(crate) mod progress_line;
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Receives the webhooks of ArcSite and Bidsketch, keeps every delivery, and serves one GraphQL API over both.
///
/// Without a command it serves. A first try needs no set-up: start it, open http://127.0.0.1:8080/playground, and post a
/// sample to http://127.0.0.1:8080/webhooks/arcsite. Where others are to reach it, make a key first: bidarc keys add NAME
/// --scope manage.
///
/// Settings come from bidarc.toml, then from the environment (BIDARC_SERVER__LISTEN=…), then from flags;
/// bidarc.example.toml has all of them.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// The file with the settings [default: bidarc.toml, if it is there]
    #[arg(long, env = "BIDARC_CONFIG", value_name = "PATH", global = true)]
    config: Option<PathBuf>,
    /// The address to listen on, in place of server.listen: 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS", global = true)]
    listen: Option<String>,
    /// The database, in place of database.url: sqlite://bidarc.db
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Bring the database up to date, then serve until SIGTERM or Ctrl-C
    Serve,
    /// Print the GraphQL schema
    Schema,
    /// Empty the projections and make them again from the log, with this version's code
    ///
    /// It is one transaction: interrupted, it has changed nothing. A service that runs meanwhile goes on answering queries,
    /// and asks the vendors to come again with their deliveries.
    Rebuild,
    /// Copy everything into another database, which is empty: to move from SQLite to PostgreSQL
    ///
    /// Nothing is recorded meanwhile: a service that runs asks the vendors to come again. Stop it before, and start it with the other
    /// database's URL afterwards. Keys, webhooks and cursors go on to work there. Interrupted, it has changed nothing.
    Copy(CopyCommand),
    /// Make, list and revoke the keys of the API
    #[command(subcommand)]
    Keys(KeysCommand),
}

type BoxError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let done = match arguments.command.take().unwrap_or(Command::Serve) {
        Command::Serve => run_serve(arguments),
        Command::Schema => write_stdout(&bidarc::graphql::sdl()),
        Command::Rebuild => run_rebuild(arguments),
        Command::Copy(command) => run_copy(arguments, command),
        Command::Keys(command) => run_keys(arguments, command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell where standard error is gone.
            let _ = writeln!(std::io::stderr(), "bidarc: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn write_stdout(text: &str) -> Result<(), BoxError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Reads the settings and starts the log.
fn bootstrap(arguments: Arguments) -> Result<(Settings, tokio::runtime::Runtime), BoxError> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let flags = Overrides { listen: arguments.listen, database_url: arguments.database_url };
    let settings = Settings::load(arguments.config.as_deref(), environment, flags)?;
    init_logging(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok((settings, runtime))
}

/// Opens the database for a command that ends.
async fn open_store(settings: &Settings) -> Result<Store, BoxError> {
    let database = Database { readers: 1, ..settings.database.clone() };
    let opened = Store::open(&database, Clock::system().now()).await;
    Ok(opened.map_err(|error| format!("{error}\n  database.url is {}", database.url))?)
}

fn run_keys(arguments: Arguments, command: KeysCommand) -> Result<(), BoxError> {
    let (settings, runtime) = bootstrap(arguments)?;
    runtime.block_on(keys::run(command, &settings))
}

fn run_copy(arguments: Arguments, command: CopyCommand) -> Result<(), BoxError> {
    let (settings, runtime) = bootstrap(arguments)?;
    runtime.block_on(copy::run(command, &settings))
}

fn run_rebuild(arguments: Arguments) -> Result<(), BoxError> {
    let (settings, runtime) = bootstrap(arguments)?;
    runtime.block_on(async {
        let store = open_store(&settings).await?;
        let mut progress = ProgressLine::new("rebuilding", "events");
        let done = rebuild::rebuild(&store, |RebuildProgress { done, total, .. }| progress.report(done, total)).await?;
        store.close().await;
        progress.finish();
        write_stdout(&format!("rebuilt from {} events", done.total))?;
        if done.skipped > 0 {
            write_stdout(&format!(
                ", {} of which this version reads otherwise: the log above says which",
                done.skipped
            ))?;
        }
        write_stdout("\n")
    })
}

fn run_serve(arguments: Arguments) -> Result<(), BoxError> {
    let (settings, runtime) = bootstrap(arguments)?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let listener = TcpListener::bind(settings.server.listen).await.map_err(|error| {
            format!("cannot listen on {} (server.listen, --listen): {error}", settings.server.listen)
        })?;
        let service = Service::open(&settings, Clock::system(), &listener).await?;
        print_banner(&settings, &listener, service.key_count())?;
        let shutdown = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        Ok(service.serve(listener, shutdown).await?)
    })
}

fn init_logging(settings: &Settings) -> Result<(), BoxError> {
    let filter = EnvFilter::try_new(&settings.log.filter).map_err(|error| format!("log.filter: {error}"))?;
    // What a socket sends holds its token, and the library would log all of it.
    let no_frames = filter_fn(|log| *log.level() <= Level::INFO || !log.target().starts_with("tungstenite"));
    let log = tracing_subscriber::registry().with(filter).with(no_frames);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match settings.log.format {
        LogFormat::Text => log.with(layer.with_ansi(std::io::stderr().is_terminal())).init(),
        LogFormat::Json => log.with(layer.json()).init(),
    }
    Ok(())
}

fn print_banner(settings: &Settings, listener: &TcpListener, keys: usize) -> Result<(), BoxError> {
    let base = match &settings.server.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", listener.local_addr()?),
    };
    write_stdout(&format!(
        "bidarc {version}\n  \
         playground  {base}/playground\n  \
         GraphQL     {base}/graphql (subscriptions: {base}/graphql/ws)\n  \
         ArcSite     {base}/webhooks/arcsite{arcsite}\n  \
         Bidsketch   {base}/webhooks/bidsketch{bidsketch}\n  \
         keys        {keys}\n  \
         database    {database}\n",
        arcsite = match (&settings.arcsite.path_token, settings.arcsite.signing_secrets.is_empty()) {
            (Some(_), true) => "/<arcsite.path_token>",
            (Some(_), false) => " (signed), or with /<arcsite.path_token>",
            (None, false) => " (signed)",
            (None, true) => "",
        },
        bidsketch = if settings.bidsketch.path_token.is_some() { "/<bidsketch.path_token>" } else { "" },
        keys = match keys {
            0 => "none, open mode: this machine alone is served (bidarc keys add NAME --scope manage)".to_owned(),
            keys => keys.to_string(),
        },
        version = env!("CARGO_PKG_VERSION"),
        database = settings.database.url,
    ))
}
