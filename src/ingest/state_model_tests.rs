//! The current state against a model. The model is the rules of the design, one event after the
//! other; no clock is believed. The projections must show the same after each delivery, in whatever
//! order the deliveries came, and after a rebuild.

use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::group::CommitGroup;
use super::normalise::normalise;
use super::rebuild::rebuild;
use super::record::{DedupWindowLengths, NormalisedDelivery, record};
use super::verify::Delivery;
use crate::clock::Time;
use crate::domain::{DeliveryOutcome, ProposalStatus, Provider};
use crate::store::Store;
use crate::store::files::FileRecording;
use crate::store::test_support::PostgresCluster;

const WINDOWS: DedupWindowLengths =
    DedupWindowLengths { state: TimeDelta::hours(24), occurrence: TimeDelta::minutes(2) };

/// A subject of each kind: its vendor, its creation, its other event, and the member that names it.
const SUBJECTS: [(Provider, Option<&str>, &str, &str); 5] = [
    (Provider::Arcsite, Some("project.created"), "project.updated", "id"),
    (Provider::Arcsite, Some("drawing.created"), "drawing.updated", "id"),
    (Provider::Bidsketch, Some("client_created"), "client_created", "id"),
    (Provider::Bidsketch, Some("proposal_created"), "proposal_viewed", "id"),
    (Provider::Arcsite, None, "proposal.status_changed", "proposal_id"),
];

/// The statuses of the model, by their vendor's words. Two of them end a proposal.
const STATUSES: [(&str, ProposalStatus); 4] = [
    ("Pending", ProposalStatus::Pending),
    ("Viewed", ProposalStatus::Viewed),
    ("Void", ProposalStatus::Void),
    ("Lost", ProposalStatus::Lost),
];

/// A delivery of the model.
#[derive(Clone, Debug)]
struct ModelDelivery {
    subject: usize,
    is_creation: bool,
    /// `None` if the payload has no name, `Some(None)` if it has null.
    name: Option<Option<&'static str>>,
    status: (&'static str, ProposalStatus),
    /// The vendor's time, in minutes after the first arrival.
    updated_at: Option<i64>,
    /// The signed time, in seconds after the arrival.
    signed: Option<i64>,
    /// Seconds since the delivery before it.
    later: i64,
}

fn deliveries() -> impl Strategy<Value = Vec<ModelDelivery>> {
    let name = select(vec![None, Some(None), Some(Some("a")), Some(Some("b"))]);
    // Ties are frequent, and the last two are not believed, or only just.
    let updated_at = select(vec![None, Some(-2000), Some(-1000), Some(-1000), Some(5), Some(40)]);
    let signed = select(vec![None, Some(-600), Some(-1), Some(0), Some(3600)]);
    let subject = 0..SUBJECTS.len();
    let delivery = (subject, any::<bool>(), name, select(&STATUSES[..]), updated_at, signed, select(vec![0, 1, 300]))
        .prop_map(|(subject, is_creation, name, status, updated_at, signed, later)| {
            let is_creation = is_creation && SUBJECTS[subject].1.is_some();
            ModelDelivery { subject, is_creation, name, status, updated_at, signed, later }
        });
    vec(delivery, 1..40)
}

impl ModelDelivery {
    const fn has_status(&self) -> bool {
        self.subject >= 3
    }

    /// ArcSite's drawings and proposals name no time.
    const fn minutes(&self) -> Option<i64> {
        if self.subject == 1 || self.subject == 4 { None } else { self.updated_at }
    }

    /// Bidsketch does not sign.
    fn signed_at(&self, arrival: Time) -> Option<i64> {
        let (provider, ..) = SUBJECTS[self.subject];
        self.signed.filter(|_| provider == Provider::Arcsite).map(|after| arrival.timestamp() + after)
    }

    fn normalised(&self, start: Time, arrival: Time) -> NormalisedDelivery {
        let (provider, creation, change, id) = SUBJECTS[self.subject];
        let event = creation.filter(|_| self.is_creation).unwrap_or(change);
        let mut data = format!(r#""{id}":1,"project_id":7"#);
        match self.name {
            None => {}
            Some(None) => data += r#","name":null"#,
            Some(Some(name)) => data += &format!(r#","name":"{name}""#),
        }
        if self.has_status() {
            data += &format!(r#","status":"{}""#, self.status.0);
        }
        if let Some(minutes) = self.minutes() {
            let time = start + TimeDelta::minutes(minutes);
            data += &format!(r#","updated_at":"{}""#, time.format("%Y-%m-%dT%H:%M:%S+00:00"));
        }
        let body = format!(r#"{{"event":"{event}","data":{{{data}}}}}"#);
        let content = (Vec::new(), body.clone().into_bytes());
        let delivery = Delivery::from_quarantine(provider, arrival, self.signed_at(arrival), content);
        NormalisedDelivery { event: normalise(provider, &body), delivery }
    }
}

/// What the model knows of a subject.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    /// `None` if no event gave it, `Some(None)` if the newest one that did gave null.
    name: Option<Option<&'static str>>,
    status: Option<ProposalStatus>,
    vendor_time: Option<Time>,
    signed: Option<i64>,
}

impl State {
    /// The rules: a creation fills in, a vendor's time orders what has one, a signature orders the
    /// rest, and on a tie the later status wins, else the later event.
    fn apply(&mut self, event: &ModelDelivery, start: Time, arrival: Time) {
        let time = event.minutes().map(|minutes| start + TimeDelta::minutes(minutes));
        let time = time.filter(|time| *time - arrival <= TimeDelta::minutes(5));
        let is_creation = event.is_creation || SUBJECTS[event.subject].2 == "client_created";
        let status = event.has_status().then_some(event.status.1);
        let loses_tie = self.status.zip(status).is_some_and(|(stored, incoming)| incoming.rank() < stored.rank());
        if is_creation {
            self.vendor_time = self.vendor_time.or(time);
        } else if time.is_some() {
            if time < self.vendor_time || time == self.vendor_time && loses_tie {
                return;
            }
            self.vendor_time = time;
        } else if let Some(t) = event.signed_at(arrival) {
            if Some(t) < self.signed || Some(t) == self.signed && loses_tie {
                return;
            }
            self.signed = self.signed.max(Some(t.min(arrival.timestamp())));
        }
        match (event.name, is_creation) {
            (Some(name), false) => self.name = Some(name),
            (Some(Some(name)), true) => self.name = self.name.or(Some(Some(name))),
            (Some(None), true) | (None, _) => {}
        }
        self.status = if is_creation { self.status.or(status) } else { status.or(self.status) };
    }
}

async fn check(store: Store, deliveries: &[ModelDelivery]) {
    let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let (mut arrival, mut model) = (start, vec![State::default(); SUBJECTS.len()]);
    let expected = |model: &[State]| -> Vec<(Option<String>, Option<String>)> {
        let name = |state: &State| state.name.flatten().map(str::to_owned);
        model.iter().map(|state| (name(state), state.status.map(|status| status.as_str().to_owned()))).collect()
    };
    for delivery in deliveries {
        arrival += TimeDelta::seconds(delivery.later);
        let incoming = delivery.normalised(start, arrival);
        let mut group =
            CommitGroup::begin(store.begin().await.unwrap(), &[&incoming], FileRecording::Off).await.unwrap();
        let receipt = record(&mut group, &incoming, WINDOWS).await.unwrap();
        group.flush().await.unwrap().commit(&store).await.unwrap();
        // A redelivery changes nothing.
        if receipt.outcome == DeliveryOutcome::Accepted {
            model[delivery.subject].apply(delivery, start, arrival);
        }
        assert_eq!(store.states_of("1").await, expected(&model), "after {delivery:?}, {:?}", model[delivery.subject]);
    }
    rebuild(&store, |_| {}).await.unwrap();
    assert_eq!(store.states_of("1").await, expected(&model), "after a rebuild");
    store.close().await;
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn state_equals_the_model_on_sqlite() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = TestRunner::new(config(64)).run(&deliveries(), |deliveries| {
        runtime.block_on(async {
            let (_directory, store) = Store::for_test().await;
            check(store, &deliveries).await;
        });
        Ok(())
    });
    result.unwrap();
}

#[test]
fn state_equals_the_model_on_postgresql() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cluster = PostgresCluster::start();
    let result = TestRunner::new(config(12)).run(&deliveries(), |deliveries| {
        runtime.block_on(async { check(cluster.new_store().await, &deliveries).await });
        Ok(())
    });
    result.unwrap();
}
