//! The lists that can be exported, and the columns of each.

use std::fmt::Write;

/// A list of the API, as a file.
#[derive(Debug)]
pub(super) struct List {
    /// The field of `Query`, and the name of the file.
    pub(super) name: &'static str,
    /// The input whose fields are the parameters.
    pub(super) filter_type: &'static str,
    /// An order in which no row moves while the file is written.
    order: &'static str,
    pub(super) columns: &'static [Column],
}

/// A column of a file.
#[derive(Debug)]
pub(super) struct Column {
    /// Its title: the field of the API, with a dot before a nested one.
    pub(super) title: &'static str,
    /// The places of the value in a node; the first that has one counts.
    pub(super) places: &'static [Place],
    pub(super) kind: Kind,
}

/// A field of a node, with the fields that lead to it.
#[derive(Debug)]
pub(super) struct Place {
    /// The type that has the field, in a list of several types.
    on: Option<&'static str>,
    /// The field of the node.
    field: &'static str,
    /// Its name in the response.
    pub(super) name: &'static str,
    /// The field of that object, if it is one.
    pub(super) nested: Option<&'static str>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text that a person may have typed. A spreadsheet could take it for a formula.
    Text,
    /// A number.
    Number,
}

macro_rules! place {
    ($field:ident) => {
        Place { on: None, field: stringify!($field), name: stringify!($field), nested: None }
    };
    ($field:ident.$nested:ident) => {
        Place { on: None, field: stringify!($field), name: stringify!($field), nested: Some(stringify!($nested)) }
    };
    ($on:ident:$name:ident=$field:ident) => {
        Place { on: Some(stringify!($on)), field: stringify!($field), name: stringify!($name), nested: None }
    };
    ($on:ident:$name:ident=$field:ident.$nested:ident) => {
        Place {
            on: Some(stringify!($on)),
            field: stringify!($field),
            name: stringify!($name),
            nested: Some(stringify!($nested)),
        }
    };
}

/// A column: its kind, and its field, or its title with the places of its value.
macro_rules! column {
    ($kind:ident, $title:literal, [$($place:tt)+]) => {
        Column { title: $title, places: &[place!($($place)+)], kind: Kind::$kind }
    };
    ($kind:ident, $title:literal, [$($first:tt)+], [$($second:tt)+]) => {
        Column { title: $title, places: &[place!($($first)+), place!($($second)+)], kind: Kind::$kind }
    };
    ($kind:ident, $field:ident) => {
        Column { title: stringify!($field), places: &[place!($field)], kind: Kind::$kind }
    };
    ($kind:ident, $field:ident.$nested:ident) => {
        Column {
            title: concat!(stringify!($field), ".", stringify!($nested)),
            places: &[place!($field.$nested)],
            kind: Kind::$kind,
        }
    };
}

const CREATED_LAST_FIRST: &str = ", orderBy: { field: CREATED_AT, direction: DESC }";

const LISTS: [List; 5] = [
    List {
        name: "events",
        filter_type: "EventFilter",
        order: "",
        columns: &[
            column!(Text, id),
            column!(Text, provider),
            column!(Text, kind),
            column!(Text, vendorTypes),
            column!(Text, occurredAt),
            column!(Text, receivedAt),
            column!(Text, "status", [ProposalEvent: status = status]),
            column!(Text, "proposalVendorId", [ProposalEvent: proposalVendorId = proposalVendorId]),
            column!(Text, "proposal.name", [ProposalEvent: proposal = proposal.name]),
            column!(Number, "payment.amount", [ProposalEvent: payment = payment.amount]),
            column!(Text, "client.vendorId", [ClientEvent: client = client.vendorId]),
            column!(Text, "client.name", [ClientEvent: client = client.name]),
            column!(
                Text,
                "project.vendorId",
                [ProjectEvent: project = project.vendorId],
                [ProposalEvent: projectOfProposal = project.vendorId]
            ),
            column!(
                Text,
                "project.name",
                [ProjectEvent: project = project.name],
                [ProposalEvent: projectOfProposal = project.name]
            ),
            column!(
                Text,
                "drawing.vendorId",
                [DrawingEvent: drawing = drawing.vendorId],
                [ProposalEvent: drawingOfProposal = drawing.vendorId]
            ),
            column!(
                Text,
                "drawing.name",
                [DrawingEvent: drawing = drawing.name],
                [ProposalEvent: drawingOfProposal = drawing.name]
            ),
        ],
    },
    List {
        name: "proposals",
        filter_type: "ProposalFilter",
        order: CREATED_LAST_FIRST,
        columns: &[
            column!(Text, id),
            column!(Text, provider),
            column!(Text, vendorId),
            column!(Text, name),
            column!(Text, description),
            column!(Text, status),
            column!(Text, vendorStatus),
            column!(Text, isDraft),
            column!(Text, owner),
            column!(Text, currency),
            column!(Number, total),
            column!(Number, paidTotal),
            column!(Number, oneTimeFees),
            column!(Number, monthlyFees),
            column!(Number, yearlyFees),
            column!(Number, tax),
            column!(Number, tax2),
            column!(Number, discount),
            column!(Text, customerName),
            column!(Text, customerEmail),
            column!(Text, clientVendorId),
            column!(Text, projectVendorId),
            column!(Text, project.name),
            column!(Text, url),
            column!(Text, appUrl),
            column!(Text, createdAt),
            column!(Text, updatedAt),
            column!(Text, firstSeenAt),
            column!(Text, lastEventAt),
        ],
    },
    List {
        name: "projects",
        filter_type: "ProjectFilter",
        order: CREATED_LAST_FIRST,
        columns: &[
            column!(Text, id),
            column!(Text, vendorId),
            column!(Text, name),
            column!(Text, jobNumber),
            column!(Text, tags),
            column!(Text, customer.name),
            column!(Text, customer.phone),
            column!(Text, customer.email),
            column!(Text, workSiteAddress.street),
            column!(Text, workSiteAddress.city),
            column!(Text, workSiteAddress.county),
            column!(Text, workSiteAddress.state),
            column!(Text, workSiteAddress.zipCode),
            column!(Text, salesRep.name),
            column!(Text, salesRep.email),
            column!(Text, createdAt),
            column!(Text, updatedAt),
            column!(Text, firstSeenAt),
            column!(Text, lastEventAt),
        ],
    },
    List {
        name: "clients",
        filter_type: "ClientFilter",
        order: CREATED_LAST_FIRST,
        columns: &[
            column!(Text, id),
            column!(Text, vendorId),
            column!(Text, name),
            column!(Text, firstName),
            column!(Text, lastName),
            column!(Text, email),
            column!(Text, phone),
            column!(Text, altPhone),
            column!(Text, website),
            column!(Text, addressFieldOne),
            column!(Text, addressFieldTwo),
            column!(Text, city),
            column!(Text, state),
            column!(Text, postalZip),
            column!(Text, country),
            column!(Text, notes),
            column!(Text, appUrl),
            column!(Text, createdAt),
            column!(Text, updatedAt),
            column!(Text, firstSeenAt),
            column!(Text, lastEventAt),
        ],
    },
    List {
        name: "payments",
        filter_type: "PaymentFilter",
        order: "",
        columns: &[
            column!(Text, id),
            column!(Text, proposalVendorId),
            column!(Text, proposal.name),
            column!(Text, proposal.customerName),
            column!(Number, amount),
            column!(Text, channel),
            column!(Text, method),
            column!(Text, paidAt),
            column!(Text, paidOn),
            column!(Text, receivedAt),
        ],
    },
];

impl List {
    /// The list of a file's name, such as `projects.csv`.
    pub(super) fn of_file(file: &str) -> Option<&'static Self> {
        let name = file.strip_suffix(".csv")?;
        LISTS.iter().find(|list| list.name == name)
    }

    /// The query of a page. Fields with the same name merge.
    pub(super) fn document(&self) -> String {
        let Self { name, filter_type, order, columns } = self;
        let mut fields = String::new();
        for place in columns.iter().flat_map(|column| column.places) {
            let selection = place.nested.map(|nested| format!(" {{ {nested} }}")).unwrap_or_default();
            let field = format!("{}: {}{selection}", place.name, place.field);
            // Writing to a text cannot fail.
            let _ = match place.on {
                Some(on) => write!(fields, " ... on {on} {{ {field} }}"),
                None => write!(fields, " {field}"),
            };
        }
        format!(
            "query Export($first: Int, $after: String, $filter: {filter_type}) {{ {name}(first: $first, after: $after, \
             filter: $filter{order}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{{fields} }} }} }}"
        )
    }
}
