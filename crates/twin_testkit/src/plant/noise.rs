//! Noise without a generator's state: every draw is a hash of what it is for, so that slicing time cannot change it.

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over `seed`, a lane and a counter.
pub(crate) const fn hash(seed: u64, lane: u64, counter: i64) -> u64 {
    let mut z = seed
        .wrapping_add(lane.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add((counter as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in `0.0..1.0`.
pub(crate) fn unit(seed: u64, lane: u64, counter: i64) -> f64 {
    (hash(seed, lane, counter) >> 11) as f64 / (1_u64 << 53) as f64
}

/// About normal with mean 0 and standard deviation 1: the sum of four uniforms, so never beyond ±3.5.
pub(crate) fn normal(seed: u64, lane: u64, counter: i64) -> f64 {
    let bits = hash(seed, lane, counter);
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
    // The sum of four uniforms has variance 4/12, that is a standard deviation of 0.577.
    (sum as f64 / 65_536.0 - 2.0) * 1.732
}

/// A smooth wander in about −1..1: normal draws every `period` seconds, joined by a cosine.
pub(crate) fn wander(seed: u64, lane: u64, second: i64, period: i64) -> f64 {
    let slot = second.div_euclid(period);
    let part = second.rem_euclid(period) as f64 / period as f64;
    let blend = 0.5 - 0.5 * libm::cos(part * core::f64::consts::PI);
    let a = normal(seed, lane, slot);
    let b = normal(seed, lane, slot + 1);
    (a + (b - a) * blend) * 0.6
}

/// Whether a short random event of `lane` covers `second`: in each slot of `every` seconds one occurs with chance `odds`,
/// lasting from `shortest` to `longest` seconds and lying wholly inside its slot.
pub(crate) fn episode(seed: u64, lane: u64, second: i64, every: i64, odds: f64, shortest: i64, longest: i64) -> bool {
    let slot = second.div_euclid(every);
    if unit(seed, lane ^ 0xA5, slot) >= odds {
        return false;
    }
    let length = shortest + (unit(seed, lane ^ 0x5A, slot) * (longest - shortest) as f64) as i64;
    let room = (every - length).max(0) as f64;
    let begin = (unit(seed, lane ^ 0xC3, slot) * room) as i64;
    let at = second.rem_euclid(every);
    begin <= at && at < begin + length
}

/// One step of one second of a first-order lag with the time constant `tau` in seconds (2 or more).
pub(crate) fn lag(value: &mut f64, target: f64, tau: f64) {
    *value += (target - *value) / tau;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_centred_and_scaled() {
        let n = 20_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..n {
            let x = normal(7, 3, i);
            sum += x;
            squares += x * x;
        }
        let mean: f64 = sum / n as f64;
        let var: f64 = squares / n as f64 - mean * mean;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((var - 1.0).abs() < 0.05, "{var}");
    }

    #[test]
    fn an_episode_stays_inside_its_slot() {
        for slot in 0..200_i64 {
            let on = (0..600).filter(|i| episode(1, 9, slot * 600 + i, 600, 1.0, 20, 60)).count();
            assert!((20..=60).contains(&on), "slot {slot}: {on}");
        }
    }
}
