//! Fetches one file: judged hops, bounded time, bounded bytes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, LOCATION, RETRY_AFTER, TRANSFER_ENCODING,
};
use reqwest::{Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout};

use super::content::{self, HEAD_BYTES, Verdict};
use super::{AllowedUrl, DownloadError, Downloaded, FileSink, Outbound};
use crate::clock::{Clock, Time};
use crate::domain::{Digest, FileKind};
use crate::vendor::request_error::cause;

/// How many redirects are followed. ArcSite's links have none.
const REDIRECTS_MAX: usize = 5;

/// The longest wait that a host may ask for. A file's deadline is often a day away.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// The bounds of time. The tests have shorter ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimits {
    /// For resolving and connecting, with TLS.
    pub(super) connect: Duration,
    /// From the request to the end of the answer's head, with connecting.
    pub(super) head: Duration,
    /// Between two pieces of a body.
    pub(super) idle: Duration,
    /// A body must come at this rate on average, in bytes a second, so a larger file may take
    /// longer.
    pub(super) rate_min: u32,
    /// How long a body may be late by that rate.
    pub(super) grace: Duration,
}

impl TimeLimits {
    /// 16 KiB a second are a share of a slow line: 500 MB may take 8.5 hours.
    pub(super) const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        head: Duration::from_secs(30),
        idle: Duration::from_secs(30),
        rate_min: 16 * 1024,
        grace: Duration::from_secs(60),
    };

    /// How long the host may take in all for this many bytes of a body.
    fn allowance(&self, bytes: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a bound of time needs no exact seconds")]
        let seconds = bytes as f64 / f64::from(self.rate_min);
        self.grace + Duration::from_secs_f64(seconds)
    }
}

/// A problem of the host or of its answer, before it is one of a sink.
enum Problem {
    Refused(String),
    Failed(String),
    Retry(String, Option<Duration>),
}

impl Problem {
    const fn retry(text: String) -> Self {
        Self::Retry(text, None)
    }
}

impl<E> From<Problem> for DownloadError<E> {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused(text) => Self::Refused(text),
            Problem::Failed(text) => Self::Failed(text),
            Problem::Retry(text, retry_after) => Self::Retry { text, retry_after },
        }
    }
}

impl Outbound {
    /// Fetches a file of `kind` with at most `max_bytes` into `sink`, and returns its digest. The
    /// sink gets nothing before the first bytes are judged.
    ///
    /// # Errors
    ///
    /// See [`DownloadError`]. The sink may have taken a part of the file.
    pub async fn download<S: FileSink>(
        &self,
        url: &AllowedUrl,
        kind: FileKind,
        max_bytes: u64,
        sink: &mut S,
    ) -> Result<Downloaded, DownloadError<S::Error>> {
        let (response, host) = self.request_through_redirects(url).await?;
        check_head(&response, &host, max_bytes)?;
        let mut body = Body { response, host, limits: self.limits, waited: Duration::ZERO, bytes: 0, max_bytes };
        let mut hash = Sha256::new();
        let mut piece = body.head(kind).await?;
        loop {
            hash.update(&piece);
            sink.write(piece).await.map_err(DownloadError::Sink)?;
            match body.next().await? {
                Some(next) => piece = next,
                None => break,
            }
        }
        Ok(Downloaded { digest: Digest::new(hash.finalize().into()), size_bytes: body.bytes })
    }

    /// Requests a file, and where it redirects to. Each hop is judged, resolved and bounded like
    /// the first. Returns an answer of 200 and the host that gave it.
    async fn request_through_redirects(&self, url: &AllowedUrl) -> Result<(Response, String), Problem> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.request(&url).await?;
            let host = url.host().to_owned();
            let status = response.status();
            match status {
                StatusCode::OK => return Ok((response, host)),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = self.redirect(&url, &response)?,
                StatusCode::NOT_FOUND | StatusCode::GONE => {
                    return Err(Problem::Failed(format!("{host} answered {}: the file is not there", shown(status))));
                }
                // Storage behind a CDN answers 403 for a link that is dead, and for a file that is
                // not there yet.
                _ => {
                    let text = format!("{host} answered {}", shown(status));
                    return Err(Problem::Retry(text, retry_after(response.headers(), &self.clock)));
                }
            }
        }
        Err(Problem::Refused(format!("{} redirects more than {REDIRECTS_MAX} times", url.host())))
    }

    fn redirect(&self, from: &AllowedUrl, response: &Response) -> Result<AllowedUrl, Problem> {
        let host = from.host();
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(location) = location else {
            return Err(Problem::retry(format!("{host} redirects, but its answer does not say where to")));
        };
        self.rules
            .judge_redirect(from, location)
            .map_err(|refusal| Problem::Refused(format!("{host} redirects elsewhere: {refusal}")))
    }

    async fn request(&self, url: &AllowedUrl) -> Result<Response, Problem> {
        let host = url.host();
        // A coded body would have to be decoded before it is judged and hashed.
        let request = self.http.get(url.url().clone()).header(ACCEPT_ENCODING, "identity");
        match timeout(self.limits.head, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => {
                Err(Problem::retry(format!("{host} cannot be reached: {}", cause(&error))))
            }
            Ok(Err(error)) => Err(Problem::retry(format!("{host} did not answer: {}", cause(&error)))),
            Err(_) => Err(Problem::retry(format!("{host} did not answer within {} s", self.limits.head.as_secs_f64()))),
        }
    }
}

/// Judges the head of an answer of 200.
fn check_head(response: &Response, host: &str, max_bytes: u64) -> Result<(), Problem> {
    let headers = response.headers();
    let coding = headers.get(CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::Failed(format!("{host} sent the file packed, though it was asked not to")));
    }
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    // The end of such a body and a broken connection look alike.
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Problem::retry(format!("{host} did not say how long the file is")));
    }
    Ok(())
}

fn too_large(max_bytes: u64) -> Problem {
    Problem::Failed(format!("the file has more than {max_bytes} bytes, the limit of files.max_bytes"))
}

/// The body of an answer.
struct Body {
    response: Response,
    host: String,
    limits: TimeLimits,
    /// How long the host was waited for. The time that the sink takes is not the host's.
    waited: Duration,
    bytes: u64,
    max_bytes: u64,
}

impl Body {
    /// The first bytes, once enough of them are there to judge them, and judged.
    async fn head(&mut self, kind: FileKind) -> Result<Bytes, Problem> {
        let mut head = BytesMut::new();
        while head.len() < HEAD_BYTES {
            match self.next().await? {
                Some(piece) => head.extend_from_slice(&piece),
                None => break,
            }
        }
        let host = &self.host;
        match content::judge(kind, &head[..head.len().min(HEAD_BYTES)]) {
            Verdict::Right => Ok(head.freeze()),
            Verdict::Wrong => Err(Problem::Failed(format!("the file is not a {kind}: its first bytes are others"))),
            Verdict::Page => Err(Problem::retry(format!("{host} answered with a page instead of the file"))),
            Verdict::Cut => Err(Problem::retry(format!("{host} ended its answer after {} bytes", head.len()))),
        }
    }

    /// The next piece; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let left = self.limits.allowance(self.bytes).saturating_sub(self.waited);
        let started = Instant::now();
        let piece = match timeout(left.min(self.limits.idle), self.response.chunk()).await {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => {
                let (host, bytes) = (&self.host, self.bytes);
                return Err(Problem::retry(format!("{host} broke off after {bytes} bytes: {}", cause(&error))));
            }
            Err(_) => {
                return Err(Problem::retry(format!("{} sends too slowly: {} bytes so far", self.host, self.bytes)));
            }
        };
        self.waited += started.elapsed();
        self.bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.bytes > self.max_bytes {
            return Err(too_large(self.max_bytes));
        }
        Ok(piece)
    }
}

/// `403 Forbidden`.
fn shown(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The wait that an answer asks for, in seconds or until a date, at most [`RETRY_AFTER_MAX`].
fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date: Time = DateTime::parse_from_rfc2822(text).ok()?.into();
            (date - clock.now()).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = DateTime::from_timestamp(1_445_412_480, 0).unwrap();
        let clock = Clock::from_fn(move || now);
        let read = |text: &'static str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]), &clock)
                .map(|wait| wait.as_secs())
        };
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("86400", Some(3600)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("Thu, 22 Oct 2015 07:28:30 GMT", Some(3600)),
            ("99999999999999999999", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(read(text), seconds, "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), &clock), None);
    }

    #[test]
    fn allowance_grows_with_the_bytes() {
        let limits = TimeLimits::DEFAULT;
        assert_eq!(limits.allowance(0), limits.grace);
        assert_eq!(limits.allowance(16 * 1024 * 100), limits.grace + Duration::from_secs(100));
    }
}
