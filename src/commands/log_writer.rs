//! Writes the lines of the log to standard error, in a thread of its own. A reader of standard
//! error that stops reading delays no request: lines that do not fit into the queue are dropped and
//! counted.

use std::io::{self, BufWriter, Stderr, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// How many lines may wait for standard error.
const LINES_WAITING_MAX: usize = 4096;

/// How often dropped lines are counted.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How long the thread rests after it has written what waited. Under load a delivery writes a line,
/// and a thread that woke for each would cost a tenth of the service's processor time.
const REST: Duration = Duration::from_millis(5);

/// How many bytes are written at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long the end of the process waits for lines to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// The thread that writes the log. Dropping this value writes the lines that wait, if standard
/// error takes them in time.
pub(crate) struct LogWriter {
    dropped: ErrorCounter,
    guard: Option<WorkerGuard>,
}

impl LogWriter {
    /// Starts the thread. Returns the writer for the lines as well.
    pub(crate) fn start() -> (Self, NonBlocking) {
        let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_WAITING_MAX);
        let (lines, guard) =
            builder.thread_name("log").finish(Batches(BufWriter::with_capacity(BUFFER_BYTES, io::stderr())));
        (Self { dropped: lines.error_counter(), guard: Some(guard) }, lines)
    }

    /// Counts the dropped lines as long as the process runs. When lines are written again, one line
    /// says how many are missing.
    pub(crate) fn report_dropped_lines(&self) -> impl Future<Output = ()> + Send + use<> {
        let dropped = self.dropped.clone();
        async move {
            let (mut counted, mut reported) = (0, 0);
            let mut interval = tokio::time::interval(REPORT_INTERVAL);
            loop {
                interval.tick().await;
                let now = dropped.dropped_lines();
                bidarc::app::count_dropped_log_lines(now);
                // No line was dropped since the last time, so this one is not either.
                if now == counted && now > reported {
                    tracing::warn!(
                        lines = now - reported,
                        "lines of the log were dropped, because standard error was not read in time"
                    );
                    reported = now;
                }
                counted = now;
            }
        }
    }
}

/// Standard error, with the lines that wait together in one write. The thread flushes it when no
/// more lines wait.
struct Batches(BufWriter<Stderr>);

impl Write for Batches {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.0.flush();
        thread::sleep(REST);
        flushed
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let guard = self.guard.take();
        let _ = within_time(move || drop(guard));
    }
}

/// Runs something that may block for ever, such as a write to a pipe that is not read. Returns its
/// result; none if it takes too long.
pub(crate) fn within_time<T: Send + 'static>(action: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(action()));
    result.recv_timeout(WRITE_TIMEOUT).ok()
}
