//! The lines that a service prints at its start. They say only what is true of this start: a hook
//! URL is shown only if it answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::Settings;
use crate::files::location::Location;
use crate::store;

/// What the greeting tells besides the settings.
#[derive(Debug)]
pub(super) struct Facts {
    /// The place of the files.
    pub(super) location: Location,
    /// The address listened on.
    pub(super) listen: SocketAddr,
    /// Whether the settings allow open mode.
    pub(super) open_without_keys: bool,
    /// How many keys there are.
    pub(super) keys: usize,
    /// How many webhooks that bidarc made at Bidsketch have a hook URL that answers.
    pub(super) own_webhooks: usize,
    /// Whether this start made the database.
    pub(super) is_new_database: bool,
}

/// What a vendor's hooks do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HookAccess {
    /// The URL that answers, what is verified, what is missing and which setting to set.
    pub(super) text: String,
    /// Whether no hook URL of the vendor answers, and a setting is missing.
    pub(super) is_closed: bool,
}

impl HookAccess {
    const fn answering(text: String) -> Self {
        Self { text, is_closed: false }
    }

    fn closed(text: &str) -> Self {
        Self { text: text.to_owned(), is_closed: true }
    }
}

impl Facts {
    /// The URL at which the service answers: the public one, else that of this machine.
    fn base(&self, settings: &Settings) -> String {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        match &settings.server.public_url {
            Some(url) => url.to_string(),
            None => format!("http://{}", SocketAddr::new(ip, self.listen.port())),
        }
    }

    /// ArcSite's hooks.
    pub(super) fn arcsite(&self, settings: &Settings) -> HookAccess {
        let hook = format!("{}/webhooks/arcsite", self.base(settings));
        let (has_secret, has_token) =
            (!settings.arcsite.signing_secrets.is_empty(), settings.arcsite.path_token.is_some());
        match (has_secret, has_token) {
            (true, false) => HookAccess::answering(format!("{hook} (the signature is verified)")),
            (false, true) => {
                HookAccess::answering(format!("{hook}/<arcsite.path_token> (the secret path is the proof)"))
            }
            (true, true) => HookAccess::answering(format!(
                "{hook} (the signature is verified) or {hook}/<arcsite.path_token> (the secret path is the proof)"
            )),
            (false, false) if self.open_without_keys => HookAccess::answering(format!(
                "{hook} (open: nothing is verified, so this machine only; set arcsite.signing_secrets)"
            )),
            (false, false) => HookAccess::closed("no hook answers: set arcsite.signing_secrets or arcsite.path_token"),
        }
    }

    /// Bidsketch's hooks: the one of `path_token`, and those of the webhooks that bidarc made.
    pub(super) fn bidsketch(&self, settings: &Settings) -> HookAccess {
        let hook = format!("{}/webhooks/bidsketch", self.base(settings));
        let has_api_token = settings.bidsketch.api_token.is_some();
        let can_make = has_api_token && (settings.server.public_url.is_some() || self.open_without_keys);
        let by_hand = if settings.bidsketch.path_token.is_some() {
            Some(format!("{hook}/<bidsketch.path_token> (the secret path is the proof)"))
        } else if self.open_without_keys {
            let missing =
                if has_api_token { "bidsketch.path_token" } else { "bidsketch.path_token or bidsketch.api_token" };
            Some(format!("{hook} (open: nothing is verified, so this machine only; set {missing})"))
        } else {
            None
        };
        let count = self.own_webhooks;
        let own = match (count, can_make, has_api_token) {
            (1.., _, true) => Some(format!("{hook}/<a secret path each> for {count} webhooks of bidarc's own")),
            (1.., _, false) => Some(format!(
                "{hook}/<a secret path each> for {count} webhooks of bidarc's own (set bidsketch.api_token to manage them)"
            )),
            (0, true, _) => {
                Some("no webhook of bidarc's own yet (the mutation createAllBidsketchWebhooks makes them)".to_owned())
            }
            (0, false, true) => {
                Some("no webhook of bidarc's own (set server.public_url, so that bidarc can make them)".to_owned())
            }
            (0, false, false) => None,
        };
        let is_closed = by_hand.is_none() && count == 0 && !can_make;
        let parts: Vec<String> = by_hand.into_iter().chain(own).collect();
        if parts.is_empty() {
            return HookAccess::closed(
                "no hook answers: set bidsketch.api_token for webhooks that bidarc makes, or bidsketch.path_token for \
                 webhooks made by hand",
            );
        }
        HookAccess { text: parts.join("; "), is_closed }
    }

    /// The whole greeting.
    pub(super) fn greeting(&self, settings: &Settings) -> String {
        let base = self.base(settings);
        let keys = match self.keys {
            0 => {
                "none; open mode serves this machine only (make a key: bidarc keys add NAME --scope manage)".to_owned()
            }
            keys => keys.to_string(),
        };
        let database = store::file(&settings.database)
            .map_or_else(|| settings.database.url.to_string(), |file| format!("sqlite://{}", file.display()));
        format!(
            "bidarc {version}\n  \
             dashboard   {base}/\n  \
             playground  {base}/playground\n  \
             GraphQL     {base}/graphql (subscriptions: {base}/graphql/ws, {base}/graphql/sse)\n  \
             ArcSite     {arcsite}\n  \
             Bidsketch   {bidsketch}\n  \
             keys        {keys}\n  \
             database    {database}{new}\n  \
             files       {files}\n",
            version = env!("CARGO_PKG_VERSION"),
            arcsite = self.arcsite(settings).text,
            bidsketch = self.bidsketch(settings).text,
            files = match &self.location {
                Location::Store(place) => place,
                Location::Off(reason) => *reason,
            },
            new = if self.is_new_database { " (new)" } else { "" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8080";

    fn facts(open_without_keys: bool, own_webhooks: usize) -> Facts {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Facts {
            location: Location::Off("off (files.store)"),
            listen,
            open_without_keys,
            keys: 1,
            own_webhooks,
            is_new_database: false,
        }
    }

    fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings::defaults().unwrap();
        change(&mut settings);
        settings
    }

    #[test]
    fn hook_line_of_arcsite_names_what_answers_and_what_is_missing() {
        let secret = settings(|settings| settings.arcsite.signing_secrets = vec!["s".into()]);
        let token = settings(|settings| settings.arcsite.path_token = Some("t".into()));
        let none = settings(|_| ());
        for (settings, open, text) in [
            (&secret, true, format!("{BASE}/webhooks/arcsite (the signature is verified)")),
            (&token, false, format!("{BASE}/webhooks/arcsite/<arcsite.path_token> (the secret path is the proof)")),
            (&none, false, "no hook answers: set arcsite.signing_secrets or arcsite.path_token".to_owned()),
        ] {
            let access = facts(open, 0).arcsite(settings);
            assert_eq!((access.text, access.is_closed), (text, !open && std::ptr::eq(settings, &raw const none)));
        }
        let open = facts(true, 0).arcsite(&none).text;
        assert!(open.starts_with(&format!("{BASE}/webhooks/arcsite (open: nothing is verified")), "{open}");
    }

    #[test]
    fn hook_line_of_bidsketch_shows_only_urls_that_answer() {
        let as_recommended = settings(|settings| {
            settings.server.public_url = Some("https://hooks.example.com".into());
            settings.bidsketch.api_token = Some("t".into());
        });
        let none_yet = facts(false, 0).bidsketch(&as_recommended);
        assert!(!none_yet.is_closed && none_yet.text.contains("createAllBidsketchWebhooks"), "{none_yet:?}");
        assert!(!none_yet.text.contains("https://"), "{none_yet:?}");
        let seven = facts(false, 7).bidsketch(&as_recommended);
        assert_eq!(
            (seven.text.as_str(), seven.is_closed),
            ("https://hooks.example.com/webhooks/bidsketch/<a secret path each> for 7 webhooks of bidarc's own", false)
        );
        let without_url = settings(|settings| settings.bidsketch.api_token = Some("t".into()));
        let missing = facts(false, 0).bidsketch(&without_url);
        assert!(missing.is_closed && missing.text.contains("set server.public_url"), "{missing:?}");
        let nothing = settings(|_| ());
        let closed = facts(false, 0).bidsketch(&nothing);
        assert!(closed.is_closed && !closed.text.contains("http"), "{closed:?}");
        let unmanaged = facts(false, 2).bidsketch(&nothing);
        assert!(!unmanaged.is_closed && unmanaged.text.contains("set bidsketch.api_token"), "{unmanaged:?}");
        let open = facts(true, 0).bidsketch(&nothing);
        assert!(open.text.starts_with(&format!("{BASE}/webhooks/bidsketch (open: nothing is verified")), "{open:?}");
        let token = settings(|settings| settings.bidsketch.path_token = Some("t".into()));
        let by_hand = facts(false, 0).bidsketch(&token);
        assert_eq!(
            by_hand.text,
            format!("{BASE}/webhooks/bidsketch/<bidsketch.path_token> (the secret path is the proof)")
        );
    }

    #[test]
    fn greeting_of_any_address_shows_a_url_that_answers() {
        for (listen, base) in [("0.0.0.0:80", "http://127.0.0.1:80"), ("[::]:80", "http://[::1]:80")] {
            let facts = Facts { listen: listen.parse().unwrap(), ..facts(false, 0) };
            assert_eq!(facts.base(&settings(|_| ())), base);
        }
    }
}
