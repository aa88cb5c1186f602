//! What became of a delivery.

use super::text_enum::text_enum;

text_enum! {
    /// What became of a delivery that was answered 200.
    Outcome {
        /// It made a new event.
        Accepted = "ACCEPTED",
        /// It is one more delivery of an event already in the log.
        Redelivery = "REDELIVERY",
        /// It is kept, but could not be turned into an event.
        Quarantined = "QUARANTINED",
    }
}

text_enum! {
    /// Why a delivery is in quarantine.
    QuarantineReason {
        /// The body is not JSON, or not UTF-8.
        NotJson = "NOT_JSON",
        /// The body is JSON, but not `{"event": "…", "data": {…}}`.
        NotAnEnvelope = "NOT_AN_ENVELOPE",
        /// The data does not fit its event's type.
        InvalidPayload = "INVALID_PAYLOAD",
        /// The signature is right, but its time lies outside the tolerance.
        StaleSignature = "STALE_SIGNATURE",
    }
}
