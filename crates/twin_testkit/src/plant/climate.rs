//! The hall's air and the air handling units. The day outside drives the hall; production adds its heat with a lag.

use super::Bus;
use super::catalog::{Catalog, Column, Group, Link, float, words};
use super::noise::{lag, wander};
use super::plan::Now;

const HALL: &[Column; 5] = &[
    float("temperature", "°C", 5, (-20.0, 60.0), 2, 0.02),
    float("humidity", "%", 5, (0.0, 100.0), 1, 0.1),
    float("co2", "ppm", 10, (0.0, 5_000.0), 0, 2.0),
    float("illuminance", "lx", 10, (0.0, 20_000.0), 0, 2.0),
    float("outdoor_temperature", "°C", 10, (-40.0, 60.0), 1, 0.04),
];
const AHU_STATES: &[&str] = &["heating", "free-cooling", "recirculation"];
const AHU: &[Column; 6] = &[
    words("state", AHU_STATES),
    float("supply_temperature", "°C", 5, (-20.0, 60.0), 1, 0.05),
    float("supply_flow", "m³/h", 5, (0.0, 40_000.0), 0, 40.0),
    float("filter_dp", "Pa", 5, (0.0, 1_000.0), 0, 1.0),
    float("fan_speed", "1/min", 5, (0.0, 2_000.0), 0, 2.0),
    float("fan_current", "A", 5, (0.0, 60.0), 2, 0.04),
];
/// Pressure over the filters at the start, and growth in Pa per hour: the second has crossed 250 Pa some hours before.
const FILTERS: [(f64, f64); 2] = [(142.0, 0.9), (262.0, 2.2)];

#[derive(Clone)]
pub(crate) struct Climate {
    hall: Group<5>,
    units: [Group<6>; 2],
    temperature: f64,
    humidity: f64,
    co2: f64,
    supply: [f64; 2],
    state: usize,
}

impl Climate {
    pub(crate) fn new(c: &mut Catalog) -> Self {
        Self {
            hall: c.group("hall", Link::Utilities, HALL),
            units: core::array::from_fn(|i| c.group(&format!("ahu-{:02}", i + 1), Link::Utilities, AHU)),
            temperature: 21.0,
            humidity: 48.0,
            co2: 620.0,
            supply: [18.0; 2],
            state: 1,
        }
    }

    pub(crate) fn step(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        // The ratio on the bus is that of the second before: heat takes longer anyway.
        let busy = bus.ratio.min(1.2);
        let target = 17.5 + 0.28 * now.outdoor + 2.6 * busy;
        lag(&mut self.temperature, target, 2_700.0);
        bus.ambient = self.temperature;
        lag(&mut self.humidity, 58.0 - 0.9 * (self.temperature - 18.0) + 4.0 * bus.rinse, 1_800.0);
        let people = [26.0, 24.0, 15.0][now.shift];
        lag(&mut self.co2, 430.0 + 9.0 * people, 2_400.0);
        let daylight = libm::sin((now.hour - 7.0) / 10.0 * core::f64::consts::PI).max(0.0);
        let daylight = if (7.0..17.0).contains(&now.hour) { daylight } else { 0.0 };
        let light = 420.0 + 900.0 * daylight * (0.7 + 0.3 * wander(now.seed, 0x61, now.second, 1_200));
        self.hall.put(truth, [self.temperature, self.humidity, self.co2, light.max(0.0), now.outdoor]);
        self.air(now, bus, truth);
    }

    fn air(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        // Half a kelvin of room between the modes keeps the dampers from chattering.
        self.state = match self.state {
            0 if self.temperature > 20.2 => 2,
            2 if self.temperature < 19.4 => 0,
            2 if self.temperature > 21.6 => 1,
            1 if self.temperature < 20.8 => 2,
            state => state,
        };
        let setpoint = [26.0, 17.0, 20.0][self.state];
        let flow = [14_000.0, 19_000.0, 11_000.0][self.state];
        for (i, (dp, growth)) in FILTERS.into_iter().enumerate() {
            lag(&mut self.supply[i], setpoint - 0.4 * i as f64, 180.0);
            let wave = 1.0 + 0.01 * wander(now.seed, 0x62 + i as u64, now.second, 120);
            let flow = flow * wave;
            // Never fully clean, never beyond 600 Pa: someone changes the filter.
            let grown = (dp + growth * now.since as f64 / 3_600.0 - 60.0).rem_euclid(540.0) + 60.0;
            let share = flow / 20_000.0;
            let current = 4.0 + 17.0 * share * share * share;
            bus.power += current * 0.58;
            let pressure = grown * (0.85 + 0.15 * share);
            self.units[i].put(truth, [self.state as f64, self.supply[i], flow, pressure, 350.0 + 1_050.0 * share, current]);
        }
    }
}
