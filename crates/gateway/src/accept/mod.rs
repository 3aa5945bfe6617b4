//! Who comes in: takes connections off a listener, gives each a seat and deadlines, and hands its requests to a router. Knows
//! HTTP/1.1 and sockets; refuses to know what is asked, who may ask it, and what a stream is wrapped in ([`Arrive`]).

mod body;
mod files;
mod patient;
mod seats;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use body::{Sliced, Timed};
use patient::Patient;
use seats::Full;

pub use files::connections_possible;
pub use seats::{SeatCounts, Seats, address_group};

/// Wait after the system refused to hand out a connection (no file descriptors or no memory left).
const BACK_OFF: Duration = Duration::from_millis(100);
/// Connections get this long to end when the server stops.
const GOODBYE: Duration = Duration::from_secs(3);
/// Bytes of a request's head, and of an answer that wait in user memory to be written.
const BUFFER: usize = 64 << 10;
/// Bytes that may wait unsent in the system's own buffer, so that what is shown is fresh and unread answers stay small.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 128 << 10;
/// Answer to a connection for which there is no seat.
const NO_SEAT: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n\
    as many connections as allowed are open; try again in 5 s\n";

/// How long a peer may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// From the start of a connection, or the answer before, to the end of a request's head. So also how long a connection may idle.
    pub head: Duration,
    /// From a request's head to the end of its body.
    pub body: Duration,
    /// A peer that is being written to and takes less than 64 KiB in this time of waiting is let go.
    pub send: Duration,
}

/// What a fresh connection is wrapped in before HTTP begins: nothing ([`Plain`]), or TLS.
pub trait Arrive: Clone + Send + Sync + 'static {
    /// The wrapped connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Wraps a connection. Cut off at [`Deadlines::head`]. What it returns beside the stream goes into the extensions of every
    /// request of the connection, for example who a client certificate names.
    ///
    /// # Errors
    /// Where the peer did not play along; the connection is dropped.
    fn arrive(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = std::io::Result<(Self::Stream, Extensions)>> + Send;

    /// Whether the first byte on the wire is HTTP, so that a peer without a seat can be told so.
    fn plain(&self) -> bool {
        false
    }
}

/// Connections as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Arrive for Plain {
    type Stream = TcpStream;

    async fn arrive(&self, tcp: TcpStream, _: SocketAddr) -> std::io::Result<(TcpStream, Extensions)> {
        Ok((tcp, Extensions::new()))
    }

    fn plain(&self) -> bool {
        true
    }
}

/// Takes connections until `stopping` turns true, then lets each finish what it is at, for some seconds. An error of the listener
/// (no file descriptors left, say) is waited out: connections that idle are let go, and those that are served go on.
pub async fn serve<A: Arrive>(
    listener: TcpListener,
    arrive: A,
    router: Router,
    seats: Arc<Seats>,
    deadlines: Deadlines,
    mut stopping: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    let mut refused_before = false;
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((tcp, peer)) => {
                    refused_before = false;
                    prepare(&tcp, deadlines.send);
                    match seats.take(peer.ip()) {
                        Err(Full) => {
                            if arrive.plain() {
                                // A fresh socket takes this at once or never.
                                tcp.try_write(NO_SEAT).ok();
                            }
                        }
                        Ok(seat) => {
                            let visitor = Visitor { arrive: arrive.clone(), router: router.clone(), deadlines, peer };
                            tasks.spawn(visitor.attend(tcp, seat, stopping.clone()));
                        }
                    }
                }
                Err(error) if of_the_peer(&error) => {}
                Err(error) => {
                    if !refused_before {
                        tracing::error!(%error, "no connection can be taken; trying again");
                        crate::term::warn(&format!("no connection can be taken: {error}; trying again"));
                    }
                    refused_before = true;
                    seats.make_room();
                    tokio::select! {
                        () = tokio::time::sleep(BACK_OFF) => {}
                        () = stopped(&mut stopping) => break,
                    }
                }
            },
        }
    }
    drop(listener);
    // Sockets close themselves with a word; requests on their way get their answers. What is stuck is cut off.
    timeout(GOODBYE, seats.empty()).await.ok();
    tasks.shutdown().await;
}

/// Errors that say something about one peer, not about this machine.
fn of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Small frames go out at once; what a vanished peer never confirmed ends the connection. Best effort, system by system.
fn prepare(tcp: &TcpStream, send: Duration) {
    tcp.set_nodelay(true).ok();
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let socket = socket2::SockRef::from(tcp);
        socket.set_tcp_notsent_lowat(UNSENT).ok();
        socket.set_tcp_user_timeout(Some(send)).ok();
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = send;
}

/// One connection.
struct Visitor<A> {
    arrive: A,
    router: Router,
    deadlines: Deadlines,
    peer: SocketAddr,
}

impl<A: Arrive> Visitor<A> {
    async fn attend(self, tcp: TcpStream, seat: seats::Taken, mut stopping: watch::Receiver<bool>) {
        let place = seat.seat();
        let Self { arrive, router, deadlines, peer } = self;
        let wrapped = tokio::select! {
            wrapped = timeout(deadlines.head, arrive.arrive(tcp, peer)) => wrapped,
            () = place.leave() => return,
            () = stopped(&mut stopping) => return,
        };
        let Ok(Ok((stream, extensions))) = wrapped else { return };
        let io = TokioIo::new(Patient::new(stream, deadlines.send, seat));
        let visited = place.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let visit = visited.begin();
            let mut request = request.map(|body| Body::new(Timed::new(body, deadlines.body)));
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().extend(extensions.clone());
            let answer = hyper::service::Service::call(&TowerToHyperService::new(router.clone()), request);
            async move {
                let response: Response<Body> = answer.await?;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    visit.stays();
                }
                Ok::<_, Infallible>(response.map(|body| Sliced::new(body, visit)))
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(deadlines.head).max_buf_size(BUFFER);
        let connection = http.serve_connection(io, service).with_upgrades();
        tokio::pin!(connection);
        let mut ending = false;
        loop {
            tokio::select! {
                // However it ended, there is nobody left to tell.
                _ = connection.as_mut() => return,
                () = place.leave() => return,
                () = stopped(&mut stopping), if !ending => {
                    ending = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Completes when the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    stopping.wait_for(|stop| *stop).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_frames_go_out_at_once() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, _) = listener.accept().await.unwrap();
        assert!(!near.nodelay().unwrap());
        prepare(&near, Duration::from_secs(30));
        assert!(near.nodelay().unwrap());
    }
}
