//! The runtimes beside that of ingest. Their threads are their own, so that no query, however
//! expensive, and no download delays the acknowledgement of a delivery: the operating system
//! divides the processors between threads, while a runtime does not interrupt a task.

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime that may end within another one.
#[derive(Debug)]
pub(super) struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// The runtime of GraphQL, with a thread for each processor.
    pub(super) fn of_graphql() -> std::io::Result<Self> {
        Ok(Self(Some(Builder::new_multi_thread().thread_name("graphql").enable_all().build()?)))
    }

    /// The runtime of the downloads. One thread decrypts and hashes faster than files arrive.
    pub(super) fn of_downloads() -> std::io::Result<Self> {
        Ok(Self(Some(Builder::new_multi_thread().worker_threads(1).thread_name("files").enable_all().build()?)))
    }

    /// The handle that spawns tasks on the runtime.
    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
