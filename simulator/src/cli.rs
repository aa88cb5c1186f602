//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};
use simulator::api::Options;
use simulator::disorder::Disorder;
use simulator::hook::Vendor;
use simulator::target::{Target, TargetError};

/// Of the hooks that may be late, this share is.
const LATE_SHARE: f64 = 0.25;

/// The API's token where none is given. It guards made-up data.
const API_TOKEN: &str = "simulated";

/// Acts as ArcSite and Bidsketch: sends webhooks to a running bidarc.
///
/// A made-up contractor draws and sells with ArcSite and a made-up agency sends proposals with Bidsketch; what happens to
/// them leaves as webhooks, by the vendors' documented rules: ArcSite's are signed when there is a secret and are tried
/// again until a 2xx; Bidsketch's are tried 20 times until exactly 200, and a 410 deletes the webhook.
///
/// The exit code is 0 if everything that was sent was acknowledged, 1 if not, 2 for a command line that makes no sense.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Where bidarc listens. Only loopback addresses, unless --allow-remote is given
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,

    /// Send made-up webhooks to another machine too, and serve the API to others.
    ///
    /// A safety net: what this program sends is fiction, and a real office's bidarc would keep it for good. Over plain
    /// http, so path tokens can be read on the way.
    #[arg(long)]
    pub allow_remote: bool,

    /// Sign ArcSite's hooks with this secret (one of the service's arcsite.signing_secrets)
    #[arg(long, value_name = "SECRET", env = "SIMULATOR_ARCSITE_SECRET", hide_env_values = true)]
    pub arcsite_secret: Option<String>,

    /// Send ArcSite's hooks to /webhooks/arcsite/TOKEN (the service's arcsite.path_token)
    #[arg(long, value_name = "TOKEN", env = "SIMULATOR_ARCSITE_TOKEN", hide_env_values = true)]
    pub arcsite_token: Option<String>,

    /// Send Bidsketch's hooks to /webhooks/bidsketch/TOKEN (the service's bidsketch.path_token). Of no use with --api
    #[arg(long, value_name = "TOKEN", env = "SIMULATOR_BIDSKETCH_TOKEN", hide_env_values = true)]
    pub bidsketch_token: Option<String>,

    /// Serve Bidsketch's REST API there (such as 127.0.0.1:9090), and send its hooks to the webhooks registered with it.
    ///
    /// The service makes and deletes its webhooks by itself, as at Bidsketch; a hook for whose type there is none goes
    /// nowhere. The program says what to set in the service and, if it sends ArcSite's hooks too, waits until that listens.
    /// The webhooks are forgotten when it ends.
    #[arg(long, value_name = "ADDRESS")]
    pub api: Option<SocketAddr>,

    /// The token that the API lets in (the service's bidsketch.api_token)
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = API_TOKEN,
        env = "SIMULATOR_API_TOKEN",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub api_token: String,

    /// Whose hooks to send
    #[arg(long, value_enum, default_value_t = Whose::Both)]
    pub vendor: Whose,

    /// Hooks a second
    #[arg(long, default_value_t = 2.0, value_parser = rate)]
    pub rate: f64,

    /// Stop after so many hooks (those sent twice count once) [default: go on until Ctrl-C]
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,

    /// Send one hook of each event type, every spelling and status included, then end
    #[arg(long, visible_alias = "once", conflicts_with = "count")]
    pub every_event: bool,

    /// How many attempts may be on the wire at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: u16,

    /// Hold one hook in four back by up to so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub late: u32,

    /// Send this share of the hooks a second time (0 to 1)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub twice: f64,

    /// Let hooks leave in random order within a window of so many
    #[arg(long, value_name = "WINDOW", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub shuffle: u16,

    /// The made-up world, and its disorder, by number: the same number gives the same lives [default: a new one each time]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How often ArcSite tries in all (it says "certain times", without the number)
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub arcsite_attempts: u32,

    /// The pause after a first failed attempt, in milliseconds; it doubles each time (no vendor documents it)
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub pause: u32,

    /// No pause is longer than so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    pub longest_pause: u32,

    /// Retries keep the first attempt's signature (ArcSite does not document which it is)
    #[arg(long)]
    pub keep_signature: bool,

    /// No line for a delivery that went well
    #[arg(long, short)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  simulator                                   two hooks a second to a bidarc on this machine, until Ctrl-C
  simulator --every-event                     one of each type, to see what they become
  simulator --count 500 --rate 100 --quiet    a burst
  simulator --twice 0.2 --shuffle 10 --late 30
                                              as bad as the world gets: the history must still come out right
  SIMULATOR_ARCSITE_SECRET=… SIMULATOR_BIDSKETCH_TOKEN=… simulator
                                              a service with secrets, without showing them to other users

The whole circle, in which the service registers its webhooks with Bidsketch's API and is sent hooks for them:
  1. In one terminal
       simulator --vendor bidsketch --api 127.0.0.1:9090
     It serves the API. As yet its hooks go nowhere.
  2. In another
       BIDARC_BIDSKETCH__API_URL=http://127.0.0.1:9090/api/v1 BIDARC_BIDSKETCH__API_TOKEN=simulated cargo run
  3. Have the service create a webhook: see its API, or act as the service does:
       curl http://127.0.0.1:9090/api/v1/webhooks.json -H 'Authorization: Token token=\"simulated\"' \\
         -d '{\"event\": \"proposal_viewed\", \"endpoint\": \"http://127.0.0.1:8080/webhooks/bidsketch\"}'
     From here on, hooks of that type are delivered there, until the webhook is deleted: by a call, or because its URL
     answers 410.";

/// Whose hooks to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Whose {
    /// ArcSite's only
    Arcsite,
    /// Bidsketch's only
    Bidsketch,
    /// Both, mixed
    Both,
}

impl Whose {
    /// The one vendor, or none for both.
    pub fn only(self) -> Option<Vendor> {
        match self {
            Whose::Arcsite => Some(Vendor::Arcsite),
            Whose::Bidsketch => Some(Vendor::Bidsketch),
            Whose::Both => None,
        }
    }
}

impl Cli {
    /// Where to send. An empty secret or token, as an empty environment variable gives it, is none.
    pub fn target(&self) -> Result<Target, TargetError> {
        let given = |option: &Option<String>| option.clone().filter(|value| !value.is_empty());
        let mut target = Target::new(&self.url)?;
        if let Some(secret) = given(&self.arcsite_secret) {
            target = target.with_arcsite_secret(secret);
        }
        if let Some(token) = given(&self.arcsite_token) {
            target = target.with_arcsite_token(token);
        }
        if let Some(token) = given(&self.bidsketch_token) {
            target = target.with_bidsketch_token(token);
        }
        Ok(target)
    }

    /// The API that is to be served, if one is.
    pub fn api(&self, seed: u64) -> Option<Options> {
        let listen = self.api?;
        Some(Options { token: self.api_token.clone(), listen, seed, ..Options::default() })
    }

    /// The API's token as people may see it: hidden if it was given.
    pub fn shown_api_token(&self) -> &str {
        if self.api_token == API_TOKEN { API_TOKEN } else { "…" }
    }

    /// What is to go wrong on the way.
    pub fn disorder(&self) -> Disorder {
        Disorder {
            late_by: Duration::from_secs(self.late.into()),
            late: if self.late > 0 { LATE_SHARE } else { 0.0 },
            twice: self.twice,
            shuffle: self.shuffle.into(),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.001..=100_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("a rate is from 0.001 to 100000 a second".to_owned())
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share is from 0 to 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_api_has_a_token_of_its_own_only_if_one_is_given() {
        let parsed = |more: &[&str]| Cli::try_parse_from([&["simulator"], more].concat());
        assert!(parsed(&[]).unwrap().api(1).is_none());
        let cli = parsed(&["--api", "127.0.0.1:9090"]).unwrap();
        let options = cli.api(7).unwrap();
        assert_eq!((options.token.as_str(), options.listen.port(), options.seed), ("simulated", 9090, 7));
        assert_eq!(cli.shown_api_token(), "simulated");
        let cli = parsed(&["--api", "[::1]:9090", "--api-token", "hush"]).unwrap();
        assert_eq!(cli.api(7).unwrap().token, "hush");
        assert_eq!(cli.shown_api_token(), "…");
        assert!(parsed(&["--api", "9090"]).is_err() && parsed(&["--api-token", ""]).is_err());
    }

    #[test]
    fn rates_and_shares_have_bounds() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        assert!(share("1").is_ok() && share("1.1").is_err() && share("NaN").is_err());
    }

    #[test]
    fn an_empty_secret_is_none() {
        let cli = Cli::parse_from(["simulator", "--arcsite-secret", "", "--bidsketch-token", ""]);
        let target = cli.target().unwrap();
        assert_eq!(target.arcsite_secret(), None);
        assert_eq!(target.url(Vendor::Bidsketch).path(), "/webhooks/bidsketch");
    }
}
