//! `orrery record URL`: listens to a running gateway, to its samples and to what becomes of its site.
//!
//! A new revision is fetched while samples go on coming. A gateway that goes away is waited for; one that comes back with another
//! site ends the recording, which has one site from its beginning to its end.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{sleep, timeout};
use twin_model::{TimeRange, Timestamp};
use twin_protocol::ServerFrame;
use twin_publication::{Manifest, PieceHash};

use super::{RecordArgs, Until, may_write, started};
use crate::recording::RecordingFile;
use crate::remote::{Following, Remote, RemoteStream};
use crate::revisions::Publication;
use crate::term;

/// Looks at whether it is over.
const LOOK: Duration = Duration::from_millis(200);
/// Between two tries to reach a gateway that went away, and the first two to fetch a revision.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest time between tries to fetch a revision.
const SELDOM: Duration = Duration::from_secs(60);
/// A revision that came just before the end may take this long.
const LAST: Duration = Duration::from_secs(10);

/// Listens to a gateway; a broken connection is taken up again where it broke. Samples, bytes, and whether something is missing.
pub(super) async fn from_gateway(args: &RecordArgs, remote: &Remote, until: &Until) -> Result<(u64, u64, bool)> {
    let publication = remote.publication(&|| until.stopped()).await?;
    may_write(args)?;
    let mut stream = remote.stream(None).await?;
    let hello = match stream.next().await? {
        ServerFrame::Hello(hello) => hello,
        ServerFrame::Close(close) => bail!("{} closes the stream: {}", remote.host(), close.reason),
        _ => bail!("{} does not begin its stream with a hello", remote.host()),
    };
    same_site(remote, &publication.manifest, &hello.site)?;
    let mut file = RecordingFile::create(&args.file)?;
    let lacks = before(args, remote, &mut file, &publication, hello.server_time).await?;
    started(args);
    until.begin(args.length);
    let manifest = publication.manifest;
    let mut listener = Listener { remote, file, manifest, samples: 0, changing: None, again: false };
    loop {
        if let Err(error) = listener.listen(&mut stream, until).await? {
            term::warn(&error);
        }
        if until.over() {
            break;
        }
        let place = stream.place();
        while let Err(error) = remote.stream(Some(place)).await.map(|opened| stream = opened) {
            if until.over() {
                term::warn(&error.to_string());
                break;
            }
            sleep(AGAIN).await;
        }
    }
    listener.finish().await?;
    Ok((listener.samples, listener.file.bytes, lacks))
}

/// Puts in what the site was and what came before; says whether the gateway can't read some of it.
async fn before(
    args: &RecordArgs,
    remote: &Remote,
    file: &mut RecordingFile,
    publication: &Publication,
    now: Timestamp,
) -> Result<bool> {
    let range = TimeRange::new(now - args.history, now);
    let earlier = remote.earlier(range.start, &publication.manifest).await;
    let earlier = earlier.unwrap_or_else(|error| {
        term::warn(&format!("how the site was before is not in the recording: {error}"));
        Vec::new()
    });
    for listed in earlier {
        match remote.revision(&listed, file.pieces()).await {
            Ok(found) => {
                file.revision(&found)?;
            }
            Err(error) => term::warn(&format!("revision {} of the site is not in the recording: {error}", listed.number)),
        }
    }
    file.revision(publication)?;
    // When it began, also where nothing ever comes.
    file.frame(ServerFrame::KeepAlive { server_time: now })?;
    let (frames, missing) = remote.history(range).await?;
    for missing in &missing {
        term::warn(missing);
    }
    for frame in frames {
        file.frame(frame)?;
    }
    Ok(!missing.is_empty())
}

/// A recording has one site.
fn same_site(remote: &Remote, before: &Manifest, now: &str) -> Result<()> {
    let (host, id) = (remote.host(), &before.site.id);
    if now != id {
        bail!("{host} serves the site '{now}' now, and not '{id}' any more; what was recorded until then is kept");
    }
    Ok(())
}

type Fetching<'a> = Pin<Box<dyn Future<Output = Following> + 'a>>;

struct Listener<'a> {
    remote: &'a Remote,
    file: RecordingFile,
    /// What the gateway was last known to have in force.
    manifest: Manifest,
    samples: u64,
    /// The next revision on its way.
    changing: Option<Fetching<'a>>,
    /// Another one came meanwhile.
    again: bool,
}

impl Listener<'_> {
    /// Takes in what comes until it is over, or until the connection breaks: then why.
    async fn listen(&mut self, stream: &mut RemoteStream, until: &Until) -> Result<Result<(), String>> {
        while !until.over() {
            tokio::select! {
                frame = stream.next() => match frame {
                    Ok(frame) => self.take(frame)?,
                    Err(error) => return Ok(Err(error.to_string())),
                },
                found = fetched(&mut self.changing) => self.place(found)?,
                () = sleep(LOOK) => {}
            }
        }
        Ok(Ok(()))
    }

    fn take(&mut self, frame: ServerFrame) -> Result<()> {
        match frame {
            ServerFrame::Hello(hello) => same_site(self.remote, &self.manifest, &hello.site)?,
            ServerFrame::KeepAlive { .. } | ServerFrame::Pong { .. } | ServerFrame::Close(_) => {}
            // Of the same number, too: its findings may be others.
            ServerFrame::Revision(_) => self.look(),
            frame => {
                if let ServerFrame::Batch(batch) = &frame {
                    self.samples += batch.entries.len() as u64;
                }
                self.file.frame(frame)?;
            }
        }
        Ok(())
    }

    /// Asks what is in force.
    fn look(&mut self) {
        if self.changing.is_some() {
            self.again = true;
            return;
        }
        let (before, known) = (self.manifest.clone(), self.file.pieces().clone());
        self.changing = Some(Box::pin(patient(self.remote, before, known)));
    }

    /// What was asked for is here.
    fn place(&mut self, found: Following) -> Result<()> {
        self.changing = None;
        let Following { publication, more } = found;
        same_site(self.remote, &self.manifest, &publication.manifest.site.id)?;
        let number = |file: &RecordingFile| file.manifest().map(|manifest| manifest.revision);
        let before = number(&self.file);
        self.file.revision(&publication)?;
        // What has other findings only is no change of the site.
        if let Some(now) = self.file.manifest().filter(|now| Some(now.revision) != before) {
            term::note(&format!("the site has changed: revision {} here, valid from {}", now.revision, now.valid_from));
        }
        self.manifest = publication.manifest;
        if std::mem::take(&mut self.again) || more {
            self.look();
        }
        Ok(())
    }

    /// Waits a little for what is on its way at the end.
    async fn finish(&mut self) -> Result<()> {
        while self.changing.is_some() {
            match timeout(LAST, fetched(&mut self.changing)).await {
                Ok(found) => self.place(found)?,
                Err(_) => {
                    term::warn("the site's newest revision could not be had in time and is not in the recording");
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What is on its way; never, where nothing is.
async fn fetched(changing: &mut Option<Fetching<'_>>) -> Following {
    match changing {
        Some(fetching) => fetching.await,
        None => std::future::pending().await,
    }
}

/// Fetches until it works: the stream says once that there is something, and the gateway may have no room just then.
async fn patient(remote: &Remote, before: Manifest, known: BTreeSet<PieceHash>) -> Following {
    let mut pause = AGAIN;
    loop {
        match remote.following(&before, &known).await {
            Ok(found) => return found,
            Err(error) if pause == AGAIN => term::warn(&format!("the site has changed, and how can't be had yet: {error}")),
            Err(_) => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(SELDOM);
    }
}
