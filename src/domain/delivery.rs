//! The outcomes of a delivery, and the headers that stay with it.

use serde::{Deserialize, Serialize};

use super::text_enum::text_enum;

text_enum! {
    /// The outcome of a delivery that was answered with status 200.
    DeliveryOutcome {
        /// It made a new event.
        Accepted = "ACCEPTED",
        /// It is one more delivery of an event already in the log.
        Redelivery = "REDELIVERY",
        /// It is stored, but could not become an event.
        Quarantined = "QUARANTINED",
    }
}

text_enum! {
    /// Why a delivery is in quarantine.
    QuarantineReason {
        /// The body is not JSON, or its encoding cannot be read.
        NotJson = "NOT_JSON",
        /// The body is JSON, but not `{"event": "…", "data": {…}}`.
        NotAnEnvelope = "NOT_AN_ENVELOPE",
        /// The data does not fit its event's type, or is nested too deep.
        InvalidPayload = "INVALID_PAYLOAD",
        /// The signature is right, but its time is outside the tolerance.
        StaleSignature = "STALE_SIGNATURE",
    }
}

/// A header of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name, in lower case.
    pub name: String,
    /// Its value. Repeated headers are joined by commas.
    pub value: String,
}
