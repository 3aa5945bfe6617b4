//! Revisions while a server runs: compiled once, noticed when files change, told to viewers, kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::clock::Clock;
use gateway::publish::compile;
use gateway::publish::shelf::Shelf;
use gateway::publisher::{Begun, Looked, Origin, Publisher};
use gateway::revisions::Publication;
use gateway::revisions::folder::{self, Change, Since};
use gateway::revisions::target;
use gateway::site::Site;
use serde_json::Value as Json;
use twin_model::{Model, Span, Timestamp};
use twin_protocol::{Revision, ServerFrame};
use twin_publication::{Manifest, PieceHash, Revisions, ViewerModel};

use crate::access::ask;
use crate::assets::{corners, triangle};
use crate::world::{Folder, SITE, Wish, World, at};

/// A pump that has a model: a triangle with its corners in a file of their own.
fn with_model() -> String {
    let bound = SITE.replacen("interface = \"pump\"\nbind = false", "interface = \"pump\"\nbind = [\"Pump\"]", 1);
    format!("{bound}\n[[models]]\nid = \"m\"\npath = \"pump.gltf\"\n")
}

/// A site on disk and where its publication goes.
struct Bench {
    folder: Folder,
    site: PathBuf,
    cache: PathBuf,
}

impl Bench {
    fn new(toml: &str) -> Self {
        let folder = Folder::new();
        folder.write("pump.gltf", triangle("pump.bin", "skin.png"));
        folder.write("pump.bin", corners(1.0));
        folder.write("skin.png", "no picture, and no harm");
        let (site, cache) = (folder.write("site.toml", toml), folder.0.join("cache"));
        Self { folder, site, cache }
    }

    /// A publisher of the site as it is now, at an instant, and its shelf.
    fn publisher(&self, shelf: Shelf, now: Timestamp) -> (Publisher, Arc<Shelf>) {
        let (site, shelf) = (Site::read_usable(&self.site).unwrap(), Arc::new(shelf));
        let origin = Origin::Site { site: Box::new(site), allowed: Vec::new() };
        (Publisher::new(origin, shelf.clone(), Clock::replay(now, 1e-9, Timestamp::MAX)), shelf)
    }

    fn over(&self) -> Shelf {
        Shelf::over(self.cache.clone(), "little")
    }

    /// What a start of the program comes to.
    fn start(&self) -> Begun {
        self.publisher(self.over(), at(0)).0.begin()
    }

    fn save(&self, toml: &str) {
        self.folder.write("site.toml", toml);
    }

    /// A server with a publisher that only the test asks to look.
    async fn serve(&self, shelf: Shelf) -> (World, Publisher, Arc<Shelf>) {
        let (mut publisher, shelf) = self.publisher(shelf, at(100));
        publisher.begin();
        let world = World::serve(&self.site, Wish { publication: Some(shelf.clone()), ..Wish::default() }).await;
        (world, publisher, shelf)
    }
}

/// Two looks at what was changed and lies still.
fn settled(publisher: &mut Publisher) -> Looked {
    assert_eq!(publisher.look(), Looked::Waits);
    let second = publisher.look();
    // What was read is known: a third look has nothing to do.
    if second != Looked::Waits {
        assert_eq!(publisher.look(), Looked::Same);
    }
    second
}

async fn manifest(world: &World, path: &str) -> Manifest {
    let (status, _, body) = world.get(path, "").await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    Manifest::read(&body).unwrap()
}

/// The model of a manifest, over the wire.
async fn model_of(world: &World, manifest: &Manifest) -> ViewerModel {
    let (status, head, body) = world.get(&format!("/api/piece/{}", manifest.model.hash), "").await;
    assert!(status == 200 && head.contains("content-type: application/json"), "{head}");
    manifest.model.check(&body).unwrap();
    ViewerModel::read(&body).unwrap()
}

#[test]
fn the_same_site_served_twice_compiles_once() {
    let bench = Bench::new(&with_model());
    assert_eq!(bench.start(), Begun::Compiled(Change::Revision));
    let first = folder::read(&bench.cache).unwrap();
    let written = || std::fs::metadata(bench.cache.join("manifest.json")).unwrap().modified().unwrap();
    let before = written();
    for _ in 0..2 {
        assert_eq!(bench.start(), Begun::Kept);
    }
    // Copied to where it is, with other times: the bytes count.
    for name in ["site.toml", "pump.gltf", "pump.bin"] {
        let bytes = std::fs::read(bench.folder.0.join(name)).unwrap();
        std::fs::remove_file(bench.folder.0.join(name)).unwrap();
        bench.folder.write(name, bytes);
    }
    let (mut publisher, shelf) = bench.publisher(bench.over(), at(50));
    assert_eq!(publisher.begin(), Begun::Kept);
    let served = shelf.now().unwrap().unwrap();
    assert_eq!(*served.manifest.plain(), first.manifest.write().unwrap());
    assert_eq!((written(), first), (before, folder::read(&bench.cache).unwrap()));
    // Nothing in the folder says where things come from.
    let kept = std::fs::read_to_string(bench.cache.join(".inputs")).unwrap();
    assert!(!kept.contains("pump") && !kept.contains('/'), "{kept}");
}

#[test]
fn whatever_a_publication_is_made_of_makes_another_start_compile() {
    let bench = Bench::new(&with_model());
    bench.folder.write("log.csv", "t,flow\n2026-03-02T08:00:00Z,1\n");
    let csv = "[[sources]]\nid = \"log\"\nkind = \"csv\"\npath = \"log.csv\"\ntime = { column = \"t\" }\ncolumns = { flow = \"pump-02.flow\" }\n";
    let toml = format!("{}{csv}", with_model());
    bench.save(&toml);
    assert_eq!(bench.start(), Begun::Compiled(Change::Revision));
    let skin = bench.folder.0.join("skin.png");
    let changes: [(&str, &dyn Fn()); 8] = [
        ("a comment", &|| bench.save(&format!("# a comment\n{toml}"))),
        ("a limit", &|| bench.save(&toml.replace("80.0", "81.0"))),
        ("corners", &|| drop(bench.folder.write("pump.bin", corners(2.0)))),
        ("a picture is gone", &|| std::fs::remove_file(&skin).unwrap()),
        ("a picture is back", &|| drop(bench.folder.write("skin.png", "another"))),
        ("the model", &|| drop(bench.folder.write("pump.gltf", triangle("pump.bin", "skin.png").replace("Pump", "Pomp")))),
        ("a table", &|| drop(bench.folder.write("log.csv", "t,flow\n2026-03-02T08:00:00Z,1\n2026-03-02T08:00:01Z,2\n"))),
        ("an import that is not there", &|| {
            bench.save(&format!("{toml}[[imports]]\nkind = \"twinmaker\"\nscene = \"scene.json\"\nentities = \"e.json\"\n"));
        }),
    ];
    for (what, change) in changes {
        assert_eq!(bench.start(), Begun::Kept, "before {what}");
        change();
        assert!(matches!(bench.start(), Begun::Compiled(_)), "{what}");
    }
    assert_eq!(bench.start(), Begun::Kept);
    // What the folder has is believed only where all of it is there and whole.
    let piece = folder::read(&bench.cache).unwrap().manifest.model.hash.to_string();
    let (piece, inputs) = (bench.cache.join("pieces").join(piece), bench.cache.join(".inputs"));
    let flipped = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[70] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    for (what, damage) in [
        ("a piece with another byte", &(|| flipped(&piece)) as &dyn Fn()),
        ("no piece", &|| std::fs::remove_file(&piece).unwrap()),
        ("a note of another manifest", &|| flipped(&inputs)),
        ("an empty note", &|| std::fs::write(&inputs, "").unwrap()),
        ("no note", &|| std::fs::remove_file(&inputs).unwrap()),
    ] {
        damage();
        assert_eq!(bench.start(), Begun::Compiled(Change::Nothing), "{what}");
        folder::read(&bench.cache).unwrap();
        assert_eq!(bench.start(), Begun::Kept, "after {what}");
    }
    // Compiled by hand to something else meanwhile.
    bench.save(&toml.replace("80.0", "82.0"));
    target::write(
        &bench.cache,
        compile(&Site::read_usable(&bench.site).unwrap(), at(9)).unwrap().publication,
        Since::Clock(at(9)),
    )
    .unwrap();
    bench.save(&toml);
    assert_eq!(bench.start(), Begun::Compiled(Change::Revision));
}

#[tokio::test]
async fn a_model_replaced_while_serving_is_a_new_revision_and_the_stream_tells_it() {
    for kept in [true, false] {
        let bench = Bench::new(&with_model());
        let (world, mut publisher, _) = bench.serve(if kept { bench.over() } else { Shelf::default() }).await;
        let mut early = world.client(None).await;
        let revision = |frame| match frame {
            ServerFrame::Revision(revision) => Some(revision),
            _ => None,
        };
        let first = early.until(revision).await;
        assert_eq!(first, Revision { number: 1, valid_from: at(100) });
        assert_eq!(publisher.look(), Looked::Same);
        bench.folder.write("pump.bin", corners(3.0));
        assert_eq!(settled(&mut publisher), Looked::Published(Change::Revision));
        let second = early.until(revision).await;
        assert!(second.number == 2 && second.valid_from > first.valid_from, "{second:?}");
        assert_eq!(world.client(None).await.until(revision).await, second, "whoever comes later is told, too");

        let (one, two) = (manifest(&world, "/api/publication/1").await, manifest(&world, "/api/publication/2").await);
        assert_eq!(two, manifest(&world, "/api/publication").await);
        assert_eq!((one.revision, one.valid_from, two.valid_from), (1, first.valid_from, second.valid_from));
        assert!(one.model == two.model && one.scene != two.scene);
        for manifest in [&one, &two] {
            for (_, piece) in manifest.pieces() {
                let (status, head, body) = world.get(&format!("/api/piece/{}", piece.hash), "").await;
                assert!(status == 200 && head.contains("immutable"), "{head}");
                piece.check(&body).unwrap();
            }
        }
        model_of(&world, &one).await;
        let (_, head, list) = world.get("/api/publication/revisions", "").await;
        assert!(head.contains("cache-control: no-cache") && head.contains("application/json"), "{head}");
        let list = Revisions::read(&list).unwrap();
        assert_eq!(list.as_slice().iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
        for listed in list.as_slice() {
            let (_, _, bytes) = world.get(&format!("/api/publication/{}", listed.number), "").await;
            listed.manifest.check(&bytes).unwrap();
        }
        for path in ["0", "3", "01", "+1", "-1", "1.0", "1%20", "18446744073709551616", "x", "%2e%2e"] {
            let status = world.get(&format!("/api/publication/{path}"), "").await.0;
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
        assert_eq!(bench.cache.join("revisions/1.json").exists(), kept);
        world.stop().await;
    }
}

#[tokio::test]
async fn a_site_saved_half_written_changes_nothing() {
    let bench = Bench::new(&with_model());
    let (world, mut publisher, _) = bench.serve(bench.over()).await;
    let before = manifest(&world, "/api/publication").await;
    let whole = with_model().replace("80.0", "85.0");
    // In the middle of a word, of a table, and behind the twins, where what is there is a site of another plant.
    for end in [whole.find("Little").unwrap() + 3, whole.find("85.0").unwrap() + 2, whole.rfind("[[sources]]").unwrap(), 0] {
        bench.save(&whole[..end]);
        let said = settled(&mut publisher);
        assert!(matches!(said, Looked::Refused | Looked::Held), "{end}: {said:?}");
        let now = manifest(&world, "/api/publication").await;
        assert!(now.same_plant(&before) && now.revision == 1 && now.valid_from == before.valid_from);
        let code = if said == Looked::Held { "site.restart" } else { "site.refused" };
        let told: Vec<_> = now.findings.iter().filter(|it| !before.findings.contains(it)).collect();
        assert!(matches!(told[..], [finding] if finding.code == code && finding.message.contains("revision 1")), "{told:?}");
        // A server that is ended for it would have the same to say again.
        let (status, _, body) = world.get("/readyz", "").await;
        let json: Json = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &json["remarks"][0]["code"]), (200, &code.into()), "{json}");
        assert_eq!(folder::read(&bench.cache).unwrap().manifest, before, "what is kept has no remark of this run");
    }
    bench.save(&whole);
    assert_eq!(settled(&mut publisher), Looked::Published(Change::Revision));
    let now = manifest(&world, "/api/publication").await;
    assert_eq!((now.revision, &now.findings), (2, &before.findings));
    assert!(!String::from_utf8(world.get("/readyz", "").await.2).unwrap().contains("remarks"));
    world.stop().await;
}

#[test]
fn a_file_that_is_still_being_written_waits_and_one_that_was_only_touched_makes_nothing() {
    let bench = Bench::new(&with_model());
    let (mut publisher, shelf) = bench.publisher(bench.over(), at(0));
    publisher.begin();
    for size in 2..6 {
        bench.folder.write("pump.bin", &corners(1.0)[..size * 6]);
        assert_eq!(publisher.look(), Looked::Waits);
    }
    bench.folder.write("pump.bin", corners(7.0));
    assert_eq!(publisher.look(), Looked::Waits);
    assert_eq!(publisher.look(), Looked::Published(Change::Revision));
    // Moved into its place, with the same bytes.
    let moved = bench.folder.write("other.bin", corners(7.0));
    std::fs::rename(moved, bench.folder.0.join("pump.bin")).unwrap();
    assert_eq!(settled(&mut publisher), Looked::Nothing);
    // Away for a moment, as some programs save.
    std::fs::rename(&bench.site, bench.folder.0.join("away")).unwrap();
    assert_eq!(publisher.look(), Looked::Waits);
    std::fs::rename(bench.folder.0.join("away"), &bench.site).unwrap();
    assert_eq!(settled(&mut publisher), Looked::Nothing);
    assert_eq!((shelf.now().unwrap().unwrap().told().number, shelf.remark()), (2, None));
    // Gone for good.
    std::fs::remove_file(&bench.site).unwrap();
    assert_eq!(settled(&mut publisher), Looked::Refused);
    bench.save(&with_model());
    assert_eq!(settled(&mut publisher), Looked::Nothing);
    assert_eq!(shelf.remark(), None);
}

#[test]
fn a_site_that_began_with_an_error_may_change_but_gets_no_further_one() {
    for warm in [false, true] {
        let broken = with_model().replace("pump.gltf", "gone.glb");
        let bench = Bench::new(&broken);
        if warm {
            bench.start();
        }
        let (mut publisher, _) = bench.publisher(bench.over(), at(0));
        assert_eq!(publisher.begin() == Begun::Kept, warm);
        bench.save(&format!("# moved down a line\n{}", broken.replace("80.0", "81.0")));
        assert_eq!(settled(&mut publisher), Looked::Published(Change::Revision));
        bench.save(&broken.replace("bands =", "bandz ="));
        assert_eq!(settled(&mut publisher), Looked::Refused);
        // A model that comes later is looked for all the while.
        bench.folder.write("gone.glb", "no model");
        assert_eq!(settled(&mut publisher), Looked::Refused);
        bench.folder.write("gone.glb", triangle("pump.bin", "skin.png"));
        bench.save(&broken);
        assert_eq!(settled(&mut publisher), Looked::Published(Change::Revision));
        bench.save(&broken.replace("gone.glb", "lost.glb"));
        assert_eq!(settled(&mut publisher), Looked::Refused, "it has none of its errors any more");
    }
}

/// Every measured signal of what viewers are shown runs, and as they are shown it.
fn shows_only_what_runs(model: &Model, running: &Model, what: &str) {
    for signal in model.signal_indices().filter(|signal| !model.is_computed(*signal)) {
        let (signal, known) = (model.signal(signal), running.find_signal(model.signal(signal).id.as_str()));
        let known = running.signal(known.unwrap_or_else(|| panic!("{what}: {} does not run", signal.id.as_str())));
        assert_eq!((signal.value_kind, &signal.unit, signal.source), (known.value_kind, &known.unit, known.source), "{what}");
    }
}

/// What is done to a site, and what becomes of it while the plant of the old one runs.
#[tokio::test]
async fn viewers_never_get_a_signal_that_does_not_run_or_runs_as_another() {
    let ours = format!("{SITE}token = {{ env = \"ORRERY_IT_NO_SUCH_TOKEN\" }}\n");
    let computed =
        "[[interfaces.signals]]\nname = \"double\"\nkind = \"computed\"\nexpression = \"flow + flow\"\n[[interfaces.rules]]";
    let change = |from: &str, to: &str| ours.replacen(from, to, 1);
    let shown = Looked::Published(Change::Revision);
    let held = Looked::Held;
    let restart = Some("site.restart");
    let cases = [
        ("a limit", change("80.0", "81.0"), shown, None),
        ("a name", change("Little plant", "The little one"), shown, None),
        ("a message", change("Flow too high", "Too much flow"), shown, None),
        ("how often it should come", change("period = \"1s\"", "period = \"2s\""), shown, None),
        ("what follows from others", change("[[interfaces.rules]]", computed), shown, None),
        ("a twin without signals", format!("{ours}\n[[twins]]\nid = \"hall\"\nbind = false\n"), shown, None),
        ("one pump less", change("[[twins]]\nid = \"pump-02\"\ninterface = \"pump\"\nbind = false\n", ""), shown, restart),
        ("the token", change("ORRERY_IT_NO_SUCH_TOKEN", "ORRERY_IT_ANOTHER"), Looked::Published(Change::Nothing), restart),
        (
            "one pump more",
            change("[[sources]]", "[[twins]]\nid = \"pump-03\"\ninterface = \"pump\"\nbind = false\n[[sources]]"),
            held,
            restart,
        ),
        ("a unit", change("l/min", "l/h"), held, restart),
        ("a kind of values", change("value = \"int\"", "value = \"float\""), held, restart),
        ("a counter no more", change("kind = \"counter\"\n", ""), held, restart),
        ("a source's id", change("id = \"script\"", "id = \"skript\""), held, restart),
        ("one source more", format!("{ours}[[sources]]\nid = \"b\"\nkind = \"websocket\"\n"), held, restart),
        ("the site's id", change("id = \"little\"", "id = \"tiny\""), held, restart),
        (
            "an alarm to be acknowledged",
            change("id = \"overflow\"", "acknowledge = \"required\"\nid = \"overflow\""),
            held,
            restart,
        ),
        (
            "flow is computed",
            change("name = \"flow\"", "name = \"flow\"\nkind = \"computed\"\nexpression = \"starts + 0\""),
            held,
            restart,
        ),
    ];
    for (what, toml, wanted, remark) in cases {
        let bench = Bench::new(&ours);
        let (mut publisher, shelf) = bench.publisher(bench.over(), at(0));
        publisher.begin();
        let running = Site::read_usable(&bench.site).unwrap().loaded.model;
        assert_ne!(toml, ours, "{what}");
        bench.save(&toml);
        assert_eq!(settled(&mut publisher), wanted, "{what}: {:?}", shelf.remark());
        assert_eq!(shelf.remark().map(|remark| remark.code), remark, "{what}");
        shows_only_what_runs(&shelf.model().unwrap(), &running, what);
        // Back to what runs: whatever was said is over.
        bench.save(&ours);
        let back = settled(&mut publisher);
        assert!(matches!(back, Looked::Published(_) | Looked::Nothing), "{what}: {back:?}");
        assert_eq!(shelf.remark(), None, "{what}");
    }
}

#[test]
fn a_computed_signal_may_come_and_go_and_compute_otherwise() {
    let computed = |expression: &str| {
        let signal = format!("[[interfaces.signals]]\nname = \"double\"\nkind = \"computed\"\nexpression = \"{expression}\"\n");
        SITE.replacen("[[interfaces.rules]]", &format!("{signal}[[interfaces.rules]]"), 1)
    };
    let bench = Bench::new(&computed("flow + flow"));
    let (mut publisher, shelf) = bench.publisher(bench.over(), at(0));
    publisher.begin();
    for toml in [computed("flow * 2"), SITE.to_owned(), computed("flow + flow")] {
        bench.save(&toml);
        assert_eq!((settled(&mut publisher), shelf.remark()), (Looked::Published(Change::Revision), None), "{toml}");
    }
}

#[tokio::test]
async fn alarms_can_be_acknowledged_as_long_as_viewers_are_shown_them() {
    let toml = SITE.replacen("id = \"overflow\"", "id = \"overflow\"\nacknowledge = \"required\"", 1);
    let bench = Bench::new(&toml);
    let (world, mut publisher, _) = bench.serve(bench.over()).await;
    let host = world.address;
    let post = |pump: &str| {
        format!(
            "POST /api/alarms/{pump}.overflow/acknowledge HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    };
    for pump in ["pump-01", "pump-02"] {
        assert_eq!(ask(&world, post(pump)).await.0, 200, "{pump}");
    }
    bench.save(&toml.replace("[[twins]]\nid = \"pump-01\"\ninterface = \"pump\"\nbind = false\n", ""));
    assert_eq!(settled(&mut publisher), Looked::Published(Change::Revision));
    let model = manifest(&world, "/api/publication").await;
    let model = model_of(&world, &model).await.model;
    assert!(model.find_alarm("pump-01.overflow").is_none());
    // Where it stands in the model is not where it stands in what runs.
    let ours = model.acknowledgements(model.find_alarm("pump-02.overflow").unwrap()).unwrap();
    let running = world.hub.model().find_signal("pump-02.overflow#acknowledged").unwrap();
    assert_ne!(ours, running);
    for (pump, status) in [("pump-01", 404), ("pump-02", 200)] {
        assert_eq!(ask(&world, post(pump)).await.0, status, "{pump}");
    }
    let count = world.hub.with_store(|store| {
        let mut count = 0;
        let all = twin_model::TimeRange::new(Timestamp::MIN, Timestamp::MAX);
        store.for_each_sample(running, all, &mut |_| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        });
        count
    });
    assert_eq!(count, 2);
    world.stop().await;
}

fn named(bench: &Bench, name: &str) -> Publication {
    bench.save(&SITE.replace("Little plant", name));
    compile(&Site::read_usable(&bench.site).unwrap(), at(0)).unwrap().publication
}

#[test]
fn without_a_folder_the_oldest_revisions_leave_with_their_place_in_the_list() {
    let bench = Bench::new(SITE);
    let shelf = Shelf::default();
    for n in 0..70 {
        assert_eq!(shelf.place(named(&bench, &format!("Plant {n}")), Since::Clock(at(n))).unwrap(), Change::Revision);
    }
    let list = Revisions::read(shelf.list().unwrap().plain()).unwrap();
    let numbers: Vec<u64> = list.as_slice().iter().map(|it| it.number).collect();
    assert_eq!(numbers, (6..=70).collect::<Vec<_>>());
    for number in 1..=70 {
        let manifest = shelf.manifest(number).map(|bytes| Manifest::read(bytes.plain()).unwrap());
        assert_eq!(manifest.as_ref().map(|it| it.revision), (number > 5).then_some(number));
        assert!(manifest.is_none_or(|manifest| shelf.piece(manifest.model.hash).is_some()));
    }
    assert!(shelf.piece(PieceHash::of(b"other")).is_none());
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_read_and_one_of_another_site_is_left_alone() {
    let bench = Bench::new(SITE);
    target::write(&bench.cache, named(&bench, "a"), Since::Fixed(at(0))).unwrap();
    target::write(&bench.cache, named(&bench, "b"), Since::Fixed(at(10))).unwrap();
    // Nobody can make files in it any more, whoever runs this.
    std::fs::remove_file(bench.cache.join(".lock")).unwrap();
    std::fs::create_dir(bench.cache.join(".lock")).unwrap();
    let shelf = bench.over();
    assert_eq!(shelf.place(named(&bench, "b"), Since::Clock(at(20))).unwrap(), Change::Nothing);
    assert_eq!(shelf.now().unwrap().unwrap().told(), Revision { number: 2, valid_from: at(10) });
    assert_eq!(shelf.place(named(&bench, "c"), Since::Clock(at(30))).unwrap(), Change::Revision);
    for (number, name) in [(1, "a"), (2, "b"), (3, "c")] {
        let manifest = Manifest::read(shelf.manifest(number).unwrap().plain()).unwrap();
        assert_eq!((manifest.revision, &*manifest.site.name), (number, name));
        assert!(shelf.piece(manifest.model.hash).is_some());
    }
    assert_eq!(folder::read(&bench.cache).unwrap().manifest.revision, 2);

    let other = Shelf::over(bench.cache.clone(), "another");
    let toml = SITE.replace("id = \"little\"", "id = \"another\"");
    bench.save(&toml);
    let publication = compile(&Site::read_usable(&bench.site).unwrap(), at(0)).unwrap().publication;
    assert_eq!(other.place(publication, Since::Clock(at(40))).unwrap(), Change::Revision);
    assert_eq!(other.now().unwrap().unwrap().told().number, 1);
    assert!(other.manifest(2).is_none());
}

/// What a program leaves that was killed after a step of writing the next revision.
#[test]
fn a_kill_between_pieces_and_manifest_leaves_the_earlier_revision_whole() {
    let bench = Bench::new(&with_model());
    assert_eq!(bench.start(), Begun::Compiled(Change::Revision));
    let first = folder::read(&bench.cache).unwrap();
    let whole = bench.folder.0.join("whole");
    bench.save(&with_model().replace("80.0", "81.0"));
    target::write(&whole, first.clone(), Since::Fixed(at(0))).unwrap();
    let next = compile(&Site::read_usable(&bench.site).unwrap(), at(5)).unwrap().publication;
    target::write(&whole, next.clone(), Since::Fixed(at(5))).unwrap();
    // The order in which they are written.
    let steps = [format!("pieces/{}", next.manifest.model.hash), "revisions/1.json".to_owned(), "revisions.json".to_owned()];
    for done in 0..=steps.len() {
        for half in [false, true] {
            let cache = bench.folder.0.join(format!("killed-{done}-{half}"));
            target::write(&cache, first.clone(), Since::Fixed(at(0))).unwrap();
            std::fs::create_dir_all(cache.join("revisions")).unwrap();
            for name in &steps[..done] {
                std::fs::copy(whole.join(name), cache.join(name)).unwrap();
            }
            if half {
                let name = steps.get(done).map_or("manifest.json", |name| name.rsplit('/').next().unwrap());
                let within = steps.get(done).and_then(|name| name.split_once('/')).map_or("", |(folder, _)| folder);
                std::fs::write(cache.join(within).join(format!(".partial-{name}")), "{\"half").unwrap();
            }
            assert_eq!(folder::read(&cache).unwrap(), first, "{done} {half}");
            let listed = folder::revisions(&cache).unwrap();
            assert_eq!(listed.as_slice().iter().map(|it| it.number).collect::<Vec<_>>(), [1], "{done} {half}");
            // The next start does what was not done.
            let shelf = Shelf::over(cache.clone(), "little");
            let (mut publisher, shelf) = bench.publisher(shelf, at(9));
            assert_eq!(publisher.begin(), Begun::Compiled(Change::Revision));
            assert_eq!(shelf.now().unwrap().unwrap().told(), Revision { number: 2, valid_from: at(9) });
            assert_eq!(folder::revisions(&cache).unwrap().as_slice().len(), 2);
        }
    }
}

#[test]
fn a_clock_that_was_set_back_puts_no_revision_before_another() {
    let bench = Bench::new(SITE);
    for (n, now) in [(0, at(100)), (1, at(50)), (2, at(50) - Span::from_secs(1_000_000))] {
        bench.save(&SITE.replace("80.0", &format!("8{n}.0")));
        let (mut publisher, shelf) = bench.publisher(bench.over(), now);
        assert_eq!(publisher.begin(), Begun::Compiled(Change::Revision));
        let told = shelf.now().unwrap().unwrap().told();
        assert_eq!((told.number, told.valid_from), (n + 1, at(100) + Span::from_micros(n as i64)));
    }
}
