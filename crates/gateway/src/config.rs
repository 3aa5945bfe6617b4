//! What a server may be told besides the site.

use std::time::Duration;

use twin_protocol::Capabilities;

use crate::http::is_scheme;
use crate::lease::LeaseTimes;

/// What a server may be told besides the site.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Who may show the page in a frame: a CSP source list for `frame-ancestors`.
    pub frame_ancestors: String,
    /// Clients at a time.
    pub max_clients: usize,
    /// Connections at a time; none: twice the clients and 1,024.
    pub connections: Option<usize>,
    /// Senders of one source at a time.
    pub max_senders: usize,
    /// Bytes of answers made for one request each (history, files of a page folder) that may be on their way at a time.
    pub answer_bytes: usize,
    /// A request for whose answer there is no room waits this long for some.
    pub room_patience: Duration,
    /// What one address may have of connections, clients, senders and bytes on their way, in percent of all.
    pub address_share: u8,
    /// When silent peers are pinged and let go.
    pub lease: LeaseTimes,
    /// A request's head has to be complete this long after the answer before, its body this long after its head.
    pub request_timeout: Duration,
    /// Silence after which a client gets a keep-alive.
    pub keep_alive: Duration,
    /// A peer that takes next to nothing of an answer or a frame for this long is let go.
    pub send_timeout: Duration,
    /// What the server says that it can do.
    pub capabilities: Capabilities,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            frame_ancestors: "'self'".to_owned(),
            max_clients: 500,
            connections: None,
            max_senders: 128,
            answer_bytes: 256 << 20,
            room_patience: Duration::from_secs(2),
            address_share: 50,
            lease: LeaseTimes::default(),
            request_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            send_timeout: Duration::from_secs(30),
            capabilities: Capabilities::RESUME.with(Capabilities::HISTORY),
        }
    }
}

/// Who may show the page in a frame: a CSP source list as it stands in the policy, with one blank between its parts.
///
/// # Errors
/// Words that say what to write instead: what a browser does not understand, it leaves out, and with a `;` in it the rest of the
/// policy would be somebody else's.
pub fn source_list(text: &str) -> Result<String, String> {
    let help = "write a CSP source list, for example \"'self' https://portal.example\"";
    let odd = |c: char| (c.is_control() && !c.is_ascii_whitespace()) || !c.is_ascii();
    if text.contains([';', ',']) || text.contains(odd) || text.trim().contains(['\n', '\r', '\x0c']) {
        return Err(format!("its parts stand on one line with blanks between them, without ';' and ','; {help}"));
    }
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    if parts.is_empty() {
        return Err("it is empty; write 'none', with its quotes, where no page may".to_owned());
    }
    for part in &parts {
        match part.to_ascii_lowercase().as_str() {
            "'none'" if parts.len() > 1 => return Err(format!("'none' stands alone; {help}")),
            "'self'" | "'none'" => {}
            "self" | "none" => return Err(format!("'{part}' has quotes of its own: write \"'{part}'\"")),
            lower if is_source(lower) => {}
            _ => return Err(format!("{part} is neither 'self' nor an origin; {help}")),
        }
    }
    Ok(parts.join(" "))
}

/// Whether a lower-case part of a source list is a scheme (`https:`), or a host with or without scheme, port and path; hosts and
/// ports may be `*`.
fn is_source(part: &str) -> bool {
    if part.strip_suffix(':').is_some_and(is_scheme) {
        return true;
    }
    let (scheme, rest) = part.split_once("://").map_or((None, part), |(scheme, rest)| (Some(scheme), rest));
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match place.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
        Some((inside, after)) if inside.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("v6", after.strip_prefix(':').or((!after.is_empty()).then_some("-")))
        }
        Some(_) => return false,
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let named = host == "*" || host.strip_prefix("*.").unwrap_or(host).split('.').all(label);
    let reached = port.is_none_or(|port| port == "*" || port.parse::<u16>().is_ok());
    let plain = |b: u8| b.is_ascii_graphic() && !b"'\"?#<>\\^`{|}".contains(&b);
    scheme.is_none_or(is_scheme) && named && reached && path.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_frame_the_page_is_a_source_list_or_refused_with_what_to_write() {
        for (good, said) in [
            ("'self'", "'self'"),
            ("'none'", "'none'"),
            (" 'self' https://portal.example\n", "'self' https://portal.example"),
            ("'SELF'\thttps:", "'SELF' https:"),
            ("*", "*"),
            ("https://*.example:*", "https://*.example:*"),
            ("portal.example:8443/app/", "portal.example:8443/app/"),
            ("http://127.0.0.1:3000 http://[::1]:3000", "http://127.0.0.1:3000 http://[::1]:3000"),
        ] {
            assert_eq!(source_list(good).as_deref(), Ok(said));
        }
        for (bad, words) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("'self'; script-src *", "without ';'"),
            ("'self', https://a", "without ';'"),
            ("'self'\nhttps://a", "on one line"),
            ("'self'\r\nx-evil: 1", "on one line"),
            ("'self'\0", "on one line"),
            ("'self' https://b\u{fc}cher.example", "on one line"),
            ("self", "write \"'self'\""),
            ("none", "write \"'none'\""),
            ("'none' https://a", "'none' stands alone"),
            ("'unsafe-inline'", "neither 'self' nor"),
            ("\"'self'\"", "neither 'self' nor"),
            ("https://", "neither 'self' nor"),
            ("https://a:b", "neither 'self' nor"),
            ("https://me@a", "neither 'self' nor"),
            ("https://a?b", "neither 'self' nor"),
            ("a..b", "neither 'self' nor"),
            ("http://[::1]3000", "neither 'self' nor"),
        ] {
            let why = source_list(bad).unwrap_err();
            assert!(why.contains(words), "{bad:?}: {why}");
        }
    }
}
