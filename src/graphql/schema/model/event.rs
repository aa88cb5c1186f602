//! Events: one interface, and one type for each kind of subject.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Context, ContextSelectionSet, ID, Interface, Object, Result, ServerResult};
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::enums::{DedupWindow, EventKind, ProposalStatus, Provider};
use super::file::{StoredFile, load_event_files, load_newest_file};
use super::scalar::{DateTime, Json};
use super::{
    Client, Delivery, Drawing, Payment, Project, Proposal, load, load_by_vendor_id, load_proposal, optional, read,
};
use crate::domain::nesting::{NESTING_LEVELS_MAX, cut_nesting};
use crate::domain::{self, NodeId, VendorId};
use crate::graphql::Api;
use crate::graphql::error::ApiError;
use crate::graphql::execution::look_ahead::{ShownRow, node_columns};
use crate::graphql::execution::selection::{Fields, JsonText, Selectable, Selected};
use crate::graphql::loader::{PaymentKey, VendorTypesKey};
use crate::graphql::pagination::args::PageArgs;
use crate::graphql::pagination::connection::DeliveryConnection;
use crate::graphql::pagination::cursor;
use crate::graphql::pagination::load::{load_list, load_related};
use crate::store::read::relation::Relation;
use crate::store::read::{DeliveryRow, EventRow, PaymentRow};
use crate::store::sql::json_rows::Columns;
use crate::vendor::envelope;

impl ShownRow for EventRow {
    const OTHER_COLUMNS: &'static [(&'static str, Columns)] = &[
        ("vendorTypes", EventRow::vendor_type),
        ("payload", EventRow::body),
        ("payloadText", EventRow::body),
        ("dedupWindow", EventRow::occurred_at),
        ("project", EventRow::project_vendor_id),
        ("drawing", EventRow::drawing_vendor_id),
        ("client", EventRow::client_vendor_id),
        ("proposal", EventRow::proposal_vendor_id),
    ];
}

/// Something that happened at a vendor. It has a fixed position in the log and never changes.
#[derive(Interface)]
#[expect(clippy::duplicated_attributes, reason = "two arguments of a field may have the same type")]
#[graphql(
    field(name = "id", ty = "ID", desc = "Node id, for `node` and `nodes`: `event:42`."),
    field(
        name = "cursor",
        ty = "String",
        desc = "Position of the event in the log, opaque. Pass it as `after` to a subscription or to `eventFeed` to continue after this event without a gap. The edge in `events` has the same cursor."
    ),
    field(name = "provider", ty = "Provider", desc = "The vendor that sent it."),
    field(
        name = "kind",
        ty = "EventKind",
        desc = "What happened, in one vocabulary for both vendors: filter by it, and branch on it. Kinds are added over time: treat one you do not know as `UNRECOGNIZED`."
    ),
    field(
        name = "vendor_types",
        ty = "Vec<String>",
        desc = "The vendor's own type names of its deliveries, each once: `[\"proposal_accepted\", \"proposal_accepted_or_declined\"]`."
    ),
    field(
        name = "occurred_at",
        ty = "Option<DateTime>",
        desc = "When it happened, according to the vendor; null if the vendor gives no time for this type."
    ),
    field(name = "received_at", ty = "DateTime", desc = "When its first delivery arrived."),
    field(
        name = "payload",
        ty = "Json",
        desc = "The vendor's own `data` object, unchanged, for fields that this API does not have. The vendor documents them. ArcSite's ids in it are numbers beyond 2^53, which JavaScript rounds: take them from `vendorId`."
    ),
    field(
        name = "payload_text",
        ty = "String",
        desc = "`payload` as text, character by character as it was received. For programs whose JSON parser rounds large numbers, and for people."
    ),
    field(
        name = "dedup_window",
        ty = "DedupWindow",
        desc = "How long an equal delivery of this event is a redelivery and not a second event."
    ),
    field(
        name = "deliveries",
        ty = "Vec<Selected<Delivery>>",
        desc = "Its first 100 deliveries in the order of their arrival, redeliveries included. `deliveryConnection` has all."
    ),
    field(
        name = "delivery_connection",
        ty = "DeliveryConnection",
        desc = "All its deliveries in the order of their arrival, redeliveries included, in pages.",
        arg(
            name = "first",
            ty = "Option<i32>",
            desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20."
        ),
        arg(
            name = "after",
            ty = "Option<String>",
            desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`."
        ),
        arg(
            name = "last",
            ty = "Option<i32>",
            desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`."
        ),
        arg(
            name = "before",
            ty = "Option<String>",
            desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
        )
    )
)]
pub(crate) enum Event {
    Project(ProjectEvent),
    Drawing(DrawingEvent),
    Client(ClientEvent),
    Proposal(ProposalEvent),
    Unrecognized(UnrecognizedEvent),
}

impl Selectable for Event {
    fn collect<'a>(_: &ContextSelectionSet<'a>) -> ServerResult<Option<Fields<'a>>> {
        Ok(None)
    }

    fn select<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        _: Option<&'a Fields<'a>>,
    ) -> BoxFuture<'a, ServerResult<JsonText>> {
        match self {
            Self::Project(event) => event.select(ctx, None),
            Self::Drawing(event) => event.select(ctx, None),
            Self::Client(event) => event.select(ctx, None),
            Self::Proposal(event) => event.select(ctx, None),
            Self::Unrecognized(event) => event.select(ctx, None),
        }
    }
}

impl From<Arc<EventRow>> for Event {
    fn from(row: Arc<EventRow>) -> Self {
        use domain::EventKind as Kind;
        match row.kind {
            Kind::ProjectCreated | Kind::ProjectUpdated => Self::Project(ProjectEvent(row)),
            Kind::DrawingCreated | Kind::DrawingUpdated => Self::Drawing(DrawingEvent(row)),
            Kind::ClientCreated => Self::Client(ClientEvent(row)),
            Kind::ProposalCreated
            | Kind::ProposalSent
            | Kind::ProposalViewed
            | Kind::ProposalAccepted
            | Kind::ProposalDeclined
            | Kind::ProposalStatusChanged
            | Kind::ProposalSigned
            | Kind::ProposalApproved
            | Kind::ProposalPaymentReceived => Self::Proposal(ProposalEvent(row)),
            Kind::Unrecognized => Self::Unrecognized(UnrecognizedEvent(row)),
        }
    }
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self::from(Arc::new(row))
    }
}

/// The `data` object of an event's body, verbatim. Earlier versions took any nesting; its levels
/// beyond the limit are null, since they would break the parsers of clients.
fn payload(row: &EventRow) -> Result<Json> {
    let data = envelope::data(read(&row.body)?).and_then(|data| match cut_nesting(data.get(), NESTING_LEVELS_MAX) {
        Cow::Borrowed(_) => Some(data.to_owned()),
        Cow::Owned(cut) => RawValue::from_string(cut).ok(),
    });
    data.map(Json).ok_or_else(|| {
        tracing::error!(seq = row.seq.0, "the body of an event in the log is unreadable");
        ApiError::Internal.into_graphql_error()
    })
}

/// How the deliveries of an event name it.
fn delivery_parent(row: &EventRow) -> (Relation, String) {
    (Relation::DELIVERIES, row.seq.0.to_string())
}

async fn deliveries(ctx: &Context<'_>, row: &EventRow) -> Result<Vec<Selected<Delivery>>> {
    let rows = load_list::<DeliveryRow>(ctx, delivery_parent(row), DeliveryRow::ARRIVAL).await?;
    Ok(rows.into_iter().map(|row| Selected(Delivery(row))).collect())
}

async fn vendor_types(ctx: &Context<'_>, row: &EventRow) -> Result<Vec<String>> {
    let mut types = vec![read(&row.vendor_type)?.clone()];
    let others = load(ctx, VendorTypesKey(row.seq)).await?.unwrap_or_default();
    types.extend(others.into_iter().filter(|name| *name != types[0]).collect::<Vec<_>>());
    Ok(types)
}

/// The subject of an event. It must exist: its row is written in the same transaction as the event.
fn require_subject<T>(row: &EventRow, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| {
        tracing::error!(seq = row.seq.0, "the subject of an event is not in its projection; run `bidarc rebuild`");
        ApiError::Internal.into_graphql_error()
    })
}

/// Defines an event type: the fields of the interface, then its own.
macro_rules! event_type {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        pub(crate) struct $name(pub(crate) Arc<EventRow>);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Node id, for `node` and `nodes`: `event:42`.
            pub(crate) async fn id(&self) -> ID {
                NodeId::Event(self.0.seq).to_string().into()
            }

            /// Position of the event in the log, opaque. Pass it as `after` to a subscription or to
            /// `eventFeed` to continue after this event without a gap. The edge in `events` has
            /// the same cursor.
            pub(crate) async fn cursor(&self, ctx: &Context<'_>) -> Result<String> {
                Ok(cursor::encode_event(ctx.data::<Api>()?.store.log_id(), self.0.seq))
            }

            /// The vendor that sent it.
            pub(crate) async fn provider(&self) -> Provider {
                self.0.provider.into()
            }

            /// What happened, in one vocabulary for both vendors: filter by it, and branch on it.
            /// Kinds are added over time: treat one you do not know as `UNRECOGNIZED`.
            pub(crate) async fn kind(&self) -> EventKind {
                self.0.kind.into()
            }

            /// The vendor's own type names of its deliveries, each once:
            /// `["proposal_accepted", "proposal_accepted_or_declined"]`.
            pub(crate) async fn vendor_types(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
                vendor_types(ctx, &self.0).await
            }

            /// When it happened, according to the vendor; null if the vendor gives no time for this
            /// type.
            pub(crate) async fn occurred_at(&self) -> Result<Option<DateTime>> {
                optional(&self.0.occurred_at, DateTime::from)
            }

            /// When its first delivery arrived.
            pub(crate) async fn received_at(&self) -> Result<DateTime> {
                Ok((*read(&self.0.received_at)?).into())
            }

            /// The vendor's own `data` object, unchanged, for fields that this API does not have.
            /// The vendor documents them. ArcSite's ids in it are numbers beyond 2^53, which
            /// JavaScript rounds: take them from `vendorId`.
            pub(crate) async fn payload(&self) -> Result<Json> {
                payload(&self.0)
            }

            /// `payload` as text, character by character as it was received. For programs whose
            /// JSON parser rounds large numbers, and for people.
            pub(crate) async fn payload_text(&self) -> Result<String> {
                Ok(payload(&self.0)?.0.get().to_owned())
            }

            /// How long an equal delivery of this event is a redelivery and not a second event.
            pub(crate) async fn dedup_window(&self) -> Result<DedupWindow> {
                Ok(domain::DedupWindow::of(self.0.kind, read(&self.0.occurred_at)?.is_some()).into())
            }

            /// Its first 100 deliveries in the order of their arrival, redeliveries included.
            /// `deliveryConnection` has all.
            pub(crate) async fn deliveries(&self, ctx: &Context<'_>) -> Result<Vec<Selected<Delivery>>> {
                deliveries(ctx, &self.0).await
            }

            /// All its deliveries in the order of their arrival, redeliveries included, in pages.
            pub(crate) async fn delivery_connection(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20.")]
                first: Option<i32>,
                #[graphql(desc = "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.")]
                after: Option<String>,
                #[graphql(desc = "How many items to return from the end of the list, 0 to 100. Not together with `first`.")]
                last: Option<i32>,
                #[graphql(desc = "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`.")]
                before: Option<String>,
            ) -> Result<DeliveryConnection> {
                let args = PageArgs { first, after, last, before };
                load_related::<DeliveryRow>(ctx, delivery_parent(&self.0), DeliveryRow::ARRIVAL, args).await
            }

            $($own)*
        }
    };
}

event_type! {
    /// An event of an ArcSite project.
    ProjectEvent {
        /// The project in its current state, not as it was at the time of the event.
        async fn project(&self, ctx: &Context<'_>) -> Result<Selected<Project>> {
            let row = load_by_vendor_id(ctx, read(&self.0.project_vendor_id)?.as_ref()).await?;
            require_subject(&self.0, row.map(|row| Selected(Project(row))))
        }
    }
}

event_type! {
    /// An event of an ArcSite drawing.
    DrawingEvent {
        /// The drawing in its current state, not as it was at the time of the event.
        async fn drawing(&self, ctx: &Context<'_>) -> Result<Selected<Drawing>> {
            let row = load_by_vendor_id(ctx, read(&self.0.drawing_vendor_id)?.as_ref()).await?;
            require_subject(&self.0, row.map(|row| Selected(Drawing(row))))
        }

        /// The drawing as PDF as it was at this event, with the state of the file now; null if the
        /// event has no link to one, or if files are off.
        async fn pdf(&self, ctx: &Context<'_>) -> Result<Option<Selected<StoredFile>>> {
            load_newest_file(ctx, Relation::EVENT_PDF, self.0.seq.0.to_string()).await
        }

        /// The drawing as PNG as it was at this event, with the state of the file now; null if the
        /// event has no link to one, or if files are off.
        async fn png(&self, ctx: &Context<'_>) -> Result<Option<Selected<StoredFile>>> {
            load_newest_file(ctx, Relation::EVENT_PNG, self.0.seq.0.to_string()).await
        }
    }
}

event_type! {
    /// An event of a Bidsketch client.
    ClientEvent {
        /// The client in its current state, not as it was at the time of the event.
        async fn client(&self, ctx: &Context<'_>) -> Result<Selected<Client>> {
            let row = load_by_vendor_id(ctx, read(&self.0.client_vendor_id)?.as_ref()).await?;
            require_subject(&self.0, row.map(|row| Selected(Client(row))))
        }
    }
}

event_type! {
    /// An event of a proposal, of either vendor. Payments are among them.
    ProposalEvent {
        /// The proposal in its current state, not as it was at the time of the event. Null for
        /// PROPOSAL_SIGNED, which names no proposal (use `drawing` and `project`), and for a
        /// payment until an event of the proposal itself has arrived.
        async fn proposal(&self, ctx: &Context<'_>) -> Result<Option<Selected<Proposal>>> {
            let id = read(&self.0.proposal_vendor_id)?.as_ref();
            Ok(load_proposal(ctx, self.0.provider, id).await?.map(|row| Selected(Proposal(row))))
        }

        /// The vendor's own id of the proposal; null for PROPOSAL_SIGNED.
        async fn proposal_vendor_id(&self) -> Result<Option<&str>> {
            Ok(read(&self.0.proposal_vendor_id)?.as_ref().map(VendorId::as_str))
        }

        /// The drawing that the proposal was made from (ArcSite), as far as it was known when the
        /// event was recorded; null until an event of the drawing itself has arrived.
        async fn drawing(&self, ctx: &Context<'_>) -> Result<Option<Selected<Drawing>>> {
            Ok(load_by_vendor_id(ctx, read(&self.0.drawing_vendor_id)?.as_ref()).await?.map(|row| Selected(Drawing(row))))
        }

        /// The project that the proposal belongs to (ArcSite), as far as it was known when the
        /// event was recorded; null until an event of the project itself has arrived.
        async fn project(&self, ctx: &Context<'_>) -> Result<Option<Selected<Project>>> {
            Ok(load_by_vendor_id(ctx, read(&self.0.project_vendor_id)?.as_ref()).await?.map(|row| Selected(Project(row))))
        }

        /// The status that this event gave the proposal; null if it gave none. `proposal.status` is
        /// the current one.
        async fn status(&self) -> Result<Option<ProposalStatus>> {
            optional(&self.0.status, ProposalStatus::from)
        }

        /// The status that the proposal had just before this event, in the order of the log; null
        /// if it had none. With a late event it is not the status before it in time.
        async fn previous_status(&self) -> Result<Option<ProposalStatus>> {
            optional(&self.0.previous_status, ProposalStatus::from)
        }

        /// The files that this event names, with their states now: the proposal, its options, or
        /// the signed proposal (ArcSite); at most 50. Empty if it names none, or if files are off.
        async fn files(&self, ctx: &Context<'_>) -> Result<Vec<Selected<StoredFile>>> {
            load_event_files(ctx, self.0.seq.0.to_string()).await
        }

        /// The payment, for PROPOSAL_PAYMENT_RECEIVED; null for every other kind.
        async fn payment(&self, ctx: &Context<'_>) -> Result<Option<Selected<Payment>>> {
            if self.0.kind != domain::EventKind::ProposalPaymentReceived {
                return Ok(None);
            }
            Ok(load(ctx, PaymentKey(self.0.seq, node_columns::<PaymentRow>(ctx))).await?.map(|row| Selected(Payment(row))))
        }
    }
}

event_type! {
    /// An event of a type that this version does not know. `vendorTypes` and `payload` have what
    /// the vendor sent.
    UnrecognizedEvent {}
}
