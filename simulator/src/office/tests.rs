use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::*;
use crate::{arcsite, bidsketch};

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_625_200, 0).unwrap()
}

fn run(seed: u64, steps: usize) -> Vec<Hook> {
    let mut office = Office::new(seed, start());
    std::iter::repeat_with(|| office.next_hooks()).take(steps).flatten().collect()
}

fn data(hook: &Hook) -> Value {
    serde_json::from_str::<Value>(&hook.body).unwrap()["data"].clone()
}

fn digits(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

#[test]
fn office_with_equal_seed_repeats_its_hooks() {
    assert_eq!(run(11, 300), run(11, 300));
    assert_ne!(run(11, 300), run(12, 300));
    assert_eq!(every_event(3), every_event(3));
}

#[test]
fn office_sends_every_type_of_both_vendors() {
    let documented: BTreeSet<&str> = arcsite::EVENTS.iter().chain(bidsketch::EVENTS).copied().collect();
    let types = |hooks: &[Hook]| hooks.iter().map(|hook| hook.event.clone()).collect::<BTreeSet<_>>();
    for seed in 0..50 {
        assert!(types(&every_event(seed)).iter().eq(documented.iter()), "every_event({seed})");
    }
    assert!(types(&run(1, 3_000)).iter().eq(documented.iter()));
}

#[test]
fn every_event_covers_all_spellings_channels_and_statuses() {
    for seed in 0..20 {
        let all: String = every_event(seed).into_iter().map(|hook| hook.body).collect();
        for expected in [
            "\"sales_rep\"",
            "\"sale_rep\"",
            "arcsite_payment",
            "mark_as_paid",
            "paid_time",
            "paid_date",
            "DRAFT",
            "PENDING",
            "VOID",
            "LOST",
            "APPROVED",
            "initial_proposal_id",
            "Accepted",
            "Declined",
            "Viewed",
            "\"id\":\"",
        ] {
            assert!(all.contains(expected), "{expected} in every_event({seed})");
        }
    }
    let all: String = run(2, 3_000).into_iter().map(|hook| hook.body).collect();
    for expected in
        ["work_site_address", "work_site_addreess", "countity", "\"State\"", "\"pdf_url\":null", "close_note"]
    {
        assert!(all.contains(expected), "{expected}");
    }
}

#[test]
fn hook_names_only_objects_created_before() {
    let mut created = HashSet::new();
    for hook in run(5, 3_000) {
        let data = data(&hook);
        match hook.event.as_str() {
            "project.created" | "drawing.created" | "client_created" | "proposal_created" => {
                assert!(created.insert(digits(&data["id"])), "created twice: {}", hook.body);
            }
            _ => {
                let (key, noun) =
                    if hook.vendor == Vendor::Bidsketch { ("id", "proposal") } else { ("project_id", "project") };
                if let Some(id) = data.get(key) {
                    assert!(created.contains(&digits(id)), "unknown {noun}: {}", hook.body);
                }
            }
        }
    }
}

#[test]
fn updated_at_never_decreases_and_follows_creation() {
    let mut last = BTreeMap::<(String, String), String>::new();
    for hook in run(6, 3_000) {
        let data = data(&hook);
        let Some(updated) = data["updated_at"].as_str() else { continue };
        assert!(updated >= data["created_at"].as_str().unwrap());
        let subject = (hook.event.split(['.', '_']).next().unwrap().to_owned(), digits(&data["id"]));
        if let Some(before) = last.insert(subject, updated.to_owned()) {
            assert!(updated >= before.as_str(), "{before} then {updated}");
        }
    }
}

#[test]
fn decision_has_two_hooks_and_approval_at_least_two() {
    let hooks = run(7, 3_000);
    let count = |event: &str| hooks.iter().filter(|hook| hook.event == event).count();
    assert!(count("proposal_accepted") > 0);
    assert_eq!(count("proposal_accepted") + count("proposal_declined"), count("proposal_accepted_or_declined"));
    let approved =
        hooks.iter().filter(|hook| hook.event == "proposal.status_changed" && data(hook)["status"] == "APPROVED");
    assert_eq!(approved.count(), count("proposal.approved"));
}

#[test]
fn payments_add_up_to_the_agreed_total() {
    let cents = |value: &Value| (value.as_f64().unwrap() * 100.0).round() as i64;
    let mut owed = BTreeMap::new();
    let mut settled = 0;
    for hook in run(8, 3_000) {
        let data = data(&hook);
        let id = digits(&data["proposal_id"]);
        if hook.event == "proposal.status_changed" && data["status"] == "APPROVED" {
            owed.insert(id, cents(&data["total"]));
        } else if hook.event == "proposal.payment.received" {
            let rest = owed.get_mut(&id).unwrap();
            *rest -= cents(&data["paid_amount"]);
            assert!(*rest >= 0);
            settled += usize::from(*rest == 0);
        }
    }
    assert!(settled > 10);
}

#[test]
fn office_of_one_vendor_sends_only_its_hooks() {
    let mut office = Office::new(9, start()).only(Vendor::Bidsketch);
    for _ in 0..200 {
        assert!(office.next_hooks().iter().all(|hook| hook.vendor == Vendor::Bidsketch));
    }
}
