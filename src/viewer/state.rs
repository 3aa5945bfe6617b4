//! Everything that the shell remembers between frames: the session, the engine, and how the person looks at it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use twin_engine::{Changed, Engine, EngineConfig, PartCodes, PlayState};
use twin_model::{Model, SignalIndex, Span, TimeRange, Timestamp, TwinIndex};
use twin_scene::bvh::SceneBvh;
use twin_scene::merge::{MergePlan, PartIndex, Placed, Planner, Settings};
use twin_site::bind::AssetNodes;
use twin_ui::view::{ProblemKind, ProblemView, Severity, SiteView, Theme, ViewModel};
use twin_ui::{ShellOutput, UiCommand, UiState};

use super::framing::{Corners, box_to_frame};
use super::link::{SitePose, ViewLink};
use super::scene::Quality;
use super::scene::camera::{Orbit, Pose};
use crate::platform::{self, Waker};
use crate::session::{ServedSite, Session};

/// Triangles merged between two looks at the clock, or sorted per frame, while a model is being prepared.
const TRIANGLES_A_STEP: u64 = 60_000;
/// Seconds of each frame for decoding and merging models: little where panels are to be drawn.
const WORK_S: f64 = 0.008;
/// The same while nothing is drawn; long enough that frames cost nothing, short enough that progress is seen.
const WORK_BEHIND_COVER_S: f64 = 0.1;
/// Shortest edge that is drawn, in metres: shorter ones are bevels, and half of all vertices.
const MIN_EDGE_M: f32 = 0.03;
/// Frame times kept for the performance overlay.
const FRAMES_KEPT: usize = 120;

/// The prepared 3D scene.
pub struct Stage {
    /// Merged meshes and parts.
    pub plan: MergePlan,
    /// The models they were made from.
    pub placed: Vec<Placed>,
    /// For rays.
    pub bvh: SceneBvh,
    /// What the palette texture holds, part by part.
    pub codes: PartCodes,
    /// The body of each twin, without long pipes: where a mark points and what the camera frames. `None` without geometry.
    pub bodies: Vec<Option<Corners>>,
}

impl Stage {
    /// The body of a twin by its lowest and highest corner; `None` where it has no geometry.
    pub fn body(&self, twin: TwinIndex) -> Option<Corners> {
        self.bodies.get(twin.at()).copied().flatten()
    }
}

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
    /// The scene was prepared and must be put into the world.
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
    /// The site as served, once it is here.
    pub served: Option<ServedSite>,
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
    /// The scene, once every model is here or given up.
    pub stage: Option<Stage>,
    planner: Option<(Planner, Vec<Placed>)>,
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
    base: String,
    waker: Waker,
}

impl Viewer {
    /// Starts with the gateway at `base` and a view from `fragment`.
    pub fn new(base: &str, fragment: &str, waker: Waker) -> Self {
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
            session: Session::new(base, waker.clone()),
            served: None,
            engine: None,
            vm,
            ui: UiState::default(),
            wishes: VecDeque::new(),
            shell: None,
            stage: None,
            planner: None,
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
            base: base.to_owned(),
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
        *self = Self::new(&self.base.clone(), &fragment, self.waker.clone());
        (self.ui, self.vm.theme, self.frames, self.vm.tree_stamp) = kept;
    }

    /// Moves loading and the stream forward by one frame.
    pub fn advance(&mut self, now: f64) {
        if self.served.is_none()
            && let Some(served) = self.session.site.poll()
        {
            self.adopt(served);
        }
        let hash = self.served.as_ref().map(|served| served.hash.clone()).unwrap_or_default();
        // Behind the cover nobody waits for the next frame, only for the first picture.
        let until = now + if self.is_behind_cover() { WORK_BEHIND_COVER_S } else { WORK_S };
        let news = self.session.poll(self.engine.as_mut(), &hash, now, until);
        if news.site_changed {
            tracing::info!("the gateway serves another site now; starting over");
            return self.restart();
        }
        for words in &news.refused {
            self.ui.toast(words);
        }
        self.dirty.panels |= news.data || !news.refused.is_empty();
        self.prepare(until);
    }

    /// Whether the page still has its cover on, which shows how loading goes: nothing of a picture is seen.
    pub fn is_behind_cover(&self) -> bool {
        platform::HAS_COVER && self.stage.is_none() && self.problems.is_empty() && self.session.link().shut_out().is_none()
    }

    fn adopt(&mut self, served: ServedSite) {
        for finding in served.site.diagnostics.iter().filter(|finding| finding.severity == twin_site::Severity::Error).take(3) {
            self.report(Severity::Warning, ProblemKind::Site, &finding.message, &finding.at.to_string(), &finding.help);
        }
        if !served.site.usable {
            let detail = served.site.diagnostics.first().map(ToString::to_string).unwrap_or_default();
            self.report(Severity::Fatal, ProblemKind::Site, "The site file can't be used", &detail, "Mend it, then reload.");
        }
        let model = Arc::new(served.site.model.clone());
        let info = model.site();
        self.vm.site = SiteView { name: info.name.clone(), time_zone: info.time_zone.clone() };
        self.knobs = model.knobs().iter().map(|knob| knob.neutral).collect();
        self.selection = self.link.select.iter().filter_map(|id| model.find_twin(id)).collect();
        if self.selection.is_empty() {
            self.selection.extend(served.site.settings.select);
        }
        self.chart = self.link.chart.iter().filter_map(|id| model.find_signal(id)).collect();
        if self.chart.is_empty() {
            self.chart.clone_from(&served.site.settings.chart);
        }
        // A link that names signals shows them; the site's own are there when the drawer is opened.
        self.ui.chart_open |= !self.link.chart.is_empty();
        self.isolated = self.link.isolate && !self.selection.is_empty();
        self.engine = Some(Engine::new(model, EngineConfig::default()));
        self.session.fetch_models(&served);
        self.served = Some(served);
        self.dirty.panels = true;
    }

    /// Turns models into a scene, until a moment in each frame, once all of them are here or given up.
    fn prepare(&mut self, until: f64) {
        if self.stage.is_some() {
            if let Some(stage) = &mut self.stage {
                stage.bvh.step(TRIANGLES_A_STEP as usize);
            }
            return;
        }
        let Some(served) = &self.served else { return };
        if self.planner.is_none() {
            if !self.session.models.are_over() {
                return;
            }
            let failed: Vec<(String, String)> =
                self.session.models.jobs().iter().filter_map(|job| Some((job.path.clone(), job.failed()?.to_owned()))).collect();
            let placed = self.place(served);
            self.planner = Some((Planner::new(placed.clone(), Settings { min_edge: MIN_EDGE_M, ..Settings::default() }), placed));
            for (path, why) in failed {
                let title = format!("{path} can't be shown");
                self.report(
                    Severity::Warning,
                    ProblemKind::Model,
                    &title,
                    &why,
                    "Everything else works. Put the file right and reload.",
                );
            }
        }
        let Some((planner, _)) = &mut self.planner else { return };
        while !planner.step(TRIANGLES_A_STEP).finished {
            if platform::monotonic() > until {
                (self.waker)();
                return;
            }
        }
        if let Some((planner, placed)) = self.planner.take() {
            let plan = planner.finish();
            self.report_left_out(plan.left_out, plan.too_far);
            let bvh = SceneBvh::new(&placed, &plan.parts);
            let twins = self.model().map_or(0, |model| model.twin_indices().count());
            let corners = |part: PartIndex| plan.parts.get(part.at()).map(|part| (part.bounds.min, part.bounds.max));
            let bodies = (0..twins)
                .map(TwinIndex::from_at)
                .map(|twin| box_to_frame(&plan.parts_of(twin).filter_map(corners).collect::<Vec<_>>()));
            let bodies = bodies.collect();
            let codes = PartCodes::new(twins, plan.parts.iter().map(|part| part.twin));
            self.stage = Some(Stage { plan, placed, bvh, codes, bodies });
            self.dirty = Dirty { scene: true, palette: true, outline: true, style: true, panels: true, link: false };
            self.frame_first_view();
        }
    }

    /// Says that parts are missing from the picture, which nothing else would.
    fn report_left_out(&mut self, left_out: usize, too_far: usize) {
        let help = "Everything else works. Check the models' unit and translate in the site file, or simplify them.";
        if left_out > 0 {
            let why = format!("{left_out} parts have more triangles together with the others than a page can draw.");
            self.report(Severity::Warning, ProblemKind::Model, "Parts are not shown", &why, help);
        }
        if too_far > 0 {
            let why = format!("{too_far} parts stand more than a million kilometres from the others.");
            self.report(Severity::Warning, ProblemKind::Model, "Parts are not shown", &why, help);
        }
    }

    /// Models with their transforms and the twin of every node.
    fn place(&self, served: &ServedSite) -> Vec<Placed> {
        let models: Vec<_> = served.site.assets.iter().map(|asset| self.session.models.model(&asset.path).cloned()).collect();
        let nodes: Vec<AssetNodes<'_>> =
            models.iter().enumerate().filter_map(|(at, model)| Some(AssetNodes::of(at, model.as_ref()?))).collect();
        let report = served.site.bind(&nodes);
        report
            .lists
            .iter()
            .filter_map(|list| {
                let model = models.get(list.asset)?.clone()?;
                let asset = served.site.assets.get(list.asset)?;
                Some(Placed { model, transform: asset.transform, twins: list.twins.clone() })
            })
            .collect()
    }

    fn frame_first_view(&mut self) {
        let home = self.home_pose();
        let origin = self.origin();
        if let Some(home) = home {
            let bounds = self.stage.as_ref().map(|stage| stage.plan.bounds);
            if let Some(bounds) = bounds {
                // The site's own floor, unless the scene counts from another height.
                self.orbit.floor = if origin.y == 0.0 { bounds.min.y.min(0.0) } else { bounds.min.y };
                self.orbit.reach = (0.3, (bounds.max - bounds.min).length().max(10.0) * 4.0);
            }
            let start = self.served.as_ref().and_then(|served| {
                let (eye, target) = (served.site.settings.eye?, served.site.settings.target?);
                let [eye, target] = [eye, target].map(|place| (glam::DVec3::from(place) - origin).as_vec3());
                pose_between(eye, target)
            });
            self.orbit.pose = self.link.camera.map(|camera| camera.pose(origin)).or(start).unwrap_or(home);
        }
    }

    /// Where the scene has its origin in the site's space.
    pub fn origin(&self) -> glam::DVec3 {
        self.stage.as_ref().map_or(glam::DVec3::ZERO, |stage| stage.plan.origin)
    }

    /// The whole site from a pleasant angle.
    pub fn home_pose(&self) -> Option<Pose> {
        let bounds = self.stage.as_ref().map(|stage| stage.plan.bounds).filter(|bounds| !bounds.is_empty())?;
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
            camera: self.stage.as_ref().map(|stage| SitePose::of(&self.orbit.pose, stage.plan.origin)),
            select: self.selection.iter().map(|twin| model.twin(*twin).id.to_string()).collect(),
            time: (!following).then(|| playback.playhead()),
            known: engine.asked_basis() == twin_engine::Basis::Known,
            speed: (playback.speed() != 1.0).then(|| playback.speed()),
            play: playback.state() == twin_engine::PlayState::Playing,
            isolate: self.isolated,
            chart: charted.map(|signal| model.signal(*signal).id.to_string()).collect(),
            theme: None,
            high: self.quality == Quality::High,
        }
    }

    /// Chooses how much goes into the picture; the scene is made anew.
    pub fn set_quality(&mut self, quality: Quality) {
        if std::mem::replace(&mut self.quality, quality) != quality {
            self.dirty.scene = self.stage.is_some();
            self.dirty.outline = true;
            self.dirty.link = true;
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
        twins.iter().flat_map(|twin| stage.plan.parts_of(*twin)).collect()
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
