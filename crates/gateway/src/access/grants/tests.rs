//! What an access file may say, and what it must not give away.

use twin_model::Secret;

use super::*;

fn hash(token: &str) -> Hash {
    Hash::of(&Secret::new(token))
}

#[test]
fn what_is_written_is_what_is_read() {
    let expires = "2027-01-01T00:00:00Z".parse().unwrap();
    let text = entry("gate \"7\"", &[Role::View, Role::Send], &["plc \\1".into()], Some(expires), &hash("a"))
        + &entry("boss", &[Role::Manage], &[], None, &hash("b"));
    let grants = Grants::parse(&text).unwrap();
    let gate = grants.find(&hash("a")).unwrap();
    assert_eq!((&*gate.name, gate.expires()), ("gate \"7\"", Some(expires)));
    assert!(gate.allows(Role::View) && gate.allows(Role::Send) && !gate.allows(Role::Manage));
    assert!(gate.may_send_to("plc \\1") && !gate.may_send_to("plc"));
    assert!(gate.has_expired(expires) && !gate.has_expired(Timestamp::from_micros(expires.as_micros() - 1)));
    let boss = grants.find(&hash("b")).unwrap();
    assert!(!boss.may_send_to("plc"), "manage is not send");
    assert!(grants.find(&hash("c")).is_none());
}

#[test]
fn a_file_that_is_not_understood_grants_nothing_and_does_not_repeat_what_it_holds() {
    let good = format!("[[tokens]]\nname = \"a\"\nroles = [\"view\"]\nhash = \"{}\"\n", hash("a"));
    assert_eq!(Grants::parse(&good).unwrap().iter().count(), 1);
    assert_eq!(Grants::parse("").unwrap().iter().count(), 0, "nobody gets in");
    for (text, words) in [
        (good.replace("view", "veiw"), "line 1: 'a' has a role that there is none of"),
        (good.replace("[\"view\"]", "[]"), "'a' has no role"),
        (good.replace("[\"view\"]", "\"view\""), "line 3: not an access file"),
        (good.replace("sha256:", ""), "the hash of 'a' is not 'sha256:'"),
        (good.replace(&hash("a").to_string(), "s3cret"), "the hash of 'a' is not"),
        (good.replace("hash", "token"), "not an access file"),
        (format!("{good}expire = \"2026-01-01T00:00:00Z\"\n"), "line 5: not an access file"),
        (format!("{good}expires = \"s3cret\"\n"), "'expires' of 'a' is no instant"),
        (format!("{good}sources = \"s3cret\"\n"), "line 5: not an access file"),
        (format!("{good}\ntoken = s3cret\n"), "line 6: not an access file"),
        (format!("{good}\n{good}"), "line 6: the name 'a' is there twice"),
        (good.replace("\"a\"", "\" \""), "'name' must be a short text"),
        ("s3cret".to_owned(), "line 1: not an access file"),
    ] {
        let error = Grants::parse(&text).unwrap_err();
        assert!(error.contains(words), "{text}\n{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn a_file_of_the_same_size_and_time_is_read_again_whether_written_in_place_or_moved_there() {
    let folder = std::env::temp_dir().join(format!("orrery-grants-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("access.toml");
    let (text, time) = (|token: &str| entry("a", &[Role::View], &[], None, &hash(token)), SystemTime::UNIX_EPOCH);
    let write = |path: &Path, token: &str| {
        std::fs::write(path, text(token)).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    let audit = Audit::to_file(&folder.join("audit")).unwrap();
    let lines = || std::fs::read_to_string(folder.join("audit")).unwrap().lines().count();
    write(&path, "first");
    let watched = Watched::open(&path).unwrap();
    let until = |now: &str, gone: &str| {
        let begun = instant();
        while watched.now(&audit).find(&hash(now)).is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{now} is never read");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(watched.now(&audit).find(&hash(gone)).is_none() && watched.at_once(&audit).find(&hash(gone)).is_none());
    };
    until("first", "second");
    assert_eq!(lines(), 0, "what has not changed is no event");
    write(&path, "second");
    until("second", "first");
    write(&folder.join("next"), "third");
    std::fs::rename(folder.join("next"), &path).unwrap();
    until("third", "second");
    assert_eq!(lines(), 2);
    // Gone, and back as it was: said both times, and nothing changes.
    std::fs::rename(&path, folder.join("next")).unwrap();
    while lines() < 3 {
        watched.now(&audit);
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(LOOK);
    watched.now(&audit);
    assert_eq!(lines(), 3, "said once");
    until("third", "second");
    std::fs::remove_dir_all(&folder).unwrap();
}
