//! One attempt on the wire: a body goes out, a status comes back or does not.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url, redirect};

use super::rules::Reply;
use crate::signature;

/// The connections. It follows no redirect (to a vendor a 3xx is a failure) and uses no proxy, whatever the environment
/// says: hooks for a loopback address stay on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    client: Client,
}

impl Wire {
    /// Connections on which an attempt may take so long.
    pub(crate) fn new(time_out: Duration) -> Result<Wire, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(time_out)
            .user_agent(concat!("bidarc-simulator/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Wire { client })
    }

    /// Posts a body once, with its signature if it has one.
    pub(crate) async fn post(&self, url: Url, body: String, signed: Option<String>) -> Reply {
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        if let Some(signed) = signed {
            request = request.header(signature::HEADER, signed);
        }
        match request.body(body).send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Read to its end, so that the connection can be used again. Only the status counts, so nothing is lost
                // when the rest of the answer breaks off.
                drop(answer.bytes().await);
                Reply::Status(status)
            }
            Err(error) if error.is_timeout() => Reply::TimedOut,
            Err(error) => Reply::Broken(root_cause(&error)),
        }
    }
}

/// The innermost reason: "connection refused" rather than "error sending request", and without the URL, which can hold a
/// token.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = "the connection failed".to_owned();
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}
