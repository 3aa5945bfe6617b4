//! The status palette as data, and the code of one palette texel.
//!
//! Colours were chosen by computing, not by taste: the tests hold every pair of statuses apart for normal, protan, deutan
//! and tritan vision (CIEDE2000 after Sharma et al. 2005; dichromat matrices of Machado et al. 2009, severity 1.0).

use twin_model::{AlarmState, Freshness, Priority, Status};

/// An sRGB colour, one byte per channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Fill of a status; the same in dark and light themes.
pub const fn fill(status: Status) -> Rgb {
    match status {
        Status::Unknown => Rgb(0x6B, 0x71, 0x7A),
        Status::Normal => Rgb(0xA5, 0xA9, 0xAF),
        Status::Maintenance => Rgb(0x42, 0x86, 0xEA),
        Status::OutOfSpecification => Rgb(0xFA, 0xF1, 0x36),
        Status::FunctionCheck => Rgb(0xDF, 0x87, 0x16),
        Status::Failure => Rgb(0xC7, 0x1A, 0x48),
    }
}

/// How much of its saturation a fill keeps at a freshness.
pub const fn saturation(freshness: Freshness) -> f32 {
    match freshness {
        Freshness::Live => 1.0,
        Freshness::Late => 0.7,
        Freshness::Stale => 0.35,
        Freshness::Offline | Freshness::NeverSeen => 0.0,
    }
}

impl Rgb {
    /// Each channel as linear light from 0 to 1 (IEC 61966-2-1).
    pub fn linear(self) -> [f32; 3] {
        let channel = |byte: u8| {
            let c = f32::from(byte) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        [channel(self.0), channel(self.1), channel(self.2)]
    }
}

/// How a part is shown besides its health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViewFlags(pub u8);

impl ViewFlags {
    /// Not drawn.
    pub const HIDDEN: u8 = 1;
    /// Drawn as a ghost: the rest of the site while something is isolated.
    pub const GHOST: u8 = 2;
    /// Part of the selection.
    pub const SELECTED: u8 = 4;
    /// Under the pointer.
    pub const HOVERED: u8 = 8;
}

/// Status byte of parts that belong to no twin with signals: drawn in their own material.
pub const UNBOUND: u8 = 255;

/// The alarm byte: priority 1 to 4 in the low bits (0: none), 8 where unacknowledged.
pub const fn alarm_bits(alarm: Option<(Priority, AlarmState)>) -> u8 {
    match alarm {
        None => 0,
        Some((priority, state)) => priority.number() | if matches!(state, AlarmState::UnackActive) { 8 } else { 0 },
    }
}

/// One texel, `Rgba8Uint`: status code, freshness code, alarm bits, view flags. What `part.wgsl` reads.
pub const fn texel(status: Status, freshness: Freshness, alarm: Option<(Priority, AlarmState)>, flags: ViewFlags) -> [u8; 4] {
    [status.code(), freshness.code(), alarm_bits(alarm), flags.0]
}

/// The texel of a part that belongs to no twin.
pub const fn unbound_texel(flags: ViewFlags) -> [u8; 4] {
    [UNBOUND, 0, 0, flags.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lab = [f64; 3];

    /// Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
    const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
        ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("protan", [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        ("deutan", [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
        ("tritan", [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
    ];

    fn lab(color: Rgb, vision: &[[f64; 3]; 3]) -> Lab {
        let l = color.linear().map(f64::from);
        let rgb: Vec<f64> = vision.iter().map(|row| (row[0] * l[0] + row[1] * l[1] + row[2] * l[2]).clamp(0.0, 1.0)).collect();
        let x = (0.4124564 * rgb[0] + 0.3575761 * rgb[1] + 0.1804375 * rgb[2]) / 0.95047;
        let y = 0.2126729 * rgb[0] + 0.7151522 * rgb[1] + 0.0721750 * rgb[2];
        let z = (0.0193339 * rgb[0] + 0.1191920 * rgb[1] + 0.9503041 * rgb[2]) / 1.08883;
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        [116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))]
    }

    /// CIEDE2000 after Sharma, Wu and Dalal 2005, k = 1.
    fn delta_e(a: Lab, b: Lab) -> f64 {
        let c = |lab: Lab| lab[1].hypot(lab[2]);
        let c7 = ((c(a) + c(b)) / 2.0).powi(7);
        let g = 0.5 * (1.0 - (c7 / (c7 + 25.0_f64.powi(7))).sqrt());
        let prime = |lab: Lab| {
            let ap = lab[1] * (1.0 + g);
            let h = if ap == 0.0 && lab[2] == 0.0 { 0.0 } else { lab[2].atan2(ap).to_degrees().rem_euclid(360.0) };
            (lab[0], ap.hypot(lab[2]), h)
        };
        let ((l1, c1, h1), (l2, c2, h2)) = (prime(a), prime(b));
        let mut dh = h2 - h1;
        if c1 * c2 == 0.0 {
            dh = 0.0;
        } else if dh > 180.0 {
            dh -= 360.0;
        } else if dh < -180.0 {
            dh += 360.0;
        }
        let d_h = 2.0 * (c1 * c2).sqrt() * (dh / 2.0).to_radians().sin();
        let (lm, cm) = ((l1 + l2) / 2.0, (c1 + c2) / 2.0);
        let hm = if c1 * c2 == 0.0 {
            h1 + h2
        } else if (h1 - h2).abs() <= 180.0 {
            (h1 + h2) / 2.0
        } else if h1 + h2 < 360.0 {
            (h1 + h2 + 360.0) / 2.0
        } else {
            (h1 + h2 - 360.0) / 2.0
        };
        let cos = |deg: f64| deg.to_radians().cos();
        let t = 1.0 - 0.17 * cos(hm - 30.0) + 0.24 * cos(2.0 * hm) + 0.32 * cos(3.0 * hm + 6.0) - 0.20 * cos(4.0 * hm - 63.0);
        let sl = 1.0 + 0.015 * (lm - 50.0).powi(2) / (20.0 + (lm - 50.0).powi(2)).sqrt();
        let (sc, sh) = (1.0 + 0.045 * cm, 1.0 + 0.015 * cm * t);
        let cm7 = cm.powi(7);
        let rc = 2.0 * (cm7 / (cm7 + 25.0_f64.powi(7))).sqrt();
        let rt = -rc * (60.0 * (-((hm - 275.0) / 25.0).powi(2)).exp()).to_radians().sin();
        let (dl, dc, dh) = ((l2 - l1) / sl, (c2 - c1) / sc, d_h / sh);
        (dl * dl + dc * dc + dh * dh + rt * dc * dh).max(0.0).sqrt()
    }

    fn luminance(color: Rgb) -> f64 {
        let [r, g, b] = color.linear().map(f64::from);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn the_formula_gives_a_published_pair() {
        // Sharma et al. 2005, table 1, pair 1.
        let d = delta_e([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485]);
        assert!((d - 2.0425).abs() < 1e-4, "{d}");
    }

    #[test]
    fn every_pair_of_statuses_stays_apart_for_every_eye() {
        let known = Status::ALL.into_iter().filter(|status| *status != Status::Unknown).collect::<Vec<_>>();
        for (vision, matrix) in &VISIONS {
            for (at, a) in known.iter().enumerate() {
                for b in &known[at + 1..] {
                    let d = delta_e(lab(fill(*a), matrix), lab(fill(*b), matrix));
                    assert!(d >= 18.0, "{vision}: {a:?} and {b:?} are {d:.1} apart");
                }
            }
        }
    }

    #[test]
    fn every_fill_stands_out_on_the_dark_surface() {
        let ground = luminance(Rgb(0x14, 0x17, 0x1C));
        for status in Status::ALL {
            let contrast = (luminance(fill(status)) + 0.05) / (ground + 0.05);
            assert!(contrast >= 3.0, "{status:?}: {contrast:.2}");
        }
    }

    #[test]
    fn a_texel_carries_all_four_channels() {
        let texel = texel(
            Status::Failure,
            Freshness::Stale,
            Some((Priority::High, AlarmState::UnackActive)),
            ViewFlags(ViewFlags::SELECTED),
        );
        assert_eq!(texel, [5, 2, 2 | 8, 4]);
        assert_eq!(unbound_texel(ViewFlags(0))[0], 255);
    }
}
