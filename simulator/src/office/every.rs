//! One hook of each type, outside any history.

use std::slice;

use chrono::{DateTime, TimeDelta, Utc};

use super::Scene;
use super::agency::client;
use super::deal::proposal;
use super::estimate::Estimate;
use super::job::{drawing, project};
use crate::arcsite::{Channel, Customer, Links, Payment, SalesRep, Status};
use crate::bidsketch;
use crate::hook::Hook;
use crate::money::Money;
use crate::sample::{Ids, Sampler};

/// The time of [`every_event`], 2026-01-05T15:00:00Z, in Unix seconds. It is the same on every run.
const FIXED: i64 = 1_767_625_200;

/// Returns at least one hook of every type of both vendors, each object created before it is
/// changed. They include both spellings, both payment channels, every status (one estimate passes
/// through all five), a change order, and ids as numbers and as text. The same seed gives the same
/// hooks, byte for byte.
pub fn every_event(seed: u64) -> Vec<Hook> {
    every_event_at(seed, DateTime::from_timestamp(FIXED, 0).unwrap_or_default(), Links::nowhere())
}

/// The same as [`every_event`], at `now` and with these links.
pub fn every_event_at(seed: u64, now: DateTime<Utc>, links: Links) -> Vec<Hook> {
    let mut scene = Scene { sampler: Sampler::new(seed), now, links };
    let mut hooks = arcsite(&mut scene);
    hooks.extend(bidsketch(&mut scene));
    hooks
}

fn arcsite(scene: &mut Scene) -> Vec<Hook> {
    let ids = &mut Ids::arcsite(&mut scene.sampler);
    let mut project = project(scene, ids);
    // This project must show every field, so those that the seed left out are added.
    project.customer.get_or_insert_with(|| Customer { name: Some("Jack".to_owned()), ..Customer::default() });
    project.sales_rep = project.sales_rep.or(project.sale_rep.take()).or(Some(SalesRep::default()));
    let drawing = drawing(&project, scene, ids);
    let mut hooks = vec![project.created(), drawing.created(), drawing.updated()];
    project.updated_at += TimeDelta::seconds(1);
    hooks.push(project.updated());
    project.updated_at += TimeDelta::seconds(1);
    let mut respelled = project.clone().respelled();
    respelled.id = project.id.as_text();
    hooks.push(respelled.updated());

    let mut estimate = Estimate::open(&project, slice::from_ref(&drawing), None, scene, ids);
    hooks.push(estimate.announced());
    hooks.extend(estimate.send(scene));
    for status in [Status::Lost, Status::Void] {
        hooks.extend(estimate.close(status, scene));
    }
    hooks.extend(estimate.approve_signed(scene, ids));
    let change = Estimate::open(&project, slice::from_ref(&drawing), Some(estimate.id()), scene, ids);
    hooks.push(change.announced());
    for channel in [Channel::ArcsitePayment(scene.now), Channel::MarkAsPaid(scene.now.date_naive())] {
        let payment = Payment {
            proposal_id: estimate.id(),
            drawing_id: drawing.id.clone(),
            paid_amount: Money::cents(125_050),
            channel,
            payment_method: "Check".to_owned(),
        };
        hooks.push(payment.received());
    }
    hooks
}

fn bidsketch(scene: &mut Scene) -> Vec<Hook> {
    let ids = &mut Ids::bidsketch(&mut scene.sampler);
    let client = client(ids.next(&mut scene.sampler), scene);
    let mut hooks = vec![client.created()];
    for outcome in [bidsketch::Status::Accepted, bidsketch::Status::Declined] {
        let mut proposal = proposal(ids.next(&mut scene.sampler), &client, scene);
        hooks.push(proposal.hook("proposal_created"));
        proposal.is_draft = false;
        for (event, status) in
            [("proposal_sent", bidsketch::Status::Pending), ("proposal_viewed", bidsketch::Status::Viewed)]
        {
            proposal.status = status;
            proposal.updated_at += TimeDelta::seconds(1);
            hooks.push(proposal.hook(event));
        }
        proposal.status = outcome;
        proposal.updated_at += TimeDelta::seconds(1);
        hooks.extend(proposal.decided());
    }
    hooks
}
