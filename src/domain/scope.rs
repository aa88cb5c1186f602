//! What a key lets its holder do.

use super::text_enum::text_enum;

text_enum! {
    /// What a key lets its holder do. A later one includes those before it.
    Scope {
        /// Queries and subscriptions.
        Read = "read",
        /// Mutations as well.
        Manage = "manage",
    }
}

impl Scope {
    /// Whether who has this scope may do what needs the other.
    #[must_use]
    pub fn includes(self, needed: Self) -> bool {
        self >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manage_scope_includes_read() {
        for (scope, needed, includes) in [
            (Scope::Read, Scope::Read, true),
            (Scope::Read, Scope::Manage, false),
            (Scope::Manage, Scope::Read, true),
            (Scope::Manage, Scope::Manage, true),
        ] {
            assert_eq!(scope.includes(needed), includes, "{scope} {needed}");
        }
    }
}
