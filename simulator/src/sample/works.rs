//! Made-up works: what is drawn, proposed and paid.

use super::Sampler;
use crate::money::Money;

const WORK: &[&str] = &[
    "Fence replacement",
    "Cedar deck",
    "Crawl space encapsulation",
    "Garage floor coating",
    "Gazebo",
    "Pool fence",
    "Basement waterproofing",
    "Retaining wall",
    "Driveway pavers",
    "Irrigation",
    "Pergola & outdoor kitchen",
    "Gutter guards",
];

const TAG: &[&str] =
    &["residential", "commercial", "urgent", "repeat customer", "permit needed", "HOA", "référence", "phase 2"];

const DRAWING: &[&str] =
    &["Site plan", "Floor plan", "Elevation, north", "As built", "Option A", "Option B", "Grading"];

const DESCRIPTION: &[&str] = &[
    "Removal of what stands there, haul-away included.",
    "Materials & labor. Permit fees are <em>not</em> included.",
    "Two coats, cured for 48 hours; ½\" gravel bed.",
    "Built once, built right — twenty-five years of warranty. 🏡",
];

const CLOSE_NOTE: &[&str] = &[
    "Went with another bidder.",
    "Postponed to next spring",
    "Customer sold the house",
    "Wrong price list; sent again",
];

const METHOD: &[&str] = &["Credit Card", "ACH", "Check", "Cash", "Financing"];

/// A piece of work to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// `Cedar deck`
    pub name: String,
    /// A sentence about it, sometimes with HTML or characters outside ASCII.
    pub description: String,
    /// Up to three tags.
    pub tags: Vec<String>,
    /// The price. About half of the prices have cents.
    pub price: Money,
}

impl Work {
    /// Draws a piece of work.
    pub fn sample(sampler: &mut Sampler) -> Work {
        Work {
            name: sampler.pick(WORK).to_owned(),
            description: sampler.pick(DESCRIPTION).to_owned(),
            tags: tags(sampler),
            price: price(sampler),
        }
    }
}

pub(crate) fn tags(sampler: &mut Sampler) -> Vec<String> {
    let many = sampler.index(4);
    let mut tags: Vec<String> = (0..many).map(|_| sampler.pick(TAG).to_owned()).collect();
    tags.dedup();
    tags
}

pub(crate) fn price(sampler: &mut Sampler) -> Money {
    let whole = i64::try_from(sampler.between(180, 48_000)).unwrap_or(180);
    let cents = if sampler.chance(0.5) { i64::try_from(sampler.between(1, 99)).unwrap_or(1) } else { 0 };
    Money::whole(whole) + Money::cents(cents)
}

pub(crate) fn drawing_name(sampler: &mut Sampler) -> String {
    sampler.pick(DRAWING).to_owned()
}

pub(crate) fn close_note(sampler: &mut Sampler) -> String {
    sampler.pick(CLOSE_NOTE).to_owned()
}

pub(crate) fn payment_method(sampler: &mut Sampler) -> String {
    sampler.pick(METHOD).to_owned()
}
