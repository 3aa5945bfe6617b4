//! Where the program listens, and by which names: what is open beyond this machine is open by order only.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::world::{Folder, SITE, orrery};

/// A running program that listens where `args` say.
struct Open {
    child: Child,
    /// As it says it.
    url: String,
    words: BufReader<std::process::ChildStderr>,
}

impl Open {
    fn start(folder: &Folder, args: &[&str]) -> Self {
        let site = folder.write("site.toml", SITE);
        let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
        command.arg("serve").arg(&site).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let mut words = BufReader::new(child.stderr.take().unwrap());
        if url.is_empty() {
            let mut said = String::new();
            words.read_to_string(&mut said).unwrap();
            panic!("it does not start: {said}");
        }
        Self { child, url: url.trim().to_owned(), words }
    }

    fn port(&self) -> u16 {
        self.url.trim_end_matches('/').rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The status of an answer to who calls it `host`, once the plant is compiled.
    fn asked_as(&self, host: &str) -> u16 {
        loop {
            match self.answer(host) {
                503 => std::thread::sleep(std::time::Duration::from_millis(20)),
                status => return status,
            }
        }
    }

    fn answer(&self, host: &str) -> u16 {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        write!(socket, "GET /api/publication/revisions HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Everything that it said.
    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.words.read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn an_address_that_other_machines_reach_is_opened_by_order_only() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let (code, out, err) = orrery(&["serve", &site, "--listen", address]);
        if address.starts_with('[') && err.contains("can't listen") {
            eprintln!("SKIPPED (this machine has no IPv6): an_address_that_other_machines_reach_is_opened_by_order_only");
            continue;
        }
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("other machines can reach") && err.contains("add --open-to-all"), "{err}");
        let open = Open::start(&folder, &["--listen", address, "--open-to-all"]);
        assert_eq!(open.asked_as(&format!("127.0.0.1:{}", open.port())), 200);
    }
}

#[test]
fn a_server_answers_to_the_names_that_it_was_given_and_to_no_other() {
    let folder = Folder::new();
    let open = Open::start(&folder, &["--listen", "127.0.0.1:0", "--host", "plant.example", "--host", "hall.example"]);
    for (host, wanted) in [
        ("plant.example", 200),
        ("PLANT.example:80", 200),
        ("hall.example", 200),
        ("127.0.0.1", 200),
        ("localhost", 200),
        ("other.example", 403),
        ("example", 403),
        ("plant.example.evil.example", 403),
        ("evil-plant.example", 403),
    ] {
        assert_eq!(open.asked_as(host), wanted, "{host}");
    }
    let plain = Open::start(&folder, &["--listen", "127.0.0.1:0"]);
    assert_eq!((plain.asked_as("plant.example"), plain.asked_as("localhost")), (403, 200), "without the word");
}

#[test]
fn a_server_whose_usual_port_is_taken_says_loudly_which_one_it_has_and_a_named_one_is_refused() {
    let usual: SocketAddr = "127.0.0.1:7077".parse().unwrap();
    // Another server of this machine may come and go at it: only while this test has it is it taken for certain.
    let mut held = TcpListener::bind(usual);
    for _ in 0..100 {
        if held.is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        held = TcpListener::bind(usual);
    }
    let Ok(held) = held else {
        return eprintln!("SKIPPED (somebody else listens at {usual}): a_server_whose_usual_port_is_taken");
    };
    let folder = Folder::new();
    let open = Open::start(&folder, &[]);
    let port = open.port();
    assert_ne!(port, usual.port());
    assert_eq!(open.asked_as("localhost"), 200);
    let said = open.stop();
    assert!(said.contains("warning: port 7077 is taken") && said.contains(&format!("this one is at {port}")), "{said}");
    let site = folder.0.join("site.toml").display().to_string();
    let (code, out, err) = orrery(&["serve", &site, "--listen", "127.0.0.1:7077"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("127.0.0.1:7077"), "{err}");
    drop(held);
}

#[test]
fn what_can_be_no_header_no_origin_and_no_name_is_refused_at_the_start_with_what_to_write() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE).display().to_string();
    for (option, value, words) in [
        ("--frame-ancestors", "'self'\nhttps://portal.example", "CSP source list"),
        ("--frame-ancestors", "'self'; script-src *", "CSP source list"),
        ("--frame-ancestors", "'self', *", "CSP source list"),
        ("--frame-ancestors", "self", "write \"'self'\""),
        ("--frame-ancestors", "", "write 'none'"),
        ("--allow-origin", "null", "https://portal.example"),
        ("--allow-origin", "*", "https://portal.example"),
        ("--allow-origin", "http://x/path", "a path is no part of it"),
        ("--allow-origin", "portal.example", "https://portal.example"),
        ("--host", "", "plant.example"),
        ("--host", "a b", "plant.example"),
        ("--host", "*", "plant.example"),
        ("--host", "http://plant.example", "a scheme and a path are no part of it"),
    ] {
        let (code, out, err) = orrery(&["serve", &site, "--listen", "127.0.0.1:0", option, value]);
        assert_eq!((code, out.as_str()), (2, ""), "{option} {value}: {err}");
        assert!(err.contains(option) && err.contains(words), "{option} {value}: {err}");
    }
}

#[test]
fn what_is_trimmed_and_normalised_works_as_it_was_meant() {
    let folder = Folder::new();
    let list = "'self'  https://portal.example\n";
    let args = ["--frame-ancestors", list, "--allow-origin", "https://Portal.example:443/", "--host", " plant.example\n"];
    let open = Open::start(&folder, &[&["--listen", "127.0.0.1:0"], &args[..]].concat());
    assert_eq!(open.asked_as("plant.example"), 200);
    let mut socket = TcpStream::connect(("127.0.0.1", open.port())).unwrap();
    write!(socket, "GET /metrics HTTP/1.1\r\nHost: plant.example\r\nOrigin: https://portal.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("frame-ancestors 'self' https://portal.example\r\n"), "{answer}");
}
