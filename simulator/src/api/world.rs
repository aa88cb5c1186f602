//! The account's clients and proposals. They are known from the hooks that told of them, so pages and hooks agree.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::hook::{Hook, Vendor};
use crate::office::Office;

/// How many clients the account has from the start: more than a page holds.
const CLIENTS_AT_START: usize = 120;

/// How many clients, and how many proposals, are kept: the newest. It bounds memory: the program can run for weeks.
const MOST_KEPT: usize = 5_000;

/// When the account was opened, 2025-12-01T15:00:00Z, in Unix seconds.
const OPENED: i64 = 1_764_601_200;

/// A client with the fields that a list shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct ClientInList {
    id: u64,
    url: String,
    app_url: String,
    created_at: String,
    updated_at: String,
    first_name: Option<String>,
    last_name: Option<String>,
    name: String,
    phone: Option<String>,
    email: Option<String>,
}

/// A proposal with the fields that a list shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct ProposalInList {
    id: u64,
    url: String,
    app_url: String,
    created_at: String,
    updated_at: String,
    name: String,
    description: String,
    status: String,
    is_draft: bool,
}

/// What is known, by id.
#[derive(Debug, Default)]
pub(super) struct World {
    clients: BTreeMap<u64, Known<ClientInList>>,
    proposals: BTreeMap<u64, Known<ProposalInList>>,
}

/// One object as its own page and as a list shows it.
#[derive(Debug)]
struct Known<T> {
    own_page: Box<RawValue>,
    in_list: T,
    /// The client of a proposal.
    client: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Box<RawValue>,
}

/// What says whose a proposal is.
#[derive(Deserialize)]
struct Owned {
    client: Owner,
}

#[derive(Deserialize)]
struct Owner {
    id: u64,
}

impl World {
    /// An account with a past: the same for the same seed. It shares no ids with the world whose hooks have that seed.
    pub(super) fn past(seed: u64) -> World {
        let opened = DateTime::<Utc>::from_timestamp(OPENED, 0).unwrap_or_default();
        let mut office = Office::new(!seed, opened).only(Vendor::Bidsketch);
        let mut world = World::default();
        while world.clients.len() < CLIENTS_AT_START {
            for hook in office.next_hooks() {
                world.learn(&hook);
            }
        }
        world
    }

    /// Takes over what a hook tells. What it does not understand it leaves alone.
    pub(super) fn learn(&mut self, hook: &Hook) {
        if hook.vendor != Vendor::Bidsketch {
            return;
        }
        let Ok(Envelope { data }) = serde_json::from_str(&hook.body) else { return };
        if hook.event == "client_created" {
            if let Ok(in_list) = serde_json::from_str::<ClientInList>(data.get()) {
                self.clients.insert(in_list.id, Known { own_page: data, in_list, client: None });
            }
        } else if let (Ok(in_list), Ok(owned)) =
            (serde_json::from_str::<ProposalInList>(data.get()), serde_json::from_str::<Owned>(data.get()))
        {
            self.proposals.insert(in_list.id, Known { own_page: data, in_list, client: Some(owned.client.id) });
        }
        if self.clients.len() > MOST_KEPT {
            self.clients.pop_first();
        }
        if self.proposals.len() > MOST_KEPT {
            self.proposals.pop_first();
        }
    }

    /// In the order of their ids, which is that of their creation.
    pub(super) fn clients(&self) -> impl Iterator<Item = &ClientInList> {
        self.clients.values().map(|known| &known.in_list)
    }

    /// In the order of their ids, which is that of their creation.
    pub(super) fn proposals(&self) -> impl Iterator<Item = &ProposalInList> {
        self.proposals.values().map(|known| &known.in_list)
    }

    /// The proposals of one client; `None` when there is no such client.
    pub(super) fn proposals_of(&self, client: u64) -> Option<impl Iterator<Item = &ProposalInList>> {
        let of_client = move |known: &&Known<ProposalInList>| known.client == Some(client);
        self.clients
            .contains_key(&client)
            .then(|| self.proposals.values().filter(of_client).map(|known| &known.in_list))
    }

    pub(super) fn client(&self, id: u64) -> Option<Box<RawValue>> {
        self.clients.get(&id).map(|known| known.own_page.clone())
    }

    pub(super) fn proposal(&self, id: u64) -> Option<Box<RawValue>> {
        self.proposals.get(&id).map(|known| known.own_page.clone())
    }
}
