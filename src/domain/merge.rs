//! Merges the change of an event into the state of its subject, field by field.

use std::collections::BTreeSet;

use super::Patch;

/// How an event's fields meet the stored ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMode {
    /// A field that the event gives replaces the stored one.
    Replace,
    /// A field that the event gives is taken only if no other event has given it.
    FillIn,
}

/// A merge of one event into one object.
#[derive(Debug)]
pub struct Merge {
    mode: MergeMode,
    /// The fields that an event gave as null: `job_number`, `customer.phone`. A field without a
    /// value that is not in here was never given.
    cleared: BTreeSet<String>,
    /// The path of the nested value that is merged, with a dot at its end.
    prefix: String,
}

impl Merge {
    /// A merge into an object of which these fields were cleared.
    #[must_use]
    pub const fn new(mode: MergeMode, cleared: BTreeSet<String>) -> Self {
        Self { mode, cleared, prefix: String::new() }
    }

    /// Merges a field. A missing field stays, and null clears it.
    pub fn field<T>(&mut self, name: &str, change: Patch<T>, stored: &mut Option<T>) {
        match change {
            Patch::Missing => {}
            Patch::Null => self.clear(name, stored),
            Patch::Value(value) => {
                if self.takes(name, stored.is_some()) {
                    *stored = Some(value);
                }
            }
        }
    }

    /// Merges a nested value with `merge`, which merges its fields.
    pub fn nested<C, T: Default>(
        &mut self,
        name: &str,
        change: Patch<C>,
        stored: &mut Option<T>,
        merge: impl FnOnce(&mut Self, C, &mut T),
    ) {
        match change {
            Patch::Missing => {}
            Patch::Null => self.clear(name, stored),
            Patch::Value(change) => {
                if stored.is_none() && !self.takes(name, false) {
                    return;
                }
                let outer = self.prefix.len();
                self.prefix.push_str(name);
                self.prefix.push('.');
                merge(self, change, stored.get_or_insert_default());
                self.prefix.truncate(outer);
            }
        }
    }

    /// Whether the value of a field is taken.
    #[must_use]
    pub fn takes(&self, name: &str, has_stored: bool) -> bool {
        match self.mode {
            MergeMode::Replace => true,
            MergeMode::FillIn => !has_stored && !self.was_cleared(name),
        }
    }

    /// The fields that an event gave as null, this one included.
    #[must_use]
    pub fn into_cleared(self) -> BTreeSet<String> {
        self.cleared
    }

    fn clear<T>(&mut self, name: &str, stored: &mut Option<T>) {
        if self.mode == MergeMode::Replace {
            *stored = None;
            self.cleared.insert(format!("{}{name}", self.prefix));
        }
    }

    /// Whether an event gave the field, or a value that it is nested in, as null.
    fn was_cleared(&self, name: &str) -> bool {
        if self.cleared.is_empty() {
            return false;
        }
        let path = format!("{}{name}", self.prefix);
        let outer = path.match_indices('.').map(|(end, _)| &path[..end]);
        outer.chain([path.as_str()]).any(|path| self.cleared.contains(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Address, AddressChange, Customer, CustomerChange};

    fn text(value: &str) -> Patch<String> {
        Patch::Value(value.to_owned())
    }

    fn customer(name: &str, city: &str) -> Patch<CustomerChange> {
        let address = Patch::Value(AddressChange { city: text(city), ..AddressChange::default() });
        Patch::Value(CustomerChange { name: text(name), phone: text("1"), address, ..CustomerChange::default() })
    }

    fn merge(
        mode: MergeMode,
        change: Patch<CustomerChange>,
        (cleared, stored): (BTreeSet<String>, Option<Customer>),
    ) -> (BTreeSet<String>, Option<Customer>) {
        let (mut merge, mut stored) = (Merge::new(mode, cleared), stored);
        change.merge_into(&mut merge, "customer", &mut stored);
        (merge.into_cleared(), stored)
    }

    #[test]
    fn fill_in_takes_a_nested_field_that_was_never_given() {
        let given = CustomerChange { name: text("given"), phone: Patch::Null, ..CustomerChange::default() };
        let state = merge(MergeMode::Replace, Patch::Value(given), (BTreeSet::new(), None));
        let (_, filled) = merge(MergeMode::FillIn, customer("late", "Troy"), state);
        let expected = Customer {
            name: Some("given".to_owned()),
            address: Some(Address { city: Some("Troy".to_owned()), ..Address::default() }),
            ..Customer::default()
        };
        assert_eq!(filled, Some(expected));
    }

    #[test]
    fn fill_in_leaves_what_was_cleared() {
        let cleared = merge(MergeMode::Replace, Patch::Null, (BTreeSet::new(), None));
        assert_eq!(merge(MergeMode::FillIn, customer("late", "Troy"), cleared.clone()), cleared);
        // A value that was cleared as a whole and then given in part takes nothing else either.
        let part = CustomerChange { email: text("a@b.example"), ..CustomerChange::default() };
        let part = merge(MergeMode::Replace, Patch::Value(part), cleared);
        assert_eq!(merge(MergeMode::FillIn, customer("late", "Troy"), part.clone()), part);
    }

    #[test]
    fn fill_in_with_null_changes_nothing() {
        let state = merge(MergeMode::Replace, customer("given", "Troy"), (BTreeSet::new(), None));
        assert_eq!(merge(MergeMode::FillIn, Patch::Null, state.clone()), state);
    }
}
