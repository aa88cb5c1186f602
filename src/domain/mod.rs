//! The service's own vocabulary, neutral of vendors: values without I/O.

pub mod audit;
pub mod change;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod file;
pub mod ids;
pub mod kind;
pub mod merge;
pub mod money;
pub mod nesting;
pub mod people;
pub mod scope;
pub mod status;
pub mod text;
pub(crate) mod text_enum;
pub mod time_bucket;
pub mod token;
pub mod webhook;

pub use audit::AuditKind;
pub use change::{Change, ClientChange, DrawingChange, NewPayment, Patch, ProjectChange, ProposalChange};
pub use delivery::{DeliveryOutcome, Header, QuarantineReason};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use event::{DedupWindow, Event, Identity, References, Subject};
pub use file::{Digest, FileId, FileKind, FileLink, FileRole, FileState};
pub use ids::{LogId, NodeId, Seq, VendorId};
pub use kind::{EventKind, Provider};
pub use merge::{Merge, MergeMode};
pub use money::Money;
pub use people::{Address, AddressChange, Contact, ContactChange, Customer, CustomerChange, SalesRep, SalesRepChange};
pub use scope::Scope;
pub use status::ProposalStatus;
pub use text::fold;
pub use time_bucket::{Bucket, BucketError, TimeBucket, TimeZone};
pub use token::Token;
pub use webhook::{BidsketchEvent, WebhookId, WebhookState};
