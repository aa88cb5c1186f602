//! Load tests of whole processes, and their report. bench/README.md says what is measured and how
//! to read it.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod growth;
mod handwritten;
mod hooks;
mod live;
mod load;
mod nodes;
mod plan;
mod reads;
mod report;
mod results_page;
mod row_by_row;
mod run_facts;
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
    /// Write the report into docs/PERFORMANCE.md, or into this file, between the marks of the part
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "the option may come without a file")]
    write: Option<Option<PathBuf>>,
}

#[derive(Subcommand)]
enum Command {
    /// Every part with its default settings; writes all tables of docs/PERFORMANCE.md
    All(All),
    #[command(flatten)]
    Part(Part),
    /// One of the servers, on a free port (started by the other commands)
    #[command(hide = true)]
    Server {
        /// Which server to start.
        kind: server::Kind,
        /// The URL of the database.
        database: String,
    },
}

/// Which parts run, and how large.
#[derive(Args)]
struct All {
    /// Measure growth too. It needs hours and some 25 GB
    #[arg(long)]
    growth: bool,
    /// Check in about a minute that every part works, growth too. The figures mean nothing, so they
    /// are only written into a file that --write=FILE names
    #[arg(long, conflicts_with = "growth")]
    quick: bool,
}

/// A part, and its settings.
#[derive(Subcommand)]
enum Part {
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
    /// Idle subscribers, for the memory of each. One client may have 5000 streams, or fewer if a
    /// process may open fewer than 10,064 files
    #[arg(long, default_value_t = 4000)]
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
    /// Measure SQLite alone
    #[arg(long, conflicts_with = "only_postgres")]
    only_sqlite: bool,
    /// Measure PostgreSQL alone
    #[arg(long)]
    only_postgres: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::print_failure(&failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { command, write }: Arguments) -> Result<(), Failure> {
    match command {
        Command::All(all) => plan::Plan::of_all(&all, write)?.run().await,
        Command::Part(part) => plan::Plan::of_part(part, write)?.run().await,
        Command::Server { kind, database } => server::serve(kind, &database).await,
    }
}
