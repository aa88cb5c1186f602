//! Load on whole processes, and its report. bench/README.md tells what is measured and how to read it.

use std::num::NonZeroU32;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod handwritten;
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

/// What every part may fail with: a benchmark has nobody to recover for.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Load on whole processes of bidarc, beside what it is measured against, in one run.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Queries: 50 projects with 5 drawings each, of bidarc, a hand-written handler and the row-by-row way
    Reads(Reads),
    /// Live streams: many subscribers, beside a bare broadcast and the library's stock transport
    Live(Live),
    /// One node and two on one PostgreSQL: from a post on one to a frame of the other, and durable intake beside SQLite's
    Nodes(Nodes),
    /// One of the servers, on a port of its own choice (started by the other commands)
    #[command(hide = true)]
    Server {
        /// Which one.
        kind: server::Kind,
        /// The URL of the database.
        database: String,
    },
}

/// How much, and for how long.
#[derive(Args)]
struct Reads {
    /// Projects in the database
    #[arg(long, default_value_t = 10_000)]
    projects: u64,
    /// Drawings of each project
    #[arg(long, default_value_t = 5)]
    drawings: u64,
    /// Connections that ask at once
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds for which each server is loaded in a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// How many, and for how long.
#[derive(Args)]
struct Live {
    /// Subscribers that ask for the same
    #[arg(long, default_value_t = 1000)]
    subscribers: usize,
    /// Events that are delivered to each of them in a round
    #[arg(long, default_value_t = 200)]
    events: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Different filters among the subscribers
    #[arg(long, default_value_t = 200)]
    filters: usize,
    /// Events a second while the time to a frame is measured
    #[arg(long, default_value_t = 20)]
    rate: u64,
    /// Events by which it is measured
    #[arg(long, default_value_t = 200)]
    latency_events: usize,
    /// Subscribers that have nothing to do
    #[arg(long, default_value_t = 5000)]
    idle: usize,
}

/// How many, and for how long.
#[derive(Args)]
struct Nodes {
    /// Events a second while the time to a frame is measured
    #[arg(long, default_value = "50")]
    rate: NonZeroU32,
    /// Events by which it is measured
    #[arg(long, default_value_t = 500)]
    latency_events: usize,
    /// Connections that post at once, of all nodes together; each number is measured by itself. With the greatest, more wait for a node than
    /// it writes at once; with fewer, a second node leaves each half of the group
    #[arg(long, value_delimiter = ',', default_value = "32,128,512")]
    connections: Vec<usize>,
    /// Seconds for which they post in a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the report gives their median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Reads(reads) => reads::run(&reads).await,
        Command::Live(settings) => live::run(&settings).await,
        Command::Nodes(settings) => nodes::run(&settings).await,
        Command::Server { kind, database } => server::serve(kind, &database).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::complain(&failure);
            ExitCode::FAILURE
        }
    }
}
