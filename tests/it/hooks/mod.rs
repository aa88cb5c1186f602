//! Deliveries at the hook URLs: the answers, and the stored rows.

mod answers;
mod bad_row;
mod every_event;
mod long_texts;
mod many_posters;
mod open_mode;
mod payloads;
mod quarantine;
mod release;
