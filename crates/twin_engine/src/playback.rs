//! The one clock: where the playhead is and how it moves. Knows no samples and never asks for the time.

use twin_model::{Span, TimeRange, Timestamp};

/// What the playhead does on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayState {
    /// Glued to the live edge.
    Following,
    /// Standing still.
    Paused,
    /// Moving at [`Playback::speed`].
    Playing,
}

/// What of the time about the playhead can be shown, where history comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ready {
    /// All of it, or nobody waits for anything.
    #[default]
    All,
    /// This stretch, which holds the playhead; what lies beyond is on its way.
    Within(TimeRange),
    /// Not even the playhead's instant: its data is on its way.
    Nothing,
}

/// Slowest and fastest speed, as a factor of real time, without sign.
pub const SPEED_LIMITS: (f64, f64) = (0.1, 1_000.0);

/// Playhead, state, speed and loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Playback {
    state: PlayState,
    playhead: Timestamp,
    speed: f64,
    selection: Option<TimeRange>,
    /// Part of a microsecond not yet walked, so that slow motion does not stand still.
    rest_us: f64,
    ended: bool,
    buffering: bool,
}

impl Default for Playback {
    /// Following, at a time before every sample until the first tick.
    fn default() -> Self {
        Self {
            state: PlayState::Following,
            playhead: Timestamp::MIN,
            speed: 1.0,
            selection: None,
            rest_us: 0.0,
            ended: false,
            buffering: false,
        }
    }
}

impl Playback {
    /// What the playhead does.
    pub fn state(&self) -> PlayState {
        self.state
    }

    /// The instant that everything shows.
    pub fn playhead(&self) -> Timestamp {
        self.playhead
    }

    /// Factor of real time while playing; negative runs backwards.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// The stretch that playing loops over.
    pub fn selection(&self) -> Option<TimeRange> {
        self.selection
    }

    /// Whether playing stopped because it ran into an end of what is known.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether the playhead waits for data, or stands where data is still on its way.
    pub fn buffering(&self) -> bool {
        self.buffering
    }

    /// Goes to `t` and leaves following; playing goes on from there. `bounds` clamps, `None` goes to exactly `t`.
    pub fn seek(&mut self, t: Timestamp, bounds: Option<TimeRange>) {
        self.playhead = match bounds {
            Some(bounds) if !bounds.is_empty() => t.clamp(bounds.start, bounds.end),
            _ => t,
        };
        self.rest_us = 0.0;
        self.ended = false;
        if self.state == PlayState::Following {
            self.state = PlayState::Paused;
        }
    }

    /// Starts moving. At the end of what is known, forward playing starts again at the loop's or the range's start.
    pub fn play(&mut self) {
        self.state = PlayState::Playing;
        self.ended = false;
    }

    /// Stands still.
    pub fn pause(&mut self) {
        self.state = PlayState::Paused;
    }

    /// Returns to the live edge.
    pub fn follow(&mut self, live_edge: Timestamp) {
        self.state = PlayState::Following;
        self.playhead = live_edge;
        self.ended = false;
    }

    /// Sets the speed, clamped to [`SPEED_LIMITS`] without losing its sign; zero and NaN are ignored.
    pub fn set_speed(&mut self, speed: f64) {
        if speed.is_nan() || speed == 0.0 {
            return;
        }
        self.speed = speed.signum() * speed.abs().clamp(SPEED_LIMITS.0, SPEED_LIMITS.1);
        self.ended = false;
    }

    /// Sets or clears the loop; an empty range clears it.
    pub fn select(&mut self, selection: Option<TimeRange>) {
        self.selection = selection.filter(|range| !range.is_empty());
    }

    /// Lets `wall` of real time pass. `bounds` is what can be shown, its end the live edge.
    ///
    /// Following sticks to the edge. Playing walks `wall × speed`, wraps inside the loop, becomes following where it
    /// catches up with a moving live edge (`live`), and otherwise pauses at the ends. It never walks into time that is not
    /// `ready`, but waits at its edge ([`Self::buffering`]) and goes on by itself. True where the playhead moved.
    pub fn tick(&mut self, wall: Span, bounds: TimeRange, live: bool, ready: Ready) -> bool {
        let before = self.playhead;
        self.buffering = ready == Ready::Nothing && self.state != PlayState::Following;
        match self.state {
            PlayState::Paused => {}
            PlayState::Following => self.playhead = bounds.end,
            PlayState::Playing if self.buffering => {}
            PlayState::Playing => self.walk(wall, bounds, live, ready),
        }
        self.playhead != before
    }

    fn walk(&mut self, wall: Span, bounds: TimeRange, live: bool, ready: Ready) {
        let step = wall.as_micros() as f64 * self.speed + self.rest_us;
        let whole = step.trunc();
        self.rest_us = step - whole;
        let target = self.playhead + Span::from_micros(whole as i64);
        let Some(turn) = self.selection.map(|selection| selection.intersect(bounds)).filter(|turn| !turn.is_empty()) else {
            let held = self.hold(target, ready);
            return self.walk_to(held, bounds, live);
        };
        let length = turn.span().as_micros();
        let offset = target.since(turn.start).as_micros();
        self.playhead = turn.start + Span::from_micros(offset.rem_euclid(length));
    }

    /// As far towards `target` as can be shown.
    fn hold(&mut self, target: Timestamp, ready: Ready) -> Timestamp {
        let Ready::Within(ready) = ready else { return target };
        let held = target.clamp(ready.start.min(self.playhead), (ready.end - Span::from_micros(1)).max(self.playhead));
        self.buffering = held != target;
        held
    }

    fn walk_to(&mut self, target: Timestamp, bounds: TimeRange, live: bool) {
        if self.speed > 0.0 && target >= bounds.end {
            self.playhead = bounds.end;
            self.ended = !live;
            self.state = if live { PlayState::Following } else { PlayState::Paused };
        } else if self.speed < 0.0 && target <= bounds.start {
            self.playhead = bounds.start;
            self.ended = true;
            self.state = PlayState::Paused;
        } else {
            self.playhead = target;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(i64) -> Timestamp = Timestamp::from_secs;

    fn bounds() -> TimeRange {
        TimeRange::new(S(0), S(100))
    }

    fn playing_from(t: i64, speed: f64) -> Playback {
        let mut p = Playback::default();
        p.seek(S(t), None);
        p.set_speed(speed);
        p.play();
        p
    }

    #[test]
    fn following_sticks_to_the_live_edge() {
        let mut p = Playback::default();
        assert!(p.tick(Span::ZERO, bounds(), true, Ready::All));
        assert_eq!(p.playhead(), S(100));
    }

    #[test]
    fn a_seek_leaves_following_and_clamps_where_asked() {
        let mut p = Playback::default();
        p.seek(S(500), Some(bounds()));
        assert_eq!((p.playhead(), p.state()), (S(100), PlayState::Paused));
        p.seek(S(500), None);
        assert_eq!(p.playhead(), S(500));
    }

    #[test]
    fn a_paused_view_is_not_disturbed_by_time() {
        let mut p = Playback::default();
        p.seek(S(10), None);
        assert!(!p.tick(Span::from_secs(5), bounds(), true, Ready::All));
        assert_eq!(p.playhead(), S(10));
    }

    #[test]
    fn playing_walks_at_its_speed_and_catches_up_with_live() {
        let mut p = playing_from(10, 10.0);
        p.tick(Span::from_secs(1), bounds(), true, Ready::All);
        assert_eq!(p.playhead(), S(20));
        p.tick(Span::from_secs(60), bounds(), true, Ready::All);
        assert_eq!((p.playhead(), p.state()), (S(100), PlayState::Following));
    }

    #[test]
    fn a_recording_ends_paused_and_says_so() {
        let mut p = playing_from(99, 2.0);
        p.tick(Span::from_secs(1), bounds(), false, Ready::All);
        assert_eq!((p.state(), p.ended()), (PlayState::Paused, true));
    }

    #[test]
    fn backwards_stops_at_the_start() {
        let mut p = playing_from(3, -1.0);
        p.tick(Span::from_secs(2), bounds(), true, Ready::All);
        assert_eq!(p.playhead(), S(1));
        p.tick(Span::from_secs(2), bounds(), true, Ready::All);
        assert_eq!((p.playhead(), p.state()), (S(0), PlayState::Paused));
    }

    #[test]
    fn a_loop_wraps_both_ways() {
        let mut p = playing_from(28, 1.0);
        p.select(Some(TimeRange::new(S(20), S(30))));
        p.tick(Span::from_secs(5), bounds(), true, Ready::All);
        assert_eq!(p.playhead(), S(23));
        p.set_speed(-1.0);
        p.tick(Span::from_secs(5), bounds(), true, Ready::All);
        assert_eq!(p.playhead(), S(28));
    }

    #[test]
    fn playing_waits_at_the_edge_of_what_is_here_and_goes_on() {
        let mut p = playing_from(10, 10.0);
        let here = TimeRange::new(S(0), S(15));
        p.tick(Span::from_secs(1), bounds(), true, Ready::Within(here));
        assert_eq!((p.playhead(), p.buffering()), (S(15) - Span::from_micros(1), true));
        assert!(!p.tick(Span::from_secs(1), bounds(), true, Ready::Nothing));
        assert_eq!((p.state(), p.buffering()), (PlayState::Playing, true));
        p.tick(Span::from_secs(1), bounds(), true, Ready::All);
        assert_eq!((p.playhead(), p.buffering()), (S(25) - Span::from_micros(1), false));
        p.set_speed(-10.0);
        p.tick(Span::from_secs(1), bounds(), true, Ready::Within(TimeRange::new(S(20), S(90))));
        assert_eq!((p.playhead(), p.buffering()), (S(20), true));
    }

    #[test]
    fn a_paused_playhead_over_data_on_its_way_says_so_and_a_followed_edge_does_not() {
        let mut p = Playback::default();
        p.seek(S(10), None);
        p.tick(Span::ZERO, bounds(), true, Ready::Nothing);
        assert!(p.buffering());
        p.follow(S(100));
        p.tick(Span::ZERO, bounds(), true, Ready::Nothing);
        assert!(!p.buffering());
    }

    #[test]
    fn slow_motion_does_not_lose_fractions() {
        let mut p = playing_from(0, 0.1);
        for _ in 0..1_000 {
            p.tick(Span::from_micros(7), bounds(), true, Ready::All);
        }
        assert!((p.playhead().as_micros() - 700).abs() <= 1, "{:?}", p.playhead());
    }

    #[test]
    fn speed_is_clamped_and_never_zero() {
        let mut p = Playback::default();
        p.set_speed(1e9);
        assert_eq!(p.speed(), 1_000.0);
        p.set_speed(-0.0001);
        assert_eq!(p.speed(), -0.1);
        p.set_speed(f64::NAN);
        p.set_speed(0.0);
        assert_eq!(p.speed(), -0.1);
    }
}
