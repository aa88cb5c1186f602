//! The one table of the settings: the type, the range and the reason of each.
//! `bidarc.example.toml` has the defaults, and docs/SETTINGS.md shows the table.

/// How many characters a label may have.
pub(super) const LABEL_CHARS_MAX: usize = 100;

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name: `section.key`.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its purpose, and the reason for the ends of its range.
    pub reason: &'static str,
}

/// What a setting may be.
#[derive(Debug)]
pub enum Kind {
    /// An IP address and a port.
    Address,
    /// The URL of the service or of an API. Only an optional one may be empty.
    Url {
        /// What it looks like.
        example: &'static str,
        /// Whether an empty text means "not set".
        is_optional: bool,
    },
    /// The URL of a database.
    DatabaseUrl,
    /// A list of web origins.
    Origins,
    /// A list of IP addresses and networks.
    Networks,
    /// A whole number.
    Number {
        /// The smallest value.
        min: u64,
        /// The greatest value.
        max: u64,
        /// What it counts.
        unit: &'static str,
    },
    /// The place of the stored files, or an empty text.
    FileStore,
    /// A list of host names and patterns of them.
    Hosts,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A currency's code, or an empty text.
    Currency,
    /// A short text for people.
    Label,
    /// A name of the time zone database.
    TimeZone,
    /// Levels of the log.
    LogFilter,
    /// A secret that is one segment of a URL's path.
    PathToken,
    /// A secret that a quoted text in an HTTP header carries.
    HeaderToken,
    /// A list of secrets.
    Secrets,
}

impl Setting {
    /// The section and the key.
    #[must_use]
    pub fn section_and_key(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        let (section, key) = self.section_and_key();
        format!("BIDARC_{}__{}", section.to_uppercase(), key.to_uppercase())
    }
}

impl Kind {
    /// Whether no message may show the value.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self, Self::PathToken | Self::HeaderToken | Self::Secrets)
    }

    /// The values that are allowed, as in "it must be …".
    #[must_use]
    pub fn allowed(&self) -> String {
        match self {
            Self::Address => "an IP address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned(),
            Self::Url { example, .. } => {
                format!("a URL like {example}, without a user name, a query or a fragment")
            }
            Self::DatabaseUrl => "sqlite://<path of a file> or postgres://<user>@<host>/<database>".to_owned(),
            Self::Origins => {
                "a list of origins like https://office.example.com, each without a path or wildcard".to_owned()
            }
            Self::FileStore => "off, the path of a folder, or a URL like s3://bucket/folder, gs://bucket or az://container, without a user name or a query".to_owned(),
            Self::Hosts => "a list of host names like files.example.com or *.example.com, each without a port".to_owned(),
            Self::Networks => "a list of IP addresses and networks, like 10.0.0.0/8".to_owned(),
            Self::Number { min, max, unit } => format!("a whole number of {unit}, {min} to {max}"),
            Self::Word(words) => words.join(" or "),
            Self::Currency => "an ISO 4217 code of three capital letters, like USD".to_owned(),
            Self::Label => format!("a text of at most {LABEL_CHARS_MAX} characters without control characters"),
            Self::TimeZone => "an IANA time zone like Europe/Berlin or UTC".to_owned(),
            Self::LogFilter => "levels (error, warn, info, debug, trace, off) for all modules or for one, like \
                 info,bidarc::ingest=debug"
                .to_owned(),
            Self::PathToken => "a text of at least 16 letters, digits and - . _ ~, 6 of them different, as `openssl rand -hex 32` makes it".to_owned(),
            Self::HeaderToken => "a text of visible ASCII characters without quotes, backslashes or spaces".to_owned(),
            Self::Secrets => "a list of texts without control characters".to_owned(),
        }
    }
}

/// Every setting, in the order of `bidarc.example.toml`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "server.listen",
        kind: Kind::Address,
        reason: "The address to listen on; `--listen` overrides it. Port 0 takes any free port. An address other than loopback needs a key.",
    },
    Setting {
        name: "server.public_url",
        kind: Kind::Url { example: "https://hooks.example.com", is_optional: true },
        reason: "The URL at which the vendors reach the service. It ends open mode, so it needs a key. Plain http outside of this machine is used with a warning.",
    },
    Setting {
        name: "server.allowed_origins",
        kind: Kind::Origins,
        reason: "Web pages that may use the API from a browser, besides those of the service and of server.public_url. A browser sends an origin without a path.",
    },
    Setting {
        name: "server.shutdown_grace_seconds",
        kind: Kind::Number { min: 0, max: 3600, unit: "seconds" },
        reason: "How long a stop waits for requests that have begun. An hour is longer than any supervisor waits.",
    },
    Setting {
        name: "server.trusted_proxies",
        kind: Kind::Networks,
        reason: "Proxies whose `X-Forwarded-For` names the peer. This machine is always one.",
    },
    Setting {
        name: "server.max_connections",
        kind: Kind::Number { min: 0, max: 1_000_000, unit: "connections" },
        reason: "How many connections are open at once; 0 means the limit of open files less 64, at most 10000. See the [bounds of connections](ARCHITECTURE.md#connections).",
    },
    Setting {
        name: "server.max_connections_per_peer",
        kind: Kind::Number { min: 1, max: 1_000_000, unit: "connections" },
        reason: "How many connections one peer may have, so that one alone cannot take all.",
    },
    Setting {
        name: "server.max_streams",
        kind: Kind::Number { min: 0, max: 1_000_000, unit: "streams" },
        reason: "How many sockets and event streams all keys have open together; 0 means three quarters of the connections, so that the others always stay for hooks and requests.",
    },
    Setting {
        name: "server.max_streams_per_key",
        kind: Kind::Number { min: 0, max: 1_000_000, unit: "streams" },
        reason: "How many sockets and event streams one key has open; 0 means half of the connections, so that one key alone cannot take all.",
    },
    Setting {
        name: "server.max_operations_per_socket",
        kind: Kind::Number { min: 1, max: 10_000, unit: "operations" },
        reason: "How many operations one socket runs. A page has one for each of its parts; thousands would be a mistake.",
    },
    Setting {
        name: "server.max_operations_per_key",
        kind: Kind::Number { min: 1, max: 1_000_000, unit: "operations" },
        reason: "How many operations one key runs over sockets and event streams. Each holds its parsed document.",
    },
    Setting {
        name: "server.max_stream_bytes_per_key",
        kind: Kind::Number { min: 1_048_576, max: 1_099_511_627_776, unit: "bytes" },
        reason: "How many bytes of documents and unread messages the streams of one key hold. One message may have graphql.max_response_bytes.",
    },
    Setting {
        name: "server.head_timeout_seconds",
        kind: Kind::Number { min: 1, max: 3600, unit: "seconds" },
        reason: "How long a client may take for the head of a request. A slow one holds a connection meanwhile.",
    },
    Setting {
        name: "server.body_timeout_seconds",
        kind: Kind::Number { min: 1, max: 3600, unit: "seconds" },
        reason: "How long a client may take for the body of a request, which holds memory meanwhile.",
    },
    Setting {
        name: "server.write_timeout_seconds",
        kind: Kind::Number { min: 1, max: 3600, unit: "seconds" },
        reason: "How long a client may take to receive 16 KiB of an answer.",
    },
    Setting {
        name: "server.idle_timeout_seconds",
        kind: Kind::Number { min: 1, max: 3600, unit: "seconds" },
        reason: "How long a connection may wait for its next request. A proxy should give up its idle connections sooner.",
    },
    Setting {
        name: "server.body_budget_bytes",
        kind: Kind::Number { min: 1_048_576, max: 1_099_511_627_776, unit: "bytes" },
        reason: "How many bytes of deliveries are in memory at once, and as many of other requests. One delivery may have 1048576.",
    },
    Setting {
        name: "server.max_failures_per_minute",
        kind: Kind::Number { min: 1, max: 1_000_000, unit: "requests" },
        reason: "How many requests with a wrong key, signature or hook token one peer may send before each is answered at the least cost. A right one is never refused.",
    },
    Setting {
        name: "server.session_days",
        kind: Kind::Number { min: 1, max: 365, unit: "days" },
        reason: "How long a browser stays signed in at most; its session ends with its [key](KEYS.md) in any case. A stolen browser should not stay signed in for ever.",
    },
    Setting {
        name: "service.name",
        kind: Kind::Label,
        reason: "The name that the dashboard shows. A longer one would not fit beside the rest.",
    },
    Setting {
        name: "service.time_zone",
        kind: Kind::TimeZone,
        reason: "The time zone of the office, for clients that show days and months. Times in the API are UTC.",
    },
    Setting {
        name: "database.url",
        kind: Kind::DatabaseUrl,
        reason: "The database; `--database-url` overrides it. A relative path starts at the working directory. See [OPERATIONS](OPERATIONS.md).",
    },
    Setting {
        name: "database.readers",
        kind: Kind::Number { min: 1, max: 500, unit: "connections" },
        reason: "How many queries read at once. Without a reader no query is answered; past 500 a PostgreSQL server needs a pooler.",
    },
    Setting {
        name: "database.wake_up",
        kind: Kind::Word(&["notify", "poll"]),
        reason: "How a node on PostgreSQL learns of commits by other nodes. A pooler that lends a connection for one transaction needs `poll`.",
    },
    Setting {
        name: "database.poll_milliseconds",
        kind: Kind::Number { min: 10, max: 60_000, unit: "milliseconds" },
        reason: "The interval of `poll`. Shorter would load the server, longer would make live streams late.",
    },
    Setting {
        name: "arcsite.signing_secrets",
        kind: Kind::Secrets,
        reason: "The secrets of ArcSite's webhooks, one for each webhook. All are tried. A short one is used with a warning.",
    },
    Setting {
        name: "arcsite.path_token",
        kind: Kind::PathToken,
        reason: "The last segment of the hook URL, for ArcSite webhooks without a secret. Other characters would be escaped in a URL, and a short text could be guessed.",
    },
    Setting {
        name: "arcsite.signature_max_age_hours",
        kind: Kind::Number { min: 1, max: 8760, unit: "hours" },
        reason: "How old a signature may be before its delivery is quarantined. Retries last for days, not for more than a year.",
    },
    Setting {
        name: "arcsite.signature_max_ahead_minutes",
        kind: Kind::Number { min: 1, max: 1440, unit: "minutes" },
        reason: "How far a signature may be ahead of this machine's clock. Two clocks always differ; a day apart, one is wrong.",
    },
    Setting {
        name: "arcsite.currency",
        kind: Kind::Currency,
        reason: "The currency of ArcSite's amounts, which name none. Without it their sums have no currency. It must be that of all amounts: none is converted.",
    },
    Setting {
        name: "bidsketch.path_token",
        kind: Kind::PathToken,
        reason: "The last segment of the hook URL, for Bidsketch webhooks that are made by hand. Other characters would be escaped in a URL, and a short text could be guessed.",
    },
    Setting {
        name: "bidsketch.api_url",
        kind: Kind::Url { example: "https://bidsketch.com/api/v1", is_optional: false },
        reason: "Bidsketch's API. It must be https, or http on this machine, since each call carries the API token.",
    },
    Setting {
        name: "bidsketch.api_token",
        kind: Kind::HeaderToken,
        reason: "The account whose [webhooks](BIDSKETCH-WEBHOOKS.md) bidarc manages. It is sent in quotes in a header.",
    },
    Setting {
        name: "bidsketch.api_timeout_seconds",
        kind: Kind::Number { min: 1, max: 120, unit: "seconds" },
        reason: "How long Bidsketch may take to answer a call. The client of the API waits meanwhile.",
    },
    Setting {
        name: "identity.state_window_hours",
        kind: Kind::Number { min: 1, max: 8760, unit: "hours" },
        reason: "The dedup window of a state without a time. Without a window each retry would be a second event.",
    },
    Setting {
        name: "identity.occurrence_window_seconds",
        kind: Kind::Number { min: 1, max: 86_400, unit: "seconds" },
        reason: "The dedup window of an occurrence without a time. Over a day it would hide real occurrences.",
    },
    Setting {
        name: "files.store",
        kind: Kind::FileStore,
        reason: "Where [files](OPERATIONS.md#files) are kept; without a value, in `bidarc-files` beside the SQLite file, and nowhere on PostgreSQL. All nodes need the same store.",
    },
    Setting {
        name: "files.allowed_hosts",
        kind: Kind::Hosts,
        reason: "The hosts that files may come from. Those of cloudfront.net are only taken from signed hooks; open mode adds this machine.",
    },
    Setting {
        name: "files.max_bytes",
        kind: Kind::Number { min: 1_048_576, max: 1_099_511_627_776, unit: "bytes" },
        reason: "How large a file may be. A large set of drawings has tens of megabytes.",
    },
    Setting {
        name: "files.max_total_bytes",
        kind: Kind::Number { min: 0, max: 1_125_899_906_842_624, unit: "bytes" },
        reason: "How many bytes all stored files may have; 0 means no limit. Beyond it files wait until their links die.",
    },
    Setting {
        name: "files.fetches",
        kind: Kind::Number { min: 1, max: 100, unit: "files" },
        reason: "How many files are fetched at once, at most two of them from one host.",
    },
    Setting {
        name: "files.proxy",
        kind: Kind::Url { example: "http://proxy.example.com:3128", is_optional: true },
        reason: "The proxy that files are fetched through. It resolves the hosts' names, so it must refuse private addresses itself.",
    },
    Setting {
        name: "files.keep_pdf_days",
        kind: Kind::Number { min: 0, max: 36_500, unit: "days" },
        reason: "How long PDF files are kept; 0 means for ever.",
    },
    Setting {
        name: "files.keep_png_days",
        kind: Kind::Number { min: 0, max: 36_500, unit: "days" },
        reason: "How long PNG files are kept; 0 means for ever.",
    },
    Setting {
        name: "graphql.max_document_bytes",
        kind: Kind::Number { min: 1000, max: 262_144, unit: "bytes" },
        reason: "How long a document may be, with its comments. A longer one is not even split into tokens; a whole request may have 262144 bytes.",
    },
    Setting {
        name: "graphql.max_tokens",
        kind: Kind::Number { min: 100, max: 100_000, unit: "tokens" },
        reason: "How many words, signs and values a document may have. They are counted before the parser runs, which takes about a microsecond for each.",
    },
    Setting {
        name: "graphql.max_name_letters",
        kind: Kind::Number { min: 20, max: 1000, unit: "letters" },
        reason: "How long a name in a document may be. Answers and errors repeat names, and the longest names of clients have about 80 letters.",
    },
    Setting {
        name: "graphql.max_nesting",
        kind: Kind::Number { min: 16, max: 64, unit: "levels" },
        reason: "How deep brackets may be nested in a document, values in variables, and selections with the fragments in them. Each level needs stack, so the parser takes at most 64.",
    },
    Setting {
        name: "graphql.max_depth",
        kind: Kind::Number { min: 1, max: 64, unit: "levels" },
        reason: "How deep the fields of a query may be nested. The playground needs 15. No more than graphql.max_nesting can be used.",
    },
    Setting {
        name: "graphql.max_fields",
        kind: Kind::Number { min: 1, max: 100_000, unit: "fields" },
        reason: "How many fields a document may have; those of a fragment count wherever it is spread. The limit bounds the work before a query runs.",
    },
    Setting {
        name: "graphql.max_fragments",
        kind: Kind::Number { min: 1, max: 10_000, unit: "fragments" },
        reason: "How many fragments a document may define, spread or not. A large application has one for each of its parts, perhaps 200.",
    },
    Setting {
        name: "graphql.max_directives",
        kind: Kind::Number { min: 1, max: 10_000, unit: "directives" },
        reason: "How many directives a document may have. A field needs one, such as `@include`.",
    },
    Setting {
        name: "graphql.max_aliases",
        kind: Kind::Number { min: 1, max: 10_000, unit: "aliases" },
        reason: "How many aliases a document may have. Each one may repeat the work of a field; a client that joins queries needs one a root field.",
    },
    Setting {
        name: "graphql.max_root_fields",
        kind: Kind::Number { min: 1, max: 10_000, unit: "fields" },
        reason: "How many fields the root of an operation may have, with its fragments. Each is a query of its own, or a mutation.",
    },
    Setting {
        name: "graphql.max_arguments",
        kind: Kind::Number { min: 10, max: 1000, unit: "arguments" },
        reason: "How many arguments a field or a directive may have. No field of the schema has more than 10.",
    },
    Setting {
        name: "graphql.max_list_items",
        kind: Kind::Number { min: 100, max: 100_000, unit: "items" },
        reason: "How many items a list in an argument or in a variable may have. No field takes more than 100.",
    },
    Setting {
        name: "graphql.max_value_bytes",
        kind: Kind::Number { min: 10_000, max: 100_000_000, unit: "bytes" },
        reason: "How large all values of the arguments may be; a variable counts wherever it is used, and each value 16 bytes more than its text. Every use copies the value.",
    },
    Setting {
        name: "graphql.max_complexity",
        kind: Kind::Number { min: 1, max: 10_000_000, unit: "fields" },
        reason: "The highest cost of a query: its fields, times the rows of their pages. The limit bounds the memory of an answer. Introspection costs the fields of its answer, the playground's about 7000.",
    },
    Setting {
        name: "graphql.max_rows",
        kind: Kind::Number { min: 1, max: 10_000_000, unit: "rows" },
        reason: "How many rows a request reads, a batch counted as one. The limit bounds the work of the database.",
    },
    Setting {
        name: "graphql.max_response_bytes",
        kind: Kind::Number { min: 1_048_576, max: 1_073_741_824, unit: "bytes" },
        reason: "How large an answer is, a batch counted as one. Twice as many bytes of bodies are read for it. One event may have 1048576.",
    },
    Setting {
        name: "graphql.max_seconds",
        kind: Kind::Number { min: 1, max: 3600, unit: "seconds" },
        reason: "How long a query or a batch may take. A statement of the database ends with it.",
    },
    Setting {
        name: "graphql.introspection",
        kind: Kind::Word(&["on", "off"]),
        reason: "Whether clients may read the schema by `__schema` and `__type`. Tools need it; programs do not, and `schema.graphql` has the same.",
    },
    Setting {
        name: "log.filter",
        kind: Kind::LogFilter,
        reason: "How much is logged: see [LOGGING](LOGGING.md). A word that is no level would silence everything else.",
    },
    Setting {
        name: "log.format",
        kind: Kind::Word(&["text", "json"]),
        reason: "`text` for people, `json` for a log collector.",
    },
];
