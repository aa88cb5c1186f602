//! The command line.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bidarc::app::Service;
use bidarc::clock::Clock;
use bidarc::config::{Database, LogFormat, Overrides, Settings};
use bidarc::ingest::rebuild::{self, RebuildProgress};
use bidarc::store::{OpenError, Store};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use commands::backup::{self, BackupCommand};
use commands::copy::{self, CopyCommand};
use commands::files::{self, FilesCommand};
use commands::keys::{self, KeysCommand};
use commands::log_writer::{self, LogWriter};
use commands::progress_line::ProgressLine;
use commands::signals::StopSignals;

mod commands {
    pub(crate) mod backup;
    pub(crate) mod copy;
    pub(crate) mod files;
    pub(crate) mod keys;
    pub(crate) mod log_writer;
    pub(crate) mod progress_line;
    pub(crate) mod signals;
    pub(crate) mod verify_files;
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Receives the webhooks of ArcSite and Bidsketch, stores every delivery, and serves one GraphQL
/// API over both.
///
/// Without a command, bidarc serves. A first try needs no settings: start it, open
/// http://127.0.0.1:8080/, and post a sample delivery to
/// http://127.0.0.1:8080/webhooks/arcsite. Before other machines can use it, make a key: bidarc
/// keys add NAME --scope manage.
///
/// bidarc reads its settings from bidarc.toml, then from environment variables, then from options;
/// the last one wins. The variable of server.listen is BIDARC_SERVER__LISTEN, with two underscores
/// between section and key. bidarc.example.toml lists every setting with its default.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Read the settings from this file
    /// [default: bidarc.toml in the working directory, if it exists]
    #[arg(long, env = "BIDARC_CONFIG", value_name = "PATH", global = true)]
    config: Option<PathBuf>,
    /// Use this database, for example sqlite://bidarc.db; overrides database.url
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[command(flatten)]
    serve: ServeOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The options of `serve`. They stand before it too, because it is the default.
#[derive(Args, Clone)]
struct ServeOptions {
    /// Listen on this address, for example 127.0.0.1:8080; overrides server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

#[derive(Clone, Subcommand)]
enum Command {
    /// Serve the hooks and the API until SIGTERM, SIGHUP or Ctrl-C (this is the default)
    ///
    /// At start it creates the tables of the database, or upgrades them to this version. At a
    /// signal it finishes the requests that have come whole, for server.shutdown_grace_seconds at
    /// most. A second signal ends it at once.
    Serve(ServeOptions),
    /// Print the GraphQL schema in SDL
    Schema(UnusedOptions),
    /// Rebuild the current state (projects, drawings, clients, proposals, payments) from the log of
    /// events
    ///
    /// Run it after an upgrade that reads events differently. It is one transaction: if it is
    /// interrupted, nothing changes. A running service still answers queries during the rebuild. It
    /// answers deliveries with 503, and the vendors send them again.
    Rebuild,
    /// Write a complete, verified copy of a SQLite database into a new file
    ///
    /// It works beside a running service, which goes on without a pause, and while none runs, also
    /// after a crash. Copying bidarc.db with other programs misses what is in bidarc.db-wal. To
    /// restore, stop the service, remove bidarc.db-wal and bidarc.db-shm, copy the backup to
    /// bidarc.db, and start the service. PostgreSQL has its own program; this command shows how to
    /// call it.
    Backup(BackupCommand),
    /// Copy everything to another, empty database, for example from SQLite to PostgreSQL
    ///
    /// Stop the service first, copy, set database.url to the new database, and start the service
    /// again. Keys, webhooks and cursors stay valid. A copy that is interrupted copies nothing. A
    /// service that still runs during the copy answers deliveries with 503, and the vendors send
    /// them again.
    Copy(CopyCommand),
    /// Fetch files once more, verify them, and remove old ones
    #[command(subcommand)]
    Files(FilesCommand),
    /// Add, list and revoke the keys of the API
    #[command(subcommand)]
    Keys(KeysCommand),
}

/// Options that every command takes and that change nothing here, so that no help shows them.
#[derive(Args, Clone)]
struct UnusedOptions {
    #[arg(long, hide = true)]
    config: Option<PathBuf>,
    #[arg(long, hide = true)]
    database_url: Option<String>,
}

type BoxError = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let command = arguments.command.take().unwrap_or_else(|| Command::Serve(arguments.serve.clone()));
    if let Command::Serve(options) = &command {
        arguments.serve.listen = options.listen.clone().or(arguments.serve.listen);
    } else if arguments.serve.listen.is_some() {
        let message = "--listen is an option of `bidarc serve`; the other commands listen nowhere";
        Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    let done = match command {
        Command::Serve(_) => run_serve(arguments),
        Command::Schema(_) => write_stdout(&bidarc::graphql::sdl()),
        Command::Rebuild => run_rebuild(arguments),
        Command::Backup(command) => run_backup(arguments, command),
        Command::Copy(command) => run_copy(arguments, command),
        Command::Files(command) => run_files(arguments, command),
        Command::Keys(command) => run_keys(arguments, command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If standard error is closed or not read, the exit code alone reports the failure.
            let message = format!("bidarc: {failure}\n");
            let _ = log_writer::within_time(move || io::stderr().write_all(message.as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn write_stdout(text: &str) -> Result<(), BoxError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes the greeting of the service. If standard output is not read, the service starts without
/// waiting for it.
fn write_greeting(text: String) -> Result<(), BoxError> {
    let written = log_writer::within_time(move || write_stdout(&text).map_err(|error| error.to_string()));
    Ok(written.unwrap_or(Ok(()))?)
}

/// Reads the settings, initialises logging and builds the runtime.
fn bootstrap(arguments: Arguments) -> Result<(Settings, tokio::runtime::Runtime, LogWriter), BoxError> {
    let flags = Overrides { listen: arguments.serve.listen, database_url: arguments.database_url };
    let settings = Settings::load(arguments.config.as_deref(), std::env::vars_os(), flags)?;
    let log = init_logging(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok((settings, runtime, log))
}

/// Opens the database for a command. One reader is enough: commands read one query at a time. Only
/// a command that may create a database does, and only one that a flag, a variable or a file names:
/// in the wrong directory the default is a path that no service uses.
async fn open_store(settings: &Settings, may_create: bool) -> Result<Store, BoxError> {
    let database = Database { readers: 1, ..settings.database.clone() };
    let now = Clock::system().now();
    let opened = if may_create && database.is_named {
        Store::open(&database, now).await
    } else {
        Store::open_existing(&database, now).await
    };
    opened.map_err(|error| match error {
        OpenError::NotThere(problem) => {
            let remedy = if database.is_named {
                "check database.url, or start the service, which makes it"
            } else {
                "run this where the service runs, or name its database with --database-url, BIDARC_DATABASE__URL or \
                 --config"
            };
            format!("{problem}: {remedy}\n  database.url is {}", database.url).into()
        }
        error @ (OpenError::Unsupported(_)
        | OpenError::Served(_)
        | OpenError::SchemaTooNew { .. }
        | OpenError::Unwritable { .. }
        | OpenError::Store(_)) => format!("{error}\n  database.url is {}", database.url).into(),
    })
}

fn run_keys(arguments: Arguments, command: KeysCommand) -> Result<(), BoxError> {
    let (settings, runtime, _log) = bootstrap(arguments)?;
    runtime.block_on(keys::run(command, &settings))
}

fn run_files(arguments: Arguments, command: FilesCommand) -> Result<(), BoxError> {
    let (settings, runtime, _log) = bootstrap(arguments)?;
    runtime.block_on(files::run(command, &settings))
}

fn run_backup(arguments: Arguments, command: BackupCommand) -> Result<(), BoxError> {
    let (settings, runtime, _log) = bootstrap(arguments)?;
    runtime.block_on(backup::run(command, &settings))
}

fn run_copy(arguments: Arguments, command: CopyCommand) -> Result<(), BoxError> {
    let (settings, runtime, _log) = bootstrap(arguments)?;
    runtime.block_on(copy::run(command, &settings))
}

fn run_rebuild(arguments: Arguments) -> Result<(), BoxError> {
    let (settings, runtime, _log) = bootstrap(arguments)?;
    runtime.block_on(async {
        let store = open_store(&settings, false).await?;
        let mut progress = ProgressLine::new("rebuilding", "events");
        let done = rebuild::rebuild(&store, |RebuildProgress { done, total, .. }| progress.report(done, total)).await?;
        store.close().await;
        progress.finish();
        write_stdout(&format!("rebuilt from {} events", done.total))?;
        if done.skipped > 0 {
            write_stdout(&format!(
                ", skipping {} that this version reads differently (the log above names them)",
                done.skipped
            ))?;
        }
        write_stdout("\n")
    })
}

fn run_serve(arguments: Arguments) -> Result<(), BoxError> {
    let (settings, runtime, log) = bootstrap(arguments)?;
    runtime.block_on(async {
        let signals = StopSignals::listen()?;
        // With a limit on file sizes (ulimit -f) a write past it would end the process. With the
        // signal handled, the write fails, and the delivery is answered 503.
        let _file_too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
        tokio::spawn(log.report_dropped_lines());
        let listener = TcpListener::bind(settings.server.listen).await.map_err(|error| {
            let listen = settings.server.listen;
            let advice = if error.kind() == io::ErrorKind::AddrInUse {
                "\nAnother program listens there, perhaps another bidarc: end it, or choose another port"
            } else {
                ""
            };
            format!("cannot listen on {listen} (server.listen, --listen): {error}{advice}")
        })?;
        let service = Service::open(&settings, Clock::system(), &listener).await?;
        write_greeting(service.greeting())?;
        Ok(service.serve(listener, signals.first()).await?)
    })
}

fn init_logging(settings: &Settings) -> Result<LogWriter, BoxError> {
    let filter = EnvFilter::try_new(&settings.log.filter)?;
    // The WebSocket library logs whole frames below INFO, and the first frame of a client holds its
    // token. The migration library logs two lines a step, where the store says the same in one.
    // The database's driver logs unknown parameters of its URL, and lines of a password file that
    // it cannot read, with their values.
    let without_noise = filter_fn(|log| {
        if log.target().starts_with("sqlx_postgres::options")
            && (log.fields().field("value").is_some() || log.fields().field("line").is_some())
        {
            return false;
        }
        let level_max = if log.target().starts_with("sea_orm_migration") { Level::WARN } else { Level::INFO };
        let is_noisy = ["tungstenite", "sea_orm_migration"].iter().any(|noisy| log.target().starts_with(noisy));
        !is_noisy || *log.level() <= level_max
    });
    let log = tracing_subscriber::registry().with(filter).with(without_noise);
    let (writer, lines) = LogWriter::start();
    let layer = tracing_subscriber::fmt::layer().with_writer(lines);
    match settings.log.format {
        LogFormat::Text => log.with(layer.with_ansi(io::stderr().is_terminal())).init(),
        LogFormat::Json => log.with(layer.json()).init(),
    }
    // Standard error itself could block the thread that panics.
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(backtrace = %std::backtrace::Backtrace::capture(), "{panic}");
    }));
    Ok(writer)
}
