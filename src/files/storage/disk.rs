//! The disk of a folder.

use std::path::Path;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::StorageError;

/// How long a disk may take to say what it has free.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks a disk what it has free. One that does not answer, such as a shared folder whose server is
/// away, holds one thread, however often it is asked.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// The question that is not answered yet.
    asked: Mutex<Option<JoinHandle<Option<u64>>>>,
}

impl Disk {
    /// How many bytes the disk of a folder has free; none if that cannot be told.
    pub(super) async fn free_bytes(&self, folder: &Path) -> Result<Option<u64>, StorageError> {
        let folder = folder.to_owned();
        let read = move || {
            let disk = rustix::fs::statvfs(&folder).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        };
        self.ask(ANSWER_TIMEOUT, read).await
    }

    async fn ask(
        &self,
        limit: Duration,
        read: impl FnOnce() -> Option<u64> + Send + 'static,
    ) -> Result<Option<u64>, StorageError> {
        let answer = timeout(limit, async {
            let mut asked = self.asked.lock().await;
            let answer = asked.get_or_insert_with(|| spawn_blocking(read)).await;
            *asked = None;
            answer
        });
        Ok(answer.await.map_err(|_| StorageError::TimedOut)?.ok().flatten())
    }

    /// Makes the disk one that never answers.
    #[cfg(test)]
    pub(super) async fn silence(&self) {
        *self.asked.lock().await = Some(tokio::spawn(std::future::pending()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn disk_that_does_not_answer_is_asked_once() {
        let (answer, answers) = mpsc::channel();
        let mut first = Some(answers);
        let disk = Disk::default();
        for _ in 0..3 {
            let answers = first.take();
            let read = move || answers.expect("one question is enough").recv().ok();
            let asked = disk.ask(Duration::from_millis(10), read).await;
            assert!(matches!(asked, Err(StorageError::TimedOut)), "{asked:?}");
        }
        answer.send(7).unwrap();
        assert_eq!(disk.ask(Duration::from_secs(60), || None).await.unwrap(), Some(7));
        assert_eq!(disk.ask(Duration::from_secs(60), || Some(8)).await.unwrap(), Some(8));
    }
}
