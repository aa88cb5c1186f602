//! Links that must not make the service connect to anything (server-side request forgery).

use super::*;

/// The names that an attacker has, or could have by a fault at the vendor.
const NAMES: &[(&str, &[&[&str]])] = &[
    ("loopback.arcsite.com", &[&["127.0.0.1"]]),
    ("loopback6.arcsite.com", &[&["::1"]]),
    ("other-loopback.arcsite.com", &[&["127.8.8.8"]]),
    ("unspecified.arcsite.com", &[&["0.0.0.0"]]),
    ("private10.arcsite.com", &[&["10.0.0.5"]]),
    ("private172.arcsite.com", &[&["172.20.1.1"]]),
    ("private192.arcsite.com", &[&["192.168.1.1"]]),
    ("shared.arcsite.com", &[&["100.64.0.1"]]),
    ("metadata.arcsite.com", &[&["169.254.169.254"]]),
    ("metadata6.arcsite.com", &[&["fd00:ec2::254"]]),
    ("alibaba.arcsite.com", &[&["100.100.100.200"]]),
    ("oracle.arcsite.com", &[&["192.0.0.192"]]),
    ("azure.arcsite.com", &[&["168.63.129.16"]]),
    ("link-local.arcsite.com", &[&["fe80::1"]]),
    ("unique-local.arcsite.com", &[&["fc00::1"]]),
    ("multicast.arcsite.com", &[&["224.0.0.251"]]),
    ("multicast6.arcsite.com", &[&["ff02::fb"]]),
    ("broadcast.arcsite.com", &[&["255.255.255.255"]]),
    ("reserved.arcsite.com", &[&["240.0.0.1"]]),
    ("benchmark.arcsite.com", &[&["198.18.0.1"]]),
    ("documentation.arcsite.com", &[&["203.0.113.7"]]),
    ("mapped.arcsite.com", &[&["::ffff:127.0.0.1"]]),
    ("nat64.arcsite.com", &[&["64:ff9b::7f00:1"]]),
    ("six-to-four.arcsite.com", &[&["2002:7f00:1::1"]]),
    ("teredo.arcsite.com", &[&["2001:0:4136:e378:8000:63bf:3fff:fdd2"]]),
    ("mixed.arcsite.com", &[&["93.184.216.34", "127.0.0.1"]]),
    ("mixed6.arcsite.com", &[&["2606:4700::1", "::1"]]),
    ("empty.arcsite.com", &[&[]]),
    ("d111.cloudfront.net", &[&["127.0.0.1"]]),
    ("evil.example", &[&["127.0.0.1"]]),
    ("localhost", &[&["127.0.0.1"]]),
];

/// What becomes of a link of a signed delivery, outside of open mode. `PORT` is where a server
/// listens on 127.0.0.1, and the one port of allowed hosts in this test, so that a connection to
/// any of the names that have this address is seen.
const SIGNED: &[(&str, &str)] = &[
    // Names that have other addresses than public ones.
    (
        "https://loopback.arcsite.com:PORT/",
        "RETRY: loopback.arcsite.com cannot be reached: loopback.arcsite.com has the address 127.0.0.1, which is not one of a public server",
    ),
    ("https://loopback6.arcsite.com:PORT/", "the address ::1, which is not"),
    ("https://other-loopback.arcsite.com:PORT/", "the address 127.8.8.8, which is not"),
    ("https://unspecified.arcsite.com:PORT/", "the address 0.0.0.0, which is not"),
    ("https://private10.arcsite.com:PORT/", "the address 10.0.0.5, which is not"),
    ("https://private172.arcsite.com:PORT/", "the address 172.20.1.1, which is not"),
    ("https://private192.arcsite.com:PORT/", "the address 192.168.1.1, which is not"),
    ("https://shared.arcsite.com:PORT/", "the address 100.64.0.1, which is not"),
    ("https://metadata.arcsite.com:PORT/latest/meta-data/", "the address 169.254.169.254, which is not"),
    ("https://metadata6.arcsite.com:PORT/", "the address fd00:ec2::254, which is not"),
    ("https://alibaba.arcsite.com:PORT/", "the address 100.100.100.200, which is not"),
    ("https://oracle.arcsite.com:PORT/", "the address 192.0.0.192, which is not"),
    ("https://azure.arcsite.com:PORT/", "the address 168.63.129.16, which is not"),
    ("https://link-local.arcsite.com:PORT/", "the address fe80::1, which is not"),
    ("https://unique-local.arcsite.com:PORT/", "the address fc00::1, which is not"),
    ("https://multicast.arcsite.com:PORT/", "the address 224.0.0.251, which is not"),
    ("https://multicast6.arcsite.com:PORT/", "the address ff02::fb, which is not"),
    ("https://broadcast.arcsite.com:PORT/", "the address 255.255.255.255, which is not"),
    ("https://reserved.arcsite.com:PORT/", "the address 240.0.0.1, which is not"),
    ("https://benchmark.arcsite.com:PORT/", "the address 198.18.0.1, which is not"),
    ("https://documentation.arcsite.com:PORT/", "the address 203.0.113.7, which is not"),
    ("https://mapped.arcsite.com:PORT/", "the address ::ffff:127.0.0.1, which is not"),
    ("https://nat64.arcsite.com:PORT/", "the address 64:ff9b::7f00:1, which is not"),
    ("https://six-to-four.arcsite.com:PORT/", "the address 2002:7f00:1::1, which is not"),
    ("https://teredo.arcsite.com:PORT/", "the address 2001:0:4136:e378:8000:63bf:3fff:fdd2, which is not"),
    ("https://mixed.arcsite.com:PORT/", "the address 127.0.0.1, which is not"),
    ("https://mixed6.arcsite.com:PORT/", "the address ::1, which is not"),
    ("https://empty.arcsite.com:PORT/", "RETRY: empty.arcsite.com cannot be reached: empty.arcsite.com has no address"),
    (
        "https://unknown.arcsite.com:PORT/",
        "RETRY: unknown.arcsite.com cannot be reached: unknown.arcsite.com cannot be resolved: no such name",
    ),
    ("https://d111.cloudfront.net:PORT/", "the address 127.0.0.1, which is not"),
    // Spellings of the same names.
    ("HTTPS://LoopBack.ARCSITE.com:PORT/", "the address 127.0.0.1, which is not"),
    (" https://loopback.arcsite.com:PORT/\n", "the address 127.0.0.1, which is not"),
    ("https:\\\\loopback.arcsite.com:PORT\\x", "the address 127.0.0.1, which is not"),
    ("https://loopb\tack.arcsite.com:PORT/", "the address 127.0.0.1, which is not"),
    ("https://loopback%2Earcsite.com:PORT/", "the address 127.0.0.1, which is not"),
    ("https://ｌoopback.arcsite。com:PORT/", "the address 127.0.0.1, which is not"),
    // Names that are not full ones.
    ("https://loopback.arcsite.com.:PORT/", "REFUSED: the link names \"loopback.arcsite.com.\", which is no full name"),
    ("https://a..arcsite.com:PORT/", "REFUSED: the link names \"a..arcsite.com\", which is no full name"),
    ("https://.arcsite.com:PORT/", "REFUSED: the link names \".arcsite.com\", which is no full name"),
    // Hosts that are not allowed.
    ("https://evil.example:PORT/", "REFUSED: the host evil.example is not in files.allowed_hosts"),
    ("https://arcsite.com:PORT/", "REFUSED: the host arcsite.com is not in files.allowed_hosts"),
    ("https://evilarcsite.com:PORT/", "REFUSED: the host evilarcsite.com is not in"),
    ("https://files.arcsite.com.evil.example:PORT/", "REFUSED: the host files.arcsite.com.evil.example is not in"),
    ("https://evil.example\\@files.arcsite.com:PORT/", "REFUSED: the host evil.example is not in"),
    ("https://evil.example:PORT#@files.arcsite.com/", "REFUSED: the host evil.example is not in"),
    ("https://evil.example:PORT?@files.arcsite.com/", "REFUSED: the host evil.example is not in"),
    ("https://files.arcsіte.com:PORT/", "REFUSED: the host files.xn--arcste-svf.com is not in"),
    ("https://metadata.google.internal:PORT/", "REFUSED: the host metadata.google.internal is not in"),
    // This machine, and IP addresses in each spelling.
    ("https://localhost:PORT/", "REFUSED: the link names localhost, this machine"),
    ("https://LOCALHOST:PORT/", "REFUSED: the link names localhost, this machine"),
    ("https://localhost.:PORT/", "REFUSED: the link names \"localhost.\""),
    ("https://sub.localhost:PORT/", "REFUSED: the host sub.localhost is not in"),
    ("https://127.0.0.1:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://127.1:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://2130706433:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://0x7f000001:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://0177.0.0.1:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://127.0.0.1.:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://①②⑦.0.0.1:PORT/", "REFUSED: the link names 127.0.0.1, this machine"),
    ("https://[::1]:PORT/", "REFUSED: the link names [::1], this machine"),
    ("https://[0:0:0:0:0:0:0:1]:PORT/", "REFUSED: the link names [::1], this machine"),
    ("https://[::ffff:127.0.0.1]:PORT/", "REFUSED: the link names the IP address [::ffff:7f00:1]"),
    ("https://[::127.0.0.1]:PORT/", "REFUSED: the link names the IP address [::7f00:1]"),
    ("https://[64:ff9b::7f00:1]:PORT/", "REFUSED: the link names the IP address [64:ff9b::7f00:1]"),
    ("https://0.0.0.0:PORT/", "REFUSED: the link names the IP address 0.0.0.0"),
    ("https://0:PORT/", "REFUSED: the link names the IP address 0.0.0.0"),
    ("https://[::]:PORT/", "REFUSED: the link names the IP address [::]"),
    ("https://169.254.169.254:PORT/", "REFUSED: the link names the IP address 169.254.169.254"),
    ("https://2852039166:PORT/", "REFUSED: the link names the IP address 169.254.169.254"),
    ("https://0xa9.0xfe.0xa9.0xfe:PORT/", "REFUSED: the link names the IP address 169.254.169.254"),
    ("https://[fd00:ec2::254]:PORT/", "REFUSED: the link names the IP address [fd00:ec2::254]"),
    ("https://93.184.216.34:PORT/", "REFUSED: the link names the IP address 93.184.216.34"),
    // User information, ports, schemes.
    (
        "https://me@loopback.arcsite.com:PORT/",
        "REFUSED: the link to loopback.arcsite.com has a user name or a password",
    ),
    ("https://:s3cret@loopback.arcsite.com:PORT/", "REFUSED: the link to loopback.arcsite.com has a user name"),
    ("https://files.arcsite.com:s3cret@evil.example:PORT/", "REFUSED: the link to evil.example has a user name"),
    ("https://loopback.arcsite.com:22/", "REFUSED: the link to loopback.arcsite.com has port 22"),
    ("https://loopback.arcsite.com:8443/", "REFUSED: the link to loopback.arcsite.com has port 8443"),
    ("https://loopback.arcsite.com:0/", "REFUSED: the link to loopback.arcsite.com has port 0"),
    ("http://loopback.arcsite.com:PORT/", "REFUSED: the link to loopback.arcsite.com is not https"),
    ("http://127.0.0.1:PORT/", "REFUSED: the link to 127.0.0.1 is not https"),
    ("http://localhost:PORT/", "REFUSED: the link to localhost is not https"),
    ("ftp://loopback.arcsite.com:PORT/", "REFUSED: the link to loopback.arcsite.com is not https"),
    ("ws://loopback.arcsite.com:PORT/", "REFUSED: the link to loopback.arcsite.com is not https"),
    ("gopher://loopback.arcsite.com:PORT/_x", "REFUSED: the link to loopback.arcsite.com is not https"),
    ("file:///etc/passwd", "REFUSED: the link is not a web address"),
    ("file://loopback.arcsite.com/etc/passwd", "REFUSED: the link to loopback.arcsite.com is not https"),
    ("data:application/pdf;base64,JVBERi0=", "REFUSED: the link is not a web address"),
    ("javascript:alert(1)", "REFUSED: the link is not a web address"),
    ("//loopback.arcsite.com:PORT/", "REFUSED: the link is not a web address"),
    ("loopback.arcsite.com:PORT/", "REFUSED: the link is not a web address"),
    ("https://loopback.arcsite.com:99999/", "REFUSED: the link is not a web address"),
    ("https://[::1/", "REFUSED: the link is not a web address"),
    ("https://", "REFUSED: the link is not a web address"),
    ("", "REFUSED: the link is not a web address"),
];

#[tokio::test]
async fn link_that_leads_elsewhere_connects_to_nothing() {
    let server = Server::answering(ok(PDF)).await;
    let names = Names::new(NAMES);
    let mut outbound = outbound(settings(false), &names, TimeLimits::DEFAULT);
    outbound.rules.port = server.port;
    for (link, expected) in SIGNED {
        let link = link.replace("PORT", &server.port.to_string());
        let looked_up = names.lookups().len();
        let error = fetch(&outbound, &link, true, &mut Sink::default()).await.unwrap_err();
        assert!(error.contains(expected), "{link}: {error}");
        assert!(!error.contains("s3cret"), "{link}: {error}");
        let lookups = usize::from(!error.starts_with("REFUSED"));
        assert_eq!(names.lookups().len() - looked_up, lookups, "lookups for {link}");
        assert_eq!(server.connections(), 0, "{link} was connected to");
    }
    // The same server would be seen, and would answer.
    let mut open = self::outbound(settings(true), &names, TimeLimits::DEFAULT);
    open.rules.port = server.port;
    let localhost = format!("http://localhost:{}/", server.port);
    assert_eq!(fetch(&open, &localhost, true, &mut Sink::default()).await.unwrap().size_bytes, PDF.len() as u64);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn open_mode_allows_this_machine_and_nothing_more() {
    let server = Server::answering(ok(PDF)).await;
    let names = Names::new(NAMES);
    let mut outbound = outbound(settings(true), &names, TimeLimits::DEFAULT);
    outbound.rules.port = server.port;
    for (link, expected) in [
        // A name of outside that has the address of this machine is not this machine.
        ("https://loopback.arcsite.com:PORT/", "the address 127.0.0.1, which is not"),
        ("http://loopback.arcsite.com:PORT/", "is not https"),
        ("http://me@127.0.0.1:PORT/", "has a user name or a password"),
        ("http://sub.localhost:PORT/", "is not https"),
        ("http://localhost.:PORT/", "is not https"),
        ("http://0.0.0.0:PORT/", "is not https"),
        ("http://[::ffff:127.0.0.1]:PORT/", "is not https"),
        ("https://[::ffff:127.0.0.1]:PORT/", "the link names the IP address"),
        ("https://10.0.0.1:PORT/", "the link names the IP address 10.0.0.1"),
        ("ftp://127.0.0.1:PORT/", "is not https"),
    ] {
        let link = link.replace("PORT", &server.port.to_string());
        let error = fetch(&outbound, &link, true, &mut Sink::default()).await.unwrap_err();
        assert!(error.contains(expected), "{link}: {error}");
        assert_eq!(server.connections(), 0, "{link} was connected to");
    }
    for link in ["http://127.0.0.1:PORT/", "http://0x7f.1:PORT/", "http://localhost:PORT/", "HTTP://LOCALHOST:PORT/#x"]
    {
        let link = link.replace("PORT", &server.port.to_string());
        fetch(&outbound, &link, false, &mut Sink::default()).await.unwrap_or_else(|error| panic!("{link}: {error}"));
    }
}

#[test]
fn key_that_is_made_ends_the_links_to_this_machine() {
    let is_open = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let judge = {
        let is_open = Arc::clone(&is_open);
        let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
        let outbound = outbound.while_open_mode(move || is_open.load(Ordering::SeqCst));
        move |link: &str| outbound.judge(link, true)
    };
    for link in ["http://127.0.0.1:8091/", "https://localhost/"] {
        assert!(judge(link).is_ok(), "{link}");
        is_open.store(false, Ordering::SeqCst);
        assert!(judge(link).is_err(), "{link}");
        is_open.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn localhost_that_leads_elsewhere_is_not_connected_to() {
    let server = Server::answering(ok(PDF)).await;
    for answer in [&["10.0.0.1"][..], &["127.0.0.1", "10.0.0.1"], &["93.184.216.34"], &["::ffff:127.0.0.1"]] {
        let names = Names::new(&[("localhost", &[answer])]);
        let outbound = outbound(settings(true), &names, TimeLimits::DEFAULT);
        let link = format!("http://localhost:{}/", server.port);
        let error = fetch(&outbound, &link, true, &mut Sink::default()).await.unwrap_err();
        assert!(error.contains("which is not one of a public server"), "{answer:?}: {error}");
        assert_eq!(server.connections(), 0);
    }
}

/// DNS rebinding: the first answer is allowed, the next one is not.
#[tokio::test]
async fn name_that_changes_its_address_is_judged_for_each_connection() {
    let server = Server::answering(ok(PDF)).await;
    let other = Server::start(&format!("127.0.0.2:{}", server.port), |_, _| async { Ok(()) }).await;
    let names = Names::new(&[("localhost", &[&["127.0.0.1"], &["127.0.0.2", "10.0.0.1"], &["127.0.0.2"]])]);
    let outbound = outbound(settings(true), &names, TimeLimits::DEFAULT);
    let link = format!("http://localhost:{}/", server.port);
    // One lookup, and the connection goes where that one says. A second lookup would lead
    // elsewhere.
    assert!(fetch(&outbound, &link, true, &mut Sink::default()).await.is_ok());
    assert_eq!((names.lookups().len(), server.connections(), other.connections()), (1, 1, 0));
    // The next connection has a lookup of its own, and is refused.
    let error = fetch(&outbound, &link, true, &mut Sink::default()).await.unwrap_err();
    assert!(error.contains("10.0.0.1, which is not"), "{error}");
    assert_eq!((names.lookups().len(), server.connections(), other.connections()), (2, 1, 0));
    // No connection is kept for a name that has moved.
    assert!(fetch(&outbound, &link, true, &mut Sink::default()).await.is_err());
    assert_eq!((names.lookups().len(), server.connections(), other.connections()), (3, 1, 1));
}

#[tokio::test]
async fn redirect_is_judged_and_resolved_like_a_link() {
    let inside = Server::answering(ok(PDF)).await;
    for (location, expected) in [
        ("https://evil.example:PORT/", "REFUSED: 127.0.0.1 redirects elsewhere: the host evil.example is not in"),
        ("//evil.example:PORT/", "REFUSED: 127.0.0.1 redirects elsewhere: the link to evil.example is not https"),
        ("https://me:s3cret@loopback.arcsite.com:PORT/", "has a user name or a password"),
        ("https://loopback.arcsite.com:1/", "has port 1"),
        ("http://loopback.arcsite.com:PORT/", "is not https"),
        ("https://169.254.169.254:PORT/", "the link names the IP address 169.254.169.254"),
        ("https://[fd00:ec2::254]:PORT/", "the link names the IP address [fd00:ec2::254]"),
        ("https://loopback.arcsite.com:PORT/", "the address 127.0.0.1, which is not"),
        ("https://metadata.arcsite.com:PORT/", "the address 169.254.169.254, which is not"),
        ("https://d111.cloudfront.net:PORT/", "is allowed for signed deliveries alone"),
        ("file:///etc/passwd", "the link is not a web address"),
        ("https://[", "the link is not a web address"),
    ] {
        let location = location.replace("PORT", &inside.port.to_string());
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let server = Server::answering(answer).await;
        let mut outbound = outbound(settings(true), &Names::new(NAMES), TimeLimits::DEFAULT);
        outbound.rules.port = inside.port;
        let error = fetch(&outbound, &server.url(), false, &mut Sink::default()).await.unwrap_err();
        assert!(error.contains(expected), "{location}: {error}");
        assert!(!error.contains("s3cret"), "{location}: {error}");
        assert_eq!((server.connections(), inside.connections()), (1, 0), "{location}");
    }
}

#[test]
fn redirect_to_this_machine_is_allowed_only_from_it() {
    let rules = Rules::new(&settings(true).allowed_hosts, true).unwrap();
    let from = |link: &str| rules.judge(link, true).unwrap();
    for location in ["http://127.0.0.1/", "http://localhost:8080/", "https://[::1]/"] {
        assert!(rules.judge_redirect(&from("http://127.0.0.1:9/"), location).is_ok(), "{location}");
        let refusal = rules.judge_redirect(&from("https://files.arcsite.com/"), location);
        assert!(matches!(refusal, Err(Refusal::Loopback { .. })), "{location}: {refusal:?}");
    }
    let to = rules.judge_redirect(&from("https://files.arcsite.com/a/b"), "../c?d#e").unwrap();
    assert_eq!(to.url().as_str(), "https://files.arcsite.com/c?d");
}

#[tokio::test]
async fn redirects_are_followed_five_times() {
    for (count, is_followed) in [(5, true), (6, false)] {
        let server = Server::start("127.0.0.1:0", move |mut stream, request| async move {
            let turn: usize = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
            let answer = if turn == count {
                ok(PDF)
            } else {
                let status = [301, 302, 303, 307, 308][turn % 5];
                format!("HTTP/1.1 {status} X\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n", turn + 1).into_bytes()
            };
            stream.write_all(&answer).await
        })
        .await;
        let outbound = outbound(settings(true), &Names::default(), TimeLimits::DEFAULT);
        let result =
            fetch(&outbound, &format!("http://127.0.0.1:{}/0", server.port), false, &mut Sink::default()).await;
        assert_eq!(result.is_ok(), is_followed, "{result:?}");
        assert_eq!(server.connections(), 6);
        if let Err(error) = result {
            assert_eq!(error, "REFUSED: 127.0.0.1 redirects more than 5 times");
        }
    }
}

#[test]
fn host_is_allowed_by_its_name_or_its_domain() {
    let judge = |hosts: &[&str], link: &str, is_signed| {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        Rules::new(&hosts, false).unwrap().judge(link, is_signed)
    };
    let defaults = ["*.arcsite.com", "*.cloudfront.net"];
    for (hosts, link, unsigned, signed) in [
        (&defaults[..], "https://files.arcsite.com/a", true, true),
        (&defaults, "https://a.b.c.arcsite.com:443/a", true, true),
        (&defaults, "https://xn--bcher-kva.arcsite.com/", true, true),
        (&defaults, "https://d111.cloudfront.net/a", false, true),
        (&defaults, "https://a.d111.cloudfront.net/a", false, true),
        (&defaults, "https://cloudfront.net/", false, false),
        (&["*.arcsite.com", "D111.CloudFront.net"], "https://d111.cloudfront.net/", true, true),
        (&["*.arcsite.com", "d111.cloudfront.net"], "https://d222.cloudfront.net/", false, false),
        (&["arcsite.com"], "https://arcsite.com/", true, true),
        (&["arcsite.com"], "https://files.arcsite.com/", false, false),
        (&["*.bücher.example"], "https://a.xn--bcher-kva.example/", true, true),
        (&["*.bücher.example"], "https://a.BÜCHER.example/", true, true),
        (&["*.notcloudfront.net"], "https://a.notcloudfront.net/", true, true),
        (&[], "https://files.arcsite.com/", false, false),
    ] {
        assert_eq!(judge(hosts, link, false).is_ok(), unsigned, "{hosts:?} {link} unsigned");
        assert_eq!(judge(hosts, link, true).is_ok(), signed, "{hosts:?} {link} signed");
    }
    let refusal = judge(&defaults, "https://d111.cloudfront.net/", false).unwrap_err().to_string();
    assert!(refusal.contains("arcsite.signing_secrets") && refusal.contains("files.allowed_hosts"), "{refusal}");
}

#[test]
fn setting_that_is_no_host_is_refused() {
    for host in [
        "",
        "*",
        "*.",
        "*.com",
        "com",
        "localhost",
        "127.0.0.1",
        "0x7f.1",
        "[::1]",
        "*.127.0.0.1",
        "a..com",
        ".a.com",
        "a.com.",
        "*.*.com",
        "a.*.com",
        "*a.com",
        "https://a.com",
        "a.com:443",
        "a.com/",
        "me@a.com",
        "a b.com",
    ] {
        let error = Rules::new(&[host.to_owned()], false).unwrap_err().to_string();
        assert!(error.contains("files.allowed_hosts") && error.contains(&format!("{host:?}")), "{error}");
    }
}

#[test]
fn longest_link_is_judged_and_a_longer_one_refused() {
    let rules = Rules::new(&settings(false).allowed_hosts, false).unwrap();
    let link = |length: usize| format!("{:a<length$}", "https://files.arcsite.com/");
    assert!(rules.judge(&link(8192), true).is_ok());
    assert_eq!(rules.judge(&link(8193), true), Err(Refusal::TooLong));
}

#[test]
fn allowed_url_shows_no_secret() {
    let rules = Rules::new(&settings(false).allowed_hosts, false).unwrap();
    let url = rules.judge("https://files.arcsite.com/s3cret?Signature=s3cret#s3cret", true).unwrap();
    assert_eq!(format!("{url:?}"), "https://files.arcsite.com/…");
}
