//! What must hold of any text as an access file, and as the name by which a gateway is called. Used by the fuzzer, and by the tests
//! over the kept corpus.

use std::net::IpAddr;

use gateway::access::{Grants, Hosts, Role, entry};
use twin_model::Timestamp;

/// Words that never repeat a long stretch of the file, which may be a token; or grants that have a role each, names that differ,
/// and the same meaning when they are written down again.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    called(text);
    let grants = match Grants::parse(text) {
        Ok(grants) => grants,
        Err(words) => return assert!(!words.is_empty() && words.len() < 400, "{words}"),
    };
    let mut again = String::new();
    for grant in grants.iter() {
        assert!(grant.roles().count() > 0, "a grant without a role");
        assert_eq!(grants.iter().filter(|other| other.name == grant.name).count(), 1, "a name twice");
        let roles: Vec<Role> = grant.roles().collect();
        let sources = grant.sources().unwrap_or_default();
        // An empty list lets a sender send to nothing; the file says that by hand only.
        if grant.sources().is_none_or(|sources| !sources.is_empty()) {
            again += &entry(&grant.name, &roles, sources, grant.expires(), &grant.hash);
        }
    }
    let written = Grants::parse(&again).expect("what is granted can be written");
    for grant in written.iter() {
        let other = grants.iter().find(|other| other.name == grant.name).expect("by its name");
        assert!(grant.hash == other.hash && grant.sources() == other.sources() && grant.expires() == other.expires());
        assert!(Role::ALL.into_iter().all(|role| grant.allows(role) == other.allows(role)));
        assert_eq!(grant.has_expired(Timestamp::MAX), grant.expires().is_some());
    }
}

/// A gateway on the loopback answers to loopback names only; one elsewhere never to a name that is not its own.
fn called(host: &str) {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let own = Hosts::new(ip("127.0.0.1"), &[]);
    if own.allows(host, Some(ip("127.0.0.1"))) {
        let lower = host.to_ascii_lowercase();
        let address = lower.chars().all(|c| c.is_ascii_hexdigit() || ".:[]".contains(c)) && lower.contains(['1', '7']);
        let localhost = lower.strip_prefix("localhost").is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']));
        assert!(address || localhost, "{host} is called the loopback");
    }
    let elsewhere = Hosts::new(ip("10.1.2.3"), &[]);
    if elsewhere.allows(host, Some(ip("10.1.2.3"))) {
        assert!(host.contains("10.1.2.3") || host.to_ascii_lowercase().contains("a01:203") || host.contains(':'), "{host}");
        assert!(!host.contains("localhost"), "{host}");
    }
}
