//! Writes a file while its pages are read. A file that cannot be completed is cut off: its last
//! chunk is missing, which HTTP clients report as an error. So is one whose writer ends, for
//! whatever reason, before it says that the file is whole.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use csv::{Terminator, WriterBuilder};
use futures_util::stream;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cell::cell;
use super::lists::List;
use super::pages::Pages;
use crate::auth::{Access, Keys};
use crate::http::access;
use crate::http::stream_caps::StreamPlace;
use crate::metrics::EXPORTS;

/// Tells spreadsheets that a file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file whose first page is read.
pub(super) struct Export {
    pub(super) list: &'static List,
    pub(super) pages: Pages,
    pub(super) place: StreamPlace,
    pub(super) keys: Keys,
    pub(super) access: Access,
}

type Chunks = mpsc::Sender<Chunk>;

/// What a file is made of.
pub(super) enum Chunk {
    Bytes(Bytes),
    /// The file is whole.
    End,
}

/// The body of a file. It is cut off if the chunks end without [`Chunk::End`].
pub(super) fn body(chunks: mpsc::Receiver<Chunk>) -> Body {
    let state = Some(chunks);
    Body::from_stream(stream::unfold(state, async |chunks| {
        let mut chunks = chunks?;
        match chunks.recv().await {
            Some(Chunk::Bytes(bytes)) => Some((Ok(bytes), Some(chunks))),
            Some(Chunk::End) => None,
            None => Some((Err(io::Error::other("the export was cut off")), None)),
        }
    }))
}

/// Why a file is not complete.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the client has gone")]
    ClientGone,
    #[error("the service stops")]
    Stopping,
    #[error("its key was revoked")]
    Revoked,
    #[error("a page cannot be read: {0}")]
    Page(String),
    #[error("the key's streams hold too many bytes")]
    Caps,
    #[error("a row cannot be written: {0}")]
    Row(String),
}

impl Export {
    /// Writes the file, and cuts it off if its key is revoked or the service stops.
    pub(super) async fn run(mut self, first: Vec<Value>, chunks: Chunks, shutdown: CancellationToken) {
        let (keys, access, list) = (self.keys.clone(), self.access, self.list.name);
        let written = tokio::select! {
            biased;
            () = shutdown.cancelled() => Err(Cut::Stopping),
            denied = keys.wait_until_revoked(access) => {
                access::count_denied(denied);
                Err(Cut::Revoked)
            }
            written = self.write(first, &chunks) => written,
        };
        let outcome = if written.is_ok() { "complete" } else { "cut" };
        metrics::counter!(EXPORTS, "list" => list, "outcome" => outcome).increment(1);
        match written {
            Ok(rows) => {
                // The client may have gone.
                let _ = chunks.send(Chunk::End).await;
                tracing::info!(list, rows, "exported");
            }
            Err(cut) => tracing::warn!(list, cause = %cut, "an export was cut off"),
        }
    }

    /// Returns the number of rows.
    async fn write(&mut self, first: Vec<Value>, chunks: &Chunks) -> Result<usize, Cut> {
        let mut nodes = first;
        let mut chunk = BYTE_ORDER_MARK.to_vec();
        chunk.extend(rows([self.list.columns.iter().map(|column| column.title.to_owned()).collect()])?);
        let (mut count, mut sent_length) = (0, 0);
        loop {
            count += nodes.len();
            let cells = nodes.iter().map(|node| self.list.columns.iter().map(|column| cell(column, node)).collect());
            chunk.extend(rows(cells)?);
            drop(std::mem::take(&mut nodes));
            // The chunk before this one may still be on its way.
            self.place.set_waiting(sent_length + chunk.len()).map_err(|_| Cut::Caps)?;
            sent_length = chunk.len();
            chunks.send(Chunk::Bytes(std::mem::take(&mut chunk).into())).await.map_err(|_| Cut::ClientGone)?;
            if self.pages.is_last() {
                return Ok(count);
            }
            self.keys.wait_until_confirmed(self.access).await;
            nodes = self.pages.next().await.map_err(|error| Cut::Page(error.message))?;
        }
    }
}

/// Rows as RFC 4180 defines them.
fn rows(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, Cut> {
    let failed = |error: &dyn std::error::Error| Cut::Row(error.to_string());
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(error.error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_file_that_was_called_whole_ends_as_one() {
        for is_whole in [true, false] {
            let (chunks, receiver) = mpsc::channel(2);
            chunks.send(Chunk::Bytes("a,b".into())).await.unwrap();
            if is_whole {
                chunks.send(Chunk::End).await.unwrap();
            }
            drop(chunks);
            let bytes = axum::body::to_bytes(body(receiver), 100).await;
            assert_eq!(bytes.ok(), is_whole.then(|| Bytes::from("a,b")));
        }
    }
}
