//! The account's clients and proposals. They come from the same hooks that are sent, so pages and
//! hooks agree.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::hook::{Hook, Vendor};
use crate::office::Office;

/// How many clients the account starts with: more than one page.
const CLIENTS_AT_START: usize = 120;

/// How many clients, and how many proposals, are kept: the newest. It bounds memory, since the
/// program can run for weeks.
const OBJECTS_MAX: usize = 5_000;

/// When the account was opened: 2025-12-01T15:00:00Z, in Unix seconds.
const OPENED_AT: i64 = 1_764_601_200;

/// A client, with the fields of a list.
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

/// A proposal, with the fields of a list.
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

/// The clients and proposals, by id.
#[derive(Debug, Default)]
pub(super) struct World {
    clients: BTreeMap<u64, StoredObject<ClientInList>>,
    proposals: BTreeMap<u64, StoredObject<ProposalInList>>,
}

/// One object, as its own page and as a list show it.
#[derive(Debug)]
struct StoredObject<T> {
    own_page: Box<RawValue>,
    in_list: T,
    /// The client of a proposal.
    client: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Box<RawValue>,
}

/// The client of a proposal's payload.
#[derive(Deserialize)]
struct ProposalOwner {
    client: OwnerRef,
}

#[derive(Deserialize)]
struct OwnerRef {
    id: u64,
}

impl World {
    /// Creates an account with a history. The same seed gives the same one. It shares no ids with
    /// the world whose hooks have that seed.
    pub(super) fn with_history(seed: u64) -> World {
        let opened = DateTime::<Utc>::from_timestamp(OPENED_AT, 0).unwrap_or_default();
        let mut office = Office::new(!seed, opened).only(Vendor::Bidsketch);
        let mut world = World::default();
        while world.clients.len() < CLIENTS_AT_START {
            for hook in office.next_hooks() {
                world.learn(&hook);
            }
        }
        world
    }

    /// Updates the world from a hook. A hook that is not understood is ignored.
    pub(super) fn learn(&mut self, hook: &Hook) {
        if hook.vendor != Vendor::Bidsketch {
            return;
        }
        let Ok(Envelope { data }) = serde_json::from_str(&hook.body) else { return };
        if hook.event == "client_created" {
            if let Ok(in_list) = serde_json::from_str::<ClientInList>(data.get()) {
                self.clients.insert(in_list.id, StoredObject { own_page: data, in_list, client: None });
            }
        } else if let (Ok(in_list), Ok(proposal_owner)) =
            (serde_json::from_str::<ProposalInList>(data.get()), serde_json::from_str::<ProposalOwner>(data.get()))
        {
            self.proposals
                .insert(in_list.id, StoredObject { own_page: data, in_list, client: Some(proposal_owner.client.id) });
        }
        if self.clients.len() > OBJECTS_MAX {
            self.clients.pop_first();
        }
        if self.proposals.len() > OBJECTS_MAX {
            self.proposals.pop_first();
        }
    }

    /// In the order of their ids, which is that of their creation.
    pub(super) fn clients(&self) -> impl Iterator<Item = &ClientInList> {
        self.clients.values().map(|object| &object.in_list)
    }

    /// In the order of their ids, which is that of their creation.
    pub(super) fn proposals(&self) -> impl Iterator<Item = &ProposalInList> {
        self.proposals.values().map(|object| &object.in_list)
    }

    /// The proposals of one client. `None` if there is no such client.
    pub(super) fn proposals_of(&self, client: u64) -> Option<impl Iterator<Item = &ProposalInList>> {
        let of_client = move |object: &&StoredObject<ProposalInList>| object.client == Some(client);
        self.clients
            .contains_key(&client)
            .then(|| self.proposals.values().filter(of_client).map(|object| &object.in_list))
    }

    pub(super) fn client(&self, id: u64) -> Option<Box<RawValue>> {
        self.clients.get(&id).map(|object| object.own_page.clone())
    }

    pub(super) fn proposal(&self, id: u64) -> Option<Box<RawValue>> {
        self.proposals.get(&id).map(|object| object.own_page.clone())
    }
}
