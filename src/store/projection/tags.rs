//! Tags. Each has one row, so that an index finds the objects with a tag.

use std::collections::{BTreeMap, BTreeSet};

use entity::{drawing_tag, project_tag};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::text::indexable_text;
use crate::domain::{Patch, VendorId};
use crate::store::sql::lookup::pad_to_power_of_four;
use crate::store::{BulkInsert, StoreError};

/// How a group of events changes the tags of projects or of drawings.
#[derive(Debug, Default)]
pub(super) struct TagChanges(BTreeMap<String, NewTags>);

#[derive(Debug)]
struct NewTags {
    tags: BTreeSet<String>,
    /// Whether the object existed before the group, and so may have stored tags.
    replaces_stored: bool,
}

/// A table of tags.
pub(super) trait TagTable: EntityTrait {
    /// The column of the tagged object's id.
    const VENDOR_ID: Self::Column;

    /// A row of the table.
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
    /// Sets the tags of a project or drawing as an applied event has them.
    pub(super) fn set(&mut self, id: &VendorId, change: &Patch<Vec<String>>, is_new: bool) {
        if change.is_missing() {
            return;
        }
        // A tag too long for the index is only stored with its project or drawing.
        let tags = change.value().into_iter().flatten().cloned().filter_map(indexable_text).collect();
        let new =
            self.0.entry(id.as_str().to_owned()).or_insert(NewTags { tags: BTreeSet::new(), replaces_stored: !is_new });
        new.tags = tags;
    }

    /// Deletes the replaced tags, and adds the new ones to the batch.
    pub(super) async fn write<E: TagTable, C: ConnectionTrait>(
        self,
        db: &C,
        batch: &mut BulkInsert,
    ) -> Result<(), StoreError> {
        let replaced: Vec<&str> =
            self.0.iter().filter(|(_, tags)| tags.replaces_stored).map(|(id, _)| id.as_str()).collect();
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
