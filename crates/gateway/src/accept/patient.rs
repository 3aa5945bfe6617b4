//! A stream that waits only so long for its reader. Knows bytes and time, no HTTP.
//!
//! What counts is time spent waiting for room: a peer that is slow now and then is fine, one that takes less than
//! [`LEAST`] bytes in the whole of its patience is not, also where it takes a byte at a time to look alive.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::seats::Taken;

/// Bytes that a reader has to take for its patience to begin anew: 17 kbit/s at 30 s, slower than any link that a viewer is of use on.
const LEAST: usize = 64 << 10;

/// See the module's head. Holds the connection's seat, so that it is taken for as long as the stream is open.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Waited since the last [`LEAST`] bytes.
    waited: Duration,
    /// Bytes taken since then.
    taken: usize,
    /// The wait that goes on.
    wait: Option<Wait>,
    _seat: Taken,
}

struct Wait {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration, seat: Taken) -> Self {
        Self { stream, patience, waited: Duration::ZERO, taken: 0, wait: None, _seat: seat }
    }

    /// What a write came to, with patience.
    fn judge<T>(&mut self, cx: &mut Context<'_>, result: Poll<Result<T>>, bytes: impl Fn(&T) -> usize) -> Poll<Result<T>> {
        match result {
            Poll::Ready(Ok(done)) => {
                if let Some(wait) = self.wait.take() {
                    self.waited += wait.since.elapsed();
                }
                self.taken += bytes(&done);
                if self.taken >= LEAST {
                    (self.taken, self.waited) = (0, Duration::ZERO);
                }
                Poll::Ready(Ok(done))
            }
            Poll::Pending => {
                let left = self.patience.saturating_sub(self.waited);
                let wait = self.wait.get_or_insert_with(|| {
                    let since = Instant::now();
                    Wait { since, end: Box::pin(sleep_until(since + left)) }
                });
                ready!(wait.end.as_mut().poll(cx));
                Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer takes nothing")))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, result, |n| *n)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, result, |n| *n)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, result, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, result, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::Seats;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn patient(buffer: usize) -> (Patient<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(buffer);
        let seat = Seats::new(1, 1).take([127, 0, 0, 1].into()).unwrap();
        (Patient::new(near, Duration::from_secs(30), seat), far)
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_a_byte_at_a_time_is_let_go_when_its_patience_is_used_up() {
        let (mut near, mut far) = patient(16);
        let begun = Instant::now();
        let reader = async {
            // A byte every second, for ever.
            while far.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let writer = near.write_all(&[7; 4_096]);
        let result = tokio::select! { result = writer => result, () = reader => unreachable!() };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_that_gets_on_is_waited_for_and_idle_time_costs_nobody_patience() {
        let (mut near, mut far) = patient(64 << 10);
        let reader = tokio::spawn(async move {
            let mut all = 0;
            let mut some = vec![0; 64 << 10];
            while let Ok(n @ 1..) = far.read(&mut some).await {
                all += n;
                // Nearly all of the patience for each piece.
                tokio::time::sleep(Duration::from_secs(29)).await;
            }
            all
        });
        for _ in 0..4 {
            near.write_all(&vec![1; 256 << 10]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        near.shutdown().await.unwrap();
        drop(near);
        assert_eq!(reader.await.unwrap(), 1 << 20);
    }
}
