//! Everything that the shell remembers between frames: the session, the engine, and how the person looks at it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use twin_engine::{Changed, Engine, EngineConfig, PlayState};
use twin_model::{Model, SignalIndex, Span, Status, TimeRange, Timestamp, TwinIndex};
use twin_scene::cells::Index;
use twin_scene::merge::PartIndex;
use twin_ui::view::{ProblemKind, ProblemView, Severity, SiteView, Theme, ViewModel};
use twin_ui::{ShellOutput, UiCommand, UiState};

use super::link::{SitePose, ViewLink};
use super::scene::Quality;
use super::scene::camera::{Orbit, Pose};
use super::stage::{Sight, Stage};
use crate::platform::{self, Waker};
use crate::session::{Place, Published, Session};

/// Seconds of each frame for taking in pieces of the scene: little where panels are to be drawn.
const WORK_S: f64 = 0.008;
/// The same while nothing is drawn; long enough that frames cost nothing, short enough that progress is seen.
const WORK_BEHIND_COVER_S: f64 = 0.1;
/// Findings of severity error that get a card; the panel of problems is no list.
const FINDINGS_SHOWN: usize = 3;
/// Frame times kept for the performance overlay.
const FRAMES_KEPT: usize = 120;

/// What must be brought up to date before the next picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    /// Panels.
    pub panels: bool,
    /// Palette.
    pub palette: bool,
    /// Colours of the theme.
    pub style: bool,
    /// Selection outline.
    pub outline: bool,
    /// Another scene is on the stage and must be put into the world.
    pub scene: bool,
    /// The address.
    pub link: bool,
}

impl Dirty {
    /// Nothing to do.
    pub const NONE: Self = Self { panels: false, palette: false, style: false, outline: false, scene: false, link: false };
}

/// The one viewer, as the systems share it with what is asked between two frames: systems run one after the other, and nobody is
/// asked in the middle of one.
pub struct ViewerCell(Rc<RefCell<Viewer>>);

impl ViewerCell {
    /// For the systems.
    pub fn new(viewer: Viewer) -> Self {
        Self(Rc::new(RefCell::new(viewer)))
    }

    /// For who asks between frames.
    pub fn weak(&self) -> Weak<RefCell<Viewer>> {
        Rc::downgrade(&self.0)
    }
}

impl std::ops::Deref for ViewerCell {
    type Target = RefCell<Viewer>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The shell's memory.
pub struct Viewer {
    /// The conversation with the gateway.
    pub session: Session,
    /// What is shown, once it is here.
    pub published: Option<Published>,
    /// The revision in force, which is what is shown but for instants before it.
    pub(super) newest: Option<Published>,
    /// Whether instants before the revision in force are judged by it; else by the revision of then.
    pub by_now: bool,
    /// The engine, once the site is here.
    pub engine: Option<Engine>,
    /// What the panels show.
    pub vm: ViewModel,
    /// What the panels remember.
    pub ui: UiState,
    /// Wishes from the panels and the page, carried out next frame.
    pub wishes: VecDeque<UiCommand>,
    /// Where the panels left room, as of the last frame.
    pub shell: Option<ShellOutput>,
    /// Physical pixels per point of the panels.
    pub scale_factor: f32,
    /// The scene, once something of every cell is here or given up.
    pub stage: Option<Stage>,
    /// The one that takes its place as soon as there is a picture of it.
    coming: Option<Stage>,
    /// What is shown from then on, where it is another publication.
    pub(super) next: Option<Published>,
    /// Selected twins, the inspected one last.
    pub selection: Vec<TwinIndex>,
    /// The part under the pointer.
    pub hovered_part: Option<PartIndex>,
    /// The twin under the pointer, in 3D or in a list.
    pub hovered: Option<TwinIndex>,
    /// Pointer position of the hover, in egui points.
    pub hover_at: Option<(f32, f32)>,
    /// Whether all but the selection are ghosted.
    pub isolated: bool,
    /// The camera.
    pub orbit: Orbit,
    /// How much goes into the picture.
    pub quality: Quality,
    /// Charted signals.
    pub chart: Vec<SignalIndex>,
    /// What the time bar shows.
    pub range: Option<TimeRange>,
    /// Settings of the knobs.
    pub knobs: Vec<f64>,
    /// Where the next what-if run departs; the playhead while `None`.
    pub fork: Option<Timestamp>,
    /// How far it goes.
    pub horizon: Span,
    /// Why the last run could not start.
    pub run_error: Option<String>,
    /// The view that the address asked for, until it was shown.
    pub link: ViewLink,
    /// What must be done before the next picture.
    pub dirty: Dirty,
    /// Frames that are still to be drawn because something of the scene came.
    pub settling: u32,
    /// Problems that stay until mended.
    pub problems: Vec<ProblemView>,
    next_problem: u32,
    /// What the engine changed since the palette was last painted.
    pub changed: Changed,
    /// Frames since the start.
    pub frames: u64,
    /// Milliseconds of the last frames.
    pub frame_ms: VecDeque<f32>,
    /// Monotonic time of the last frame.
    pub last_frame: f64,
    /// When the panels were last filled.
    pub last_present: f64,
    /// What of the panels is costly to fill.
    pub kept: super::present::Kept,
    /// Seconds from start to the first complete picture.
    pub first_picture: Option<f64>,
    /// Whether figures for the performance overlay are wanted.
    pub perf: bool,
    started: f64,
    place: Place,
    waker: Waker,
}

impl Viewer {
    /// Starts with a gateway, or a folder, and a view from `fragment`.
    pub fn new(place: Place, fragment: &str, waker: Waker) -> Self {
        let link = ViewLink::from_fragment(fragment);
        let mut vm = ViewModel::empty(SiteView { name: "Orrery".into(), time_zone: "UTC".into() });
        let wish = link.theme.clone().or_else(|| platform::load_setting("theme"));
        vm.theme = match wish.as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ if platform::prefers_light() => Theme::Light,
            _ => Theme::Dark,
        };
        vm.reduced_motion = platform::prefers_reduced_motion();
        let mut orbit = Orbit::default();
        orbit.reduced_motion = vm.reduced_motion;
        let now = platform::monotonic();
        Self {
            session: Session::new(place.clone(), waker.clone()),
            published: None,
            newest: None,
            by_now: link.by_now,
            engine: None,
            vm,
            ui: UiState::default(),
            wishes: VecDeque::new(),
            shell: None,
            scale_factor: 1.0,
            stage: None,
            coming: None,
            next: None,
            selection: Vec::new(),
            hovered_part: None,
            hovered: None,
            hover_at: None,
            isolated: false,
            orbit,
            quality: if link.high { Quality::High } else { Quality::Slim },
            chart: Vec::new(),
            range: None,
            knobs: Vec::new(),
            fork: None,
            horizon: Span::from_secs(8 * 3600),
            run_error: None,
            link,
            dirty: Dirty { panels: true, palette: true, style: true, outline: false, scene: false, link: false },
            settling: 0,
            problems: Vec::new(),
            next_problem: 1,
            changed: Changed::default(),
            frames: 0,
            frame_ms: VecDeque::new(),
            last_frame: now,
            last_present: 0.0,
            kept: super::present::Kept::default(),
            first_picture: None,
            perf: false,
            started: now,
            place,
            waker,
        }
    }

    /// The model, once the site is here.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.engine.as_ref().map(Engine::model)
    }

    /// Starts over with the site that is served now; the view is kept as a link.
    pub fn restart(&mut self) {
        let fragment = self.current_link().to_fragment();
        let kept = (self.ui.clone(), self.vm.theme, self.frames, self.vm.tree_stamp);
        *self = Self::new(self.place.clone(), &fragment, self.waker.clone());
        (self.ui, self.vm.theme, self.frames, self.vm.tree_stamp) = kept;
    }

    /// Moves loading and the stream forward by one frame.
    pub fn advance(&mut self, now: f64) {
        if let Some(published) = self.session.poll_publication(self.newest.as_ref(), now) {
            self.hear_of(published);
        }
        self.look_back(now);
        let news = self.session.poll(self.engine.as_mut(), now);
        for words in &news.refused {
            self.ui.toast(words);
        }
        self.dirty.panels |= news.data || !news.refused.is_empty();
        // Behind the cover nobody waits for the next frame, only for the first picture.
        self.prepare(now, now + if self.is_behind_cover() { WORK_BEHIND_COVER_S } else { WORK_S });
    }

    /// Whether the page still has its cover on, which shows how loading goes: nothing of a picture is seen.
    pub fn is_behind_cover(&self) -> bool {
        platform::HAS_COVER && self.stage.is_none() && self.problems.is_empty() && self.session.link().shut_out().is_none()
    }

    /// Shows a publication that came: the first one, or another revision of what is shown.
    pub(super) fn adopt(&mut self, published: Published) {
        let Some(before) = &self.published else { return self.open(published) };
        let same_scene = before.manifest.scene == published.manifest.scene;
        if same_scene && self.coming.is_none() {
            self.show(published);
        } else {
            // What is on the screen stays until there is a picture of the new.
            self.bring_in(&published);
            self.next = Some(published);
        }
    }

    /// Has the scene of a publication come, from its first piece on.
    fn bring_in(&mut self, published: &Published) {
        self.coming = Some(Stage::new(published.index.clone(), published.model.model.twins().len()));
        self.session.pieces_of(&published.manifest);
    }

    /// Opens the first publication.
    fn open(&mut self, published: Published) {
        let link = std::mem::take(&mut self.link);
        self.bring_in(&published);
        self.enter(published, &link, false);
        self.link = link;
        self.frame_first_view();
    }

    /// Shows another revision of the same site, which has the same scene as what is on the stage: with the same camera, selection and
    /// time.
    fn show(&mut self, published: Published) {
        let chart = self.model().map(|model| self.chart.iter().map(|signal| model.signal(*signal).id.to_string()).collect());
        let link = ViewLink { camera: None, chart: chart.unwrap_or_default(), ..self.current_link() };
        let open = self.ui.chart_open;
        let same_model = self.published.as_ref().is_some_and(|before| Arc::ptr_eq(&before.model, &published.model));
        if same_model {
            self.report_findings(&published);
            self.published = Some(published);
            self.dirty.panels = true;
            return;
        }
        // Rules of the same signals judge what is here; else it comes again.
        let kept = self.engine.as_mut().is_some_and(|engine| engine.judge_by(published.model.model.clone()));
        if !kept {
            if self.engine.as_ref().is_some_and(|engine| !engine.branches().is_empty()) {
                self.ui.toast("What-if branches of the site before are gone");
            }
            self.session.start_over();
        }
        (self.hovered, self.hovered_part, self.fork, self.run_error) = (None, None, None, None);
        self.kept = super::present::Kept::default();
        self.changed = Changed::default();
        if let Some(stage) = &mut self.stage {
            stage.show_model(published.model.model.twins().len());
        }
        self.enter(published, &link, kept);
        self.ui.chart_open = open;
        if !kept {
            self.link = link;
        }
        self.dirty = Dirty { palette: true, outline: true, panels: true, ..self.dirty };
    }

    /// Puts a publication's model into a new engine, unless one is kept that has it, with what a link, or else the site, says of the view.
    fn enter(&mut self, published: Published, link: &ViewLink, kept: bool) {
        self.report_findings(&published);
        let model = match &self.engine {
            Some(engine) if kept => engine.model().clone(),
            _ => Arc::new(published.model.model.clone()),
        };
        let view = &published.model.view;
        let info = model.site();
        self.vm.site = SiteView { name: info.name.clone(), time_zone: info.time_zone.clone() };
        self.knobs = model.knobs().iter().map(|knob| knob.neutral).collect();
        self.selection = link.select.iter().filter_map(|id| model.find_twin(id)).collect();
        if self.selection.is_empty() && self.published.is_none() {
            self.selection.extend(view.select);
        }
        self.chart = link.chart.iter().filter_map(|id| model.find_signal(id)).collect();
        if self.chart.is_empty() {
            self.chart.clone_from(&view.chart);
        }
        // A link that names signals shows them; the site's own are there when the drawer is opened.
        self.ui.chart_open |= !link.chart.is_empty();
        self.isolated = link.isolate && !self.selection.is_empty();
        if !kept {
            self.engine = Some(Engine::new(model, EngineConfig::default()));
        }
        self.published = Some(published);
        self.dirty.panels = true;
    }

    /// Findings of the site as it is now; of an earlier revision nobody can mend them.
    fn report_findings(&mut self, published: &Published) {
        if self.newest.as_ref().is_some_and(|newest| newest.manifest.revision != published.manifest.revision) {
            return;
        }
        let findings = &published.manifest.findings;
        for finding in findings.iter().filter(|finding| finding.severity == "error").take(FINDINGS_SHOWN) {
            let place = if finding.line > 0 { format!("{}:{}", finding.file, finding.line) } else { finding.file.clone() };
            let told = finding.subject.is_empty() || finding.message.contains(&finding.subject);
            let title = if told { finding.message.clone() } else { format!("{}: {}", finding.subject, finding.message) };
            let kind = if finding.code.starts_with("model.") { ProblemKind::Model } else { ProblemKind::Site };
            self.report(Severity::Warning, kind, &title, &place, &finding.help);
        }
    }

    /// Brings pieces of the scene in, until a moment in each frame; what becomes whole is put on the stage.
    fn prepare(&mut self, now: f64, until: f64) {
        let sight = self.sight();
        let Self { stage, coming, session, engine, .. } = self;
        // Pieces are those of the scene that comes, so that what it replaces stays as it is.
        let Some(stage) = coming.as_mut().or(stage.as_mut()) else { return };
        let twins = engine.as_ref().map(|engine| engine.frame().twins.as_slice()).unwrap_or_default();
        let unhealthy = |twin: TwinIndex| twins.get(twin.at()).is_some_and(|state| state.status > Status::Normal);
        let failures = stage.advance(&mut session.pieces, &sight, &unhealthy, now, until);
        if stage.is_busy() {
            (self.waker)();
        }
        if coming.as_ref().is_some_and(Stage::is_whole) {
            self.raise_curtain();
        }
        for why in failures {
            let help = "Everything else works. Reload to try again; if it stays, the gateway's log says more.";
            self.report(Severity::Warning, ProblemKind::Model, "A piece of the scene can't be shown", &why, help);
        }
    }

    /// Puts the coming scene on the stage, and shows what it belongs to.
    fn raise_curtain(&mut self) {
        let first = self.stage.is_none();
        let seen_from = SitePose::of(&self.orbit.pose, self.origin());
        self.stage = self.coming.take();
        if let Some(next) = self.next.take() {
            self.show(next);
        }
        self.hovered_part = None;
        self.dirty = Dirty { scene: true, palette: true, outline: true, style: true, panels: true, link: self.dirty.link };
        let (left_out, too_far) = self.index().map_or((0, 0), |index| (index.left_out, index.too_far));
        self.report_left_out(left_out, too_far);
        self.frame_first_view();
        if !first {
            self.orbit.pose = seen_from.pose(self.origin());
        }
    }

    /// Says that parts are missing from the picture, which nothing else would.
    fn report_left_out(&mut self, left_out: u32, too_far: u32) {
        let help = "Everything else works. Check the models' unit and translate in the site file, or simplify them.";
        if left_out > 0 {
            let why = format!("{left_out} parts have more triangles together with the others than a scene can have.");
            self.report(Severity::Warning, ProblemKind::Model, "Parts are not shown", &why, help);
        }
        if too_far > 0 {
            let why = format!("{too_far} parts stand more than a million kilometres from the others.");
            self.report(Severity::Warning, ProblemKind::Model, "Parts are not shown", &why, help);
        }
    }

    /// How the scene is looked at now.
    fn sight(&self) -> Sight {
        let (width, height) = self.shell.map_or((1280.0, 720.0), |shell| (shell.viewport.width(), shell.viewport.height()));
        let scale = self.scale_factor.max(0.1);
        self.orbit.pose.sight(super::scene::FOV_Y, width.max(1.0) / height.max(1.0), height.max(1.0) * scale)
    }

    fn frame_first_view(&mut self) {
        let home = self.home_pose();
        let origin = self.origin();
        if let Some(home) = home {
            if let Some(bounds) = self.index().map(|index| index.bounds) {
                // The site's own floor, unless the scene counts from another height.
                self.orbit.floor = if origin.y == 0.0 { bounds.min.y.min(0.0) } else { bounds.min.y };
                self.orbit.reach = (0.3, (bounds.max - bounds.min).length().max(10.0) * 4.0);
            }
            let start = self.published.as_ref().and_then(|published| {
                let (eye, target) = (published.model.view.eye?, published.model.view.target?);
                let [eye, target] = [eye, target].map(|place| (glam::DVec3::from(place) - origin).as_vec3());
                pose_between(eye, target)
            });
            self.orbit.pose = self.link.camera.map(|camera| camera.pose(origin)).or(start).unwrap_or(home);
        }
    }

    /// The table of contents of the scene on the stage; of the first one, while it comes.
    fn index(&self) -> Option<&Index> {
        self.stage.as_ref().or(self.coming.as_ref()).map(Stage::index)
    }

    /// Where the scene has its origin in the site's space.
    pub fn origin(&self) -> glam::DVec3 {
        self.index().map_or(glam::DVec3::ZERO, |index| index.origin)
    }

    /// The whole site from a pleasant angle.
    pub fn home_pose(&self) -> Option<Pose> {
        let bounds = self.index().map(|index| index.bounds).filter(|bounds| !bounds.is_empty())?;
        let aspect = self.shell.map_or(1.6, |shell| shell.viewport.width() / shell.viewport.height().max(1.0));
        Some(Pose::framing(bounds.min, bounds.max, 0.5, 0.44, super::scene::FOV_Y, aspect.max(0.2)))
    }

    /// Adds a problem card; the same text is not added twice.
    pub fn report(&mut self, severity: Severity, kind: ProblemKind, title: &str, detail: &str, help: &str) {
        if self.problems.iter().any(|problem| problem.title == title && problem.detail == detail) {
            return;
        }
        self.problems.push(ProblemView {
            id: self.next_problem,
            severity,
            kind,
            title: title.to_owned(),
            detail: detail.to_owned(),
            help: help.to_owned(),
            can_retry: kind == ProblemKind::Gateway,
        });
        self.next_problem += 1;
        self.dirty.panels = true;
    }

    /// The view as a link.
    pub fn current_link(&self) -> ViewLink {
        let Some(engine) = &self.engine else { return self.link.clone() };
        let model = engine.model();
        let playback = engine.playback();
        let following = playback.state() == twin_engine::PlayState::Following;
        let charted = self.chart.iter().filter(|_| self.ui.chart_open);
        ViewLink {
            camera: self.stage.as_ref().map(|stage| SitePose::of(&self.orbit.pose, stage.index().origin)),
            select: self.selection.iter().map(|twin| model.twin(*twin).id.to_string()).collect(),
            time: (!following).then(|| playback.playhead()),
            known: engine.asked_basis() == twin_engine::Basis::Known,
            by_now: self.by_now,
            speed: (playback.speed() != 1.0).then(|| playback.speed()),
            play: playback.state() == twin_engine::PlayState::Playing,
            isolate: self.isolated,
            chart: charted.map(|signal| model.signal(*signal).id.to_string()).collect(),
            theme: None,
            high: self.quality == Quality::High,
        }
    }

    /// Chooses how much goes into the picture; the scene is brought in anew.
    pub fn set_quality(&mut self, quality: Quality) {
        if std::mem::replace(&mut self.quality, quality) == quality {
            return;
        }
        self.dirty.link = true;
        // Vertices of the two differ, and their bytes are not kept: asked for again, which the platform's cache answers.
        if let (Some(published), None) = (self.published.clone(), &self.next) {
            self.bring_in(&published);
        }
    }

    /// Whether a wish waits that is worth a frame of its own. That the stretch on the time bar slid along with the live edge is none: the
    /// next frame, half a second later, is soon enough, and would slide it again.
    pub fn wishes_press(&self) -> bool {
        let following = self.engine.as_ref().is_some_and(|engine| engine.playback().state() == PlayState::Following);
        let slid = |wish: &UiCommand| match wish {
            UiCommand::ShowRange(range) => following && self.range.is_some_and(|before| before.span() == range.span()),
            _ => false,
        };
        self.wishes.iter().any(|wish| !slid(wish))
    }

    /// Makes every part count as changed, after its palette was made anew.
    pub fn repaint(&mut self) {
        if let Some(stage) = &mut self.stage {
            stage.codes.forget();
        }
        self.dirty.palette = true;
    }

    /// Notes how long a frame took.
    pub fn note_frame(&mut self, now: f64) {
        let ms = ((now - self.last_frame) * 1e3) as f32;
        self.last_frame = now;
        self.frames += 1;
        if self.frame_ms.len() >= FRAMES_KEPT {
            self.frame_ms.pop_front();
        }
        self.frame_ms.push_back(ms);
    }

    /// Seconds since the viewer started.
    pub fn uptime(&self, now: f64) -> f64 {
        now - self.started
    }

    /// Twins that count as selected for isolation: the selection and everything below it.
    pub fn selected_with_children(&self) -> Vec<TwinIndex> {
        self.with_children(&self.selection)
    }

    /// Twins and everything below them, ascending.
    pub fn with_children(&self, twins: &[TwinIndex]) -> Vec<TwinIndex> {
        let Some(model) = self.model() else { return Vec::new() };
        let mut inside = vec![false; model.twins().len()];
        let mut waiting = twins.to_vec();
        while let Some(twin) = waiting.pop() {
            if !std::mem::replace(&mut inside[twin.at()], true) {
                waiting.extend_from_slice(&model.twin(twin).children);
            }
        }
        model.twin_indices().filter(|twin| inside[twin.at()]).collect()
    }

    /// Parts of a twin and of everything below it.
    pub fn parts_of(&self, twins: &[TwinIndex]) -> Vec<PartIndex> {
        let Some(stage) = &self.stage else { return Vec::new() };
        twins.iter().flat_map(|twin| stage.index().parts_of(*twin)).collect()
    }
}

/// The pose of an eye that looks at a target.
fn pose_between(eye: glam::Vec3, target: glam::Vec3) -> Option<Pose> {
    let back = eye - target;
    let distance = back.length();
    (distance > 1e-3).then(|| Pose {
        target,
        yaw: back.x.atan2(back.z),
        pitch: (back.y / distance).clamp(-1.0, 1.0).asin().clamp(-0.03, 1.55),
        distance,
    })
}
