//! Load tests of whole processes, and their report. bench/README.md says what is measured and how
//! to read it.

use std::num::NonZeroU32;
use std::process::ExitCode;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod growth;
mod handwritten;
mod hooks;
mod live;
mod load;
mod nodes;
mod reads;
mod report;
mod row_by_row;
mod seed;
mod server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The error of every part. A benchmark stops at the first failure.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Load tests of whole bidarc processes, side by side with what bidarc is compared with
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Queries: 50 projects with 5 drawings each, from bidarc, a hand-written handler and the
    /// row-by-row way
    Reads(Reads),
    /// Live streams: many subscribers, compared with a bare broadcast and the library's stock
    /// transport
    Live(Live),
    /// One and two nodes on one PostgreSQL: the time from a post to a frame on either node, and
    /// durable intake compared with SQLite
    Nodes(Nodes),
    /// Deliveries beside expensive queries: the time to the 200, compared with an idle service
    Hooks(Hooks),
    /// A log of up to ten million events: intake, pages, start-up, memory and bytes on disk at each
    /// size
    Growth(Growth),
    /// One of the servers, on a free port (started by the other commands)
    #[command(hide = true)]
    Server {
        /// Which server to start.
        kind: server::Kind,
        /// The URL of the database.
        database: String,
    },
}

/// The size and length of a query benchmark.
#[derive(Args)]
struct Reads {
    /// Projects in the database
    #[arg(long, default_value_t = 10_000)]
    projects: u64,
    /// Drawings of each project
    #[arg(long, default_value_t = 5)]
    drawings: u64,
    /// Connections that send queries at once
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of load on each server in a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Another build of this program, such as one of an earlier state, whose bidarc is measured in
    /// the same run
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<PathBuf>,
}

/// The size and length of a live benchmark.
#[derive(Args)]
struct Live {
    /// Subscribers with the same subscription
    #[arg(long, default_value_t = 1000)]
    subscribers: usize,
    /// Events delivered to each subscriber in a round
    #[arg(long, default_value_t = 200)]
    events: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Different filters among the subscribers
    #[arg(long, default_value_t = 200)]
    filters: usize,
    /// Events a second while the latency is measured
    #[arg(long, default_value_t = 20)]
    rate: u64,
    /// Events in the measurement of the latency
    #[arg(long, default_value_t = 200)]
    latency_events: usize,
    /// Idle subscribers, for the memory of each
    #[arg(long, default_value_t = 5000)]
    idle: usize,
    /// Another build of this program, such as one of an earlier state, whose bidarc is measured in
    /// the same run
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<PathBuf>,
}

/// The size and length of a benchmark of nodes.
#[derive(Args)]
struct Nodes {
    /// Events a second while the latency is measured
    #[arg(long, default_value = "50")]
    rate: NonZeroU32,
    /// Events in the measurement of the latency
    #[arg(long, default_value_t = 500)]
    latency_events: usize,
    /// Connections that post at once, to all nodes together. Each number is measured separately.
    /// With the greatest, more deliveries wait for a node than it writes in one transaction; with
    /// fewer, two nodes write groups of half the size
    #[arg(long, value_delimiter = ',', default_value = "32,128,512")]
    connections: Vec<usize>,
    /// Seconds of posting in a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// The size and length of a benchmark of deliveries beside queries.
#[derive(Args)]
struct Hooks {
    /// Projects in the database, each with 5 drawings
    #[arg(long, default_value_t = 10_000)]
    projects: u64,
    /// Deliveries a second
    #[arg(long, default_value = "50")]
    rate: NonZeroU32,
    /// Connections that send expensive queries without a pause
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of each measurement in a round
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds; the report is over all of them
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// The sizes and the length of a benchmark of growth.
#[derive(Args)]
struct Growth {
    /// Events in the log, size by size
    #[arg(long, value_delimiter = ',', default_value = "100000,1000000,10000000")]
    sizes: Vec<u64>,
    /// Seconds of each measurement in a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the databases are made; without it, the directory for temporary files
    #[arg(long)]
    directory: Option<PathBuf>,
    /// A file for the plot, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Measure SQLite alone
    #[arg(long, conflicts_with = "only_postgres")]
    only_sqlite: bool,
    /// Measure PostgreSQL alone
    #[arg(long)]
    only_postgres: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Reads(reads) => reads::run(&reads).await,
        Command::Live(settings) => live::run(&settings).await,
        Command::Nodes(settings) => nodes::run(&settings).await,
        Command::Hooks(settings) => hooks::run(&settings).await,
        Command::Growth(settings) => growth::run(&settings).await,
        Command::Server { kind, database } => server::serve(kind, &database).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::print_failure(&failure);
            ExitCode::FAILURE
        }
    }
}
