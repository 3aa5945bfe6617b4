//! Is a request meant for this gateway, and does a page of somebody else stand behind it?
//!
//! A browser on this machine can be talked into both: a name of the attacker that resolves to 127.0.0.1 (DNS rebinding) makes
//! the gateway look like the attacker's own server, and any page may open sockets anywhere. The `Host` header betrays the
//! first, `Origin` the second; neither can be forged by a page.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, Uri, header};

/// The names and addresses that this gateway answers to.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Addresses listened on; unspecified stands for all of the machine.
    listened: Vec<IpAddr>,
    /// Names given by hand, lower case, with or without port.
    names: Vec<String>,
}

impl Default for Hosts {
    fn default() -> Self {
        Self::new(IpAddr::from([127, 0, 0, 1]), &[])
    }
}

impl Hosts {
    /// For a gateway that listens on `address` and is called `names` besides.
    pub fn new(address: IpAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        Self { listened: vec![address.to_canonical()], names }
    }

    /// Whether `host`, as in the header, is this gateway. `local` is where the connection came in. Ports are not compared:
    /// behind a tunnel they differ, and no page can choose them against the name.
    pub fn allows(&self, host: &str, local: Option<IpAddr>) -> bool {
        let host = host.to_ascii_lowercase();
        let Some(name) = name_of(&host) else { return false };
        if self.names.iter().any(|own| own == name || *own == host) {
            return true;
        }
        let any = self.listened.iter().any(IpAddr::is_unspecified);
        let loopback = any || self.listened.iter().any(IpAddr::is_loopback);
        match address_of(name).map(|ip| ip.to_canonical()) {
            Some(ip) if ip.is_unspecified() => false,
            Some(ip) if ip.is_loopback() => loopback,
            Some(ip) => self.listened.contains(&ip) || (any && local.map(|local| local.to_canonical()) == Some(ip)),
            None => loopback && name == "localhost",
        }
    }
}

/// A name given by hand that a gateway shall answer to: a name or an address, with a port or without.
///
/// # Errors
/// Words that say what to write instead.
pub fn host_name(text: &str) -> Result<String, String> {
    let host = text.trim();
    let help = "write a name or an address alone, for example plant.example, or with its port plant.example:8443";
    if host.is_empty() {
        return Err(format!("it is empty; {help}"));
    }
    if host.contains('*') {
        return Err(format!("there is no name for all; {help}, and the option once for every name"));
    }
    if host.contains('/') {
        return Err(format!("a scheme and a path are no part of it; {help}"));
    }
    if !host.is_ascii() {
        return Err(
            "names of other letters are asked for in their ASCII form; write that, for example xn--bcher-kva.example".to_owned()
        );
    }
    if is_host(&host.to_ascii_lowercase()) { Ok(host.to_owned()) } else { Err(format!("this is no name; {help}")) }
}

/// A web origin given by hand, as browsers write it: in lower case, without the port that its scheme has by itself.
///
/// # Errors
/// Words that say what to write instead.
pub fn origin(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let help = "write scheme://host or scheme://host:port, for example https://portal.example";
    if text == "null" {
        return Err(format!("'null' is said by any page that has no origin (a file, a sandbox), whoever made it; {help}"));
    }
    if text.contains('*') {
        return Err(format!("there is no origin for all; {help}, and the option once for every origin"));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("it has no scheme; {help}"))?;
    if !crate::http::is_scheme(scheme) {
        return Err(format!("its scheme is none; {help}"));
    }
    if matches!(scheme, "ws" | "wss") {
        return Err(format!("a page comes over http or https, also where it opens sockets; {help}"));
    }
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.contains(['/', '?', '#']) {
        return Err(format!("a path is no part of it; {help}"));
    }
    if !host.is_ascii() {
        return Err(
            "browsers write names of other letters in their ASCII form; write that, for example https://xn--bcher-kva.example"
                .to_owned(),
        );
    }
    if host.ends_with('.') || !is_host(host) || (host.matches(':').count() > 1 && !host.starts_with('[')) {
        return Err(format!("what stands behind its scheme is no host; {help}"));
    }
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    Ok(format!("{scheme}://{}", if usual.is_empty() { host } else { host.strip_suffix(usual).unwrap_or(host) }))
}

/// Whether a lower-case text is a name or an address, with a port or without.
fn is_host(host: &str) -> bool {
    let Some(name) = name_of(host) else { return false };
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    address_of(name).is_some() || (!name.contains(['[', ']', ':']) && name.split('.').all(label))
}

/// A name that is an address: of version 6 in brackets or, as some clients write it, without; of version 4 without.
fn address_of(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().map(IpAddr::V6).ok(),
        None => name.parse().ok(),
    }
}

/// The name without its port; `None` where it is no host at all.
fn name_of(host: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && (!name.contains(':') || name.ends_with(']')) => (name, Some(port)),
        // More colons without brackets are no address with a port.
        _ => (host, None),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (port && !name.is_empty()).then(|| name.strip_suffix('.').unwrap_or(name))
}

/// What the request calls this gateway: the `Host` header, which has to be there once, and the address line where that names
/// one as well. `None` where they are missing, unreadable or of two minds.
pub(super) fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = once(headers, &header::HOST)??;
    match uri.authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host) => None,
        _ => Some(host),
    }
}

/// A header that may be there at most once: `None` where it is there twice or is no text, else whether it is there.
pub(super) fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Some(None),
        (Some(one), None) => one.to_str().ok().map(Some),
        (Some(_), Some(_)) => None,
    }
}

/// Whether a page of this origin may change things here and open sockets: our own page, or one that was allowed by name.
/// `null` (a sandbox, a file) is nobody's. Browsers leave out the port that a scheme has by itself, some proxies write it into `Host`.
pub(super) fn origin_allowed(origin: &str, host: &str, others: &[String]) -> bool {
    let (origin, host) = (origin.to_ascii_lowercase(), host.to_ascii_lowercase());
    let ours = [("http://", ":80"), ("https://", ":443")].into_iter().any(|(scheme, port)| {
        let bare = |name: &str| name.strip_suffix(port).unwrap_or(name).to_owned();
        origin.strip_prefix(scheme).map(bare).is_some_and(|named| !named.is_empty() && named == bare(&host))
    });
    ours || others.contains(&origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_answers_to_the_addresses_that_it_listens_on_and_to_names_given_by_hand() {
        let names = ["Plant.Example.".to_owned(), "proxy.example:8443".to_owned()];
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let hosts = |listen: &str| Hosts::new(ip(listen), &names);
        for (listen, local, host, allowed) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:7077", true),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", "localhost:9000", true),
            ("127.0.0.1", "127.0.0.1", "LOCALHOST.:7077", true),
            ("127.0.0.1", "127.0.0.1", "[::1]:7077", true),
            ("127.0.0.1", "127.0.0.1", "evil.example", false),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1.evil.example", false),
            ("127.0.0.1", "127.0.0.1", "localhost.evil.example", false),
            ("127.0.0.1", "127.0.0.1", "169.254.169.254", false),
            ("127.0.0.1", "127.0.0.1", "0.0.0.0:7077", false),
            ("127.0.0.1", "127.0.0.1", "10.1.2.3:7077", false),
            ("127.0.0.1", "127.0.0.1", "plant.example:7077", true),
            ("127.0.0.1", "127.0.0.1", "proxy.example:8443", true),
            ("127.0.0.1", "127.0.0.1", "proxy.example", false),
            ("127.0.0.1", "127.0.0.1", "", false),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:70777", false),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:", false),
            ("127.0.0.1", "127.0.0.1", "user@127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1/../x", false),
            ("10.1.2.3", "10.1.2.3", "10.1.2.3:7077", true),
            ("10.1.2.3", "10.1.2.3", "127.0.0.1:7077", false),
            ("10.1.2.3", "10.1.2.3", "localhost", false),
            ("0.0.0.0", "10.1.2.3", "10.1.2.3:7077", true),
            ("0.0.0.0", "127.0.0.1", "localhost", true),
            ("0.0.0.0", "10.1.2.3", "10.9.9.9", false),
            ("::", "::ffff:10.1.2.3", "10.1.2.3", true),
            ("::", "fd00::1", "[fd00::1]:7077", true),
            ("::", "fd00::1", "fd00::1", true),
            ("::", "fd00::1", "[fd00::2]", false),
            ("::1", "::1", "[::1", false),
            ("::1", "::1", "::1]", false),
            ("::1", "::1", "[[::1]]", false),
            ("127.0.0.1", "127.0.0.1", "[127.0.0.1]", false),
        ] {
            assert_eq!(hosts(listen).allows(host, Some(ip(local))), allowed, "{listen} {local} {host}");
        }
    }

    #[test]
    fn names_given_by_hand_are_hosts_or_refused_with_what_to_write() {
        for good in [
            "plant",
            "plant.example",
            "Plant.Example.",
            " plant.example\n",
            "proxy.example:8443",
            "10.1.2.3",
            "[fd00::1]:7077",
            "fd00::1",
            "my_host",
        ] {
            let name = host_name(good).unwrap_or_else(|why| panic!("{good}: {why}"));
            let hosts = Hosts::new(IpAddr::from([10, 9, 9, 9]), std::slice::from_ref(&name));
            assert!(hosts.allows(&name, None), "{good}");
        }
        for (bad, words) in [
            ("", "it is empty"),
            (" \t", "it is empty"),
            ("a b", "this is no name"),
            ("*", "no name for all"),
            ("*.example", "no name for all"),
            ("http://plant.example", "a scheme and a path"),
            ("plant.example/x", "a scheme and a path"),
            ("plant.example:", "this is no name"),
            ("plant.example:70000", "this is no name"),
            (":7077", "this is no name"),
            ("a..b", "this is no name"),
            ("-a", "this is no name"),
            ("[fd00::1", "this is no name"),
            ("[plant]", "this is no name"),
            ("me@plant", "this is no name"),
            ("a,b", "this is no name"),
            ("a\nb", "this is no name"),
            ("b\u{fc}cher.example", "xn--"),
        ] {
            let why = host_name(bad).unwrap_err();
            assert!(why.contains(words), "{bad}: {why}");
        }
    }

    #[test]
    fn origins_given_by_hand_are_what_browsers_say_or_refused_with_what_to_write() {
        for (good, said) in [
            ("https://Portal.Example/", "https://portal.example"),
            ("https://portal.example:443", "https://portal.example"),
            ("http://portal.example:443", "http://portal.example:443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            let origin = origin(good).unwrap_or_else(|why| panic!("{good}: {why}"));
            assert_eq!(origin, said);
            assert!(origin_allowed(said, "plant:7077", &[origin]));
        }
        for (bad, words) in [
            ("", "no scheme"),
            ("null", "any page that has no origin"),
            ("NULL", "any page that has no origin"),
            ("*", "no origin for all"),
            ("https://*.example", "no origin for all"),
            ("portal.example", "no scheme"),
            ("http://x/path", "a path is no part"),
            ("http://x?y", "a path is no part"),
            ("http://x//", "a path is no part"),
            ("http://", "no host"),
            ("file://", "no host"),
            ("http://a b", "no host"),
            ("http://me@x", "no host"),
            ("http://x:", "no host"),
            ("http://x:99999", "no host"),
            ("http://::1", "no host"),
            ("wss://x", "over http or https"),
            ("1a://x", "its scheme is none"),
            ("http://a,http://b", "a path is no part"),
            ("http://b\u{fc}cher.example", "xn--"),
        ] {
            let why = origin(bad).unwrap_err();
            assert!(why.contains(words) && why.contains("://"), "{bad}: {why}");
        }
    }

    #[test]
    fn only_our_own_pages_and_named_origins_may_connect() {
        let others = ["https://portal.example".to_owned()];
        for (origin, host, allowed) in [
            ("http://plant:7077", "plant:7077", true),
            ("HTTPS://Plant:7077", "plant:7077", true),
            ("https://evil.example", "plant:7077", false),
            ("https://portal.example", "plant:7077", true),
            ("https://portal.example:8", "plant:7077", false),
            ("https://plant", "plant:443", true),
            ("https://plant:443", "plant", true),
            ("http://plant", "plant:80", true),
            ("http://[::1]", "[::1]:80", true),
            ("http://plant", "plant:443", false),
            ("https://plant", "plant:80", false),
            ("https://plant", "plant:8443", false),
            ("https://plant:8443", "plant", false),
            ("https://:443", ":443", false),
            ("https://", ":443", false),
            ("null", "127.0.0.1:7077", false),
            ("null", "null", false),
            ("file://", "", false),
            ("http://", "", false),
            ("http://user@127.0.0.1:7077", "127.0.0.1:7077", false),
            ("http://localhost:3000", "127.0.0.1:7077", false),
            ("http://localhost:7077", "127.0.0.1:7077", false),
            ("http://[::1]:9", "127.0.0.1:7077", false),
            ("ftp://plant:7077", "plant:7077", false),
        ] {
            assert_eq!(origin_allowed(origin, host, &others), allowed, "{origin} {host}");
        }
    }
}
