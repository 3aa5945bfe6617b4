//! Renders the panels with made-up data into PNG files, on the CPU and off screen: `cargo run -p twin_ui --example gallery`.
//!
//! Takes the folder to write to (default `target/gallery`) and, after it, words of which a picture's name must contain one.

#[path = "../tests/it/fake.rs"]
mod fake;
#[path = "gallery/plant.rs"]
mod plant;
#[path = "gallery/raster.rs"]
mod raster;

use std::io::Write as _;

use egui::{Context, Pos2, RawInput, Rect, vec2};
use twin_ui::view::{Theme, ViewModel};
use twin_ui::{RightTab, Sheet, UiState};

struct Shot {
    name: &'static str,
    size: (f32, f32),
    zoom: f32,
    theme: Theme,
    vm: ViewModel,
    state: UiState,
    pointer: Option<Pos2>,
    click: bool,
}

fn shot(name: &'static str, size: (f32, f32), vm: ViewModel, change: impl FnOnce(&mut Shot)) -> Shot {
    let mut shot = Shot { name, size, zoom: 1.0, theme: Theme::Dark, vm, state: UiState::default(), pointer: None, click: false };
    change(&mut shot);
    shot
}

const HD: (f32, f32) = (1280.0, 720.0);
const FULL_HD: (f32, f32) = (1920.0, 1080.0);
const SMALL: (f32, f32) = (800.0, 600.0);
const PHONE: (f32, f32) = (390.0, 844.0);

fn light(shot: &mut Shot) {
    shot.theme = Theme::Light;
}

fn week(shot: &mut Shot) {
    shot.vm.clock.mode = twin_ui::view::PlayMode::Paused;
    shot.state.show_range(shot.vm.timeline.extent);
}

fn what_if(shot: &mut Shot) {
    shot.state.right_tab = RightTab::WhatIf;
}

fn shots() -> Vec<Shot> {
    [modes(), troubles(), contents(), screens(), pointed()].into_iter().flatten().collect()
}

/// Each mode of the clock: now, before, ahead and what if.
fn modes() -> Vec<Shot> {
    vec![
        shot("live-dark", HD, fake::live(), |_| {}),
        shot("live-light", HD, fake::live(), light),
        shot("chart-dark", HD, fake::live(), |s| {
            s.state.chart_open = true;
            s.pointer = Some(Pos2::new(640.0, 540.0));
        }),
        shot("chart-light", HD, fake::history(), |s| {
            light(s);
            s.state.chart_open = true;
        }),
        shot("history-dark", HD, fake::history(), |s| s.state.legend_open = true),
        shot("whatif-dark", HD, fake::branched(), what_if),
        shot("whatif-light", HD, fake::branched(), |s| {
            light(s);
            what_if(s);
        }),
        shot("running-dark", HD, fake::running(), what_if),
        shot("disconnected-dark", HD, fake::disconnected(), |s| s.state.perf_open = false),
        shot("disconnected-light", HD, fake::disconnected(), light),
        shot("foretold-light", HD, fake::foretold(), light),
        shot("week-dark", HD, fake::week(), week),
        shot("week-light", HD, fake::week(), |s| {
            light(s);
            week(s);
            s.state.chart_open = true;
        }),
    ]
}

/// What is broken, old, on its way or not there at all.
fn troubles() -> Vec<Shot> {
    vec![
        shot("troubled-dark", HD, fake::troubled(), |_| {}),
        shot("troubled-light", SMALL, fake::troubled(), |s| {
            light(s);
            s.state.right_open = Some(false);
        }),
        shot("troubled-phone", PHONE, fake::troubled(), |_| {}),
        shot("troubled-open", HD, fake::troubled(), |s| {
            s.pointer = Some(Pos2::new(428.0, 167.0));
            s.click = true;
        }),
        shot("stale-light", HD, fake::live(), |s| {
            light(s);
            if let Some(view) = &mut s.vm.inspector {
                view.status = twin_model::Status::Normal;
                view.freshness = twin_model::Freshness::Stale;
                view.reasons.clear();
                for signal in &mut view.signals {
                    signal.freshness = twin_model::Freshness::Stale;
                    signal.age = Some(twin_model::Span::from_secs(29 * 86_400));
                }
            }
        }),
        shot("no-model-light", HD, fake::live(), |s| {
            light(s);
            s.vm.no_model = true;
            s.vm.camera = None;
            s.vm.links.sources[0].state = twin_ui::view::LinkState::Down;
            s.vm.clock.mode = twin_ui::view::PlayMode::Paused;
            s.vm.clock.playhead = s.vm.timeline.ticks[1].t;
        }),
        shot("patchy-dark", HD, fake::patchy(), |_| {}),
        shot("patchy-light", HD, fake::patchy(), |s| {
            light(s);
            s.vm.timeline.coming.clear();
            s.vm.clock.extract = Some("extracts of 5 minutes".to_owned());
        }),
        shot("buffering-dark", HD, fake::patchy(), |s| {
            s.vm.clock.buffering = true;
            s.vm.clock.mode = twin_ui::view::PlayMode::Playing;
        }),
        shot("loading-dark", HD, fake::loading(), |_| {}),
        shot("empty-light", HD, fake::nothing(), light),
        shot("empty-dark", HD, fake::nothing(), |s| s.state.chart_open = true),
        shot("fatal-dark", HD, fake::crashed(), |_| {}),
    ]
}

/// What panels may be full of.
fn contents() -> Vec<Shot> {
    vec![
        shot("search-dark", HD, fake::live(), |s| s.state.search = "palletiz".to_owned()),
        shot("flood-dark", HD, fake::live(), |s| {
            s.vm.alarms = fake::flood();
            s.state.right_tab = RightTab::Alarms;
        }),
        shot("alarms-light", HD, fake::live(), |s| {
            light(s);
            s.state.right_tab = RightTab::Alarms;
            s.state.legend_open = true;
        }),
        shot("known-dark", HD, fake::known(), |_| {}),
        shot("known-light", HD, fake::known(), light),
        shot("phone-known", PHONE, fake::known(), |_| {}),
        shot("help-dark", HD, fake::live(), |s| s.state.help_open = true),
        shot("perf-dark", HD, fake::live(), |s| {
            s.state.perf_open = true;
            s.vm.inspector = None;
            s.vm.selection.clear();
            s.state.toast("Link copied");
        }),
        shot("huge-dark", HD, fake::live(), |s| s.vm.tree = fake::huge_tree()),
    ]
}

/// Other sizes of the screen, of what is on it, and of its panels.
fn screens() -> Vec<Shot> {
    vec![
        shot("wide-dark", FULL_HD, fake::live(), |s| s.state.chart_open = true),
        shot("wide-light", FULL_HD, fake::branched(), |s| {
            light(s);
            what_if(s);
        }),
        shot("small-dark", SMALL, fake::live(), |_| {}),
        shot("small-light", SMALL, fake::history(), |s| {
            light(s);
            s.state.right_open = Some(true);
        }),
        shot("small-tree", SMALL, fake::live(), |s| s.state.left_open = Some(true)),
        shot("small-chart", SMALL, fake::branched(), |s| s.state.chart_open = true),
        shot("phone-dark", PHONE, fake::live(), |_| {}),
        shot("phone-inspect", PHONE, fake::history(), |s| s.state.sheet = Some(Sheet::Right)),
        shot("phone-tree", PHONE, fake::live(), |s| {
            light(s);
            s.state.sheet = Some(Sheet::Assets);
        }),
        shot("phone-chart", PHONE, fake::live(), |s| s.state.sheet = Some(Sheet::Chart)),
        shot("phone-whatif", PHONE, fake::branched(), |s| {
            what_if(s);
            s.state.sheet = Some(Sheet::Right);
        }),
        shot("tall-dark", (1280.0, 1160.0), fake::live(), |s| s.state.chart_open = true),
        shot("tall-light", (1280.0, 1060.0), fake::branched(), |s| {
            light(s);
            what_if(s);
        }),
        shot("rails-dark", HD, fake::history(), |s| {
            s.state.left_open = Some(false);
            s.state.right_open = Some(false);
        }),
        shot("zoom-200", HD, fake::live(), |s| s.zoom = 2.0),
        shot("live-2x", FULL_HD, fake::live(), |s| s.zoom = 1.5),
    ]
}

/// What shows below the pointer.
fn pointed() -> Vec<Shot> {
    vec![
        shot("hover-dark", HD, fake::live(), |s| {
            s.vm.hover = Some(twin_ui::view::HoverView {
                name: "Capper".to_owned(),
                status: twin_model::Status::FunctionCheck,
                freshness: twin_model::Freshness::Live,
                line: "Torque 2.31 Nm, 1 s ago, good".to_owned(),
                at: Pos2::new(650.0, 430.0),
            });
            s.vm.isolated = true;
        }),
        shot("menu-dark", HD, fake::history(), |s| {
            s.pointer = Some(Pos2::new(140.0, 672.0));
            s.click = true;
        }),
        shot("tip-dark", HD, fake::live(), |s| s.pointer = Some(Pos2::new(1080.0, 600.0))),
        shot("tip-light", HD, fake::live(), |s| {
            light(s);
            s.pointer = Some(Pos2::new(672.0, 660.0));
        }),
    ]
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(args.next().unwrap_or_else(|| "target/gallery".to_owned()));
    let words: Vec<String> = args.collect();
    std::fs::create_dir_all(&folder)?;
    for shot in shots() {
        if words.is_empty() || words.iter().any(|word| shot.name.contains(word.as_str())) {
            let path = folder.join(format!("{}.png", shot.name));
            take(shot).write(&path)?;
            writeln!(std::io::stdout(), "{}", path.display())?;
        }
    }
    Ok(())
}

/// Runs some passes, so that sizes settle, and rasterises the last.
fn take(mut shot: Shot) -> raster::Canvas {
    let ctx = Context::default();
    twin_ui::theme::install(&ctx);
    shot.vm.theme = shot.theme;
    let size = vec2(shot.size.0, shot.size.1);
    let mut canvas = raster::Canvas::new(size.x as usize, size.y as usize);
    let mut commands = Vec::new();
    for pass in 0..6 {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size / shot.zoom)),
            time: Some(f64::from(pass) * 0.6),
            ..Default::default()
        };
        if let Some(viewport) = input.viewports.get_mut(&egui::ViewportId::ROOT) {
            viewport.native_pixels_per_point = Some(shot.zoom);
        }
        if pass == 1 {
            input.events.extend(shot.pointer.map(egui::Event::PointerMoved));
        }
        if let Some(pos) = shot.pointer.filter(|_| shot.click && (pass == 2 || pass == 3)) {
            let modifiers = egui::Modifiers::NONE;
            input.events.push(egui::Event::PointerButton {
                pos,
                button: egui::PointerButton::Primary,
                pressed: pass == 2,
                modifiers,
            });
        }
        let mut viewport = Rect::NOTHING;
        let output = ctx.run_ui(input, |ui| {
            plant::paint(ui, shot.theme == Theme::Dark);
            viewport = twin_ui::shell(ui.ctx(), &shot.vm, &mut shot.state, &mut commands).viewport;
        });
        if shot.vm.inspector.is_some() || !shot.vm.tree.is_empty() {
            fake::mark(&mut shot.vm, viewport);
        }
        let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
        canvas.textures(output.textures_delta);
        canvas.clear();
        for primitive in primitives {
            canvas.draw(&primitive, output.pixels_per_point);
        }
    }
    canvas
}
