use secrecy::ExposeSecret;

use super::*;

fn load_with(environment: &[(&str, &str)], flags: Overrides) -> Result<Settings, ConfigError> {
    let environment = environment.iter().copied();
    let empty = tempfile::NamedTempFile::new().unwrap();
    Settings::load(Some(empty.path()), environment, flags)
}

fn load(environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load_with(environment, Overrides::default())
}

#[test]
fn example_file_holds_the_defaults() {
    let settings = Settings::defaults().unwrap();
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database.url.expose(), "sqlite://bidarc.db");
    assert!(settings.is_open_mode(settings.server.listen));
    assert!(settings.arcsite.signing_secrets.is_empty() && settings.bidsketch.path_token.is_none());
}

#[test]
fn flags_override_environment_and_environment_overrides_file() {
    let environment = [("BIDARC_SERVER__LISTEN", "127.0.0.1:1")];
    let flags = Overrides { listen: Some("127.0.0.1:2".to_owned()), database_url: None };
    assert_eq!(load(&environment).unwrap().server.listen.port(), 1);
    assert_eq!(load_with(&environment, flags).unwrap().server.listen.port(), 2);
}

#[test]
fn environment_values_keep_digits_and_split_at_commas() {
    let settings = load(&[
        ("BIDARC_ARCSITE__SIGNING_SECRETS", "007, 1e5,true"),
        ("BIDARC_BIDSKETCH__PATH_TOKEN", "0042004213579bdf"),
        ("BIDARC_IDENTITY__STATE_WINDOW_HOURS", " 1_2 "),
    ])
    .unwrap();
    let secrets: Vec<&str> = settings.arcsite.signing_secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["007", "1e5", "true"]);
    assert_eq!(settings.bidsketch.path_token.unwrap().expose_secret(), "0042004213579bdf");
    assert_eq!(settings.identity.state_window_hours, 12);
}

#[test]
fn secret_in_a_file_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one\ntwo\n").unwrap();
    let settings = load(&[("BIDARC_ARCSITE__SIGNING_SECRETS_FILE", file.path().to_str().unwrap())]).unwrap();
    assert_eq!(settings.arcsite.signing_secrets.len(), 2);
    let error = load(&[("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", "/nowhere")]).unwrap_err().to_string();
    assert!(error.contains("BIDARC_BIDSKETCH__PATH_TOKEN_FILE") && error.contains("/nowhere"), "{error}");
}

#[test]
fn open_mode_with_public_url_or_other_address_is_off() {
    let open = |environment| {
        let settings = load(environment).unwrap();
        settings.is_open_mode(settings.server.listen)
    };
    assert!(!open(&[("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com")]));
    assert!(!open(&[("BIDARC_SERVER__LISTEN", "0.0.0.0:8080")]));
    assert!(open(&[("BIDARC_SERVER__LISTEN", "[::1]:8080")]));
    assert!(open(&[("BIDARC_SERVER__LISTEN", "[::ffff:127.0.0.1]:8080")]));
}

#[test]
fn settings_debug_output_hides_secrets() {
    let settings = load(&[("BIDARC_ARCSITE__SIGNING_SECRETS", "topsecret")]).unwrap();
    assert!(!format!("{settings:?}").contains("topsecret"));
}

#[test]
fn origin_is_brought_to_the_form_that_browsers_send() {
    let origins = "https://Office.example.com:443/, http://localhost:5173\n";
    let settings = load(&[("BIDARC_SERVER__ALLOWED_ORIGINS", origins)]).unwrap();
    assert_eq!(settings.server.allowed_origins, ["https://office.example.com", "http://localhost:5173"]);
}

/// Every refusal names the source, the setting and the allowed values. No secret is shown.
#[test]
fn value_not_allowed_is_refused_and_explained() {
    let long = "9".repeat(50);
    for (name, values) in [
        (
            "server.listen",
            &[
                "everywhere",
                "localhost:8080",
                ":8080",
                "8080",
                "http://127.0.0.1:8080",
                "127.0.0.1:65536",
                "::1:80x",
                "",
            ][..],
        ),
        (
            "server.public_url",
            &[
                "hooks.example.com",
                "ftp://hooks.example.com",
                "https://",
                "https:hooks.example.com",
                "https://hooks.example.com?x=1",
                "https://hooks.example.com/#x",
                "https://hooks .example.com",
                "https:\\\\hooks.example.com",
                "https://hooks.example.com:99999",
                "https://*.example.com",
            ],
        ),
        (
            "server.allowed_origins",
            &[
                "*",
                "office.example.com",
                "https://office.example.com/app",
                "https://*.example.com",
                "https://",
                "https://a.example,,https://b.example",
                "https://a.example,",
                "https://a.example?x",
                "https://a.example:0",
                "https://a..example",
                "https://.example",
                "null",
            ],
        ),
        ("server.shutdown_grace_seconds", &["10s", "-1", "3601", "1.5", "", "0x10", "1__0", "_1", "+1", &long]),
        (
            "database.url",
            &[
                "",
                "bidarc.db",
                "/var/lib/bidarc.db",
                "mysql://db/office",
                "sqlite://",
                "sqlite:?mode=rwc",
                "postgres:db",
            ],
        ),
        ("database.readers", &["0", "501", "four", "yes", "4 readers"]),
        ("database.wake_up", &["sometimes", "NOTIFY", "", "notify poll"]),
        ("database.poll_milliseconds", &["9", "60001", "250ms"]),
        ("arcsite.signing_secrets", &["hush,,hush", "hush\u{1}"]),
        (
            "arcsite.path_token",
            &[
                "hush/hush",
                "hush hush",
                "hush%2F",
                "hush?x",
                "hush#x",
                "..",
                "h\u{fc}sh",
                "hush\nhush",
                "hush",
                "hush12345678901",
                "hushhushhushhushhush",
            ],
        ),
        ("arcsite.signature_max_age_hours", &["0", "8761", "3 days"]),
        ("arcsite.signature_max_ahead_minutes", &["0", "1441"]),
        ("arcsite.currency", &["usd", "US", "USDT", "U D", "\u{20ac}", "USD,CAD"]),
        ("bidsketch.path_token", &["hush/hush", "/hush", "hush/"]),
        ("bidsketch.api_url", &["", "bidsketch.com", "https://u:hush@bidsketch.com", "https://bidsketch.com/?hush"]),
        ("bidsketch.api_token", &["hush hush", "hush\"", "h\u{fc}sh", "hush\\"]),
        ("bidsketch.api_timeout_seconds", &["0", "121"]),
        ("identity.state_window_hours", &["0", "8761", "a day"]),
        ("identity.occurrence_window_seconds", &["0", "86401"]),
        (
            "files.store",
            &[
                "ftp://files.example.com/a",
                "s3://",
                "https://x.example/a",
                "s3://u:hush@bucket",
                "s3://bucket?hush",
                "a\u{1}",
            ],
        ),
        (
            "files.allowed_hosts",
            &[
                "*",
                "*.com",
                "https://a.example",
                "hush.example:443",
                "hush.example/",
                "a..b",
                "*a.example",
                "h\u{fc}sh.example",
                "[::1]",
            ],
        ),
        ("files.max_bytes", &["0", "1048575", "500 MB"]),
        ("files.max_total_bytes", &["-1", "1125899906842625"]),
        ("files.fetches", &["0", "101"]),
        ("files.proxy", &["proxy.example.com:3128", "socks5://proxy.example.com", "http://u:hush@proxy.example.com"]),
        ("files.keep_pdf_days", &["36501", "a year"]),
        ("files.keep_png_days", &["36501", "-1"]),
        ("graphql.max_document_bytes", &["999", "262145", "128 KiB"]),
        ("graphql.max_tokens", &["99", "100001"]),
        ("graphql.max_name_letters", &["19", "1001"]),
        ("graphql.max_nesting", &["15", "65"]),
        ("graphql.max_fragments", &["0", "10001"]),
        ("graphql.max_directives", &["0", "10001"]),
        ("graphql.max_aliases", &["0", "10001"]),
        ("graphql.max_root_fields", &["0", "10001"]),
        ("graphql.max_arguments", &["9", "1001"]),
        ("graphql.max_list_items", &["99", "100001"]),
        ("graphql.max_value_bytes", &["9999", "100000001"]),
        ("graphql.introspection", &["yes", "true", "ON", ""]),
        ("graphql.max_depth", &["0", "65"]),
        ("graphql.max_fields", &["0", "100001"]),
        ("graphql.max_complexity", &["0", "10000001"]),
        (
            "log.filter",
            &[
                "loud",
                "",
                "info,",
                "a=b=c",
                "bidarc=loud",
                "bidarc::ingest",
                "=info",
                "info,,debug",
                "verbose,info",
                "bidarc::ingset=debug",
                "bidarc =debug",
            ],
        ),
        ("log.format", &["xml", "JSON", "texts"]),
    ] {
        let setting = SETTINGS.iter().find(|setting| setting.name == name).unwrap();
        let variable = setting.variable();
        for value in values {
            let error = load(&[(&variable, value)]).map(drop).unwrap_err().to_string();
            for text in [name, &variable, &setting.kind.allowed()] {
                assert!(error.contains(text), "{name} = {value:?}: {text:?} is not in {error}");
            }
            // A URL is shown without its user name and parameters.
            let is_url = value.contains("://");
            assert_eq!(
                error.contains("hush"),
                value.contains("hush") && !setting.kind.is_secret() && !is_url,
                "{error}"
            );
            assert!(!error.contains("variant"), "{error}");
        }
    }
    let checked = SETTINGS.iter().filter(|setting| matches!(setting.kind, Kind::Number { .. }));
    for setting in checked {
        let Kind::Number { min, max, .. } = setting.kind else { unreachable!() };
        for value in [min, max] {
            load(&[(&setting.variable(), &value.to_string())]).unwrap();
        }
    }
}

#[test]
fn value_of_every_kind_in_its_other_spellings_is_taken() {
    for (variable, value) in [
        ("BIDARC_SERVER__LISTEN", " [::1]:8080\n"),
        ("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com:8443/bidarc/"),
        ("BIDARC_SERVER__PUBLIC_URL", ""),
        ("BIDARC_SERVER__ALLOWED_ORIGINS", " "),
        ("BIDARC_DATABASE__URL", "postgresql://u:p@h/d?sslmode=require"),
        ("BIDARC_DATABASE__URL", "sqlite:bidarc.db?mode=rwc"),
        ("BIDARC_ARCSITE__SIGNING_SECRETS", "a b,c"),
        ("BIDARC_FILES__STORE", "/var/lib/bidarc files"),
        ("BIDARC_FILES__STORE", "off"),
        ("BIDARC_FILES__STORE", "s3://bucket/folder/"),
        ("BIDARC_FILES__ALLOWED_HOSTS", "Files.Example.com, *.arcsite.com\n"),
        ("BIDARC_LOG__FILTER", "INFO,bidarc::ingest=debug, hyper=off"),
        ("BIDARC_LOG__FILTER", "warn,[delivery{provider=ARCSITE}]=debug"),
        ("BIDARC_LOG__FILTER", "off"),
    ] {
        load(&[(variable, value)]).unwrap_or_else(|error| panic!("{variable}={value}: {error}"));
    }
    let with_path = load(&[("BIDARC_SERVER__PUBLIC_URL", "https://hooks.example.com/bidarc/")]).unwrap();
    assert_eq!(with_path.server.public_url.unwrap().expose(), "https://hooks.example.com/bidarc");
}

#[test]
fn variable_mistyped_is_refused_with_the_nearest() {
    for (variable, nearest) in [
        ("BIDARC_DATABASE_URL", "BIDARC_DATABASE__URL"),
        ("BIDARC_DATABASE___URL", "BIDARC_DATABASE__URL"),
        ("BIDARC_DATABASE.URL", "BIDARC_DATABASE__URL"),
        ("BIDARC_DATABSE__URL_FILE", "BIDARC_DATABASE__URL_FILE"),
        ("BIDARC_DATABASE_URL_FILE", "BIDARC_DATABASE__URL_FILE"),
        ("bidarc_database__url", "BIDARC_DATABASE__URL"),
        ("BIDARC_server__listen", "BIDARC_SERVER__LISTEN"),
        ("BIDRAC_SERVER__LISTEN", "BIDARC_SERVER__LISTEN"),
        ("BIDARC_SERVER__LISTN", "BIDARC_SERVER__LISTEN"),
        ("BIDARC_ARCSITE__SIGNING_SECRET", "BIDARC_ARCSITE__SIGNING_SECRETS"),
        ("BIDARC_HTTP__PORT", "BIDARC_"),
        ("BIDARC___", "BIDARC_"),
        ("BIDARC_PUBLIC_URL", "BIDARC_SERVER__PUBLIC_URL"),
        ("BIDARC_API_TOKEN_FILE", "BIDARC_BIDSKETCH__API_TOKEN_FILE"),
        ("BIDARC_LISTEN", "BIDARC_SERVER__LISTEN"),
        ("BIDARC_CONFG", "BIDARC_CONFIG"),
    ] {
        let error = load(&[(variable, "hush")]).unwrap_err().to_string();
        assert!(error.contains(&format!("variable {variable} sets nothing")), "{error}");
        assert!(error.contains(&format!("nearest is {nearest}")) && !error.contains("hush"), "{error}");
    }
    for variable in [
        "BIDARC_CONFIG",
        "BIDARC_COPY_TO",
        "BIDARC_TOKEN",
        "BIDARC_BIN",
        "BIDARC_SOCKET",
        "BIDARC_STREAM",
        "BIDARC_TEST_DATABASE",
        "BIDARC_FAILPOINT",
        "BIDARC_URL",
        "DATABASE_URL",
        "PATH",
        // Kubernetes sets these in each container beside a service that is called bidarc.
        "BIDARC_SERVICE_HOST",
        "BIDARC_SERVICE_PORT",
        "BIDARC_PORT",
        "BIDARC_PORT_8080_TCP_ADDR",
    ] {
        load(&[(variable, "x")]).unwrap_or_else(|error| panic!("{error}"));
    }
}

fn load_file(content: impl AsRef<[u8]>) -> Result<Settings, String> {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), content).unwrap();
    let none: [(&str, &str); 0] = [];
    Settings::load(Some(file.path()), none, Overrides::default()).map_err(|error| {
        let error = error.to_string();
        assert!(error.contains(file.path().to_str().unwrap()), "{error}");
        assert!(!error.contains("hush"), "{error}");
        error
    })
}

#[test]
fn settings_file_with_a_fault_is_refused_with_the_line() {
    for (content, texts) in [
        ("[server]\nlistn = \"127.0.0.1:0\"\n", &["line 2", "server.listn", "server.listen"][..]),
        ("\n[sever]\nlisten = \"127.0.0.1:0\"\n", &["line 2", "[sever]", "[server]"]),
        ("[Server]\nlisten = \"127.0.0.1:0\"\n", &["line 1", "[Server]", "[server]"]),
        ("lisen = \"127.0.0.1:0\"\n", &["line 1", "server.listen", "[server]"]),
        ("server = 3\n", &["line 1", "server stands in no section"]),
        ("[server.listen]\nx = 1\n", &["line 1", "server.listen is a table", "an IP address"]),
        ("[database]\nurl = \"sqlite://x.db\"\nreaders = 0\n", &["line 3", "database.readers is 0", "1 to 500"]),
        ("[database]\nreaders = true\n", &["line 2", "database.readers is true"]),
        ("[database]\nreaders = 1.5\n", &["line 2", "database.readers is 1.5"]),
        ("[database]\nreaders = [4]\n", &["line 2", "database.readers is [4]"]),
        ("[database]\nreaders = 99999999999999999999\n", &["line 2", "database.readers is 99999999999999999999"]),
        ("[server]\nlisten = 8080\n", &["line 2", "server.listen is 8080, which is not a text in quotes"]),
        ("[bidsketch]\npath_token = 4242\n", &["line 2", "bidsketch.path_token", "not a text in quotes"]),
        ("[arcsite]\nsigning_secrets = [\"hush\", \"\"]\n", &["line 2", "arcsite.signing_secrets", "an empty item"]),
        ("[arcsite]\nsigning_secrets = [\"hush\", 7]\n", &["line 2", "arcsite.signing_secrets", "not a text"]),
        ("[arcsite]\nsigning_secrets = true\n", &["line 2", "arcsite.signing_secrets", "not a list"]),
        ("[bidsketch]\npath_token = \"hush\n", &["line 2"]),
        ("[bidsketch]\npath_token = hush\n", &["line 2"]),
        ("[log]\n[log]\n", &["line 2", "duplicate"]),
    ] {
        let error = load_file(content).unwrap_err();
        for text in texts {
            assert!(error.contains(text), "{content}: {text:?} is not in {error}");
        }
    }
    let two = load_file("[log]\nfilter = \"loud\"\nformat = \"xml\"\n").unwrap_err();
    assert!(two.starts_with("2 faults") && two.find("log.filter") < two.find("log.format"), "{two}");
    let in_order = load_file("[server]\nlisten = 1\n[database]\nwake_up = 1\nreaders = 0\n").unwrap_err();
    let at = |name| in_order.find(name).unwrap();
    assert!(
        at("server.listen") < at("database.wake_up") && at("database.wake_up") < at("database.readers"),
        "{in_order}"
    );
}

#[test]
fn settings_file_in_another_encoding_is_refused_and_a_mark_is_dropped() {
    let latin1 = load_file(b"[log]\n# B\xfcro\n").unwrap_err();
    assert!(latin1.contains("line 2") && latin1.contains("UTF-8"), "{latin1}");
    let utf16: Vec<u8> = "[log]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(load_file(&utf16).unwrap_err().contains("UTF-8"));
    assert!(load_file([b"\xff\xfe", &*utf16].concat()).unwrap_err().contains("UTF-8"));
    let marked = load_file(b"\xef\xbb\xbf[database]\r\nreaders = 1_0\r\n").unwrap();
    assert_eq!(marked.database.readers, 10);
    assert_eq!(load_file("database.readers = 7\nserver = { listen = \"127.0.0.1:1\" }").unwrap().database.readers, 7);
}

#[test]
fn settings_file_named_must_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let none: [(&str, &str); 0] = [];
    for path in [directory.path().join("none.toml"), directory.path().to_owned()] {
        let error = Settings::load(Some(&path), none, Overrides::default()).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("cannot be read"), "{error}");
    }
}

#[test]
fn value_file_that_holds_nothing_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for path in ["", "/nowhere", "/tmp", path] {
        let error = load(&[("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", path)]).unwrap_err().to_string();
        assert!(error.contains("BIDARC_BIDSKETCH__PATH_TOKEN_FILE") && error.contains(path), "{error}");
    }
    std::fs::write(file.path(), "\u{feff}hush-0123456789ab\n").unwrap();
    let both = [("BIDARC_BIDSKETCH__PATH_TOKEN_FILE", path), ("BIDARC_BIDSKETCH__PATH_TOKEN", "hush-0123456789ab")];
    assert_eq!(load(&both[..1]).unwrap().bidsketch.path_token.unwrap().expose_secret(), "hush-0123456789ab");
    let error = load(&both).unwrap_err().to_string();
    assert!(error.contains("both set") && !error.contains("hush"), "{error}");
}

#[test]
fn variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = OsString::from_vec(vec![b'x', 0xff]);
    let empty = tempfile::NamedTempFile::new().unwrap();
    let error = Settings::load(Some(empty.path()), [("BIDARC_BIDSKETCH__PATH_TOKEN", value)], Overrides::default());
    assert!(error.unwrap_err().to_string().contains("BIDARC_BIDSKETCH__PATH_TOKEN"));
}

#[test]
fn database_is_named_by_flag_variable_or_file_alone() {
    let flag = Overrides { database_url: Some("sqlite://bidarc.db".to_owned()), ..Overrides::default() };
    assert!(load_with(&[], flag).unwrap().database.is_named);
    assert!(load(&[("BIDARC_DATABASE__URL", "sqlite://bidarc.db")]).unwrap().database.is_named);
    assert!(load_file("database.url = \"sqlite://bidarc.db\"").unwrap().database.is_named);
    assert!(!load_file("database.readers = 4").unwrap().database.is_named);
}

/// The table, the file of defaults and the struct have the same settings.
#[test]
fn table_has_exactly_the_settings_of_the_example_file() {
    let mut problems = Vec::new();
    let entries = default_entries(&mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    let names: Vec<&str> = entries.iter().map(|entry| entry.setting.name).collect();
    let mut sorted: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    let mut from_file = names.clone();
    sorted.sort_unstable();
    from_file.sort_unstable();
    assert_eq!(from_file, sorted);
    let settings = format!("{:?}", Settings::defaults().unwrap());
    for setting in SETTINGS {
        assert!(settings.contains(&format!("{}: ", setting.section_and_key().1)), "{}", setting.name);
    }
}

#[test]
fn secret_in_the_wrong_place_is_not_shown() {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    for content in [
        "database = \"postgres://me:hunter2@db/x\"",
        "arcsite = \"hunter2\"",
        "[arcsite]\nsigning_secrets = { a = \"hunter2\" }",
        "[arcsite]\nsigning_secrets = [[\"hunter2\"]]",
        "[arcsite]\npath_token = [\"hunter2\"]",
        "[bidsketch]\napi_url = [\"https://me:hunter2@x\"]",
        "[bidsketch]\napi_token = { hunter2 = 1 }",
        "[database]\nurl = { url = \"hunter2\" }",
        "[server]\npublic_url = \"ftp://me:hunter2@x\"",
        "[server]\nallowed_origins = [\"https://me:hunter2@x\"]",
        "[server]\nlisten = \"postgres://me:hunter2@db/x\"",
        "[database]\nreaders = \"postgres://me:hunter2@db/x\"",
    ] {
        std::fs::write(file.path(), content).unwrap();
        let error = Settings::load(Some(file.path()), [("", ""); 0], Overrides::default()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{content}: {error}");
    }
    for variable in ["BIDARC_SERVER__PUBLIC_URL", "BIDARC_BIDSKETCH__API_URL"] {
        let error = load(&[(variable, "https://me:hunter2@x.example/?key=hunter2")]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let settings = load(&[("BIDARC_DATABASE__URL", "postgres://me:hunter2@db/x")]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}
