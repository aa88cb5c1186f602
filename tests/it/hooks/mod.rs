//! Deliveries at the hook URLs: the answers, and the stored rows.

mod answers;
mod bad_row;
mod clock_watch;
mod content;
mod every_event;
mod long_texts;
mod many_posters;
mod open_mode;
mod optional_fields;
mod payloads;
mod quarantine;
mod release;
mod release_matching;
