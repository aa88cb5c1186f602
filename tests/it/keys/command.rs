//! `bidarc keys`: an operator adds, lists and revokes keys.

use crate::harness::{Database, Launch, add_key, revoke_key};

const LIVE: &str = "SELECT COUNT(*) FROM key WHERE revoked_at IS NULL";

#[tokio::test]
async fn added_key_prints_its_token_last_and_stores_only_its_hash() {
    let database = Database::fresh();
    let output = Launch::keys(&database, &["add", "back office", "--scope", "manage"]).run().await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let token = output.stdout.lines().last().unwrap().to_owned();
    let random = token.strip_prefix("bidarc_").unwrap_or_else(|| panic!("{output:?}"));
    assert_eq!(random.len(), 43, "256 bits in base64url: {token}");
    assert!(!random.contains(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')), "{token}");
    assert_eq!((output.stdout.matches(random).count(), output.stderr.contains(random)), (1, false), "{output:?}");

    let listed = Launch::keys(&database, &["list"]).run().await.stdout;
    assert!(listed.contains("back office") && listed.contains("manage"), "{listed}");
    let hash = database.texts("SELECT token_hash FROM key").await.remove(0);
    assert_eq!(hash.len(), 64, "{hash}");
    for secret in [random, &hash] {
        assert!(!listed.contains(secret), "{listed}");
    }
    let bytes = database.bytes();
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!contains(random), "the token is on disk");
    assert!(contains(&hash), "the bytes are those of the database");
}

#[tokio::test]
async fn token_of_each_key_is_unique() {
    let database = Database::fresh();
    let first = add_key(&database, "one", "read").await;
    assert_ne!(add_key(&database, "two", "read").await, first);
    assert_eq!(database.texts("SELECT DISTINCT token_hash FROM key").await.len(), 2);
}

#[tokio::test]
async fn key_name_is_unique_until_the_key_is_revoked() {
    let database = Database::fresh();
    add_key(&database, "office", "read").await;
    let again = Launch::keys(&database, &["add", "office", "--scope", "manage"]).run().await;
    assert_eq!((again.status.code(), again.stdout.as_str()), (Some(1), ""), "{again:?}");
    assert!(again.stderr.contains("\"office\"") && again.stderr.contains("already"), "{again:?}");
    assert_eq!(database.numbers(LIVE).await, [1]);

    revoke_key(&database, "office").await;
    assert_eq!(database.numbers(LIVE).await, [0]);
    add_key(&database, "office", "manage").await;
    let listed = Launch::keys(&database, &["list"]).run().await.stdout;
    let rows: Vec<Vec<&str>> = listed.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows.len(), rows[0][..2].join(" "), rows[1][..2].join(" ")), (2, "1 read".into(), "2 manage".into()));
    assert!(rows[0][3].starts_with("20") && rows[1][3] == "-", "{listed}");
    // The number of a key identifies it as well. A revoked key cannot be revoked again.
    for (key, code) in [("1", 1), ("2", 0), ("2", 1), ("3", 1), ("office", 1), ("unknown", 1)] {
        let output = Launch::keys(&database, &["revoke", key]).run().await;
        assert_eq!(output.status.code(), Some(code), "{key}: {output:?}");
        if code == 1 {
            let text = if key.len() == 1 && key != "3" { "already revoked" } else { "there is no active key" };
            assert!(output.stderr.contains(text), "{key}: {output:?}");
        }
    }
    assert_eq!(database.numbers(LIVE).await, [0]);
}

/// Open mode comes back with the last revocation, so the command says what that means.
#[tokio::test]
async fn revocation_of_the_last_key_is_explained() {
    let database = Database::fresh();
    for (public_url, text) in [("", "open mode is back"), ("https://hooks.example.com", "refuses every request")] {
        add_key(&database, "one", "read").await;
        add_key(&database, "two", "manage").await;
        let revoke =
            |name| Launch::keys(&database, &["revoke", name]).env("BIDARC_SERVER__PUBLIC_URL", public_url).run();
        let first = revoke("one").await;
        assert!(first.status.success() && !first.stdout.contains("no key is left"), "{first:?}");
        let last = revoke("two").await;
        assert!(last.stdout.contains("no key is left") && last.stdout.contains(text), "{last:?}");
        assert!(last.stdout.contains("bidarc keys add NAME --scope manage"), "{last:?}");
    }
}

#[tokio::test]
async fn invalid_key_name_or_scope_is_refused() {
    let database = Database::fresh();
    add_key(&database, "first", "read").await;
    let too_long = "x".repeat(101);
    for name in ["", "7", " office", "a\nb", "a\u{1b}[2Jb", &too_long] {
        let output = Launch::keys(&database, &["add", name, "--scope", "read"]).run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{name:?}: {output:?}");
        assert!(output.stderr.contains("a name") && !output.stderr.contains('\u{1b}'), "{name:?}: {output:?}");
    }
    for arguments in [&["add", "office"][..], &["add", "office", "--scope", "all"], &["add", "--scope", "read"]] {
        let output = Launch::keys(&database, arguments).run().await;
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(2), ""), "{arguments:?}: {output:?}");
    }
}

#[tokio::test]
async fn help_explains_keys_and_scopes() {
    let output = Launch::new(".").arg("keys").arg("--help").run().await;
    for word in ["add", "list", "revoke"] {
        assert!(output.stdout.contains(word), "{word}: {output:?}");
    }
    let output = Launch::new(".").arg("keys").arg("add").arg("--help").run().await;
    for word in ["--scope", "read", "manage", "Authorization: Bearer", "last line"] {
        assert!(output.stdout.contains(word), "{word}: {output:?}");
    }
}
