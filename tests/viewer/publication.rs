//! The viewer's way to a plant without a window: a publication and its pieces over HTTP, onto the stage.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a server of its own, and failures of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway::publish::compile;
use gateway::revisions::Publication;
use gateway::site::Site;
use glam::{Vec3, Vec4};
use orrery::platform::monotonic;
use orrery::session::{Place, Published, Session};
use orrery::{Sight, Stage};
use twin_model::{Timestamp, TwinIndex};
use twin_publication::PieceHash;
use twin_scene::bvh::Ray;
use twin_scene::merge::PartIndex;

/// Nothing here takes that long on the slowest machine; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

fn hall() -> Publication {
    let site = Site::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/sites/bottling"))).unwrap();
    compile(&site, Timestamp::from_secs(1_772_439_304)).unwrap().publication
}

/// What a server does to its answers: gets the path, how often it was asked for, and the right answer.
type Mischief = fn(&str, usize, Vec<u8>) -> (u16, Vec<u8>);

/// A server with a publication, and a list of what it was asked for.
struct Server {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(publication: Publication, mischief: Mischief) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (shared, publication) = (asked.clone(), Arc::new(publication));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, publication) = (shared.clone(), publication.clone());
                std::thread::spawn(move || answer(stream, &publication, &shared, mischief));
            }
        });
        Self { base, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, publication: &Publication, asked: &Mutex<Vec<String>>, mischief: Mischief) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
    }
    let body = match path.strip_prefix("/api/piece/") {
        Some(name) => name.parse::<PieceHash>().ok().and_then(|hash| publication.pieces.get(&hash)).map(|bytes| bytes.to_vec()),
        None => (path == "/api/publication").then(|| publication.manifest.write().unwrap()),
    };
    let nth = {
        let mut asked = asked.lock().unwrap();
        asked.push(path.clone());
        asked.iter().filter(|other| **other == path).count()
    };
    let (status, body) = body.map_or((404, Vec::new()), |body| mischief(&path, nth, body));
    let later = if status == 503 { "Retry-After: 0.1\r\n" } else { "" };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{later}Connection: close\r\n\r\n", body.len());
    // Whoever asked may have left.
    let _left = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn until<T>(mut step: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = step() {
            return found;
        }
        assert!(Instant::now() < end, "nothing came of it");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn open(base: &str) -> (Session, Published, Stage) {
    let mut session = Session::new(Place::Gateway(base.to_owned()), Arc::new(|| {}));
    let published = until(|| {
        assert_eq!(session.publication.failed(), None);
        session.poll_publication(None, monotonic())
    });
    session.pieces_of(&published.manifest);
    let stage = Stage::new(published.index.clone(), published.model.model.twins().len());
    (session, published, stage)
}

/// From so far that nothing of it is told apart, or from the middle of everything.
fn sight(published: &Published, near: bool) -> Sight {
    let bounds = published.index.bounds;
    let eye = if near { bounds.center() } else { bounds.center() + Vec3::splat(1e7) };
    let everything = [Vec4::new(0.0, 0.0, 0.0, 1.0); 4];
    Sight { eye, fov_y: 0.72, height: 720.0, planes: everything }
}

/// Moves a stage on until it is as wanted; answers what could not be had.
fn bring(session: &mut Session, stage: &mut Stage, sight: &Sight, wanted: impl Fn(&Stage) -> bool) -> Vec<String> {
    let mut failures = Vec::new();
    until(|| {
        let now = monotonic();
        failures.extend(stage.advance(&mut session.pieces, sight, &|_| false, now, now + 0.01));
        wanted(stage).then_some(())
    });
    failures
}

#[test]
fn the_first_picture_needs_the_pieces_that_the_manifest_names_first_and_all_parts_can_be_picked_in_it() {
    let publication = hall();
    let scene = publication.manifest.scene.clone().unwrap();
    let server = Server::new(publication, |_, _, body| (200, body));
    let (mut session, published, mut stage) = open(&server.base);
    assert_eq!(bring(&mut session, &mut stage, &sight(&published, false), Stage::is_whole), Vec::<String>::new());
    let asked: BTreeSet<String> =
        server.asked().into_iter().filter_map(|path| Some(path.strip_prefix("/api/piece/")?.to_owned())).collect();
    let first = scene.first.iter().map(|at| scene.geometry[*at as usize].hash.to_string());
    let needed = first.chain([scene.index.hash.to_string(), published.manifest.model.hash.to_string()]);
    assert_eq!(asked, needed.collect(), "from afar nothing more is asked for");
    let whole: u32 = published.index.parts.iter().map(|part| part.triangles).sum();
    assert!(stage.scene.triangle_count() < u64::from(whole), "it is coarse");

    for part in (0..published.index.parts.len() as u32).map(PartIndex) {
        let mut corners = None;
        stage.scene.triangles_of(part, &mut |triangle| corners = corners.or(Some(triangle)));
        let [a, b, c] = corners.expect("every part has something at every level");
        let (middle, normal) = ((a + b + c) / 3.0, (b - a).cross(c - a).normalize_or(Vec3::Y));
        let hit = stage.scene.raycast(&Ray::new(middle + normal * 0.5, -normal), &|other| other == part);
        assert_eq!(hit.map(|hit| hit.part), Some(part));
    }
    let with_parts: BTreeSet<TwinIndex> = published.index.parts.iter().filter_map(|part| part.twin).collect();
    assert!(with_parts.len() > 20 && with_parts.iter().all(|twin| stage.body(*twin).is_some()));
}

#[test]
fn where_one_looks_it_is_refined_and_settles() {
    let server = Server::new(hall(), |_, _, body| (200, body));
    let (mut session, published, mut stage) = open(&server.base);
    let sight = sight(&published, true);
    assert_eq!(
        bring(&mut session, &mut stage, &sight, |stage| stage.is_whole() && stage.asked_for_nothing()),
        Vec::<String>::new()
    );
    let finest: BTreeMap<u32, Option<u32>> =
        (0..published.index.cells.len() as u32).map(|cell| (cell, stage.scene.finest(cell))).collect();
    assert!(finest.values().all(|level| *level == Some(0)), "{finest:?}");
    let whole: u64 = published.index.cells.iter().map(|cell| u64::from(cell.levels[0].triangles)).sum();
    assert_eq!(stage.scene.triangle_count(), whole);
    // Nothing is asked for twice.
    let asked = server.asked();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "{asked:?}");
}

#[test]
fn a_damaged_piece_is_never_shown_and_asked_for_again() {
    let server = Server::new(hall(), |path, nth, mut body| {
        if path.starts_with("/api/piece/") && nth == 1 {
            let middle = body.len() / 2;
            body[middle] ^= 1;
        }
        (200, body)
    });
    let (mut session, published, mut stage) = open(&server.base);
    assert_eq!(bring(&mut session, &mut stage, &sight(&published, false), Stage::is_whole), Vec::<String>::new());
    let model = format!("/api/piece/{}", published.manifest.model.hash);
    assert_eq!(server.asked().iter().filter(|path| **path == model).count(), 2);
}

#[test]
fn a_site_that_is_still_being_compiled_is_waited_for() {
    let server = Server::new(
        hall(),
        |path, nth, body| if path == "/api/publication" && nth < 3 { (503, Vec::new()) } else { (200, body) },
    );
    let (_, published, _) = open(&server.base);
    assert_eq!(published.manifest.site.id, "bottling");
    assert_eq!(server.asked().iter().filter(|path| *path == "/api/publication").count(), 3);
}

#[test]
fn a_piece_that_never_comes_is_told_and_the_rest_is_shown() {
    let server = Server::new(hall(), |path, _, body| {
        // One of the pieces with full detail: neither model nor header nor what is needed first, which are smaller or named before.
        if path.starts_with("/api/piece/") && body.len() > 1_200_000 { (404, Vec::new()) } else { (200, body) }
    });
    let (mut session, published, mut stage) = open(&server.base);
    let failures =
        bring(&mut session, &mut stage, &sight(&published, true), |stage| stage.is_whole() && stage.asked_for_nothing());
    assert!(!failures.is_empty() && failures.iter().all(|why| why.contains("404")), "{failures:?}");
    let drawn = (0..published.index.cells.len() as u32).filter_map(|cell| stage.scene.finest(cell));
    assert!(drawn.clone().any(|level| level == 0) && drawn.clone().any(|level| level > 0), "coarse where the piece is missing");
}
