//! The runtime of GraphQL. Its threads are its own, so that no query, however expensive, delays the
//! acknowledgement of a delivery: the operating system divides the processors between threads,
//! while a runtime does not interrupt a task.

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime that may end within another one.
#[derive(Debug)]
pub(super) struct GraphqlRuntime(Option<Runtime>);

impl GraphqlRuntime {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self(Some(Builder::new_multi_thread().thread_name("graphql").enable_all().build()?)))
    }

    /// The handle that spawns tasks on the runtime.
    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for GraphqlRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
