//! One hook, as it leaves a vendor.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// The vendor that sends a hook. Its rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Drawings, projects and estimates.
    Arcsite,
    /// Proposals and their clients.
    Bidsketch,
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Vendor::Arcsite => "arcsite",
            Vendor::Bidsketch => "bidsketch",
        })
    }
}

/// One hook: the event type and the body that is posted. The body never changes; a retry sends the
/// same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hook {
    /// The vendor that sends it.
    pub vendor: Vendor,
    /// The vendor's event type, such as `drawing.created` or `proposal_viewed`.
    pub event: String,
    /// The whole body, envelope included.
    pub body: String,
}

/// The envelope of both vendors. It holds no event id, no attempt and no time.
#[derive(Serialize)]
struct Envelope<'a, T: ?Sized> {
    event: &'a str,
    data: &'a T,
}

impl Hook {
    /// Wraps `data` in the envelope. `data` is a payload of this crate or, for an odd one in a
    /// test, a [`serde_json::Value`].
    ///
    /// # Panics
    ///
    /// If `data` does not serialise: a map whose keys are not strings. No payload of this crate
    /// does that.
    pub fn new<T: Serialize + ?Sized>(vendor: Vendor, event: &str, data: &T) -> Hook {
        #[expect(clippy::expect_used, reason = "payloads are strings, numbers and lists: they always serialise")]
        let body = serde_json::to_string(&Envelope { event, data }).expect("a payload serialises");
        Hook { vendor, event: event.to_owned(), body }
    }

    /// The subject, for people: `project 36029621652695040`. An unknown body gives `?`.
    pub fn subject(&self) -> String {
        let envelope: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let data = &envelope["data"];
        let (noun, id) = match self.event.split(['.', '_']).next() {
            // The deprecated `proposal.signed` names only its drawing.
            Some("proposal") if self.event == "proposal.signed" => ("drawing", &data["drawing_id"]),
            Some("proposal") if self.vendor == Vendor::Arcsite => ("proposal", &data["proposal_id"]),
            Some(noun) => (noun, &data["id"]),
            None => ("", &Value::Null),
        };
        match id {
            Value::Number(number) => format!("{noun} {number}"),
            Value::String(text) => format!("{noun} {text}"),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => "?".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hook_body_is_event_then_data() {
        let hook = Hook::new(Vendor::Arcsite, "project.created", &json!({"id": 36_029_621_652_695_040_u64}));
        assert_eq!(hook.body, r#"{"event":"project.created","data":{"id":36029621652695040}}"#);
        assert_eq!(hook.subject(), "project 36029621652695040");
    }

    #[test]
    fn hook_subject_follows_the_vendor() {
        let subject = |vendor, event, data| Hook::new(vendor, event, &data).subject();
        let both = json!({"id": 7, "proposal_id": "8", "drawing_id": 9});
        assert_eq!(subject(Vendor::Bidsketch, "proposal_viewed", both.clone()), "proposal 7");
        assert_eq!(subject(Vendor::Arcsite, "proposal.status_changed", both.clone()), "proposal 8");
        assert_eq!(subject(Vendor::Arcsite, "proposal.signed", both), "drawing 9");
        assert_eq!(subject(Vendor::Bidsketch, "client_created", json!([])), "?");
    }
}
