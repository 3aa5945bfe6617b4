//! TLS from end to end: the program serves https and wss, clients check whom they talk to, senders show certificates.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::secrets::Program;
use crate::world::{Folder, SITE, orrery};

/// An authority that signs certificates into a folder.
struct Authority<'a> {
    folder: &'a Folder,
    params: CertificateParams,
    key: KeyPair,
}

impl<'a> Authority<'a> {
    fn new(folder: &'a Folder, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        folder.write(&format!("{name}.pem"), params.self_signed(&key).unwrap().pem());
        Self { folder, params, key }
    }

    /// Paths of a certificate for `host` and of its key.
    fn sign(&self, name: &str, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let certificate = text(&self.folder.write(&format!("{name}.pem"), certificate.pem()));
        (certificate, text(&self.folder.write(&format!("{name}.key"), key.serialize_pem())))
    }
}

fn feed(url: &str, more: &[&str]) -> (i32, String, String) {
    orrery(&[&["bench", "feed", "--url", url, "--seconds", "1", "--signals", "1", "--json"], more].concat())
}

#[test]
fn clients_speak_https_and_wss_and_check_whom_they_speak_to() {
    let folder = Folder::new();
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let site = folder.write("site.toml", SITE);
    let site = site.to_str().unwrap();
    let authority = Authority::new(&folder, "authority");
    Authority::new(&folder, "other");
    let (certificate, key) = authority.sign("server", "localhost");
    let program = Program::serve(&["serve", site, "--tls-cert", &certificate, "--tls-key", &key], &[]);
    assert!(program.address.starts_with("https://127.0.0.1:"), "{}", program.address);
    let port = program.address.rsplit_once(':').unwrap().1.to_owned();
    let (https, wss) = (format!("https://localhost:{port}/"), format!("wss://localhost:{port}/"));
    let (ca, other) = (path("authority.pem"), path("other.pem"));
    for url in [&https, &wss] {
        let (code, out, err) = feed(url, &["--tls-ca", &ca]);
        assert!(code == 0 && out.contains("\"acked\": 1"), "{out}{err}");
    }
    let recording = path("a.orrec");
    let (code, _, err) = orrery(&["record", &https, &recording, "--for", "1s", "--tls-ca", &ca]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = orrery(&["state", "--recording", &recording, "--at", "now", "--json"]);
    assert!(code == 0 && out.contains("pump-01"), "{out}{err}");
    for (url, more, words) in [
        (&https, vec!["--tls-ca", &other], "UnknownIssuer"),
        (&https, vec![], "UnknownIssuer"),
        (&program.address, vec!["--tls-ca", &ca], "not valid for name"),
        (&https, vec!["--tls-ca", &key], "it holds no certificate"),
        (&https, vec!["--tls-ca", "nowhere.pem"], "No such file"),
        (&format!("http://localhost:{port}/"), vec![], "speaks https"),
        (&format!("https://me:s3cret@localhost:{port}/"), vec![], "must not hold a name or password"),
    ] {
        let (code, out, err) = feed(url, &more);
        assert!(code == 2 && err.contains(words), "{url} {more:?}: {out}{err}");
        assert!(!err.contains("s3cret"), "{err}");
    }
    program.stop();
    for (args, words) in [
        (vec!["--tls-cert", &certificate], "--tls-key"),
        (vec!["--tls-cert", &certificate, "--tls-key", &certificate], "it holds no private key"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "it holds no certificate"),
        (vec!["--tls-cert", &ca, "--tls-key", &key], "TLS"),
        (vec!["--tls-client-ca", &ca], "client certificates need TLS"),
    ] {
        let (code, out, err) = orrery(&[&["serve", site, "--listen", "127.0.0.1:0"], &args[..]].concat());
        assert!(code == 2 && err.contains(words) && out.is_empty(), "{args:?}: {out}{err}");
    }
}

#[test]
fn senders_show_a_certificate_where_it_is_asked_for_and_viewers_need_none() {
    let folder = Folder::new();
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let site = folder.write("site.toml", SITE);
    let authority = Authority::new(&folder, "authority");
    let senders = Authority::new(&folder, "senders");
    let (certificate, key) = authority.sign("server", "localhost");
    let (mine, mine_key) = senders.sign("sender", "plc-gateway");
    let (wrong, wrong_key) = authority.sign("stranger", "plc-gateway");
    let (ca, client_ca) = (path("authority.pem"), path("senders.pem"));
    let site = site.to_str().unwrap();
    let args = ["serve", site, "--tls-cert", &certificate, "--tls-key", &key, "--tls-client-ca", &client_ca];
    let program = Program::serve(&args, &[]);
    let url = format!("https://localhost:{}/", program.address.rsplit_once(':').unwrap().1);
    let (code, out, err) = feed(&url, &["--tls-ca", &ca, "--tls-cert", &mine, "--tls-key", &mine_key]);
    assert!(code == 0 && out.contains("\"acked\": 1"), "{out}{err}");
    let (code, _, err) = feed(&url, &["--tls-ca", &ca]);
    assert!(code == 2 && err.contains("403: senders have to show a client certificate"), "{err}");
    let (code, _, err) = feed(&url, &["--tls-ca", &ca, "--tls-cert", &wrong, "--tls-key", &wrong_key]);
    assert_eq!(code, 2, "a certificate of somebody else is worse than none: {err}");
    let (code, _, err) = orrery(&["record", &url, &path("a.orrec"), "--for", "1s", "--tls-ca", &ca]);
    assert_eq!(code, 0, "{err}");
    program.stop();
}

#[test]
fn a_certificate_for_a_first_try_is_the_same_after_a_restart_and_its_key_is_its_owners() {
    let folder = Folder::new();
    let site = folder.write("site.toml", SITE);
    let data = folder.0.join("data");
    let start = || Program::serve(&["serve", site.to_str().unwrap(), "--data", data.to_str().unwrap(), "--tls-self-signed"], &[]);
    let first = start();
    let certificate = data.join("self-signed-cert.pem");
    let (code, out, err) = feed(&first.address, &["--tls-ca", certificate.to_str().unwrap()]);
    assert!(code == 0 && out.contains("\"durable\": true"), "{out}{err}");
    let fingerprint = |said: &str| said.lines().find(|line| line.matches(':').count() == 31).map(str::to_owned).unwrap();
    let before = fingerprint(&first.stop());
    let again = start();
    assert_eq!(fingerprint(&again.stop()), before);
    #[cfg(unix)]
    for (name, mode) in [("self-signed-key.pem", 0o600), ("self-signed-cert.pem", 0o644)] {
        let found = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(data.join(name)).unwrap().permissions());
        assert_eq!(found & 0o777 & !mode, 0, "{name}: {found:o}");
    }
}
