//! Tags: one row each, so that an index finds what has one.

use std::collections::{BTreeMap, BTreeSet};

use entity::{drawing_tag, project_tag};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::text::indexable_text;
use crate::domain::{Patch, VendorId};
use crate::store::sql::lookup::pad_to_power_of_four;
use crate::store::{BulkInsert, StoreError};

/// What a group of events says of the tags of projects, or of drawings.
#[derive(Debug, Default)]
pub(super) struct TagChanges(BTreeMap<String, NewTags>);

#[derive(Debug)]
struct NewTags {
    tags: BTreeSet<String>,
    /// Whether what they are of was there before the group, and may have had others.
    replaces_stored: bool,
}

/// A table of tags.
pub(super) trait TagTable: EntityTrait {
    /// Whose tag it is.
    const VENDOR_ID: Self::Column;

    /// A row of it.
    fn new_row(tag: String, vendor_id: String) -> Self::Model;
}

macro_rules! tag_tables {
    ($($table:ident),+ $(,)?) => {
        $(impl TagTable for $table::Entity {
            const VENDOR_ID: Self::Column = $table::Column::VendorId;

            fn new_row(tag: String, vendor_id: String) -> Self::Model {
                $table::Model { tag, vendor_id }
            }
        })+
    };
}

tag_tables!(project_tag, drawing_tag);

impl TagChanges {
    /// Notes what an event that was taken says of the tags of a project or drawing.
    pub(super) fn set(&mut self, id: &VendorId, change: &Patch<Vec<String>>, is_new: bool) {
        if change.is_missing() {
            return;
        }
        // What is too long to be found by is kept with its project or drawing alone.
        let tags = change.value().into_iter().flatten().cloned().filter_map(indexable_text).collect();
        let new =
            self.0.entry(id.as_str().to_owned()).or_insert(NewTags { tags: BTreeSet::new(), replaces_stored: !is_new });
        new.tags = tags;
    }

    /// Takes away those that are replaced, and adds the new ones to what is to be written.
    pub(super) async fn write<E: TagTable, C: ConnectionTrait>(
        self,
        db: &C,
        batch: &mut BulkInsert,
    ) -> Result<(), StoreError> {
        let replaced: Vec<&str> =
            self.0.iter().filter(|(_, new)| new.replaces_stored).map(|(id, _)| id.as_str()).collect();
        if !replaced.is_empty() {
            E::delete_many().filter(E::VENDOR_ID.is_in(pad_to_power_of_four(replaced.into_iter()))).exec(db).await?;
        }
        for (id, new) in self.0 {
            for tag in new.tags {
                batch.insert(&E::new_row(tag, id.clone()));
            }
        }
        Ok(())
    }
}
