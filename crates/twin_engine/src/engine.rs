//! The engine itself: one model, one reality, one playhead, some branches.

use std::sync::Arc;

use twin_health::RuleView as _;
use twin_health::{Entry, Outlook, Policy, TwinHealth, explain, signal_freshness, unfit};
use twin_historian::{Envelope, HistorianError, Level, StoreConfig};
use twin_model::{
    Model, RuleIndex, Sample, SignalIndex, SourceIndex, Span, Status, TimeRange, Timestamp, TwinIndex, natural_order,
};

use crate::basis::Basis;
use crate::branch::{Branch, BranchId, Job, RunProgress};
use crate::changed::Changed;
use crate::command::{Direction, EngineCommand, SeekTo};
use crate::events::{self, Event, StatusSpan};
use crate::frame::ViewFrame;
use crate::outlook;
use crate::playback::{Playback, Ready};
use crate::record::{Ingested, Record};
use crate::report::{AlarmReport, OutlookReport, ReasonReport, SignalReport, StateReport, TwinReport};
use crate::scope::Scope;
use crate::series::{ChartSeries, upto};
use crate::silence::Silences;
use crate::sources::SourceLinks;

/// Limits and policies.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// Of reality's store.
    pub store: StoreConfig,
    /// Which status wins.
    pub policy: Policy,
    /// Bytes that timelines of reality may take; zero means [`TIMELINE_BYTES`](crate::TIMELINE_BYTES).
    pub timeline_bytes: usize,
    /// Bytes that all branches together may take; zero means [`BRANCH_BYTES`].
    pub branch_bytes: usize,
    /// Most branches kept; starting another forgets the oldest. Zero means [`DEFAULT_BRANCHES`].
    pub max_branches: usize,
}

/// Bytes of all what-if branches together, the one that is being computed included. One run may take a quarter of it, beyond
/// which its samples are thinned; the oldest branches go where there is no room for another.
pub const BRANCH_BYTES: usize = if cfg!(target_arch = "wasm32") { 64 << 20 } else { 256 << 20 };

/// Branches kept where the configuration names no number.
pub const DEFAULT_BRANCHES: usize = 8;

/// Why the engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A scenario that can't run.
    #[error("the what-if run can't start: {}", .0.join("; "))]
    Scenario(Vec<String>),
    /// A branch that does not exist (any more).
    #[error("there is no what-if branch number {}", .0.0)]
    NoBranch(BranchId),
}

/// Model, history, playback, health, alarms and what-if behind one clock.
pub struct Engine {
    model: Arc<Model>,
    config: EngineConfig,
    reality: Record,
    links: SourceLinks,
    playback: Playback,
    /// The live edge as last told, and whether anything is live at all.
    now: Option<Timestamp>,
    live: bool,
    branches: Vec<Branch>,
    next_branch: u32,
    shown: Option<BranchId>,
    job: Option<Job>,
    basis: Basis,
    frame: ViewFrame,
    /// What the frame was computed for.
    computed: Option<(Timestamp, u64, Option<BranchId>, u64, Basis)>,
    links_revision: u64,
    /// What is kept elsewhere and can be had, besides what is here.
    kept: Option<TimeRange>,
    ready: Ready,
}

impl Engine {
    /// An engine without any samples.
    pub fn new(model: impl Into<Arc<Model>>, config: EngineConfig) -> Self {
        let model = model.into();
        let mut reality = Record::new(&model, config.store);
        if config.timeline_bytes > 0 {
            reality.set_timeline_budget(config.timeline_bytes);
        }
        Self {
            reality,
            links: SourceLinks::new(model.sources().len()),
            model,
            config,
            playback: Playback::default(),
            now: None,
            live: true,
            branches: Vec::new(),
            next_branch: 1,
            shown: None,
            job: None,
            basis: Basis::Was,
            frame: ViewFrame::default(),
            computed: None,
            links_revision: 0,
            kept: None,
            ready: Ready::All,
        }
    }

    /// Judges everything that is here by another model of the same plant from now on, with the same samples, clock and basis: rules,
    /// alarms, names and formulas may be others. False, and nothing changed, where signals or sources are others, or where there are
    /// what-if branches, which belong to the model that they were computed by.
    pub fn judge_by(&mut self, model: impl Into<Arc<Model>>) -> bool {
        let model = model.into();
        let sources = |model: &Model| model.sources().iter().map(|source| source.id.clone()).collect::<Vec<_>>();
        let free = self.branches.is_empty() && self.job.is_none() && sources(&model) == sources(&self.model);
        if !free || !self.reality.judge_by(&model, &self.model) {
            return false;
        }
        (self.model, self.frame, self.computed) = (model, ViewFrame::default(), None);
        true
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What was measured.
    pub fn reality(&self) -> &Record {
        &self.reality
    }

    /// When each source was reachable.
    pub fn links(&self) -> &SourceLinks {
        &self.links
    }

    /// The clock.
    pub fn playback(&self) -> &Playback {
        &self.playback
    }

    /// Says which signal each number in chunks is that come from now on ([`Self::import_chunk`]): those of the dictionary of whoever sends
    /// them, whose plant may have more signals than the model, or others between them. At first they are positions of the model.
    pub fn number(&mut self, ids: &[Option<SignalIndex>]) {
        self.reality.number(ids);
    }

    /// Takes samples in, in any order.
    pub fn ingest(&mut self, samples: &[(SignalIndex, Sample)]) -> Ingested {
        self.reality.ingest(&self.model, samples)
    }

    /// From here on much is taken in before anybody looks: rules and alarms of computed signals are folded by [`Self::settle`], once.
    pub fn hold_back(&mut self) {
        self.reality.hold_back();
    }

    /// Brings up to date what [`Self::hold_back`] left, and holds nothing back any more.
    pub fn settle(&mut self) {
        self.reality.settle(&self.model);
    }

    /// Takes a sealed chunk of history in.
    ///
    /// # Errors
    /// Where the bytes are no chunk that fits this model.
    pub fn import_chunk(&mut self, chunk: &[u8]) -> Result<Ingested, HistorianError> {
        self.reality.import(&self.model, chunk)
    }

    /// Says what is kept elsewhere and can be had: the playhead may go there.
    pub fn note_kept(&mut self, extent: Option<TimeRange>) {
        self.kept = extent;
    }

    /// Says what of the time about the playhead can be shown; holds until said otherwise.
    pub fn note_ready(&mut self, ready: Ready) {
        self.ready = ready;
    }

    /// Keeps of samples that are kept elsewhere only what a coarser level has; none of them for [`Level::Raw`]. What was said
    /// of that time (status, alarms) is remembered.
    pub fn reduce(&mut self, range: TimeRange, level: Level) -> u64 {
        self.reality.reduce(range, level)
    }

    /// Says at which level a stretch is held: an extract looks neither stale nor full of gaps.
    pub fn note_detail(&mut self, range: TimeRange, level: Level) {
        self.reality.note_detail(range, level);
    }

    /// Notes that a source went up or down.
    pub fn note_link(&mut self, source: SourceIndex, t: Timestamp, up: bool) {
        if self.links.note(source, t, up) {
            self.links_revision += 1;
        }
    }

    /// The live edge: the site's clock as last told, or the newest sample where that is all there is.
    pub fn live_edge(&self) -> Option<Timestamp> {
        self.now.or_else(|| self.reality.store().extent().map(|extent| extent.end - Span::from_micros(1)))
    }

    /// Everything that the playhead can go to: from the oldest sample to the live edge, and to a branch's end while shown.
    pub fn bounds(&self) -> Option<TimeRange> {
        let extent = self.reality.store().extent();
        let edge = self.live_edge()?;
        let known = [extent, self.kept].into_iter().flatten().map(|range| range.start).min();
        let start = known.unwrap_or(edge).min(edge);
        let end = self.shown_branch().map_or(edge, |branch| branch.range.end);
        Some(TimeRange::new(start, end.max(start)))
    }

    /// Lets time pass: `now` is the site's clock (`None` without one), `wall` the real time since the last call.
    ///
    /// `live` tells whether more is to come; without, playing stops at the end. Returns whether the playhead moved.
    pub fn tick(&mut self, now: Option<Timestamp>, wall: Span, live: bool) -> bool {
        // A clock that jumps back (another server) is followed; one that stands still is no clock.
        self.now = now;
        self.live = live && self.shown.is_none();
        let Some(bounds) = self.bounds() else { return false };
        // A branch is computed here and never waited for.
        let ready = if self.shown.is_some() { Ready::All } else { self.ready };
        self.playback.tick(wall, bounds, self.live, ready)
    }

    /// Carries a command out.
    ///
    /// # Errors
    /// Scenarios that can't run and branches that are gone; everything else always works.
    pub fn apply(&mut self, command: EngineCommand) -> Result<(), EngineError> {
        match command {
            EngineCommand::Seek(SeekTo::Clamped(t)) => self.playback.seek(t, self.bounds()),
            EngineCommand::Seek(SeekTo::Exact(t)) => self.playback.seek(t, None),
            EngineCommand::Play => self.play(),
            EngineCommand::Pause => self.playback.pause(),
            EngineCommand::Follow => {
                self.shown = None;
                if let Some(edge) = self.live_edge() {
                    self.playback.follow(edge);
                }
            }
            EngineCommand::SetSpeed(speed) => self.playback.set_speed(speed),
            EngineCommand::Select(range) => self.playback.select(range),
            EngineCommand::StepEvent(direction) => self.step_event(direction),
            EngineCommand::StepSample(signals, direction) => self.step_sample(&signals, direction),
            EngineCommand::SetBasis(basis) => self.basis = basis,
            EngineCommand::Run(scenario) => {
                // The run under way, if any, gives its room to the new one.
                self.job = None;
                let all = self.branch_budget();
                self.make_room(all - all / 4);
                let store = StoreConfig { budget_bytes: self.config.store.budget_bytes.min(all / 8), ..self.config.store };
                let job = Job::start(&self.reality_at(scenario.fork, None), scenario, store).map_err(EngineError::Scenario)?;
                self.job = Some(job);
            }
            EngineCommand::CancelRun => self.job = None,
            EngineCommand::View(branch) => self.view(branch)?,
            EngineCommand::Delete(branch) => {
                self.branches.retain(|each| each.id != branch);
                if self.shown == Some(branch) {
                    self.view(None)?;
                }
            }
        }
        Ok(())
    }

    /// Playing from the very end of something that does not grow starts over.
    fn play(&mut self) {
        if let Some(bounds) = self.bounds()
            && !self.live
            && self.playback.speed() > 0.0
            && self.playback.playhead() >= bounds.end
            && self.playback.selection().is_none()
        {
            let start = self.shown_branch().map_or(bounds.start, |branch| branch.range.start);
            self.playback.seek(start, None);
        }
        self.playback.play();
    }

    fn view(&mut self, branch: Option<BranchId>) -> Result<(), EngineError> {
        if let Some(id) = branch {
            let found = self.branches.iter().find(|each| each.id == id).ok_or(EngineError::NoBranch(id))?;
            let start = found.range.start;
            let inside = found.range.contains(self.playback.playhead());
            self.shown = branch;
            if !inside || self.playback.state() == crate::PlayState::Following {
                self.playback.seek(start, None);
            }
        } else {
            self.shown = None;
            if let Some(bounds) = self.bounds()
                && self.playback.playhead() > bounds.end
            {
                self.playback.seek(bounds.end, None);
            }
        }
        Ok(())
    }

    fn step_event(&mut self, direction: Direction) {
        let scope = self.scope(self.playback.playhead());
        if let Some(t) = events::step(&self.model, scope.speaking(), scope.t, direction) {
            let bounds = self.bounds();
            self.playback.seek(t, bounds);
            self.playback.pause();
        }
    }

    fn step_sample(&mut self, signals: &[SignalIndex], direction: Direction) {
        let t = self.playback.playhead();
        let scope = self.scope(t);
        let record = scope.speaking();
        let all: Vec<SignalIndex>;
        let signals = if signals.is_empty() {
            all = self.model.signal_indices().collect();
            &all
        } else {
            signals
        };
        let times = signals.iter().filter_map(|signal| match direction {
            Direction::Forward => record.next_sample_time(*signal, t, twin_historian::Direction::Forward),
            Direction::Back => record.next_sample_time(*signal, t, twin_historian::Direction::Backward),
        });
        let next = match direction {
            Direction::Forward => times.min(),
            Direction::Back => times.max(),
        };
        if let Some(t) = next {
            let bounds = self.bounds();
            self.playback.seek(t, bounds);
            self.playback.pause();
        }
    }

    /// Branches, oldest first.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The branch on show.
    pub fn shown_branch(&self) -> Option<&Branch> {
        let id = self.shown?;
        self.branches.iter().find(|branch| branch.id == id)
    }

    /// The run under way: its scenario's name and where it stands.
    pub fn running(&self) -> Option<(&str, RunProgress)> {
        self.job.as_ref().map(|job| (job.scenario().name.as_str(), job.progress()))
    }

    /// Gives the run under way up to `steps` steps. Returns the branch once it is complete; it is then on show.
    pub fn work(&mut self, steps: u32) -> Option<BranchId> {
        if !self.job.as_mut()?.work(&self.model, steps) {
            return None;
        }
        let job = self.job.take()?;
        let id = BranchId(self.next_branch);
        self.next_branch += 1;
        let branch = job.finish(&self.model, id);
        let most = if self.config.max_branches == 0 { DEFAULT_BRANCHES } else { self.config.max_branches };
        if self.branches.len() >= most {
            self.branches.remove(0);
        }
        let start = branch.range.start;
        self.branches.push(branch);
        self.shown = Some(id);
        self.playback.seek(start, None);
        Some(id)
    }

    fn branch_budget(&self) -> usize {
        if self.config.branch_bytes == 0 { BRANCH_BYTES } else { self.config.branch_bytes }
    }

    /// Bytes that the branches hold together.
    pub fn branch_bytes(&self) -> usize {
        self.branches.iter().map(Branch::bytes).sum()
    }

    /// Forgets the oldest branches, those not on show first, until the rest fits.
    fn make_room(&mut self, bytes: usize) {
        while self.branch_bytes() > bytes {
            let hidden = self.branches.iter().position(|branch| self.shown != Some(branch.id));
            let gone = self.branches.remove(hidden.unwrap_or(0));
            if self.shown == Some(gone.id) {
                self.shown = None;
            }
        }
    }

    fn scope(&self, t: Timestamp) -> Scope<'_> {
        let branch = self.shown_branch().map(|branch| (&branch.record, branch.range.start));
        Scope { model: &self.model, reality: &self.reality, branch, links: &self.links, t, known: self.basis().known_at(t) }
    }

    /// Reality, whatever is shown.
    fn reality_at(&self, t: Timestamp, known: Option<Timestamp>) -> Scope<'_> {
        Scope { model: &self.model, reality: &self.reality, branch: None, links: &self.links, t, known }
    }

    /// The basis that was asked for ([`EngineCommand::SetBasis`]), whether it makes a difference now or not.
    pub const fn asked_basis(&self) -> Basis {
        self.basis
    }

    /// What is shown: as it was, or as it was known. At the live edge both are the same, and what-if branches, which begin
    /// with what was, are shown as they are; there it is [`Basis::Was`] whatever was asked for.
    pub fn basis(&self) -> Basis {
        let edge = self.playback.state() == crate::PlayState::Following || self.shown.is_some();
        if edge { Basis::Was } else { self.basis }
    }

    /// Brings the frame up to the playhead, and says what changed with that; nothing where it was up to it already.
    pub fn refresh(&mut self) -> Changed {
        let t = self.playback.playhead();
        let key = (t, self.reality.revision(), self.shown, self.links_revision, self.basis());
        if self.computed == Some(key) {
            return Changed::default();
        }
        let before = self.computed.replace(key);
        let mut frame = std::mem::take(&mut self.frame);
        let mut changed = frame.compute(&self.scope(t), &self.config.policy);
        self.frame = frame;
        changed.branch = before.is_none_or(|(_, _, shown, ..)| shown != self.shown);
        changed
    }

    /// Fills another frame for the playhead.
    pub(crate) fn fill(&self, frame: &mut ViewFrame) -> Changed {
        frame.compute(&self.scope(self.playback.playhead()), &self.config.policy)
    }

    /// What is shown at the playhead, as of the last [`Self::refresh`].
    pub fn frame(&self) -> &ViewFrame {
        &self.frame
    }

    /// The newest sample of a signal at the playhead, in the branch on show.
    pub fn sample(&self, signal: SignalIndex) -> Option<Sample> {
        self.scope(self.playback.playhead()).sample(signal)
    }

    /// By how much the clock of a signal's source runs ahead, where a reading that had been received by the playhead lies ahead of it:
    /// more than [`twin_health::CLOCK_TOLERANCE`].
    pub fn clock_ahead(&self, signal: SignalIndex) -> Option<Span> {
        self.scope(self.playback.playhead()).ahead(signal)
    }

    /// What a rule says at the playhead, in the branch on show once the playhead is beyond its fork.
    pub fn rule(&self, rule: RuleIndex) -> Option<Entry> {
        self.scope(self.playback.playhead()).rule(rule)
    }

    /// What a rule gives at the playhead: unknown while its input is not current.
    pub fn rule_status(&self, rule: RuleIndex) -> Status {
        let t = self.playback.playhead();
        twin_health::rule_status(&self.model, &self.scope(t), rule, t)
    }

    /// How current a signal is at the playhead, in the branch on show; of a computed one, no more than what its value needs.
    pub fn freshness(&self, signal: SignalIndex) -> twin_model::Freshness {
        let t = self.playback.playhead();
        signal_freshness(&self.model, &self.scope(t), signal, t)
    }

    /// What the value of a computed signal follows from at the playhead; `None` of a measured one.
    pub fn derivation(&self, signal: SignalIndex) -> Option<crate::DerivationReport> {
        self.scope(self.playback.playhead()).derived_from(signal)
    }

    /// Everything about a twin at the playhead, with reasons.
    pub fn explain(&self, twin: TwinIndex) -> TwinHealth {
        let t = self.playback.playhead();
        explain(&self.model, &self.config.policy, &self.scope(t), twin, t)
    }

    /// A chosen signal over a range, at most about `points` buckets, nothing from after the playhead.
    pub fn series(&self, signal: SignalIndex, range: TimeRange, points: usize) -> ChartSeries {
        let t = self.playback.playhead();
        let Some(branch) = self.shown_branch() else {
            let known = self.basis().known_at(t);
            let envelope = self.reality.envelope(signal, (upto(range, t), known), points);
            return ChartSeries { signal, envelope: cut(envelope, t), branch: None, projection: None };
        };
        let fork = branch.range.start;
        let before = TimeRange::new(range.start, range.end.min(fork));
        let beyond = TimeRange::new(range.start.max(fork), range.end);
        let envelope = self.reality.envelope(signal, (upto(before, t), None), points);
        ChartSeries {
            signal,
            envelope: cut(envelope, fork.min(t)),
            branch: Some(cut(branch.record.envelope(signal, (upto(beyond, t), None), points), t)),
            projection: Some(branch.projection.envelope(signal, (beyond, None), points)),
        }
    }

    /// Alarm and status changes within a range in the branch on show, at most about `most`. As they were, whatever the basis
    /// of the instant on show: steps and marks lead to when something happened.
    pub fn events(&self, range: TimeRange, most: usize) -> Vec<Event> {
        match self.shown_branch() {
            None => events::within(&self.model, &self.reality, self.reality.store(), range, most),
            Some(branch) => {
                let before = TimeRange::new(range.start, range.end.min(branch.range.start));
                let beyond = TimeRange::new(range.start.max(branch.range.start), range.end);
                let mut all = events::within(&self.model, &self.reality, self.reality.store(), before, most);
                all.extend(events::within(&self.model, &branch.record, branch.record.store(), beyond, most));
                all
            }
        }
    }

    /// Worst status over time of a twin, or of all, in reality, with what was known from stale data only. As it was, whatever
    /// the basis of the instant on show.
    ///
    /// Of sites where rules read more than two thousand signals only the silence that still lasts is looked for: more would take
    /// too long.
    pub fn status_strip(&self, twin: Option<TwinIndex>, range: TimeRange) -> Vec<StatusSpan> {
        let model = &self.model;
        let looks = |signal: SignalIndex| match self.reality.computed().kind(signal) {
            crate::computed::Kind::Computed(place) => self.reality.computed().reads(place).len(),
            _ => 1,
        };
        let signals = match twin {
            Some(twin) => model.twin(twin).signals.iter().map(|signal| looks(*signal)).sum(),
            None => model.rules().iter().map(|rule| looks(rule.signal)).sum(),
        };
        let mut silences = Silences::new(model, &self.reality, &self.links, range, signals);
        let mut silence = |signal: SignalIndex| silences.of(signal);
        events::strip(model, &self.reality, &self.config.policy, twin, range, &mut silence)
    }

    /// Worst status over time of a twin, or of all, in a branch. What is computed is never stale.
    pub fn branch_strip(&self, branch: &Branch, twin: Option<TwinIndex>) -> Vec<StatusSpan> {
        events::strip(&self.model, &branch.record, &self.config.policy, twin, branch.range, &mut |_| Vec::new())
    }

    /// Which worse limit of a rule the value will pass next, and when, if it goes on as it did until the playhead.
    ///
    /// A prediction from nothing but measured values at or before the playhead ([`twin_health::trend`]); `None` where the
    /// trend can't be told from noise, leads nowhere near, or data is stale, and while a branch is shown, which says more.
    pub fn outlook(&self, rule: RuleIndex) -> Option<Outlook> {
        if self.shown.is_some() {
            return None;
        }
        self.outlook_in(&self.scope(self.playback.playhead()), rule)
    }

    fn outlook_in(&self, scope: &Scope<'_>, rule: RuleIndex) -> Option<Outlook> {
        let it = self.model.rule(rule);
        let signal = self.model.signal(it.signal);
        if unfit(&self.model, scope, it.signal, scope.t).is_some() {
            return None;
        }
        let now = scope.rule(rule)?.outcome.status();
        outlook::of(signal, it, now, &self.reality, it.signal, (scope.t, scope.known))
    }

    /// The state of every twin at `t` as it was, in reality, whatever the playhead shows.
    pub fn state_at(&self, t: Timestamp) -> StateReport {
        self.state_by(t, Basis::Was)
    }

    /// The state of every twin at `t` as it was or as it was known then, in reality, whatever the playhead shows.
    pub fn state_by(&self, t: Timestamp, basis: Basis) -> StateReport {
        let scope = self.reality_at(t, basis.known_at(t));
        let mut twins: Vec<TwinReport> = self.model.twin_indices().map(|twin| self.report(&scope, twin)).collect();
        twins.sort_by(|a, b| natural_order(&a.id, &b.id));
        StateReport { at: t, basis, twins }
    }

    fn report(&self, scope: &Scope<'_>, index: TwinIndex) -> TwinReport {
        let model = &self.model;
        let twin = model.twin(index);
        let health = explain(model, &self.config.policy, scope, index, scope.t);
        let alarms = twin.alarms.iter().map(|&at| AlarmReport::of(scope, at));
        let reasons = health.reasons.iter().map(|reason| ReasonReport::of(model, reason));
        let signals = twin.signals.iter().map(|&at| SignalReport::of(scope, at));
        let outlooks = twin.rules.iter().filter_map(|&rule| {
            let outlook = self.outlook_in(scope, rule)?;
            let rule = model.rule(rule);
            Some(OutlookReport {
                rule: rule.id.clone(),
                signal: model.signal(rule.signal).id.to_string(),
                status: outlook.status,
                limit: outlook.limit,
                unit: model.signal(rule.signal).unit.0.clone(),
                time: outlook.at,
            })
        });
        TwinReport {
            outlooks: outlooks.collect(),
            id: twin.id.to_string(),
            interface: twin.interface.clone(),
            status: health.status,
            score: health.score,
            since: health.since,
            last_known: health.last_known,
            judged: twin.is_judged(),
            freshness: health.freshness,
            alarms: alarms.collect(),
            reasons: reasons.collect(),
            signals: signals.collect(),
        }
    }
}

/// Takes away the bounding sample behind the cursor: charts may not look ahead.
fn cut(mut envelope: Envelope, t: Timestamp) -> Envelope {
    if envelope.after.as_ref().is_some_and(|after| after.source_time > t) {
        envelope.after = None;
    }
    envelope
}
