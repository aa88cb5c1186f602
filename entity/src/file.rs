//! A file that a link of an event names: a job until it is stored or given up.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub event_seq: i64,
    /// The drawing that the file shows; also of a signed proposal, whose event names no proposal.
    pub drawing_vendor_id: Option<String>,
    pub proposal_vendor_id: Option<String>,
    pub role: String,
    pub kind: String,
    /// The name that the event gives, such as an option's.
    pub name: Option<String>,
    /// The newest link to the file.
    pub link: String,
    /// The drawing or proposal and a hash of the link without its expiring query: fresh links of a
    /// file have the same.
    #[sea_orm(column_name = "link_hash")]
    pub file_key: String,
    /// When the link dies: by its own `Expires`, at most a week after its delivery, else after 24
    /// hours.
    pub link_expires_at: i64,
    pub state: String,
    pub problem: Option<String>,
    pub attempts: i64,
    pub next_attempt_at: i64,
    pub sha256: Option<String>,
    pub size_bytes: Option<i64>,
    pub stored_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
