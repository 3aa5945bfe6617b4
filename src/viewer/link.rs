//! The shareable view as text in the address: camera, selection, instant, speed, chart. Readable, and safe to edit by hand.

use glam::DVec3;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use twin_model::Timestamp;

use super::scene::camera::Pose;

/// Where the camera stands in the site's space. A scene counts from an origin of its own, which a link must not depend on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SitePose {
    /// What it looks at.
    pub target: DVec3,
    /// See [`Pose::yaw`].
    pub yaw: f32,
    /// See [`Pose::pitch`].
    pub pitch: f32,
    /// See [`Pose::distance`].
    pub distance: f32,
}

/// How far from the site's origin, and from what it looks at, the camera may be, in metres: where models are too far to be shown
/// as well.
pub const MAX_REACH_M: f64 = 1e9;
/// How near to what it looks at, in metres; a link holds centimetres.
pub const MIN_DISTANCE_M: f64 = 0.01;
/// Height angles that can be asked for, in radians: short of straight up and down, where the turn would mean nothing.
pub const PITCH: std::ops::RangeInclusive<f64> = -1.5..=1.55;

impl SitePose {
    /// `[x, y, z, yaw, pitch, distance]`, the turn within one turn and the height angle within [`PITCH`]; `None` where anything is
    /// no number or too far.
    pub fn new([x, y, z, yaw, pitch, distance]: [f64; 6]) -> Option<Self> {
        let near = [x, y, z].iter().all(|n| n.abs() <= MAX_REACH_M);
        if !near || !yaw.is_finite() || !pitch.is_finite() || !(MIN_DISTANCE_M..=MAX_REACH_M).contains(&distance) {
            return None;
        }
        let pitch = pitch.clamp(*PITCH.start(), *PITCH.end());
        let [yaw, pitch, distance] = [yaw % std::f64::consts::TAU, pitch, distance].map(|n| n as f32);
        Some(Self { target: DVec3::new(x, y, z), yaw, pitch, distance })
    }

    /// A pose of a scene with this origin.
    pub fn of(pose: &Pose, origin: DVec3) -> Self {
        let Pose { target, yaw, pitch, distance } = *pose;
        Self { target: target.as_dvec3() + origin, yaw, pitch, distance }
    }

    /// The pose in a scene with this origin.
    pub fn pose(&self, origin: DVec3) -> Pose {
        let Self { target, yaw, pitch, distance } = *self;
        Pose { target: (target - origin).as_vec3(), yaw, pitch, distance }
    }
}

/// What a link says; anything may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViewLink {
    /// Where the camera stands.
    pub camera: Option<SitePose>,
    /// Ids of selected twins.
    pub select: Vec<String>,
    /// The instant; `None` is live.
    pub time: Option<Timestamp>,
    /// Whether instants are shown as they were known; else as they were.
    pub known: bool,
    /// Whether instants before the revision in force are judged by it; else by the revision of then.
    pub by_now: bool,
    /// Playing speed.
    pub speed: Option<f64>,
    /// Whether it plays.
    pub play: bool,
    /// Whether all but the selection are ghosted.
    pub isolate: bool,
    /// Ids of charted signals.
    pub chart: Vec<String>,
    /// `dark` or `light`.
    pub theme: Option<String>,
    /// Whether the high tier of the picture is asked for.
    pub high: bool,
}

/// Speeds that playing knows, without their sign.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=1000.0;

/// What is escaped: everything but letters, digits and `-._~:`, so that people can read a link.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn list(items: &[String]) -> String {
    items.iter().map(|item| escape(item)).collect::<Vec<_>>().join(",")
}

impl ViewLink {
    /// The text after `#`.
    pub fn to_fragment(&self) -> String {
        let mut parts = Vec::new();
        if let Some(pose) = &self.camera {
            let t = pose.target;
            parts.push(format!("cam={:.2},{:.2},{:.2},{:.3},{:.3},{:.2}", t.x, t.y, t.z, pose.yaw, pose.pitch, pose.distance));
        }
        if !self.select.is_empty() {
            parts.push(format!("sel={}", list(&self.select)));
        }
        match self.time {
            Some(t) => parts.push(format!("t={}", escape(&t.to_string()))),
            None => parts.push("t=live".to_owned()),
        }
        if self.known {
            parts.push("as=known".to_owned());
        }
        if self.by_now {
            parts.push("judge=now".to_owned());
        }
        if let Some(speed) = self.speed {
            parts.push(format!("speed={speed}"));
        }
        if self.play {
            parts.push("play=1".to_owned());
        }
        if self.isolate {
            parts.push("isolate=1".to_owned());
        }
        if !self.chart.is_empty() {
            parts.push(format!("chart={}", list(&self.chart)));
        }
        if let Some(theme) = &self.theme {
            parts.push(format!("theme={}", escape(theme)));
        }
        if self.high {
            parts.push("quality=high".to_owned());
        }
        parts.join("&")
    }

    /// Reads the text after `#`. What can't be read is left out; a link never breaks the view.
    pub fn from_fragment(fragment: &str) -> Self {
        let mut link = Self::default();
        for pair in fragment.split('&') {
            let Some((key, value)) = pair.split_once('=') else { continue };
            let items = || value.split(',').filter(|item| !item.is_empty()).map(unescape).collect::<Vec<_>>();
            match key {
                "cam" => link.camera = pose(value),
                "sel" => link.select = items(),
                "t" => link.time = unescape(value).parse().ok(),
                "as" => link.known = value == "known",
                "judge" => link.by_now = value == "now",
                "speed" => link.speed = value.parse().ok().filter(|speed: &f64| SPEEDS.contains(&speed.abs())),
                "play" => link.play = value == "1",
                "isolate" => link.isolate = value == "1",
                "chart" => link.chart = items(),
                "quality" => link.high = value == "high",
                "theme" => link.theme = Some(unescape(value)).filter(|theme| theme == "dark" || theme == "light"),
                _ => {}
            }
        }
        link
    }
}

fn pose(text: &str) -> Option<SitePose> {
    let n: Vec<f64> = text.split(',').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    SitePose::new(n.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_round_trips() {
        let link = ViewLink {
            camera: Some(SitePose { target: DVec3::new(1.5, 0.25, -5_000_000.2), yaw: 0.6, pitch: 0.5, distance: 42.0 }),
            select: vec!["filler-01".into(), "odd id, with & and #".into()],
            time: Some("2026-03-02T08:15:04Z".parse().unwrap()),
            known: true,
            by_now: true,
            speed: Some(-10.0),
            play: true,
            isolate: true,
            chart: vec!["filler-01.speed".into()],
            theme: Some("light".into()),
            high: true,
        };
        assert_eq!(ViewLink::from_fragment(&link.to_fragment()), link);
    }

    #[test]
    fn a_live_link_says_so_and_nonsense_is_left_out() {
        assert_eq!(ViewLink::default().to_fragment(), "t=live");
        let link = ViewLink::from_fragment(
            "cam=1,2&sel=&t=yesterday&speed=0&foo=bar&&%zz=1&theme=pink&as=read&judge=me&cam=NaN,0,0,0,0,1",
        );
        assert_eq!(link, ViewLink::default());
    }

    #[test]
    fn a_camera_that_nobody_could_look_through_is_left_out() {
        for cam in [
            "0,0,0,0,0,0",
            "0,0,0,0,0,-1",
            "0,0,0,0,0,1e300",
            "1e300,0,0,0,0,1",
            "0,0,0,inf,0,1",
            "0,0,0,0,NaN,1",
            "0,0,0,0,0,1,2",
        ] {
            assert_eq!(ViewLink::from_fragment(&format!("cam={cam}")).camera, None, "{cam}");
        }
        let turned = ViewLink::from_fragment("cam=0,0,0,1e300,1e300,5").camera.unwrap();
        assert!(turned.yaw.abs() < 6.3 && turned.pitch == 1.55, "{turned:?}");
    }
}
