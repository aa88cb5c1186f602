//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::TimeDelta;
use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};
use simulator::api::Options;
use simulator::disorder::Disorder;
use simulator::files;
use simulator::hook::Vendor;
use simulator::target::{Target, TargetError};

/// The share of hooks that `--late` delays.
const LATE_SHARE: f64 = 0.25;

/// The API's token if none is given. It protects made-up data only.
const DEFAULT_API_TOKEN: &str = "simulated";

/// Acts as ArcSite and Bidsketch: sends webhooks to a running bidarc.
///
/// A made-up contractor draws and sells with ArcSite, and a made-up agency sends proposals with
/// Bidsketch. Their actions become webhooks, sent by the vendors' documented rules: ArcSite signs
/// its hooks if there is a secret, and retries until a 2xx; Bidsketch tries 20 times until exactly
/// 200, and a 410 deletes the webhook.
///
/// The exit code is 0 if every delivery was acknowledged, 1 if not, and 2 if the command line is
/// invalid.
#[derive(Debug, Parser)]
#[command(version, after_long_help = EXAMPLES)]
pub struct Cli {
    /// The address of bidarc. Only loopback addresses, unless --allow-remote is given
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,

    /// Send to other machines, and let other machines use the API.
    ///
    /// A safety net: everything that this program sends is made up, and a real office's bidarc
    /// would store it for good. It is sent over plain http, so path tokens can be read on the way.
    #[arg(long)]
    pub allow_remote: bool,

    /// Sign ArcSite's hooks with this secret (one of the service's arcsite.signing_secrets)
    #[arg(long, value_name = "SECRET", env = "SIMULATOR_ARCSITE_SECRET", hide_env_values = true)]
    pub arcsite_secret: Option<String>,

    /// Send ArcSite's hooks to /webhooks/arcsite/TOKEN (the service's arcsite.path_token)
    #[arg(long, value_name = "TOKEN", env = "SIMULATOR_ARCSITE_TOKEN", hide_env_values = true)]
    pub arcsite_token: Option<String>,

    /// Send Bidsketch's hooks to /webhooks/bidsketch/TOKEN (the service's bidsketch.path_token).
    /// Ignored with --api
    #[arg(long, value_name = "TOKEN", env = "SIMULATOR_BIDSKETCH_TOKEN", hide_env_values = true)]
    pub bidsketch_token: Option<String>,

    /// Serve Bidsketch's REST API at this address (such as 127.0.0.1:9090), and send Bidsketch's
    /// hooks to the webhooks registered with it.
    ///
    /// The service creates and deletes its webhooks, as at Bidsketch. A hook whose type has no
    /// webhook is not sent. The program says what to set in the service. If it also sends ArcSite's
    /// hooks, it waits until the service listens. The webhooks are lost when the program ends.
    #[arg(long, value_name = "ADDRESS")]
    pub api: Option<SocketAddr>,

    /// The token that the API accepts (the service's bidsketch.api_token)
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = DEFAULT_API_TOKEN,
        env = "SIMULATOR_API_TOKEN",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub api_token: String,

    /// Which vendor's hooks to send
    #[arg(long, value_enum, default_value_t = VendorChoice::Both)]
    pub vendor: VendorChoice,

    /// Hooks to send a second
    #[arg(long, default_value_t = 2.0, value_parser = rate)]
    pub rate: f64,

    /// Stop after this number of hooks; a repeated hook counts once [default: run until Ctrl-C]
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,

    /// Send every event type at least once, in every spelling and status, then end
    #[arg(long, visible_alias = "once", conflicts_with = "count")]
    pub every_event: bool,

    /// How many attempts may be in flight at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: u16,

    /// Delay one hook in four by up to this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub late: u32,

    /// Send this share of the hooks a second time (0 to 1)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub twice: f64,

    /// Send hooks in random order within a window of this size
    #[arg(long, value_name = "WINDOW", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    pub shuffle: u16,

    /// Serve the files behind the links of ArcSite's hooks at this address. Port 0 takes a free one
    ///
    /// Each drawing and proposal has a PDF, and each drawing a PNG, of its own. A link leads to its
    /// file until it expires, and only as it was signed. The service fetches files from this
    /// machine in open mode alone. Links of an earlier run live on with the same address and seed.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    pub files: SocketAddr,

    /// How many seconds a link to a file lives
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(1..))]
    pub link_lifetime: u32,

    /// Let this share of the requests for files fail (0 to 1): errors, broken and slow bodies,
    /// pages in the place of files. Another request of the same link may succeed
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub failing_files: f64,

    /// Let this share of the links lead to a file that is gone or of another type (0 to 1)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub lost_files: f64,

    /// Make each PDF at least this large, in MB
    #[arg(long, value_name = "MB", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub pdf_mb: u32,

    /// After the last hook, serve files until no request has come for this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub linger: u32,

    /// The seed of the made-up world and its disorder: the same seed gives the same histories
    /// [default: random]
    #[arg(long)]
    pub seed: Option<u64>,

    /// How many attempts ArcSite makes (documented as "certain times", without a number)
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub arcsite_attempts: u32,

    /// The pause after the first failed attempt, in milliseconds; it doubles each time (no vendor
    /// documents it)
    #[arg(long, value_name = "MS", default_value_t = 500)]
    pub pause: u32,

    /// The longest pause, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    pub longest_pause: u32,

    /// Send retries with the first attempt's signature (ArcSite does not document whether it signs
    /// again)
    #[arg(long)]
    pub keep_signature: bool,

    /// Show only deliveries that failed
    #[arg(long, short)]
    pub quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  simulator                                   two hooks a second to a bidarc on this machine, until Ctrl-C
  simulator --every-event                     one of each type, to see what they become
  simulator --count 500 --rate 100 --quiet    a burst
  simulator --twice 0.2 --shuffle 10 --late 30
                                              the worst case: the service must still get the history right
  simulator --failing-files 0.3 --lost-files 0.05 --link-lifetime 60
                                              files that must be fetched in time, again and again
  SIMULATOR_ARCSITE_SECRET=… SIMULATOR_BIDSKETCH_TOKEN=… simulator
                                              a service with secrets, hidden from other users

The whole cycle: the service registers its webhooks with Bidsketch's API and receives hooks for them:
  1. In one terminal
       simulator --vendor bidsketch --api 127.0.0.1:9090
     It serves the API. No hooks are sent yet.
  2. In another
       BIDARC_BIDSKETCH__API_URL=http://127.0.0.1:9090/api/v1 \\
       BIDARC_BIDSKETCH__API_TOKEN=simulated cargo run
  3. Let the service create a webhook through its API, or create one as the service does:
       curl http://127.0.0.1:9090/api/v1/webhooks.json \\
         -H 'Authorization: Token token=\"simulated\"' -d '{\"event\": \"proposal_viewed\",
           \"endpoint\": \"http://127.0.0.1:8080/webhooks/bidsketch\"}'
     Hooks of that type are now delivered there until the webhook is deleted, by a
     call or by a 410 from its URL. In a clone, `simulator` is
     `cargo run -p simulator --`.";

/// The vendor whose hooks are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VendorChoice {
    /// ArcSite's only
    Arcsite,
    /// Bidsketch's only
    Bidsketch,
    /// Both, mixed
    Both,
}

impl VendorChoice {
    /// The one vendor; none for both.
    pub fn only(self) -> Option<Vendor> {
        match self {
            VendorChoice::Arcsite => Some(Vendor::Arcsite),
            VendorChoice::Bidsketch => Some(Vendor::Bidsketch),
            VendorChoice::Both => None,
        }
    }
}

impl Cli {
    /// The target. An empty secret or token, as from an empty environment variable, counts as none.
    pub fn target(&self) -> Result<Target, TargetError> {
        let non_empty = |option: &Option<String>| option.clone().filter(|value| !value.is_empty());
        let mut target = Target::new(&self.url)?;
        if let Some(secret) = non_empty(&self.arcsite_secret) {
            target = target.with_arcsite_secret(secret);
        }
        if let Some(token) = non_empty(&self.arcsite_token) {
            target = target.with_arcsite_token(token);
        }
        if let Some(token) = non_empty(&self.bidsketch_token) {
            target = target.with_bidsketch_token(token);
        }
        Ok(target)
    }

    /// The options of the API, if `--api` is given.
    pub fn api(&self, seed: u64) -> Option<Options> {
        let listen = self.api?;
        Some(Options { token: self.api_token.clone(), listen, seed, ..Options::default() })
    }

    /// The options of the file server; none if no hook has links.
    pub fn file_server(&self, seed: u64) -> Option<files::Options> {
        if self.vendor == VendorChoice::Bidsketch {
            return None;
        }
        Some(files::Options {
            listen: self.files,
            seed,
            lifetime: TimeDelta::seconds(self.link_lifetime.into()),
            failing: self.failing_files,
            lost: self.lost_files,
            pdf_bytes: u64::from(self.pdf_mb) * 1_000_000,
            ..files::Options::default()
        })
    }

    /// The API's token for display: hidden if the user set it.
    pub fn shown_api_token(&self) -> &str {
        if self.api_token == DEFAULT_API_TOKEN { DEFAULT_API_TOKEN } else { "…" }
    }

    /// The disorder of the hooks.
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
    if (0.001..=100_000.0).contains(&rate) { Ok(rate) } else { Err("must be from 0.001 to 100000 a second".to_owned()) }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("must be from 0 to 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn api_token_is_default_unless_given() {
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
    fn files_are_served_unless_no_hook_has_links() {
        let options = |more: &[&str]| Cli::try_parse_from([&["simulator"], more].concat()).unwrap().file_server(7);
        let plain = options(&[]).unwrap();
        assert_eq!((plain.lifetime, plain.failing, plain.lost, plain.pdf_bytes), (TimeDelta::hours(24), 0.0, 0.0, 0));
        assert!(plain.listen.ip().is_loopback() && plain.seed == 7);
        let odd = ["--files", "[::1]:1", "--link-lifetime", "9", "--failing-files", "0.3", "--lost-files", "1"];
        let odd = options(&[&odd[..], &["--pdf-mb", "200"]].concat()).unwrap();
        assert_eq!((odd.lifetime, odd.failing, odd.lost), (TimeDelta::seconds(9), 0.3, 1.0));
        assert_eq!((odd.listen.to_string().as_str(), odd.pdf_bytes), ("[::1]:1", 200_000_000));
        assert!(options(&["--vendor", "bidsketch"]).is_none());
    }

    #[test]
    fn rate_and_share_outside_bounds_are_refused() {
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        assert!(share("1").is_ok() && share("1.1").is_err() && share("NaN").is_err());
    }

    #[test]
    fn empty_secret_is_none() {
        let cli = Cli::parse_from(["simulator", "--arcsite-secret", "", "--bidsketch-token", ""]);
        let target = cli.target().unwrap();
        assert_eq!(target.arcsite_secret(), None);
        assert_eq!(target.url(Vendor::Bidsketch).path(), "/webhooks/bidsketch");
    }
}
