//! The vault: files that outlive the links of their events.
//!
//! 1. `ingest` records a row for each link, in the transaction of its event.
//! 2. [`worker`]: takes the rows that are due, fetches their files and stores them. One node at a
//!    time works.
//! 3. [`outbound`]: judges links and downloads.
//! 4. [`storage`]: keeps bytes under their SHA-256.
//! 5. [`retention`]: removes stored files by age.

pub mod location;
pub mod outbound;
pub mod retention;
pub mod storage;
pub mod worker;
