//! `drawing.created` and `drawing.updated`.

use serde::Serialize;

use crate::hook::{Hook, Vendor};
use crate::id::Id;

/// A drawing of a project. It carries no time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drawing {
    /// The vendor's id.
    pub id: Id,
    /// The project that it belongs to. The project's own hook may arrive later.
    pub project_id: Id,
    /// Its name.
    pub name: String,
    /// The file's name. By the vendor's older page only `drawing.updated` carries it, so only that
    /// type is sent with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The drawing as PDF, for 24 hours. `None` is sent as null: for a drawing made from an
    /// uploaded PDF, or a file that is not ready yet.
    pub pdf_url: Option<String>,
    /// The same as PNG.
    pub png_url: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// The version of its files, which the vendor does not send.
    #[serde(skip)]
    pub version: u64,
}

impl Drawing {
    /// Creates a drawing without links and labels.
    pub fn new(id: impl Into<Id>, project_id: impl Into<Id>, name: &str) -> Drawing {
        Drawing {
            id: id.into(),
            project_id: project_id.into(),
            name: name.to_owned(),
            file_name: None,
            pdf_url: None,
            png_url: None,
            tags: Vec::new(),
            version: 1,
        }
    }

    /// `drawing.created`, without a file name.
    pub fn created(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "drawing.created", &Drawing { file_name: None, ..self.clone() })
    }

    /// `drawing.updated`
    pub fn updated(&self) -> Hook {
        Hook::new(Vendor::Arcsite, "drawing.updated", self)
    }
}
