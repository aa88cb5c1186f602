//! Which links may be fetched. A judgement reads only the link and the settings. The addresses of a
//! host are judged when it is resolved.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;
use url::Host;

/// The setting with the hosts from which files may be fetched.
const ALLOWED_HOSTS: &str = "files.allowed_hosts";

/// The greatest length of a link, in bytes. CloudFront's own links have at most this many.
const LINK_BYTES_MAX: usize = 8 * 1024;

/// The greatest length of a host's name, in bytes (RFC 1035, without the last dot).
const HOST_BYTES_MAX: usize = 253;

/// The port of https.
const HTTPS_PORT: u16 = 443;

/// Anyone can have a host under this domain.
const SHARED_DOMAIN: &str = "cloudfront.net";

/// A link that may be fetched. Only a judgement makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct AllowedUrl {
    url: Url,
    /// Redirects are judged by the same rules.
    is_signed_hook: bool,
}

impl AllowedUrl {
    /// The host in lower case, an international name in its ASCII form.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }
}

/// Shows the host alone: path and query may hold secrets.
impl fmt::Debug for AllowedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.url.scheme(), self.host())
    }
}

/// Why a link may not be fetched. No retry changes it, only another setting. The text names the
/// host and the setting, and nothing that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no URL with a host.
    #[error("the link is not a web address")]
    NotAUrl,
    /// It is longer than `LINK_BYTES_MAX`.
    #[error("the link has more than {LINK_BYTES_MAX} bytes")]
    TooLong,
    /// Its scheme is not https, or http for a loopback address in open mode.
    #[error(
        "the link to {host} is not https; files of {ALLOWED_HOSTS} are fetched by https alone, files of this machine \
         also by http, but only in open mode, which ends with the first key"
    )]
    Scheme {
        /// The host.
        host: String,
    },
    /// It has a user name or a password.
    #[error("the link to {host} has a user name or a password; files of {ALLOWED_HOSTS} are fetched without one")]
    UserInformation {
        /// The host.
        host: String,
    },
    /// Its port is not that of https.
    #[error("the link to {host} has port {port}; files of {ALLOWED_HOSTS} are fetched from port {HTTPS_PORT} alone")]
    Port {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// Its host is an IP address.
    #[error("the link names the IP address {host}; {ALLOWED_HOSTS} allows names of hosts alone")]
    Address {
        /// The address.
        host: String,
    },
    /// Its host is this machine, outside of open mode.
    #[error("the link names {host}, this machine; {ALLOWED_HOSTS} allows it in open mode alone")]
    Loopback {
        /// The host.
        host: String,
    },
    /// The name has an empty or a longer part than a name may have, or ends with a dot.
    #[error("the link names {host:?}, which is no full name of a host as {ALLOWED_HOSTS} has them")]
    Name {
        /// The host.
        host: String,
    },
    /// The host is not allowed.
    #[error("the host {host} is not in {ALLOWED_HOSTS}")]
    Host {
        /// The host.
        host: String,
    },
    /// The host is allowed for signed hooks alone, and the delivery was not signed.
    #[error(
        "the host {host} is allowed for signed deliveries alone, and this one had no signature; set \
         arcsite.signing_secrets, or name the host itself in {ALLOWED_HOSTS}"
    )]
    Unsigned {
        /// The host.
        host: String,
    },
}

/// A host, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exact(String),
    /// A name with its leading dot.
    Below(String),
}

/// A text is no host of `files.allowed_hosts`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{ALLOWED_HOSTS} has {0:?}; it takes full names of hosts, such as files.example.com, and *.example.com for all hosts below a domain"
)]
pub struct InvalidHostPattern(String);

impl HostPattern {
    fn parse(text: &str) -> Result<Self, InvalidHostPattern> {
        let invalid = || InvalidHostPattern(text.to_owned());
        let name = text.strip_prefix("*.").unwrap_or(text);
        let Ok(Host::Domain(host)) = Host::parse(name) else { return Err(invalid()) };
        // One part alone would be a whole top-level domain, or a name that only this network knows.
        if !is_full_name(&host) || !host.contains('.') || host.contains('*') {
            return Err(invalid());
        }
        Ok(if text.len() == name.len() { Self::Exact(host) } else { Self::Below(format!(".{host}")) })
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == name,
            Self::Below(domain) => host.ends_with(domain.as_str()),
        }
    }

    /// Whether it allows a host to unsigned deliveries too. A pattern cannot tell whose host below
    /// a shared domain it allows.
    fn trusts(&self, host: &str) -> bool {
        match self {
            Self::Exact(_) => true,
            Self::Below(_) => host.strip_suffix(SHARED_DOMAIN).is_none_or(|below| !below.ends_with('.')),
        }
    }
}

/// The rules of one set of settings.
#[derive(Clone)]
pub(super) struct Rules {
    hosts: Vec<HostPattern>,
    allow_loopback: bool,
    /// Whether the service is in open mode now.
    pub(super) is_open_mode: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The only port of a host that is not this machine: 443, and another in tests, where a
    /// connection is seen.
    pub(super) port: u16,
}

impl Rules {
    pub(super) fn new(allowed_hosts: &[String], allow_loopback: bool) -> Result<Self, InvalidHostPattern> {
        let hosts = allowed_hosts.iter().map(|text| HostPattern::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { hosts, allow_loopback, is_open_mode: Arc::new(|| true), port: HTTPS_PORT })
    }

    /// Whether links to this machine are allowed now.
    fn allows_loopback(&self) -> bool {
        self.allow_loopback && (self.is_open_mode)()
    }

    pub(super) fn judge(&self, link: &str, is_signed_hook: bool) -> Result<AllowedUrl, Refusal> {
        if link.len() > LINK_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let url = link.parse().map_err(|_| Refusal::NotAUrl)?;
        self.judge_url(url, is_signed_hook)
    }

    /// Judges the place to which an allowed link redirects. A redirect to this machine is allowed
    /// only from this machine.
    pub(super) fn judge_redirect(&self, from: &AllowedUrl, location: &str) -> Result<AllowedUrl, Refusal> {
        if location.len() > LINK_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let url = from.url.join(location).map_err(|_| Refusal::NotAUrl)?;
        let to = self.judge_url(url, from.is_signed_hook)?;
        if is_this_machine(&to.url) && !is_this_machine(&from.url) {
            return Err(Refusal::Loopback { host: to.host().to_owned() });
        }
        Ok(to)
    }

    fn judge_url(&self, mut url: Url, is_signed_hook: bool) -> Result<AllowedUrl, Refusal> {
        let name = match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => None,
            None => return Err(Refusal::NotAUrl),
        };
        let host = url.host_str().unwrap_or_default().chars().take(HOST_BYTES_MAX).collect::<String>();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInformation { host });
        }
        let is_this_machine = is_this_machine(&url);
        let allows_loopback = self.allows_loopback();
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine && allows_loopback => {}
            _ => return Err(Refusal::Scheme { host }),
        }
        if is_this_machine {
            if !allows_loopback {
                return Err(Refusal::Loopback { host });
            }
        } else {
            self.judge_name(name.as_deref(), host, is_signed_hook, url.port_or_known_default())?;
        }
        url.set_fragment(None);
        Ok(AllowedUrl { url, is_signed_hook })
    }

    /// Judges a host that is not this machine.
    fn judge_name(&self, name: Option<&str>, host: String, is_signed: bool, port: Option<u16>) -> Result<(), Refusal> {
        let Some(name) = name else { return Err(Refusal::Address { host }) };
        if !is_full_name(name) {
            return Err(Refusal::Name { host });
        }
        let mut matching = self.hosts.iter().filter(|pattern| pattern.matches(name)).peekable();
        if matching.peek().is_none() {
            return Err(Refusal::Host { host });
        }
        if !is_signed && !matching.any(|pattern| pattern.trusts(name)) {
            return Err(Refusal::Unsigned { host });
        }
        match port.unwrap_or_default() {
            port if port == self.port => Ok(()),
            port => Err(Refusal::Port { host, port }),
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// Whether the host of a URL is `localhost` or a loopback address.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == super::LOCALHOST,
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether a host is a name whose parts all have the length of one. A dot at the end is a part that
/// is empty.
fn is_full_name(host: &str) -> bool {
    host.len() <= HOST_BYTES_MAX && host.split('.').all(|part| (1..=63).contains(&part.len()))
}

/// A fuzz target: judges a link, and then a redirect to it. The first byte chooses the mode and
/// whether the delivery was signed.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz_link(bytes: &[u8]) {
    let Some((choice, link)) = bytes.split_first() else { return };
    let Ok(link) = str::from_utf8(link) else { return };
    let (is_open, is_signed) = (choice & 1 == 1, choice & 2 == 2);
    let hosts = ["*.arcsite.com", "*.cloudfront.net"].map(str::to_owned);
    let Ok(rules) = Rules::new(&hosts, is_open) else { return };
    let check = |judgement: &Result<AllowedUrl, Refusal>, may_be_loopback: bool| match judgement {
        Ok(allowed) => {
            let (url, host) = (&allowed.url, allowed.host());
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            if is_this_machine(url) {
                assert!(may_be_loopback && matches!(url.scheme(), "http" | "https"), "{url}");
            } else {
                assert!(matches!(url.host(), Some(Host::Domain(_))) && is_full_name(host), "{url}");
                assert_eq!((url.scheme(), url.port()), ("https", None), "{url}");
                assert!(host.ends_with(".arcsite.com") || is_signed && host.ends_with(".cloudfront.net"), "{url}");
            }
            // The client reads the same link.
            if url.as_str().len() <= LINK_BYTES_MAX {
                assert_eq!(rules.judge(url.as_str(), is_signed).as_ref(), Ok(allowed));
            }
        }
        Err(refusal) => {
            let text = refusal.to_string();
            assert!(text.len() < 1000 && !text.contains(char::is_control), "{text:?}");
        }
    };
    check(&rules.judge(link, is_signed), is_open);
    for (from, is_loopback) in [("https://files.arcsite.com/a/b?c", false), ("http://127.0.0.1/a", true)] {
        if let Ok(from) = rules.judge(from, is_signed) {
            check(&rules.judge_redirect(&from, link), is_open && is_loopback);
        }
    }
}
