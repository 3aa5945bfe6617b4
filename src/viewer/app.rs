//! Puts the application together: plugins, order of systems, and when a frame is worth drawing.

use std::sync::Arc;
use std::time::Duration;

use bevy::asset::{AssetEventSystems, AssetMetaCheck, AssetPlugin};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::error_handler::{RenderErrorHandler, RenderErrorPolicy};
use bevy::render::settings::RenderCreation;
use bevy::window::{PresentMode, PrimaryWindow, RequestRedraw, WindowOccluded, WindowResolution};
use bevy::winit::{EventLoopProxyWrapper, UpdateMode, WinitSettings, WinitUserEvent};
use bevy_egui::{
    EguiGlobalSettings, EguiPlugin, EguiPostUpdateSet, EguiPreUpdateSet, EguiPrimaryContextPass, PrimaryEguiContext,
};
use twin_engine::PlayState;
use twin_health::palette::Rgb;
use twin_model::{AlarmState, Priority, Span};
use twin_ui::view::{ProblemKind, Severity, Theme};

use super::scene::high::HighMaterial;
use super::scene::material::{BackdropMaterial, GridMaterial, PartMaterial};
use super::scene::{self, Beat, MainCamera, SceneAssets, Spawner, Surroundings};
use super::state::{Dirty, Viewer, ViewerCell};
use super::{commands, hooks, input, paint, present, ui_shell};
use crate::platform;
use crate::session::{Attention, Place};

/// What to open.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The gateway, or the folder of a copy.
    pub place: Place,
    /// A view, in the form of a link's fragment.
    pub fragment: String,
    /// Size of the window; the page decides for itself.
    pub size: Option<(u32, u32)>,
}

/// Order within a frame.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
enum AppSystems {
    /// Take in what arrived.
    Receive,
    /// Carry out wishes, let time pass.
    Apply,
    /// Fill the panels.
    Present,
    /// Bring the picture up to date.
    Paint,
}

#[derive(Resource)]
struct Opening(Start);

/// Steps of a what-if run between two looks at the clock; each computes every modelled signal twice.
const RUN_STEPS: u32 = 8;
/// Milliseconds per frame for a what-if run: fewest, most, and the part of a slow frame that it may add.
const RUN_MS: (f64, f64, f64) = (6.0, 150.0, 0.25);
/// Seconds between two pictures of a live, quiet plant: ages grow, colours may turn stale.
const LIVE_PERIOD_S: f64 = 0.5;

/// Frames that are drawn before the page's cover goes: the first may still lack pipelines and glyphs.
const DRAWN_UNCOVERED: u32 = 3;
/// Frames that are drawn behind the cover, so that what every picture needs of pipelines is made while data are on their way.
const DRAWN_COVERED: u64 = 2;

/// Frames that are drawn after something of the scene came: meshes and pipelines of it may be a frame late.
const FRAMES_TO_SETTLE: u32 = 3;

/// Seconds between two pictures where nothing happens: what the panels say of the wall clock and of how far history goes.
const REST_PERIOD_S: f64 = 60.0;

/// Seconds between two writings of the view into the address.
const LINK_PERIOD_S: f64 = 0.25;

/// Runs until the window is closed; in the page, forever.
pub fn run(start: Start) -> AppExit {
    let size = start.size.unwrap_or((1280, 720));
    let window = Window {
        title: "Orrery".into(),
        resolution: WindowResolution::new(size.0, size.1),
        canvas: Some("#orrery".into()),
        fit_canvas_to_parent: true,
        // Space, arrows and the wheel belong to the viewer; copy, paste and reload to the browser.
        prevent_default_event_handling: false,
        present_mode: PresentMode::AutoVsync,
        ..default()
    };
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin { primary_window: Some(window), ..default() })
            .set(AssetPlugin { meta_check: AssetMetaCheck::Never, ..default() })
            .set(RenderPlugin { render_creation: RenderCreation::Automatic(Box::default()), ..default() }),
    );
    app.add_plugins(EguiPlugin::default());
    app.insert_resource(ClearColor(Color::BLACK));
    app.insert_resource(RenderErrorHandler(|error, _, _| {
        platform::graphics_failed(&error.description);
        // Keep data and panels; a wrong picture that flashes is worse than none.
        RenderErrorPolicy::StopRendering
    }));
    app.insert_resource(Opening(start));
    if let Some(mut settings) = app.world_mut().get_resource_mut::<EguiGlobalSettings>() {
        settings.auto_create_primary_context = false;
    }
    scene::plugin(&mut app);
    app.add_systems(PreStartup, open);
    app.configure_sets(Update, (AppSystems::Receive, AppSystems::Apply, AppSystems::Present, AppSystems::Paint).chain());
    app.add_systems(Update, receive.in_set(AppSystems::Receive));
    app.add_systems(Update, (input::pointer, apply).chain().in_set(AppSystems::Apply));
    app.add_systems(Update, fill_panels.in_set(AppSystems::Present));
    app.add_systems(Update, (place_scene, paint::paint, style, keep_beat, outline, camera).chain().in_set(AppSystems::Paint));
    app.init_resource::<ui_shell::PanelsDue>();
    app.add_systems(PreUpdate, ui_shell::only_changes.after(EguiPreUpdateSet::ProcessInput).before(EguiPreUpdateSet::BeginPass));
    app.add_systems(EguiPrimaryContextPass, ui_shell::panels);
    // New glyphs reach the graphics chip with the frame that first shows them; a frame later they would be blanks until then.
    app.configure_sets(PostUpdate, EguiPostUpdateSet::PostProcessOutput.before(AssetEventSystems));
    app.add_systems(
        PostUpdate,
        (pace, ui_shell::redraw_for_new_glyphs)
            .chain()
            .after(EguiPostUpdateSet::ProcessOutput)
            .before(EguiPostUpdateSet::PostProcessOutput),
    );
    app.run()
}

fn open(world: &mut World) {
    let Some(Opening(start)) = world.remove_resource::<Opening>() else { return };
    let waker: platform::Waker = match world.get_resource::<EventLoopProxyWrapper>() {
        Some(proxy) => {
            let proxy = (**proxy).clone();
            Arc::new(move || {
                // A closed loop has nobody to wake.
                let _closing = proxy.send_event(WinitUserEvent::WakeUp);
            })
        }
        None => Arc::new(|| {}),
    };
    hooks::wake_with(waker.clone());
    let viewer = ViewerCell::new(Viewer::new(start.place, &start.fragment, waker));
    hooks::answer_for(viewer.weak());
    world.insert_non_send(viewer);
}

fn receive(viewer: NonSend<'_, ViewerCell>) {
    let mut viewer = viewer.borrow_mut();
    let now = platform::monotonic();
    viewer.note_frame(now);
    viewer.advance(now);
    if viewer.published.is_none()
        && let Some(why) = viewer.session.publication.failed().map(str::to_owned)
    {
        let (title, help) = if viewer.session.is_copy() {
            ("The plant can't be read", "Check that the server still has its files, then try again.")
        } else {
            ("The gateway does not answer", "Check that the gateway runs, then try again.")
        };
        viewer.report(Severity::Warning, ProblemKind::Gateway, title, &why, help);
    }
}

fn apply(viewer: NonSend<'_, ViewerCell>, mut last: Local<'_, f64>) {
    let mut viewer = viewer.borrow_mut();
    let now = platform::monotonic();
    let wall = Span::from_secs_f64((now - std::mem::replace(&mut *last, now)).clamp(0.0, 1.0));
    let viewer = &mut *viewer;
    hooks::drain(viewer);
    commands::apply_all(viewer);
    viewer.dirty.link |= viewer.orbit.step(wall.as_secs_f64() as f32);
    let site_now = viewer.session.clock.at(now);
    let live = !viewer.session.is_copy();
    let view = viewer.range.or_else(|| viewer.ui.time_view());
    let Some(engine) = &mut viewer.engine else { return };
    viewer.session.look(engine, view);
    engine.tick(site_now, wall, live);
    first_seek(viewer);
    let Some(engine) = &mut viewer.engine else { return };
    if engine.running().is_some() {
        let frame_ms = f64::from(viewer.frame_ms.back().copied().unwrap_or(16.0));
        let until = now + (frame_ms * RUN_MS.2).clamp(RUN_MS.0, RUN_MS.1) / 1e3;
        while engine.running().is_some() && platform::monotonic() < until {
            if engine.work(RUN_STEPS).is_some() {
                viewer.range = None;
                viewer.ui.toast("What-if run finished");
            }
        }
        viewer.dirty.panels = true;
    }
    let Some(engine) = &mut viewer.engine else { return };
    let changed = engine.refresh();
    viewer.dirty.panels |= changed.moved;
    viewer.dirty.palette |= changed.all || !changed.twins.is_empty();
    let twins = engine.model().twins().len();
    viewer.kept.tree.changed.add(changed.clone(), twins);
    viewer.changed.add(changed, twins);
}

/// Goes to the instant of the link once anything is known about time.
fn first_seek(viewer: &mut Viewer) {
    if viewer.engine.as_ref().is_none_or(|engine| engine.reality().store().extent().is_none()) {
        return;
    }
    let link = std::mem::take(&mut viewer.link);
    let Some(engine) = &mut viewer.engine else { return };
    if link.known {
        let _always_works = engine.apply(twin_engine::EngineCommand::SetBasis(twin_engine::Basis::Known));
    }
    if let Some(speed) = link.speed {
        let _always_works = engine.apply(twin_engine::EngineCommand::SetSpeed(speed));
    }
    if let Some(t) = link.time {
        let _always_works = engine.apply(twin_engine::EngineCommand::Seek(twin_engine::SeekTo::Exact(t)));
        if link.play {
            let _always_works = engine.apply(twin_engine::EngineCommand::Play);
        }
    }
    // What concerns the scene is used when the scene is there.
    viewer.link.camera = link.camera.filter(|_| viewer.stage.is_none());
}

fn fill_panels(viewer: NonSend<'_, ViewerCell>, mut linked: Local<'_, f64>) {
    let mut viewer = viewer.borrow_mut();
    let now = platform::monotonic();
    if std::mem::take(&mut viewer.dirty.panels) || now - viewer.last_present > LIVE_PERIOD_S {
        viewer.last_present = now;
        present::fill(&mut viewer, now);
    }
    present::overlay(&mut viewer);
    hooks::note_site(&viewer);
    // Browsers take a few milliseconds for each, and refuse more than some a second.
    if viewer.stage.is_some() && viewer.dirty.link && now - *linked > LINK_PERIOD_S {
        *linked = now;
        viewer.dirty.link = false;
        platform::set_fragment(&viewer.current_link().to_fragment());
    }
}

#[allow(clippy::too_many_arguments, reason = "a system takes what it writes")]
fn place_scene(
    viewer: NonSend<'_, ViewerCell>,
    mut commands: Commands<'_, '_>,
    mut assets: ResMut<'_, SceneAssets>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut images: ResMut<'_, Assets<Image>>,
    mut materials: ResMut<'_, Assets<PartMaterial>>,
    mut high: ResMut<'_, Assets<HighMaterial>>,
) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    let Some(stage) = &mut viewer.stage else { return };
    let mut spawner = Spawner {
        commands: &mut commands,
        meshes: &mut meshes,
        images: &mut images,
        materials: &mut materials,
        high: &mut high,
        assets: &mut assets,
        quality: viewer.quality,
        around: surroundings(viewer.vm.theme),
    };
    let another = std::mem::take(&mut viewer.dirty.scene);
    if another {
        spawner.clear(stage.index());
    }
    let followed = spawner.follow(stage);
    if another || followed | spawner.bake_floor(stage) {
        viewer.settling = FRAMES_TO_SETTLE;
        viewer.dirty.outline |= !viewer.selection.is_empty();
    }
    if another {
        // A new scene starts with a blank palette: all texels count as changed.
        viewer.repaint();
        let now = platform::monotonic();
        let uptime = viewer.uptime(now);
        viewer.first_picture.get_or_insert(uptime);
    }
}

/// Background and grid of a theme, from the one token file.
fn surroundings(theme: Theme) -> Surroundings {
    let tokens = twin_ui::theme::tokens_of(theme);
    let rgb = |c: bevy_egui::egui::Color32| Rgb(c.r(), c.g(), c.b());
    Surroundings {
        ground: [rgb(tokens.ground_top), rgb(tokens.ground_bottom)],
        grid: rgb(tokens.line),
        light: theme == Theme::Light,
    }
}

fn style(
    viewer: NonSend<'_, ViewerCell>,
    assets: Res<'_, SceneAssets>,
    mut materials: ResMut<'_, Assets<PartMaterial>>,
    mut backdrops: ResMut<'_, Assets<BackdropMaterial>>,
    mut grids: ResMut<'_, Assets<GridMaterial>>,
    mut high: ResMut<'_, Assets<HighMaterial>>,
) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    if std::mem::take(&mut viewer.dirty.style) {
        scene::restyle(surroundings(viewer.vm.theme), &assets, &mut materials, &mut backdrops, &mut grids, &mut high);
    }
}

/// Whether something in view asks to be noticed by blinking.
fn blinks(viewer: &Viewer) -> bool {
    let unacknowledged = |alarm: &(Priority, AlarmState)| alarm.1 == AlarmState::UnackActive;
    let frame = viewer.engine.as_ref().map(twin_engine::Engine::frame);
    let any = frame.is_some_and(|frame| frame.twins.iter().any(|twin| twin.alarm.as_ref().is_some_and(unacknowledged)));
    any && !viewer.orbit.reduced_motion
}

fn keep_beat(
    viewer: NonSend<'_, ViewerCell>,
    mut assets: ResMut<'_, SceneAssets>,
    mut materials: ResMut<'_, Assets<PartMaterial>>,
    mut high: ResMut<'_, Assets<HighMaterial>>,
    mut last: Local<'_, Beat>,
) {
    let viewer = viewer.borrow();
    let height = viewer.shell.map_or(720.0, |shell| shell.viewport.height());
    let now = Beat::at(viewer.uptime(platform::monotonic()), blinks(&viewer), viewer.orbit.pose.distance, height);
    if std::mem::replace(&mut *last, now) != now {
        scene::beat(now, &mut assets, &mut materials, &mut high);
    }
}

fn outline(
    viewer: NonSend<'_, ViewerCell>,
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut assets: ResMut<'_, SceneAssets>,
) {
    let mut viewer = viewer.borrow_mut();
    let viewer = &mut *viewer;
    if !std::mem::take(&mut viewer.dirty.outline) {
        return;
    }
    let parts = viewer.parts_of(&viewer.selection.clone());
    if let Some(stage) = &viewer.stage {
        scene::outline(&stage.scene, &parts, &mut commands, &mut meshes, &mut assets);
    }
}

fn camera(
    viewer: NonSend<'_, ViewerCell>,
    window: Query<'_, '_, &Window, With<PrimaryWindow>>,
    mut camera: Query<'_, '_, (&mut Camera, &mut Transform), With<MainCamera>>,
    mut panels: Query<'_, '_, &mut Camera, (With<PrimaryEguiContext>, Without<MainCamera>)>,
) {
    let viewer = viewer.borrow();
    let (Ok(window), Ok((mut camera, mut transform))) = (window.single(), camera.single_mut()) else { return };
    let pose = viewer.orbit.pose;
    *transform = Transform::from_translation(pose.eye()).with_rotation(pose.rotation());
    let Some(shell) = viewer.shell else { return };
    let scale = window.scale_factor();
    let whole = UVec2::new(window.physical_width(), window.physical_height());
    let from = (Vec2::new(shell.viewport.min.x, shell.viewport.min.y) * scale).round().as_uvec2().min(whole);
    let to = (Vec2::new(shell.viewport.max.x, shell.viewport.max.y) * scale).round().as_uvec2().min(whole);
    let drawn = !viewer.is_behind_cover() || viewer.frames <= DRAWN_COVERED;
    for mut panels in &mut panels {
        if panels.is_active != drawn {
            panels.is_active = drawn;
        }
    }
    camera.is_active = drawn && to.x > from.x && to.y > from.y;
    let viewport = scene::viewport(from, to.saturating_sub(from));
    let same = match (&camera.viewport, &viewport) {
        (Some(a), Some(b)) => a.physical_position == b.physical_position && a.physical_size == b.physical_size,
        (a, b) => a.is_none() && b.is_none(),
    };
    if !same && viewport.is_some() {
        camera.viewport = viewport;
    }
}

/// Says on the cover which stage of loading goes on, and how much has come.
fn tell_progress(viewer: &Viewer) {
    let Some(loading) = &viewer.vm.loading else { return };
    let stage = loading.stages.iter().find(|stage| stage.state != twin_ui::view::StageState::Done);
    let seen: u64 = loading.stages.iter().map(|stage| stage.bytes).sum();
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    platform::progress(stage.map_or("", |stage| stage.name.as_str()), loading.fraction(), &megabytes(seen));
}

/// Decides when the next picture is due: at once while something moves, twice a second while it shows the present or blinks, else when
/// something happens that is to be seen. Nothing is drawn for samples that don't change the picture, nor where nobody sees it.
fn pace(
    viewer: NonSend<'_, ViewerCell>,
    mut settings: ResMut<'_, WinitSettings>,
    mut redraws: ResMut<'_, Messages<RequestRedraw>>,
    panels: Res<'_, ui_shell::PanelsDue>,
    mut occlusions: MessageReader<'_, '_, WindowOccluded>,
    mut hidden: Local<'_, bool>,
    mut announced: Local<'_, u32>,
) {
    let mut viewer = viewer.borrow_mut();
    let settling = viewer.settling > 0;
    viewer.settling = viewer.settling.saturating_sub(1);
    if let Some(message) = occlusions.read().last() {
        *hidden = message.occluded;
    }
    let hidden = *hidden;
    let state = viewer.engine.as_ref().map(|engine| engine.playback().state());
    let computing = viewer.engine.as_ref().is_some_and(|engine| engine.running().is_some());
    let playing = state == Some(PlayState::Playing);
    let following = state == Some(PlayState::Following);
    let pending = viewer.dirty != Dirty { panels: viewer.dirty.panels, ..Dirty::NONE } || viewer.wishes_press() || viewer.leans();
    let loading = viewer.stage.is_none();
    let changes = viewer.orbit.is_moving() || playing || pending || settling;
    let panels = panels.take().filter(|_| !hidden);
    // What the panels' plugin asked for, with no regard to when.
    redraws.clear();
    if loading || computing || (changes || panels == Some(Duration::ZERO)) && !hidden {
        redraws.write(RequestRedraw);
    }
    viewer.session.attend(if loading || following && !hidden { Attention::Live } else { Attention::Elsewhere });
    let beats = (following && !viewer.session.is_copy() || blinks(&viewer)) && !hidden;
    // Of few numbers only: where the mode changes, a frame is drawn at once, so that a wait that ran down would draw all the time.
    let beat = if beats || panels.is_some() { LIVE_PERIOD_S } else { REST_PERIOD_S };
    let wait = Duration::from_secs_f64(viewer.session.due_in().min(beat));
    let mode = UpdateMode::reactive(wait);
    if settings.focused_mode != mode {
        *settings = WinitSettings { focused_mode: mode, unfocused_mode: UpdateMode::reactive_low_power(wait) };
    }
    // The cover of the page goes once there is a picture behind it.
    if viewer.is_behind_cover() {
        tell_progress(&viewer);
    } else if *announced < DRAWN_UNCOVERED {
        *announced += 1;
        redraws.write(RequestRedraw);
        if *announced == DRAWN_UNCOVERED {
            platform::announce_ready();
        }
    }
}
