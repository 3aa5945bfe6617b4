//! Bodies on their way: answers go out in small slices of what everybody shares, requests come in within a deadline.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::seats::Visit;

/// Bytes of one slice: what a connection holds of an answer beyond what it shares.
const SLICE: usize = 64 << 10;

/// The body of an answer, in slices, none of which is copied. While it is on its way, its connection does not idle.
pub(super) struct Sliced {
    body: Body,
    rest: Bytes,
    _visit: Visit,
}

impl Sliced {
    pub(super) fn new(body: Body, visit: Visit) -> Self {
        Self { body, rest: Bytes::new(), _visit: visit }
    }
}

impl HttpBody for Sliced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let n = self.rest.len().min(SLICE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(n)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// The body of a request, which fails where it does not end in time.
pub(super) struct Timed {
    body: Incoming,
    end: Pin<Box<Sleep>>,
}

impl Timed {
    pub(super) fn new(body: Incoming, within: Duration) -> Self {
        Self { body, end: Box::pin(sleep(within)) }
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|result| result.map_err(axum::Error::new)));
        }
        ready!(self.end.as_mut().poll(cx));
        let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the request's body did not come in time");
        Poll::Ready(Some(Err(axum::Error::new(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
