//! Identity: which deliveries are the same event.

mod decisions;
mod occurrences;
mod states;
