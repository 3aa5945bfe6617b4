//! The site as it was: which revision an instant is shown by, and how the viewer changes over to it and back.
//!
//! Rules, names and geometry of an instant are those of the revision that was in force then, unless somebody asks for today's. Nothing
//! changes over while a hand drags the time bar, nor while there are what-if branches, which belong to the model they were made with.

use twin_engine::{Engine, PlayState};
use twin_model::{Model, Signal, unit};
use twin_publication::revision_at;
use twin_ui::view::{JudgedView, ProblemKind, Severity};

use super::state::Viewer;
use crate::session::Published;

/// Title of the card about a revision that is not shown while there are what-if branches.
const HELD_BACK: &str = "The site has changed";

impl Viewer {
    /// Takes the publication in force that came: the first one, another revision, or another site altogether.
    pub(super) fn hear_of(&mut self, published: Published) {
        let Some(before) = &self.newest else {
            self.newest = Some(published.clone());
            return self.adopt(published);
        };
        if before.manifest.site.id != published.manifest.site.id {
            tracing::info!("the gateway serves another site now; starting over");
            return self.restart();
        }
        let number = published.manifest.revision;
        tracing::info!("the plant has changed: revision {number}");
        self.ui.toast(format!("The plant has changed: revision {number}, from now on"));
        if self.engine.as_ref().is_some_and(|engine| !engine.branches().is_empty()) {
            let why = format!("Revision {number} is in force; what is shown is judged by the one before.");
            let help = "The what-if branches belong to it: take them away, and the new one is shown.";
            self.report(Severity::Warning, ProblemKind::Site, HELD_BACK, &why, help);
        }
        // Shown where the instant on the screen is one of its own, see `look_back`.
        self.newest = Some(published);
    }

    /// The revision that is shown, or comes with its scene.
    fn shown_revision(&self) -> Option<u64> {
        self.next.as_ref().or(self.published.as_ref()).map(|published| published.manifest.revision)
    }

    /// The revision that the instant on the screen wants to be shown by.
    fn wanted_revision(&self) -> Option<u64> {
        let (engine, in_force) = (self.engine.as_ref()?, self.newest.as_ref()?.manifest.revision);
        if !engine.branches().is_empty() || engine.running().is_some() || self.ui.is_dragging_time() {
            return self.shown_revision();
        }
        if self.by_now || engine.playback().state() == PlayState::Following {
            return Some(in_force);
        }
        let then = self.session.revisions.at(engine.playback().playhead());
        Some(then.map_or(in_force, |revision| revision.number))
    }

    /// Whether another revision has to be asked for with the next frame.
    pub(super) fn leans(&self) -> bool {
        self.wanted_revision() != self.shown_revision() && !self.session.revisions.is_coming()
    }

    /// Changes over to the revision of the instant on the screen, once it is here.
    pub(super) fn look_back(&mut self, now: f64) {
        self.dirty.panels |= self.session.revisions.poll_list();
        // With every frame: nothing is copied before something changes over.
        let (Some(wanted), Some(newest)) = (self.wanted_revision(), &self.newest) else { return };
        let Some(shown) = self.next.as_ref().or(self.published.as_ref()) else { return };
        if wanted == shown.manifest.revision {
            return self.session.revisions.let_go();
        }
        if wanted == newest.manifest.revision {
            self.session.revisions.let_go();
            let newest = newest.clone();
            self.problems.retain(|problem| problem.title != HELD_BACK);
            return self.adopt(newest);
        }
        self.session.revisions.ask(wanted, shown);
        match self.session.revisions.poll(now) {
            Some(Ok(then)) if let Some(why) = other_unit(&then.model.model, &newest.model.model) => {
                self.session.revisions.miss(wanted);
                self.ui.toast(format!("This instant is shown by today's site: in revision {wanted} {why}"));
            }
            Some(Ok(then)) => {
                // The server went on while nobody listened, to a plant that is the same again.
                if then.manifest.revision > newest.manifest.revision {
                    self.newest = Some(then.clone());
                }
                self.adopt(then);
            }
            Some(Err(why)) => {
                tracing::warn!("revision {wanted} of the site: {why}");
                self.ui.toast(format!("Revision {wanted} of the site can't be had; it is judged by today's"));
            }
            None => {}
        }
    }

    /// By which site an instant before the revision in force is shown; see [`twin_ui::view::ClockView::judged`].
    pub(super) fn judged(&self, engine: &Engine) -> Option<JudgedView> {
        let newest = self.newest.as_ref()?;
        if engine.playback().state() == PlayState::Following || engine.shown_branch().is_some() {
            return None;
        }
        let then = revision_at(self.session.revisions.list(), engine.playback().playhead())?;
        let shown = self.published.as_ref()?.manifest.revision;
        (then.number < newest.manifest.revision).then_some(JudgedView { by_then: shown == then.number, revision: then.number })
    }

    /// Has instants before the revision in force shown by the site of then, or by today's.
    pub(super) fn judge_by_then(&mut self, then: bool) {
        if self.engine.as_ref().is_some_and(|engine| !engine.branches().is_empty()) {
            let shown = self.shown_revision().unwrap_or_default();
            self.ui.toast(format!("The what-if branches belong to revision {shown} of the site: take them away first"));
            return;
        }
        self.by_now = !then;
        (self.dirty.panels, self.dirty.link) = (true, true);
    }
}

/// The first signal that has another unit in an earlier model. What comes of it is in today's unit (docs/HISTORIAN.md, "Units"), and
/// would be shown under a name that is not its own, and judged by limits that are not of it.
fn other_unit(then: &Model, now: &Model) -> Option<String> {
    let differs = |signal: &&Signal| {
        let today = now.find_signal(signal.id.as_str()).map(|at| &now.signal(at).unit.0);
        today.is_some_and(|today| !unit::alike(today, &signal.unit.0))
    };
    then.signals().iter().find(differs).map(|signal| format!("{} is in {}", signal.id, signal.unit.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use twin_model::{ModelBuilder, SiteInfo, Unit};

    fn model(units: &[(&str, &str)]) -> Model {
        let mut builder = ModelBuilder::new(SiteInfo { id: "plant".into(), name: "Plant".into(), time_zone: "UTC".into() });
        let pump = builder.twin("pump", "Pump", "Pump", None);
        for (name, unit) in units {
            let id = format!("pump.{name}");
            builder.signal(Signal {
                id: id.as_str().into(),
                twin: pump,
                display_name: (*name).into(),
                name: (*name).into(),
                unit: Unit((*unit).into()),
                kind: twin_model::SignalKind::Analog,
                value_kind: twin_model::ValueKind::Float,
                expected_period: None,
                late_after: None,
                stale_after: None,
                range: None,
                source: None,
                source_key: id.as_str().into(),
            });
        }
        builder.build().expect("a model")
    }

    #[test]
    fn a_revision_in_other_units_is_not_shown_over_values_of_todays() {
        let now = model(&[("temperature", "°F"), ("flow", "l/min")]);
        assert_eq!(other_unit(&now, &now), None);
        assert_eq!(
            other_unit(&model(&[("temperature", "degF"), ("gone", "bar")]), &now),
            None,
            "another spelling, another signal"
        );
        let why = other_unit(&model(&[("flow", "l/min"), ("temperature", "°C")]), &now);
        assert_eq!(why.as_deref(), Some("pump.temperature is in °C"));
    }
}
