//! The vault: files that outlive the links of their events.
//!
//! 1. `ingest` records a row for each link, in the transaction of its event.
//! 2. [`worker`]: takes the rows that are due, fetches their files and stores them. One node at a
//!    time works.
//! 3. [`outbound`]: judges links and downloads.
//! 4. [`storage`]: keeps bytes under their SHA-256.
//! 5. [`retention`]: removes stored files by age.
//! 6. [`signing`]: the URLs under which stored files are served, and [`thumbnail`] their small
//!    pictures.
//! 7. [`verify`]: compares the store with the database.

pub mod location;
pub mod outbound;
pub mod retention;
pub mod signing;
pub mod storage;
pub mod thumbnail;
pub mod verify;
pub mod worker;

use crate::clock::Clock;
use crate::store::Store;

use signing::UrlSigner;
use storage::FileStore;
use thumbnail::Thumbnails;

/// What shows stored files: the store, the URLs of files, and the thumbnails.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Where the bytes are.
    pub store: FileStore,
    /// Signs the URLs.
    pub signer: UrlSigner,
    /// Makes thumbnails.
    pub thumbnails: Thumbnails,
}

impl Vault {
    /// A vault over a store of files. `public_url` is the URL of the service, if it is known.
    #[must_use]
    pub fn new(store: FileStore, database: Store, clock: Clock, public_url: Option<String>) -> Self {
        let thumbnails = Thumbnails::new(store.clone());
        Self { store, signer: UrlSigner::new(database, clock, public_url), thumbnails }
    }
}
