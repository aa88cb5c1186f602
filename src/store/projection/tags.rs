//! Tags: one row each, so that an index finds what has one.

use std::collections::{BTreeMap, BTreeSet};

use entity::{drawing_tag, project_tag};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::text::search_key;
use crate::domain::{Patch, VendorId};
use crate::store::sql::lookup::padded;
use crate::store::{Batch, StoreError};

/// What a group of events says of the tags of projects, or of drawings.
#[derive(Debug, Default)]
pub(super) struct Tags(BTreeMap<String, New>);

#[derive(Debug)]
struct New {
    tags: BTreeSet<String>,
    /// Whether what they are of was there before the group, and may have had others.
    replaces: bool,
}

/// A table of tags.
pub(super) trait Tagged: EntityTrait {
    /// Whose tag it is.
    const VENDOR_ID: Self::Column;

    /// A row of it.
    fn row(tag: String, vendor_id: String) -> Self::Model;
}

macro_rules! tagged {
    ($($table:ident),+ $(,)?) => {
        $(impl Tagged for $table::Entity {
            const VENDOR_ID: Self::Column = $table::Column::VendorId;

            fn row(tag: String, vendor_id: String) -> Self::Model {
                $table::Model { tag, vendor_id }
            }
        })+
    };
}

tagged!(project_tag, drawing_tag);

impl Tags {
    /// Notes what an event that was taken says of the tags of a project or drawing.
    pub(super) fn put(&mut self, id: &VendorId, change: &Patch<Vec<String>>, is_new: bool) {
        if change.is_missing() {
            return;
        }
        // What is too long to be found by is kept with its project or drawing alone.
        let tags = change.value().into_iter().flatten().cloned().filter_map(search_key).collect();
        let new = self.0.entry(id.as_str().to_owned()).or_insert(New { tags: BTreeSet::new(), replaces: !is_new });
        new.tags = tags;
    }

    /// Takes away those that are replaced, and adds the new ones to what is to be written.
    pub(super) async fn write<E: Tagged, C: ConnectionTrait>(
        self,
        db: &C,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let replaced: Vec<&str> = self.0.iter().filter(|(_, new)| new.replaces).map(|(id, _)| id.as_str()).collect();
        if !replaced.is_empty() {
            E::delete_many().filter(E::VENDOR_ID.is_in(padded(replaced.into_iter()))).exec(db).await?;
        }
        for (id, new) in self.0 {
            for tag in new.tags {
                batch.insert(&E::row(tag, id.clone()));
            }
        }
        Ok(())
    }
}
