//! Figures of several peers as one table, with how many times ours each costs.

use serde::Serialize;

use crate::peer::Figures;

/// One row of the table.
struct Measure {
    id: &'static str,
    title: &'static str,
    get: fn(&Figures) -> Option<f64>,
    /// Whether more is better.
    rate: bool,
}

const MEASURES: [Measure; 10] = [
    Measure { id: "memory_bytes_per_sample", title: "memory, bytes per sample", get: |f| f.memory_bytes_per_sample, rate: false },
    Measure { id: "disk_bytes_per_sample", title: "disk, bytes per sample", get: |f| f.disk_bytes_per_sample, rate: false },
    Measure {
        id: "ingest_samples_s",
        title: "ingest, in the peer's own pieces, M samples/s",
        get: |f| Some(f.ingest_samples_s / 1e6),
        rate: true,
    },
    Measure {
        id: "live_samples_s",
        title: "ingest, every second readable at once, M samples/s",
        get: |f| Some(f.live_samples_s / 1e6),
        rate: true,
    },
    Measure { id: "jump_p50_ms", title: "jump, all signals, p50 ms", get: |f| Some(f.jump_p50_ms), rate: false },
    Measure { id: "jump_p99_ms", title: "jump, all signals, p99 ms", get: |f| Some(f.jump_p99_ms), rate: false },
    Measure { id: "drag_p50_ms", title: "drag step, all signals, p50 ms", get: |f| Some(f.drag_p50_ms), rate: false },
    Measure { id: "drag_p99_ms", title: "drag step, all signals, p99 ms", get: |f| Some(f.drag_p99_ms), rate: false },
    Measure {
        id: "range_p50_ms",
        title: "one signal, whole time, 1,000 points, p50 ms",
        get: |f| Some(f.range_p50_ms),
        rate: false,
    },
    Measure {
        id: "range_p99_ms",
        title: "one signal, whole time, 1,000 points, p99 ms",
        get: |f| Some(f.range_p99_ms),
        rate: false,
    },
];

/// What a peer costs in one measure.
#[derive(Debug, Clone, Serialize)]
pub struct Ratio {
    /// The measure.
    pub id: &'static str,
    /// The peer.
    pub peer: String,
    /// Its cost divided by ours: bytes or time per sample, time per read. Over 1 we are ahead.
    pub times_ours: f64,
    /// Whether we are ahead.
    pub ahead: bool,
}

/// The ratios of all measures that both have.
pub fn ratios(ours: &Figures, peers: &[Figures]) -> Vec<Ratio> {
    let ratio = |measure: &Measure, peer: &Figures| {
        let times_ours = times(measure, ours, peer)?;
        Some(Ratio { id: measure.id, peer: peer.peer.clone(), times_ours, ahead: times_ours > 1.0 })
    };
    MEASURES.iter().flat_map(|measure| peers.iter().filter_map(move |peer| ratio(measure, peer))).collect()
}

fn times(measure: &Measure, ours: &Figures, peer: &Figures) -> Option<f64> {
    let (ours, theirs) = ((measure.get)(ours)?, (measure.get)(peer)?);
    Some(if measure.rate { ours / theirs } else { theirs / ours })
}

/// Markdown: measures down, peers across; in brackets how many times ours.
pub fn markdown(title: &str, ours: &Figures, peers: &[Figures]) -> String {
    let mut out = format!("| {title} | {} |", ours.peer);
    peers.iter().for_each(|peer| out += &format!(" {} |", peer.peer));
    out += " ahead of all |\n|---|---|";
    out += &"---|".repeat(peers.len() + 1);
    for measure in &MEASURES {
        out += &format!("\n| {} | {} |", measure.title, figure((measure.get)(ours)));
        let mut behind = Vec::new();
        for peer in peers {
            let value = figure((measure.get)(peer));
            match times(measure, ours, peer) {
                Some(times) => {
                    out += &format!(" {value} ({}x) |", figure(Some(times)));
                    if times <= 1.0 {
                        behind.push(peer.peer.as_str());
                    }
                }
                None => out += &format!(" {value} |"),
            }
        }
        out += &if behind.is_empty() { " yes |".to_owned() } else { format!(" no: {} |", behind.join(", ")) };
    }
    out
}

/// Three digits that matter.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(v) if v.abs() >= 100.0 => format!("{v:.0}"),
        Some(v) if v.abs() >= 10.0 => format!("{v:.1}"),
        Some(v) if v.abs() >= 1.0 => format!("{v:.2}"),
        Some(v) => format!("{v:.4}"),
    }
}
