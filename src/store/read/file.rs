//! Files.

use crate::domain::{FileKind, FileRole, FileState, Seq};
use crate::store::read::Sort;
use crate::store::read::order::{Sortable, sortable};
use crate::store::read::relation::Relation;
use crate::store::read::value::Micros;
use crate::store::sql::json_rows::row;

row! {
    /// A file that an event names.
    FileRow from "file" {
        keys {
            /// Its number.
            id: i64,
            /// The seq of its event.
            event_seq: Seq,
            /// Its type.
            kind: FileKind,
            /// Its state.
            state: FileState,
        }
        columns {
            role: FileRole,
            name: Option<String>,
            link_expires_at: Micros,
            problem: Option<String>,
            sha256: Option<String>,
            size_bytes: Option<i64>,
            stored_at: Option<Micros>,
        }
    }
}

sortable!(FileRow by key id);

impl FileRow {
    /// The order in which an event names its files.
    pub const ARRIVAL: Sort = Sort { descending: false, ..Self::DEFAULT_ORDER };
}

/// The files of an event, of a drawing or of a proposal. A signed proposal names its drawing.
const DRAWING_PDF: &[(&str, &str)] = &[("role", FileRole::Drawing.as_str()), ("kind", FileKind::Pdf.as_str())];
const DRAWING_PNG: &[(&str, &str)] = &[("role", FileRole::Drawing.as_str()), ("kind", FileKind::Png.as_str())];
const DRAWING: &[(&str, &str)] = &[("role", FileRole::Drawing.as_str())];
const SIGNED: &[(&str, &str)] = &[("role", FileRole::Signed.as_str())];

impl Relation {
    /// The files of an event.
    pub const EVENT_FILES: Self = Self { column: "event_seq", provider: None, is_number: true, only: &[] };
    /// The PDF of a drawing's event.
    pub const EVENT_PDF: Self = Self { only: DRAWING_PDF, ..Self::EVENT_FILES };
    /// The PNG of a drawing's event.
    pub const EVENT_PNG: Self = Self { only: DRAWING_PNG, ..Self::EVENT_FILES };
    /// The files of an ArcSite proposal's own events.
    pub const PROPOSAL_FILES: Self = Self { column: "proposal_vendor_id", provider: None, is_number: false, only: &[] };
    /// The files of a drawing's own events.
    pub const DRAWING_FILES: Self =
        Self { column: "drawing_vendor_id", provider: None, is_number: false, only: DRAWING };
    /// The PDFs of a drawing's own events.
    pub const DRAWING_PDFS: Self = Self { only: DRAWING_PDF, ..Self::DRAWING_FILES };
    /// The PNGs of a drawing's own events.
    pub const DRAWING_PNGS: Self = Self { only: DRAWING_PNG, ..Self::DRAWING_FILES };
    /// The signed proposals of a drawing.
    pub const SIGNED_FILES: Self = Self { only: SIGNED, ..Self::DRAWING_FILES };
}
