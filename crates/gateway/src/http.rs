//! Answers over HTTP: what handlers share, and that knows none of them.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::pack::Coding;

/// May be kept, and is asked for again each time.
pub(crate) const REVALIDATE: &str = "no-cache";
/// Never changes under its address.
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The same of what was given to one caller.
pub(crate) const FOR_EVER_FOR_ONE: &str = "private, max-age=31536000, immutable";

/// Codings that an asker takes.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Coding> {
    Coding::accepted(headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()))
}

/// The body of an answer and how it may be kept.
pub(crate) struct Answer<'a> {
    pub(crate) media_type: &'a str,
    pub(crate) coding: Coding,
    pub(crate) body: Bytes,
    /// Length unpacked, for progress bars.
    pub(crate) size: usize,
    pub(crate) tag: u64,
    pub(crate) cache: &'static str,
}

/// An answer with its tag and length, or 304 to who has it.
pub(crate) fn respond(request: &HeaderMap, answer: Answer<'_>) -> Response {
    let tag = format!("\"{:016x}{}\"", answer.tag, answer.coding.name().unwrap_or(""));
    let known = request.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = Response::builder()
        .header(header::ETAG, &tag)
        .header(header::CACHE_CONTROL, answer.cache)
        .header(header::VARY, "Accept-Encoding");
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
        return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap_or_default();
    }
    if let Some(coding) = answer.coding.name() {
        response = response.header(header::CONTENT_ENCODING, coding);
    }
    response
        .header(header::CONTENT_TYPE, answer.media_type)
        .header("x-uncompressed-length", answer.size)
        .body(Body::from(answer.body))
        .unwrap_or_default()
}

/// 404 with words.
pub(crate) fn missing(what: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("{what}\n")).into_response()
}

/// Runs work that packs or reads files apart from the threads that serve sockets.
pub(crate) async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Whether a lower-case text is the scheme of an address (RFC 3986, 3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// A path or a key as it was before it was put into an address; none where what it stands for is no text.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
