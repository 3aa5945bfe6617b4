//! Every way to write a token leaves the text, and what is left is the same site.

use super::*;

const PLANT: &str = "[site]\nid = \"p\"\n[[twins]]\nid = \"t\"\nsignals = [{ name = \"x\" }]\n";

fn check(rest: &str) -> String {
    let text = format!("{PLANT}{rest}");
    let out = redacted_site(&text);
    assert!(!out.to_lowercase().contains("s3cret"), "{out}");
    let load = |text: &str| crate::load(text, "site.toml", &mut |_| Err(String::new()));
    let (before, after) = (load(&text), load(&out));
    assert!(after.usable, "{out}\n{:?}", after.diagnostics);
    assert_eq!(before.model.twins().len(), after.model.twins().len());
    assert_eq!(before.sources.len(), after.sources.len(), "{out}");
    for (a, b) in before.sources.iter().zip(&after.sources) {
        assert_eq!((&a.id, a.kind.as_str()), (&b.id, b.kind.as_str()));
    }
    assert_eq!(redacted_site(&out), out, "redacted once is redacted");
    out
}

#[test]
fn a_token_goes_however_it_is_written() {
    for token in [
        "token = \"s3cret\"",
        "token='s3cret'",
        "\"token\" = \"s3cret\"",
        "token = \"s3\\u0063ret-s3cret\"",
        "token = \"\"\"\\\n   s3cret\"\"\"",
        "token = '''s3cret'''",
        "token = \"s3cret\" # the old one was s3cret",
        "# token = \"s3cret\"",
        "token = [\"s3cret\", [\"s3cret\"]]",
        "token = { value = \"s3cret\" }",
        "token.value = \"s3cret\"",
        "token = { env = \"S3CRET not a name\" }",
        "token = { env = \"A\", file = \"s3cret\" }",
        "[sources.token]\nvalue = \"s3cret\"",
        "Token = \"s3cret\"",
        "tokens = [\"s3cret\", { a = \"s3cret\", b = [1, \"s3cret\"] }]",
        "password.for.plc = \"s3cret\"\npassword.for.dcs = '''\ns3cret\n'''",
        "feeds = [ # s3cret\n  \"t.*\", # s3cret ]\n]",
    ] {
        check(&format!("[[sources]]\nid = \"plc\"\nkind = \"websocket\"\n{token}\n"));
    }
    // Known words in the wrong place.
    for text in
        ["sources.token = \"s3cret\"\n", "sources = [\"s3cret\"]\n", "[sources]\ntoken = 's3cret'\n", "check = \"s3cret\"\n"]
    {
        let whole = format!("{text}[site]\nid = \"p\"\n[[twins]]\nid = \"t\"\n");
        let out = redacted_site(&whole);
        assert!(!out.contains("s3cret") && out.contains("id = \"t\""), "{out}");
    }
    check("[view]\nselect = { token = \"s3cret\" }\n");
    check("[extra]\ntoken = \"s3cret\"\n[extra.more]\nkey = 's3cret'\n");
    let inline = PLANT.replace("[site]", "sources = [{ id = \"plc\", kind = \"websocket\", token = \"s3cret\" }]\n[site]");
    assert!(!redacted_site(&inline).contains("s3cret"));
    assert!(redacted_site(&inline).contains("kind = \"websocket\", token = { env = \"REDACTED\" } }]"));
}

#[test]
fn what_is_no_secret_stays_letter_by_letter() {
    let rest = "note = 1\n[[sources]]\nid = \"a # b\"\nkind = \"websocket\"\ntoken = { env = \"PLC_TOKEN\" }\n\
                [[sources]]\nid = \"b\"\nkind = \"websocket\"\ntoken = { file = \"keys/b.txt\" }\n";
    let text = format!("{PLANT}{rest}").replace("note = 1\n", "");
    assert_eq!(redacted_site(&text), text);
    let numbers = "[[sources]]\nid = \"a\"\nkind = \"websocket\"\ntoken = 12345678901234567890123456789012345678901234567890\n";
    assert!(!redacted_site(&format!("{PLANT}{numbers}")).contains("123456789"));
}

#[test]
fn what_was_taken_out_once_is_not_taken_out_again() {
    for token in ["31415926", "\"s3cret\"", "[1, \"s3cret\"]", "true", "{ env = \"s3cret-x\" }", "2026-01-01"] {
        let once = redacted_site(&format!("[[sources]]\nid = \"a\"\nkind = \"websocket\"\ntoken = {token}\n"));
        assert!(!once.contains("s3cret") && !once.contains("31415926"), "{once}");
        assert_eq!(redacted_site(&once), once, "{token}");
    }
}

#[test]
fn what_is_no_toml_is_left_out_as_a_whole() {
    let out = redacted_site("token = \"s3cret\"\n[[sources]\n");
    assert!(!out.contains("s3cret") && !crate::load(&out, "site.toml", &mut |_| Err(String::new())).usable);
}

#[test]
fn a_token_is_in_no_finding_and_a_wrong_one_opens_nothing() {
    let token_of = |text: &str| {
        let site = crate::load(&format!("{PLANT}{text}"), "site.toml", &mut |_| Err(String::new()));
        let shown = format!("{:?}{:?}{}", site.diagnostics, site.sources, site.diagnostics.len());
        assert!(!shown.contains("s3cret") && !shown.contains("31415926"), "{shown}");
        match site.sources.into_iter().next().unwrap().kind {
            crate::SourceKind::WebSocket { token, .. } => (token, site.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>()),
            other => panic!("{other:?}"),
        }
    };
    let source = |token: &str| format!("[[sources]]\nid = \"plc\"\nkind = \"websocket\"\n{token}\n");
    for wrong in [
        "token = 31415926",
        "token = \"\"",
        "token = \" s3cret\"",
        "token = [\"s3cret\"]",
        "token = { env = \"s3cret-x\" }",
        "token = { environment = \"s3cret\" }",
        "token = true",
        "token.x = \"s3cret\"",
    ] {
        assert_eq!(token_of(&source(wrong)), (Some(TokenSource::Unusable), vec!["value.invalid"]), "{wrong}");
    }
    let (token, codes) = token_of(&source("token = \"s3cret\""));
    assert!(matches!(token, Some(TokenSource::Literal(text)) if text.expose() == "s3cret"));
    assert_eq!(codes, ["secret.written"]);
    assert_eq!(token_of(&source("token = { env = \"PLC\" }")), (Some(TokenSource::Env("PLC".into())), vec![]));
    assert_eq!(token_of(&source("token.file = 'a\\b.txt'")), (Some(TokenSource::File("a/b.txt".into())), vec![]));
    assert_eq!(token_of(&source("")), (None, vec![]));
}

#[test]
fn secrets_of_imported_files_go_and_their_types_stay() {
    let json = br#"{"entities":[{"apiToken":"s3cret","properties":{"password":{"definition":{"dataType":{"type":"STRING"}},
        "value":{"stringValue":"s3cret"}},"speed":{"value":{"stringValue":"12"}}}}]}"#;
    let out = String::from_utf8(redacted_import(json)).unwrap();
    assert!(!out.contains("s3cret") && out.contains("\"type\":\"STRING\"") && out.contains("\"12\""), "{out}");
    let plain = br#"{ "entities" : [ {"entityName":"mixer"} ] }"#;
    assert_eq!(redacted_import(plain), plain, "nothing to hide: byte by byte");
    assert!(!String::from_utf8(redacted_import(b"token: s3cret")).unwrap().contains("s3cret"));
}
