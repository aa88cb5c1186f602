//! The scopes of keys.

use super::text_enum::text_enum;

text_enum! {
    /// The scope of a key: what its holder may do. Each scope includes the ones before it.
    Scope {
        /// Queries and subscriptions.
        Read = "read",
        /// Mutations as well.
        Manage = "manage",
    }
}

impl Scope {
    /// Whether this scope permits what requires `required`.
    #[must_use]
    pub fn includes(self, required: Self) -> bool {
        self >= required
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manage_scope_includes_read() {
        for (scope, required, includes) in [
            (Scope::Read, Scope::Read, true),
            (Scope::Read, Scope::Manage, false),
            (Scope::Manage, Scope::Read, true),
            (Scope::Manage, Scope::Manage, true),
        ] {
            assert_eq!(scope.includes(required), includes, "{scope} {required}");
        }
    }
}
