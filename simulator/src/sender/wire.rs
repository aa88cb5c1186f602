//! One attempt: posts a body and reads the status.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url, redirect};

use super::rules::Reply;
use crate::signature;

/// The HTTP client. It follows no redirect, since a 3xx is a failure to a vendor. It uses no proxy,
/// whatever the environment says, so hooks for a loopback address stay on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    client: Client,
}

impl Wire {
    /// Creates a client whose attempts may take this long.
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
    pub(crate) async fn post(&self, url: Url, body: String, signature_value: Option<String>) -> Reply {
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        if let Some(signature_value) = signature_value {
            request = request.header(signature::HEADER, signature_value);
        }
        match request.body(body).send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // The answer is read to its end, so the connection can be reused. Only the status
                // counts, so a failure while reading is ignored.
                drop(answer.bytes().await);
                Reply::Status(status)
            }
            Err(error) if error.is_timeout() => Reply::TimedOut,
            Err(error) => Reply::Broken(root_cause(&error)),
        }
    }
}

/// The innermost cause: "connection refused" rather than "error sending request", and without the
/// URL, which may hold a token.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut message = "the connection failed".to_owned();
    while let Some(inner) = cause {
        message = inner.to_string();
        cause = inner.source();
    }
    message
}
