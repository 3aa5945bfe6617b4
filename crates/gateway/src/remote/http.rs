//! Plain questions to another gateway: what it publishes of its site, and history.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use twin_model::TimeRange;
use twin_protocol::{Limits, ServerFrame, decode_server};
use twin_publication::{Manifest, limits};

use super::revisions::NOW;
use super::{PATIENCE, Remote};
use crate::GatewayError;
use crate::revisions::Publication;

/// Largest answer about history that is read.
const BODY: u64 = 1 << 30;
/// Room for the head of an answer.
const HEAD: u64 = 64 << 10;
/// Longest wait for a gateway that compiles its site: some times what a scene of 20 million triangles takes (decision 0022).
const COMPILING: Duration = Duration::from_secs(600);
/// Looks at whether to go on, while waiting.
const LOOK: Duration = Duration::from_millis(100);

/// What was answered.
struct Answer {
    /// As digits.
    status: String,
    /// In small letters.
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// What the gateway says about it, as far as a line goes.
    fn words(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().chars().take(300).collect()
    }

    /// When to come again, where it says so; at least a second, and not so long that nobody would believe it.
    fn again(&self) -> Option<Duration> {
        let line = self.head.lines().find_map(|line| line.strip_prefix("retry-after:"))?;
        Some(Duration::from_secs(line.trim().parse::<u64>().unwrap_or(1).clamp(1, 30)))
    }
}

impl Remote {
    /// Body and head of a GET; an answer other than 200 is an error.
    pub(super) async fn get(&self, path: &str, most: u64) -> Result<(String, Vec<u8>), GatewayError> {
        let answer = self.ask(path, most).await?;
        self.judged(path, answer)
    }

    /// The same; `None` where there is no such thing.
    pub(super) async fn get_if_there(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, GatewayError> {
        let answer = self.ask(path, most).await?;
        if answer.status == "404" { Ok(None) } else { self.judged(path, answer).map(|(_, body)| Some(body)) }
    }

    fn judged(&self, path: &str, answer: Answer) -> Result<(String, Vec<u8>), GatewayError> {
        let status = answer.status.as_str();
        if matches!(status, "401" | "403" | "429" | "500" | "503") {
            return Err(self.fail(format!("{path} was answered with {status}: {}", answer.words())));
        }
        if status != "200" || answer.head.contains("transfer-encoding") {
            return Err(
                self.fail(format!("{path} was answered with {status}; is this a gateway of Orrery, and of this version?"))
            );
        }
        Ok((answer.head, answer.body))
    }

    /// Asks, and takes a body of at most so many bytes.
    async fn ask(&self, path: &str, most: u64) -> Result<Answer, GatewayError> {
        let exchange = async {
            let mut stream = self.connect().await?;
            let host = &self.host;
            let token =
                self.token.as_ref().map(|token| format!("Authorization: Bearer {}\r\n", token.expose())).unwrap_or_default();
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept-Encoding: identity\r\n{token}\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut bytes = Vec::new();
            stream.take(most.saturating_add(HEAD)).read_to_end(&mut bytes).await?;
            Ok::<_, std::io::Error>(bytes)
        };
        let mut bytes =
            timeout(PATIENCE, exchange).await.map_err(|_| self.fail("no answer in time"))?.map_err(|e| self.unreached(&e))?;
        let split = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .ok_or_else(|| self.fail("not an HTTP answer; is this a gateway, and does it speak https?"))?;
        let body = bytes.split_off(split + 4);
        let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap_or("").to_owned();
        Ok(Answer { status, head, body })
    }

    /// What the gateway publishes of its site: manifest and pieces, each compared with its name. A gateway that is still compiling
    /// is asked again when it says, for [`COMPILING`] at most and until `stopped`.
    ///
    /// # Errors
    /// Where there is no gateway, it publishes nothing, or something else comes than the manifest names.
    pub async fn publication(&self, stopped: &dyn Fn() -> bool) -> Result<Publication, GatewayError> {
        let mut left = COMPILING;
        let ended = || self.fail("ended before the gateway had compiled its site");
        let body = loop {
            // An answer may take its time, too: a gateway holds the question while it compiles.
            let asked = unless(stopped, self.ask(NOW, limits::MANIFEST_BYTES as u64)).await;
            let answer = asked.ok_or_else(ended)??;
            match answer.again().filter(|wait| answer.status == "503" && *wait <= left) {
                Some(wait) => {
                    left -= wait;
                    unless(stopped, tokio::time::sleep(wait)).await.ok_or_else(ended)?;
                }
                None => break self.judged(NOW, answer)?.1,
            }
        };
        let manifest = Manifest::read(&body).map_err(|e| self.fail(e))?;
        self.with_pieces(manifest, &BTreeSet::new()).await
    }

    /// History of a range, in as many frames as the gateway needs, and what the gateway can't read of it.
    ///
    /// # Errors
    /// Where an answer is missing or makes no sense.
    pub async fn history(&self, range: TimeRange) -> Result<(Vec<ServerFrame>, Vec<String>), GatewayError> {
        let (mut frames, mut missing) = (Vec::new(), Vec::new());
        let mut from = range.start;
        loop {
            let path = format!("/api/history?from={}&to={}&damaged=left-out", from.as_micros(), range.end.as_micros());
            let (head, body) = self.get(&path, BODY).await?;
            let lacks = head.lines().filter_map(|line| line.strip_prefix(crate::lacks::MISSING)?.strip_prefix(':'));
            missing.extend(lacks.flat_map(|lacks| lacks.split(',')).map(crate::lacks::missing_words));
            let frame = decode_server(&body, &Limits::SERVER_FRAMES).map_err(|e| self.fail(e))?;
            let ServerFrame::History(history) = &frame else { return Err(self.fail("history was answered with something else")) };
            let next = history.next;
            frames.push(frame);
            match next {
                // A server that sends us in circles would never end.
                Some(next) if next > from => from = next,
                _ => return Ok((frames, missing)),
            }
        }
    }
}

/// Awaits something; `None` once somebody has said to stop meanwhile.
async fn unless<T>(stopped: &dyn Fn() -> bool, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    while !stopped() {
        if let Ok(done) = timeout(LOOK, work.as_mut()).await {
            return Some(done);
        }
    }
    None
}
