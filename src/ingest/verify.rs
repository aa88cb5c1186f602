//! Who sent a delivery. Only [`Verifier::verify`] makes a [`Delivery<Verified>`], and nothing else is recorded.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::clock::Time;
use crate::domain::{Provider, WebhookId, token};
use crate::store::webhooks::HookToken;
use crate::vendor::arcsite::signature::{Signature, SignatureError};

/// A delivery as it came over the wire.
#[derive(Debug)]
pub struct Unverified {
    /// The hook URL it came to.
    pub hook: Hook,
    /// The value of `ArcSite-Signature`, several joined by commas as HTTP reads them; bytes that are no text make it
    /// malformed.
    pub signature: Option<String>,
}

/// A delivery whose sender has proved who it is, or needs not to.
#[derive(Debug)]
pub struct Verified {
    /// The `t` of its signature, where it was signed.
    signed_at: Option<i64>,
    /// The webhook whose URL it came to, where that was registered from here.
    webhook: Option<WebhookId>,
}

/// A delivery, by how much is known of its sender.
#[derive(Debug)]
pub struct Delivery<S> {
    provider: Provider,
    received_at: Time,
    body: Vec<u8>,
    state: S,
}

/// A hook URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `/webhooks/arcsite`: proved by a signature.
    Arcsite,
    /// `/webhooks/arcsite/{token}`: proved by the path.
    ArcsiteToken(String),
    /// `/webhooks/bidsketch`: not proved at all.
    Bidsketch,
    /// `/webhooks/bidsketch/{token}`: proved by the path.
    BidsketchToken(String),
}

impl Hook {
    /// Whose hook it is.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Arcsite | Self::ArcsiteToken(_) => Provider::Arcsite,
            Self::Bidsketch | Self::BidsketchToken(_) => Provider::Bidsketch,
        }
    }
}

impl Delivery<Unverified> {
    /// A delivery that has just come.
    #[must_use]
    pub const fn received(hook: Hook, signature: Option<String>, body: Vec<u8>, received_at: Time) -> Self {
        Self { provider: hook.provider(), received_at, body, state: Unverified { hook, signature } }
    }
}

impl<S> Delivery<S> {
    /// Who sent it, or says so.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// When it came.
    pub const fn received_at(&self) -> Time {
        self.received_at
    }

    /// Its bytes, exactly as received.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Delivery<Verified> {
    /// A delivery that was verified when it came, and has been in quarantine since.
    pub(super) const fn from_quarantine(
        provider: Provider,
        received_at: Time,
        signed_at: Option<i64>,
        body: Vec<u8>,
    ) -> Self {
        Self { provider, received_at, body, state: Verified { signed_at, webhook: None } }
    }

    /// The `t` of its signature in seconds since 1970, where it was signed.
    #[must_use]
    pub const fn signed_at(&self) -> Option<i64> {
        self.state.signed_at
    }

    /// The webhook whose URL it came to, where that was registered from here.
    #[must_use]
    pub const fn webhook(&self) -> Option<WebhookId> {
        self.state.webhook
    }
}

/// Why a delivery is refused. Nothing of it is kept but a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The signature is missing.
    #[error("the header ArcSite-Signature is missing")]
    Unsigned,
    /// The signature is there and not right.
    #[error("{0}")]
    Signature(SignatureError),
    /// No such hook URL: the token is unknown, or the vendor is not configured.
    #[error("there is no such hook")]
    UnknownHook,
    /// The hook URL of a webhook of Bidsketch that was deleted or replaced.
    #[error("this webhook was deleted or replaced")]
    RetiredHook,
}

impl Refusal {
    /// The label under which it is counted.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Signature(SignatureError::Malformed | SignatureError::RepeatedTime) => "malformed_signature",
            Self::Signature(SignatureError::Wrong) => "wrong_signature",
            Self::UnknownHook => "unknown_hook",
            Self::RetiredHook => "retired_hook",
        }
    }
}

/// What the vendors' deliveries are checked against.
#[derive(Debug)]
pub struct Verifier {
    /// The secrets of ArcSite's webhooks: any may match.
    pub arcsite_secrets: Vec<SecretString>,
    /// The secret path of ArcSite's webhooks that have no secret.
    pub arcsite_token: Option<SecretString>,
    /// The secret path of Bidsketch's webhooks.
    pub bidsketch_token: Option<SecretString>,
    /// Whether a vendor without any secret is let in: only in open mode.
    pub open: bool,
}

impl Verifier {
    /// Whether a vendor's hooks take deliveries without proof.
    #[must_use]
    pub const fn is_open(&self, provider: Provider) -> bool {
        self.open
            && match provider {
                Provider::Arcsite => self.arcsite_secrets.is_empty() && self.arcsite_token.is_none(),
                Provider::Bidsketch => self.bidsketch_token.is_none(),
            }
    }

    /// Whether a vendor's hooks take any deliveries at all.
    #[must_use]
    pub const fn is_configured(&self, provider: Provider) -> bool {
        match provider {
            Provider::Arcsite => !self.arcsite_secrets.is_empty() || self.arcsite_token.is_some(),
            Provider::Bidsketch => self.bidsketch_token.is_some(),
        }
    }

    /// The SHA-256, in hexadecimal digits, of a token that is to be looked up before a delivery is verified: one that may be of
    /// a webhook registered from here.
    #[must_use]
    pub fn token_hash_for_lookup(&self, delivery: &Delivery<Unverified>) -> Option<String> {
        match &delivery.state.hook {
            Hook::BidsketchToken(token)
                if token::is_well_formed(token) && !token_matches(&self.bidsketch_token, token) =>
            {
                Some(token::hash(token))
            }
            Hook::BidsketchToken(_) | Hook::Bidsketch | Hook::Arcsite | Hook::ArcsiteToken(_) => None,
        }
    }

    /// Checks a delivery's proof over its raw bytes, in constant time. `registered` is what is known of its token, where that was
    /// looked up.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where it has none that is right.
    pub fn verify(
        &self,
        delivery: Delivery<Unverified>,
        registered: Option<HookToken>,
    ) -> Result<Delivery<Verified>, Refusal> {
        let Delivery { provider, received_at, body, state } = delivery;
        let mut webhook = None;
        let signed_at = match &state.hook {
            Hook::Arcsite if !self.arcsite_secrets.is_empty() => {
                let header = state.signature.as_deref().ok_or(Refusal::Unsigned)?;
                let signature = Signature::parse(header).map_err(Refusal::Signature)?;
                signature.verify(&body, &self.arcsite_secrets).map_err(Refusal::Signature)?;
                Some(signature.unix_seconds)
            }
            Hook::Arcsite | Hook::Bidsketch if self.is_open(provider) => None,
            Hook::Arcsite | Hook::Bidsketch => return Err(Refusal::UnknownHook),
            Hook::ArcsiteToken(token) => check_token(&self.arcsite_token, token)?,
            Hook::BidsketchToken(token) => match registered {
                Some(HookToken { is_retired: true, .. }) => return Err(Refusal::RetiredHook),
                Some(HookToken { webhook: id, is_retired: false }) => {
                    webhook = Some(id);
                    None
                }
                None => check_token(&self.bidsketch_token, token)?,
            },
        };
        Ok(Delivery { provider, received_at, body, state: Verified { signed_at, webhook } })
    }
}

/// A token proves who sent a delivery and nothing of when.
fn check_token(configured: &Option<SecretString>, token: &str) -> Result<Option<i64>, Refusal> {
    if token_matches(configured, token) { Ok(None) } else { Err(Refusal::UnknownHook) }
}

fn token_matches(configured: &Option<SecretString>, token: &str) -> bool {
    configured.as_ref().is_some_and(|secret| bool::from(secret.expose_secret().as_bytes().ct_eq(token.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn verifier(secrets: &[&str], arcsite_token: Option<&str>, bidsketch_token: Option<&str>, open: bool) -> Verifier {
        Verifier {
            arcsite_secrets: secrets.iter().map(|secret| SecretString::from(*secret)).collect(),
            arcsite_token: arcsite_token.map(SecretString::from),
            bidsketch_token: bidsketch_token.map(SecretString::from),
            open,
        }
    }

    fn result(verifier: &Verifier, hook: Hook, signature: Option<&str>) -> Result<(), Refusal> {
        let delivery = Delivery::received(hook, signature.map(str::to_owned), b"{}".to_vec(), Clock::system().now());
        verifier.verify(delivery, None).map(drop)
    }

    #[test]
    fn vendor_without_secrets_is_open_only_in_open_mode() {
        for (open, expected) in [(true, Ok(())), (false, Err(Refusal::UnknownHook))] {
            let verifier = verifier(&[], None, None, open);
            assert_eq!(result(&verifier, Hook::Arcsite, None), expected);
            assert_eq!(result(&verifier, Hook::Bidsketch, None), expected);
            assert_eq!(result(&verifier, Hook::BidsketchToken("x".into()), None), Err(Refusal::UnknownHook));
        }
    }

    #[test]
    fn secret_closes_only_its_vendor() {
        let verifier = verifier(&["s"], None, Some("right"), true);
        assert_eq!(result(&verifier, Hook::Arcsite, None), Err(Refusal::Unsigned));
        assert_eq!(result(&verifier, Hook::Bidsketch, None), Err(Refusal::UnknownHook));
        assert_eq!(result(&verifier, Hook::BidsketchToken("right".into()), None), Ok(()));
        assert_eq!(result(&verifier, Hook::BidsketchToken("wrong".into()), None), Err(Refusal::UnknownHook));
        assert_eq!(result(&verifier, Hook::BidsketchToken(String::new()), None), Err(Refusal::UnknownHook));
    }

    #[test]
    fn path_token_does_not_open_the_signed_hook() {
        let verifier = verifier(&[], Some("right"), None, true);
        assert_eq!(result(&verifier, Hook::Arcsite, None), Err(Refusal::UnknownHook));
        assert_eq!(result(&verifier, Hook::ArcsiteToken("right".into()), None), Ok(()));
        assert_eq!(result(&verifier, Hook::ArcsiteToken("wrong".into()), None), Err(Refusal::UnknownHook));
    }

    #[test]
    fn registered_token_is_accepted_until_retired() {
        let verifier = verifier(&[], None, None, false);
        let token = "0123456789abcdef".repeat(4);
        let delivery = || {
            let hook = Hook::BidsketchToken(token.clone());
            Delivery::received(hook, None, b"{}".to_vec(), Clock::system().now())
        };
        assert_eq!(verifier.token_hash_for_lookup(&delivery()), Some(token::hash(&token)));
        let registered = |is_dead| Some(HookToken { webhook: WebhookId(7), is_retired: is_dead });
        let verified = verifier.verify(delivery(), registered(false)).unwrap();
        assert_eq!(verified.webhook(), Some(WebhookId(7)));
        assert_eq!(verifier.verify(delivery(), registered(true)).map(drop), Err(Refusal::RetiredHook));
        assert_eq!(verifier.verify(delivery(), None).map(drop), Err(Refusal::UnknownHook));
    }
}
