//! URIs inside model files: percent-decoding, data URIs, and the check that a file stays beside the model.

/// What a URI of a buffer or image stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Bytes inside the URI, with the media type that it claims (lower case, may be empty).
    Data {
        /// Claimed media type.
        mime: String,
        /// Decoded bytes.
        bytes: Vec<u8>,
    },
    /// A decoded path relative to the model file.
    File(String),
}

/// Longest relative path that is passed on.
const MAX_PATH: usize = 1024;

/// Reads a URI.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse(uri: &str) -> Result<Source, String> {
    if let Some(rest) = strip_scheme(uri, "data:") {
        return data(rest);
    }
    // Some exporters write file names as they are (`example 10%.bin`): what is no escape is a percent sign.
    relative(&percent_decode(uri).unwrap_or_else(|| uri.to_owned())).map(Source::File)
}

fn strip_scheme<'a>(uri: &'a str, scheme: &str) -> Option<&'a str> {
    let head = uri.get(..scheme.len())?;
    if head.eq_ignore_ascii_case(scheme) { uri.get(scheme.len()..) } else { None }
}

/// RFC 2397: `[<media type>][;base64],<data>`.
fn data(rest: &str) -> Result<Source, String> {
    let (head, payload) = rest.split_once(',').ok_or("a data URI has no comma before its data")?;
    let mut parts = head.split(';');
    let mime = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut base64_marked = false;
    for part in parts.map(str::trim) {
        base64_marked |= part.eq_ignore_ascii_case("base64");
        if part.is_empty() {
            return Err("a data URI has an empty parameter".to_owned());
        }
    }
    let bytes = if base64_marked {
        base64(payload.as_bytes()).ok_or("a data URI holds broken base64")?
    } else {
        percent_bytes(payload).ok_or("a data URI holds a broken percent escape")?
    };
    Ok(Source::Data { mime, bytes })
}

/// Accepts only paths that stay in the model's folder or below it, and gives each file one spelling: `./x`, `a/../x`, `a//x`
/// and `a\\x` name what `x` and `a/x` name (RFC 3986 section 5.2.4; browsers do the same before they ask, so that a spelling
/// of our own would be one that no server is ever asked for).
fn relative(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("the URI is empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return Err(format!("the URI is longer than {MAX_PATH} bytes"));
    }
    if path.contains(|c: char| c.is_control()) {
        return Err("the URI contains control characters".to_owned());
    }
    if path.contains(':') {
        return Err("the URI names another scheme, host or drive; only files beside the model are read".to_owned());
    }
    if path.starts_with(['/', '\\']) {
        return Err(LEAVES.to_owned());
    }
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split(['/', '\\']) {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop().ok_or(LEAVES)?;
            }
            step => steps.push(step),
        }
    }
    if steps.is_empty() || path.ends_with(['/', '\\']) {
        return Err("the URI names a folder, not a file".to_owned());
    }
    Ok(steps.join("/"))
}

const LEAVES: &str = "the URI leaves the model's folder";

fn percent_decode(text: &str) -> Option<String> {
    String::from_utf8(percent_bytes(text)?).ok()
}

fn percent_bytes(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { hex(bytes.next()?)? * 16 + hex(bytes.next()?)? } else { byte });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 4648 section 4, padding optional, also the URL alphabet of section 5.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|&b| b != b'=').map_or(0, |last| last + 1);
    let (body, padding) = text.split_at_checked(end)?;
    if padding.len() > 2 || body.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 2);
    for group in body.chunks(4) {
        let mut bits = 0u32;
        for &symbol in group {
            bits = bits << 6 | sextet(symbol)?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, a, b, c] = bits.to_be_bytes();
        out.extend([a, b, c].into_iter().take(group.len() - 1));
    }
    Some(out)
}

fn sextet(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(uri: &str, expect: &str) {
        assert_eq!(parse(uri), Ok(Source::File(expect.to_owned())), "{uri}");
    }

    fn refused(uri: &str) {
        assert!(parse(uri).is_err(), "{uri} must be refused");
    }

    #[test]
    fn percent_escapes_and_plain_unicode_may_be_mixed() {
        file("a%20b.bin", "a b.bin");
        file("Unicode%20❤♻%20Binary.bin", "Unicode ❤♻ Binary.bin");
        file("%E2%9D%A4.png", "❤.png");
        file("tex/wood.png", "tex/wood.png");
        file("..hidden/x", "..hidden/x");
        file("example 10%.bin", "example 10%.bin");
        file("big%ball.png", "big%ball.png");
    }

    #[test]
    fn all_spellings_of_one_path_are_one_file() {
        for uri in ["data/x.bin", "./data/x.bin", "data/./x.bin", "data//x.bin", "a/../data/x.bin", "data/b/c/../../x.bin"] {
            file(uri, "data/x.bin");
        }
        for uri in ["data\\x.bin", "data%2Fx.bin", "%64ata/%78.bin", ".%2Fdata/x.bin", "a/%2e%2E/data/x.bin", "data%5cx.bin"] {
            file(uri, "data/x.bin");
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for uri in
            ["../x", "a/../../x", "/etc/passwd", "\\\\host\\x", "..\\x", "%2e%2e/x", "a%2F..%2F..%2Fx", "c:/x", "C:x", "./../x"]
        {
            refused(uri);
        }
        for uri in [".", "./", "a/", "a/..", "a/../..", "a/../../a/x"] {
            refused(uri);
        }
        for uri in ["http://h/x", "file:///x", "//host/x", "", "a%00b"] {
            refused(uri);
        }
    }

    #[test]
    fn data_uris_decode() {
        let bytes = |uri: &str| match parse(uri) {
            Ok(Source::Data { bytes, .. }) => Some(bytes),
            _ => None,
        };
        assert_eq!(bytes("data:;base64,aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(bytes("DATA:image/png;BASE64,aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(bytes("data:text/plain,a%20b"), Some(b"a b".to_vec()));
        assert_eq!(bytes("data:;base64,"), Some(Vec::new()));
        for broken in
            ["data:image/png", "data:;base64,a", "data:;base64,aGV?", "data:;base64,aG===", "data:,%4", "data:a/b;;base64,AA=="]
        {
            assert_eq!(bytes(broken), None, "{broken}");
        }
    }
}
