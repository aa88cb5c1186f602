//! `bidarc keys`: what an operator makes, sees and takes back.

use crate::harness::{Database, Launch, add_key, revoke_key};

const LIVE: &str = "SELECT COUNT(*) FROM key WHERE revoked_at IS NULL";

#[tokio::test]
async fn the_token_is_the_last_line_and_only_its_hash_is_kept() {
    let database = Database::fresh();
    let ended = Launch::keys(&database, &["add", "back office", "--scope", "manage"]).run().await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let token = ended.stdout.lines().last().unwrap().to_owned();
    let random = token.strip_prefix("bidarc_").unwrap_or_else(|| panic!("{ended:?}"));
    assert_eq!(random.len(), 43, "256 bits in base64url: {token}");
    assert!(!random.contains(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')), "{token}");
    assert_eq!((ended.stdout.matches(random).count(), ended.stderr.contains(random)), (1, false), "{ended:?}");

    let listed = Launch::keys(&database, &["list"]).run().await.stdout;
    assert!(listed.contains("back office") && listed.contains("manage"), "{listed}");
    let hash = database.texts("SELECT token_hash FROM key").await.remove(0);
    assert_eq!(hash.len(), 64, "{hash}");
    for secret in [random, &hash] {
        assert!(!listed.contains(secret), "{listed}");
    }
    let bytes = database.bytes();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(random), "the token is on disk");
    assert!(holds(&hash), "what was read is the database");
}

#[tokio::test]
async fn every_token_is_another() {
    let database = Database::fresh();
    let one = add_key(&database, "one", "read").await;
    assert_ne!(add_key(&database, "two", "read").await, one);
    assert_eq!(database.texts("SELECT DISTINCT token_hash FROM key").await.len(), 2);
}

#[tokio::test]
async fn a_name_is_one_key_s_until_it_is_revoked() {
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
    // Its number names it as well, and the one that was revoked is not revoked again.
    for (which, code) in [("1", 1), ("2", 0), ("2", 1), ("3", 1), ("office", 1), ("nobody", 1)] {
        let ended = Launch::keys(&database, &["revoke", which]).run().await;
        assert_eq!(ended.status.code(), Some(code), "{which}: {ended:?}");
        if code == 1 {
            let says = if which.len() == 1 && which != "3" { "revoked before" } else { "there is no key" };
            assert!(ended.stderr.contains(says), "{which}: {ended:?}");
        }
    }
    assert_eq!(database.numbers(LIVE).await, [0]);
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused() {
    let database = Database::fresh();
    let too_long = "x".repeat(101);
    for name in ["", "7", " office", "a\nb", "a\u{1b}[2Jb", &too_long] {
        let ended = Launch::keys(&database, &["add", name, "--scope", "read"]).run().await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(1), ""), "{name:?}: {ended:?}");
        assert!(ended.stderr.contains("a name") && !ended.stderr.contains('\u{1b}'), "{name:?}: {ended:?}");
    }
    for arguments in [&["add", "office"][..], &["add", "office", "--scope", "all"], &["add", "--scope", "read"]] {
        let ended = Launch::keys(&database, arguments).run().await;
        assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn help_teaches() {
    let ended = Launch::new(".").arg("keys").arg("--help").run().await;
    for word in ["add", "list", "revoke"] {
        assert!(ended.stdout.contains(word), "{word}: {ended:?}");
    }
    let ended = Launch::new(".").arg("keys").arg("add").arg("--help").run().await;
    for word in ["--scope", "read", "manage", "Authorization: Bearer", "last line"] {
        assert!(ended.stdout.contains(word), "{word}: {ended:?}");
    }
}
