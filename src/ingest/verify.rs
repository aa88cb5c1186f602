//! Verifying the sender of a delivery. Only [`Verifier::verify`] makes a [`Delivery<Verified>`],
//! and only verified deliveries are recorded.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::normalise::NormaliseError;
use crate::clock::Time;
use crate::domain::{Header, Provider, QuarantineReason, WebhookId, token};
use crate::store::webhooks::HookToken;
use crate::vendor::arcsite::signature::{Signature, SignatureError};
use crate::vendor::content::{self, ContentError};

/// A delivery as it was received.
#[derive(Debug)]
pub struct Unverified {
    /// The hook URL it came to.
    pub hook: Hook,
    /// The value of `ArcSite-Signature`. Several values are joined by commas, as HTTP reads them. A
    /// value that is not text is malformed.
    pub signature: Option<String>,
    /// The webhook registered here that owns the token of the hook URL.
    registered: Option<HookToken>,
}

/// A delivery whose sender is verified, or needs no proof.
#[derive(Debug)]
pub struct Verified {
    /// The `t` of its signature; none if it is unsigned.
    signed_at: Option<i64>,
    /// The webhook whose URL it came to; none if it was not registered here.
    webhook: Option<WebhookId>,
    /// The text of its body, or why it has none; `Ok(None)` if the body is its own text.
    decoded: Result<Option<String>, ContentError>,
}

/// A delivery, typed by whether its sender is verified.
#[derive(Debug)]
pub struct Delivery<S> {
    provider: Provider,
    received_at: Time,
    headers: Vec<Header>,
    body: Vec<u8>,
    state: S,
}

/// A hook URL, and how it proves the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `/webhooks/arcsite`: by a signature.
    Arcsite,
    /// `/webhooks/arcsite/{token}`: by the token.
    ArcsiteToken(String),
    /// `/webhooks/bidsketch`: not at all.
    Bidsketch,
    /// `/webhooks/bidsketch/{token}`: by the token.
    BidsketchToken(String),
}

impl Hook {
    /// The vendor that uses this hook.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Arcsite | Self::ArcsiteToken(_) => Provider::Arcsite,
            Self::Bidsketch | Self::BidsketchToken(_) => Provider::Bidsketch,
        }
    }
}

impl<S> Delivery<S> {
    /// The vendor that sent it, or claims to be it.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The time of receipt.
    pub const fn received_at(&self) -> Time {
        self.received_at
    }

    /// The headers that stay with it.
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// Its body, exactly as received.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Delivery<Verified> {
    /// A delivery whose proof is checked. Only now its body is decoded.
    fn verified(
        (provider, received_at): (Provider, Time),
        (headers, body): (Vec<Header>, Vec<u8>),
        signed_at: Option<i64>,
        webhook: Option<WebhookId>,
    ) -> Self {
        let decoded = content::decode(&headers, &body).map(|text| match text {
            // It lacks a byte order mark.
            Cow::Borrowed(text) => (text.len() < body.len()).then(|| text.to_owned()),
            Cow::Owned(text) => Some(text),
        });
        Self { provider, received_at, headers, body, state: Verified { signed_at, webhook, decoded } }
    }

    /// Restores a delivery that was verified before it went into quarantine.
    pub(super) fn from_quarantine(
        provider: Provider,
        received_at: Time,
        signed_at: Option<i64>,
        content: (Vec<Header>, Vec<u8>),
    ) -> Self {
        Self::verified((provider, received_at), content, signed_at, None)
    }

    /// The text of its body, decoded and without a byte order mark.
    ///
    /// # Errors
    ///
    /// The error says why the body has no text.
    pub fn text(&self) -> Result<&str, NormaliseError> {
        let not_text =
            |problem: String| NormaliseError { reason: QuarantineReason::NotJson, detail: problem, vendor_type: None };
        match &self.state.decoded {
            Ok(Some(text)) => Ok(text),
            Ok(None) => std::str::from_utf8(&self.body).map_err(|error| not_text(error.to_string())),
            Err(error) => Err(not_text(error.to_string())),
        }
    }

    /// How many bytes it holds: its body, and the text of it if that differs.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.body.len() + self.state.decoded.as_ref().ok().and_then(Option::as_ref).map_or(0, String::len)
    }

    /// The `t` of its signature, in Unix seconds; none if it is unsigned.
    #[must_use]
    pub const fn signed_at(&self) -> Option<i64> {
        self.state.signed_at
    }

    /// The webhook whose URL it came to; none if it was not registered here.
    #[must_use]
    pub const fn webhook(&self) -> Option<WebhookId> {
        self.state.webhook
    }
}

/// Why a delivery is refused. A refused delivery is counted and not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The delivery has no signature.
    #[error("the header ArcSite-Signature is missing")]
    Unsigned,
    /// The signature is malformed or does not match.
    #[error("{0}")]
    Signature(SignatureError),
    /// The token is unknown, or the vendor is not configured.
    #[error("there is no such hook")]
    UnknownHook,
    /// The webhook of this hook URL was deleted or replaced.
    #[error("this webhook was deleted or replaced")]
    RetiredHook,
}

impl Refusal {
    /// Its label in the metrics.
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

/// A request whose path and signature header may be those of a delivery. Its body is worth reading.
#[derive(Debug)]
pub struct Candidate {
    hook: Hook,
    signature: Option<String>,
    registered: Option<HookToken>,
}

impl Candidate {
    /// The delivery that it is with this body.
    #[must_use]
    pub fn with_body(self, headers: Vec<Header>, body: Vec<u8>, received_at: Time) -> Delivery<Unverified> {
        let Self { hook, signature, registered } = self;
        let provider = hook.provider();
        Delivery { provider, received_at, headers, body, state: Unverified { hook, signature, registered } }
    }
}

/// The secrets that prove a vendor's deliveries.
#[derive(Debug)]
pub struct Verifier {
    /// The secrets of ArcSite's webhooks. A signature may match any of them.
    pub arcsite_secrets: Vec<SecretString>,
    /// The path token of ArcSite's webhooks that have no secret.
    pub arcsite_token: Option<SecretString>,
    /// The path token of Bidsketch's webhooks.
    pub bidsketch_token: Option<SecretString>,
    /// Whether a vendor without any secret is accepted: only in open mode.
    pub open: bool,
}

impl Verifier {
    /// Whether a vendor's hooks accept deliveries without proof.
    #[must_use]
    pub const fn is_open(&self, provider: Provider) -> bool {
        self.open
            && match provider {
                Provider::Arcsite => self.arcsite_secrets.is_empty() && self.arcsite_token.is_none(),
                Provider::Bidsketch => self.bidsketch_token.is_none(),
            }
    }

    /// Whether a secret or a path token is configured for a vendor.
    #[must_use]
    pub const fn is_configured(&self, provider: Provider) -> bool {
        match provider {
            Provider::Arcsite => !self.arcsite_secrets.is_empty() || self.arcsite_token.is_some(),
            Provider::Bidsketch => self.bidsketch_token.is_some(),
        }
    }

    /// The SHA-256, in hexadecimal digits, of a token that must be looked up before the delivery is
    /// judged. Only a token that a webhook registered here may own is looked up.
    #[must_use]
    pub fn token_hash_for_lookup(&self, hook: &Hook) -> Option<String> {
        match hook {
            Hook::BidsketchToken(token)
                if token::is_hook_token(token) && !token_matches(&self.bidsketch_token, token) =>
            {
                Some(token::hash(token))
            }
            Hook::BidsketchToken(_) | Hook::Bidsketch | Hook::Arcsite | Hook::ArcsiteToken(_) => None,
        }
    }

    /// Judges a delivery by all that comes before its body. `registered` is the result of the
    /// token's lookup.
    pub fn judge_head(
        &self,
        hook: Hook,
        signature: Option<String>,
        registered: Option<HookToken>,
    ) -> Result<Candidate, Refusal> {
        match &hook {
            Hook::Arcsite if !self.arcsite_secrets.is_empty() => {
                let signature = parse_signature(signature.as_deref())?;
                if !signature.has_digest() {
                    return Err(Refusal::Signature(SignatureError::Wrong));
                }
            }
            Hook::Arcsite | Hook::Bidsketch if self.is_open(hook.provider()) => {}
            Hook::Arcsite | Hook::Bidsketch => return Err(Refusal::UnknownHook),
            Hook::ArcsiteToken(token) => check_token(&self.arcsite_token, token)?,
            Hook::BidsketchToken(token) => match &registered {
                Some(HookToken { is_retired: true, .. }) => return Err(Refusal::RetiredHook),
                Some(HookToken { is_retired: false, .. }) => {}
                None => check_token(&self.bidsketch_token, token)?,
            },
        }
        Ok(Candidate { hook, signature, registered })
    }

    /// Checks a delivery's proof: its signature over its raw bytes, in constant time. Without
    /// signing secrets, its path was the proof.
    pub fn verify(&self, delivery: Delivery<Unverified>) -> Result<Delivery<Verified>, Refusal> {
        let Delivery { provider, received_at, headers, body, state } = delivery;
        let Unverified { hook, signature, registered } = state;
        let signed_at = match hook {
            Hook::Arcsite if !self.arcsite_secrets.is_empty() => {
                let signature = parse_signature(signature.as_deref())?;
                signature.verify(&body, &self.arcsite_secrets).map_err(Refusal::Signature)?;
                Some(signature.unix_seconds)
            }
            Hook::Arcsite | Hook::Bidsketch | Hook::ArcsiteToken(_) | Hook::BidsketchToken(_) => None,
        };
        let webhook = registered.map(|token| token.webhook);
        Ok(Delivery::verified((provider, received_at), (headers, body), signed_at, webhook))
    }
}

fn parse_signature(header: Option<&str>) -> Result<Signature<'_>, Refusal> {
    Signature::parse(header.ok_or(Refusal::Unsigned)?).map_err(Refusal::Signature)
}

fn check_token(configured: &Option<SecretString>, token: &str) -> Result<(), Refusal> {
    if token_matches(configured, token) { Ok(()) } else { Err(Refusal::UnknownHook) }
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
        let candidate = verifier.judge_head(hook, signature.map(str::to_owned), None)?;
        verifier.verify(candidate.with_body(Vec::new(), b"{}".to_vec(), Clock::system().now())).map(drop)
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
        let hook = || Hook::BidsketchToken(token.clone());
        assert_eq!(verifier.token_hash_for_lookup(&hook()), Some(token::hash(&token)));
        let registered = |is_retired| Some(HookToken { webhook: WebhookId(7), is_retired });
        let candidate = verifier.judge_head(hook(), None, registered(false)).unwrap();
        let verified = verifier.verify(candidate.with_body(Vec::new(), b"{}".to_vec(), Clock::system().now())).unwrap();
        assert_eq!(verified.webhook(), Some(WebhookId(7)));
        assert_eq!(verifier.judge_head(hook(), None, registered(true)).map(drop), Err(Refusal::RetiredHook));
        assert_eq!(verifier.judge_head(hook(), None, None).map(drop), Err(Refusal::UnknownHook));
    }

    #[test]
    fn signature_header_is_judged_before_the_body() {
        let verifier = verifier(&["s"], None, None, false);
        let judge =
            |signature: Option<&str>| verifier.judge_head(Hook::Arcsite, signature.map(str::to_owned), None).map(drop);
        assert_eq!(judge(None), Err(Refusal::Unsigned));
        assert_eq!(judge(Some("nonsense")), Err(Refusal::Signature(SignatureError::Malformed)));
        assert_eq!(judge(Some("t=1,v=00")), Err(Refusal::Signature(SignatureError::Wrong)));
        assert_eq!(judge(Some(&format!("t=1,v={}", "0".repeat(64)))), Ok(()));
    }
}
