//! The agency: its clients and its open deals.

use std::collections::VecDeque;

use super::deal::Deal;
use super::{OPEN_HISTORIES_MAX, Scene};
use crate::bidsketch::{Client, OtherContact};
use crate::hook::Hook;
use crate::sample::people::phone;
use crate::sample::{Ids, Person, Place, Sampler};

/// How many clients are remembered for another proposal.
const CLIENTS_MAX: usize = 30;

#[derive(Debug)]
pub(super) struct Agency {
    ids: Ids,
    clients: VecDeque<Client>,
    deals: Vec<Deal>,
}

impl Agency {
    pub(super) fn new(sampler: &mut Sampler) -> Agency {
        Agency { ids: Ids::bidsketch(sampler), clients: VecDeque::new(), deals: Vec::new() }
    }

    /// Opens a deal, or advances one by a step.
    pub(super) fn step(&mut self, scene: &mut Scene) -> Vec<Hook> {
        let open = self.deals.is_empty() || (self.deals.len() < OPEN_HISTORIES_MAX && scene.sampler.chance(0.2));
        if open {
            return self.open(scene);
        }
        let index = scene.sampler.index(self.deals.len());
        let hooks = self.deals[index].advance(scene);
        if self.deals[index].is_over() {
            self.deals.swap_remove(index);
        }
        hooks
    }

    /// Opens a deal, with a known client or a new one.
    fn open(&mut self, scene: &mut Scene) -> Vec<Hook> {
        let known = self.clients.get(scene.sampler.index(self.clients.len())).cloned();
        if let Some(client) = known.filter(|_| scene.sampler.chance(0.3)) {
            let mut deal = Deal::new(self.ids.next(&mut scene.sampler), client);
            let hooks = deal.advance(scene);
            self.deals.push(deal);
            return hooks;
        }
        let client = client(self.ids.next(&mut scene.sampler), scene);
        let hooks = vec![client.created()];
        self.deals.push(Deal::new(self.ids.next(&mut scene.sampler), client.clone()));
        self.clients.push_back(client);
        if self.clients.len() > CLIENTS_MAX {
            self.clients.pop_front();
        }
        hooks
    }
}

/// Draws a client. Most fields are optional.
pub(super) fn client(id: u64, scene: &mut Scene) -> Client {
    let sampler = &mut scene.sampler;
    let (person, place) = (Person::sample(sampler), Place::sample(sampler));
    let company = sampler.maybe(0.6, |sampler| person.company(sampler));
    let mut client = Client::new(id, &company.clone().unwrap_or_else(|| person.name()), scene.now);
    client.website = company.map(|_| format!("www.client-{id}.example"));
    client.phone = Some(person.phone);
    client.email = Some(person.email);
    client.alt_phone = sampler.maybe(0.3, |_| "1-800-GAZEBOS".to_owned());
    if sampler.chance(0.8) {
        client.address_field_one = Some(place.street);
        client.address_field_two = sampler.maybe(0.2, |_| "Gazebo Suite".to_owned());
        client.city = Some(place.city);
        client.state = Some(place.state);
        client.postal_zip = Some(place.zip_code);
        client.country = Some("USA".to_owned());
    }
    client.notes = sampler.maybe(0.3, |_| format!("Calls {} \"The Sovereign of Gazebos\"\n…", person.first_name));
    client.other_contact = sampler.maybe(0.3, |sampler| {
        let other = Person::sample(sampler);
        OtherContact {
            phone: Some(phone(sampler)),
            first_name: Some(other.first_name),
            last_name: Some(other.last_name),
            email: Some(other.email),
        }
    });
    client.first_name = Some(person.first_name);
    client.last_name = Some(person.last_name);
    client
}
