//! The nested values of projects and clients, and their changes.

use serde::{Deserialize, Serialize};

use super::change::Patch;
use super::merge::Merge;

/// Defines a nested value of optional texts, and its change.
macro_rules! nested_value {
    ($(#[$meta:meta])* $name:ident, $change:ident { $($(#[$doc:meta])* $field:ident,)+ $(; $inner:ident: $type:ident, $inner_change:ident)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<String>,)+
            $(/// The address.
            #[serde(skip_serializing_if = "Option::is_none")] pub $inner: Option<$type>,)?
        }

        #[doc = concat!("The change of a [`", stringify!($name), "`].")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $change {
            $($(#[$doc])* pub $field: Patch<String>,)+
            $(/// The address.
            pub $inner: Patch<$inner_change>,)?
        }

        impl Patch<$change> {
            /// Merges the change into the stored value of the field with this name.
            pub fn merge_into(self, merge: &mut Merge, name: &str, stored: &mut Option<$name>) {
                merge.nested(name, self, stored, |merge, change, value| {
                    $(merge.field(stringify!($field), change.$field, &mut value.$field);)+
                    $(change.$inner.merge_into(merge, stringify!($inner), &mut value.$inner);)?
                });
            }
        }
    };
}

nested_value! {
    /// A postal address.
    Address, AddressChange {
        /// Street and number.
        street,
        /// City.
        city,
        /// County.
        county,
        /// State.
        state,
        /// Postal code.
        zip_code,
    }
}

nested_value! {
    /// The customer of a project.
    Customer, CustomerChange {
        /// Name.
        name,
        /// First telephone number.
        phone,
        /// Second telephone number.
        second_phone,
        /// First e-mail address.
        email,
        /// Second e-mail address.
        second_email,
        ; address: Address, AddressChange
    }
}

nested_value! {
    /// The sales representative of a project.
    SalesRep, SalesRepChange {
        /// Name.
        name,
        /// E-mail address.
        email,
        /// Telephone number.
        phone,
    }
}

nested_value! {
    /// A client's other contact.
    Contact, ContactChange {
        /// First name.
        first_name,
        /// Last name.
        last_name,
        /// E-mail address.
        email,
        /// Telephone number.
        phone,
    }
}
