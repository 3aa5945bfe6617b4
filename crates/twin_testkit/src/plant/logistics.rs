//! Robots, vehicles, the pallet scanner and the docks: what moves. Their link is the one that drops off in the story.

use core::f64::consts::TAU;

use super::Bus;
use super::catalog::{Catalog, Column, Group, Link, count, float, on, switch, words};
use super::noise::{episode, lag, wander};
use super::plan::Now;

const ROBOT_MODES: &[&str] = &["automatic", "hold", "manual"];
const ROBOT: &[Column; 6] = &[
    words("mode", ROBOT_MODES),
    count("cycle_count", 2),
    float("cycle_time", "s", 2, (0.0, 60.0), 2, 0.03),
    float("joint_temperature", "°C", 5, (-20.0, 120.0), 1, 0.08),
    float("motor_current", "A", 2, (0.0, 40.0), 2, 0.15),
    float("vacuum", "bar", 2, (-1.0, 0.0), 3, 0.004),
];
const AGV_MODES: &[&str] = &["driving", "loading", "charging"];
const AGV: &[Column; 7] = &[
    words("mode", AGV_MODES),
    float("battery", "%", 5, (0.0, 100.0), 1, 0.0),
    float("speed", "m/s", 1, (0.0, 3.0), 2, 0.01),
    float("position_x", "m", 1, (-40.0, 40.0), 2, 0.005),
    float("position_z", "m", 1, (-20.0, 20.0), 2, 0.005),
    switch("loaded"),
    count("trips", 5),
];
const SCANNER: &[Column; 3] =
    &[count("reads", 2), float("no_read_rate", "%", 5, (0.0, 100.0), 2, 0.01), float("contrast", "%", 5, (0.0, 100.0), 1, 0.3)];
const DOCK: &[Column; 4] = &[
    switch("door_open"),
    switch("truck_present"),
    count("pallets_shipped", 10),
    float("temperature", "°C", 10, (-30.0, 60.0), 1, 0.04),
];

/// Seconds of one round of a vehicle between wrapper and dock, and how many of them it stands at each end.
const ROUND: i64 = 180;
const STAND: f64 = 30.0;

#[derive(Clone)]
pub(crate) struct Logistics {
    robots: [Group<6>; 2],
    vehicles: [Group<7>; 2],
    scanner: Group<3>,
    docks: [Group<4>; 2],
    cycles: [f64; 2],
    warmth: [f64; 2],
    battery: [f64; 2],
    charging: [bool; 2],
    trips: [f64; 2],
    shipped: [f64; 2],
    dock_air: [f64; 2],
}

impl Logistics {
    pub(crate) fn new(c: &mut Catalog, now: &Now) -> Self {
        let year = (now.second - 1_767_225_600).max(0) as f64;
        Self {
            robots: core::array::from_fn(|i| c.group(&format!("robot-{:02}", i + 1), Link::Fleet, ROBOT)),
            vehicles: core::array::from_fn(|i| c.group(&format!("agv-{:02}", i + 1), Link::Fleet, AGV)),
            scanner: c.group("scanner-01", Link::Fleet, SCANNER),
            docks: core::array::from_fn(|i| c.group(&format!("dock-{:02}", i + 1), Link::Utilities, DOCK)),
            cycles: [libm::floor(year / 9.4), libm::floor(year / 11.0)],
            warmth: [40.0; 2],
            battery: [82.0, 55.0],
            charging: [false; 2],
            trips: [libm::floor(year / 260.0), libm::floor(year / 270.0)],
            shipped: [libm::floor(year / 350.0), libm::floor(year / 360.0)],
            dock_air: [16.0; 2],
        }
    }

    pub(crate) fn step(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        for i in 0..2 {
            self.robot(i, now, bus, truth);
            self.vehicle(i, now, bus, truth);
            self.dock(i, now, bus, truth);
        }
        let trouble = !now.undisturbed() && episode(now.seed, 0x7A, now.second, 10_800, 0.3, 300, 900);
        let miss = 0.12 + 0.05 * wander(now.seed, 0x7B, now.second, 600) + if trouble { 2.5 } else { 0.0 };
        let contrast = 84.0 + 2.0 * wander(now.seed, 0x7C, now.second, 900) - if trouble { 22.0 } else { 0.0 };
        self.scanner.put(truth, [bus.pallets, miss, contrast]);
    }

    /// Robot 1 stacks layers at the palletizer, robot 2 fills cases at the packer; both follow the packing speed.
    fn robot(&mut self, i: usize, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let busy = bus.packing > 0.15;
        let service = now.line == 2 && (300..700).contains(&now.into_changeover);
        let mode = if service {
            2
        } else if busy {
            0
        } else {
            1
        };
        let wave = 1.0 + 0.03 * wander(now.seed, 0x70 + i as u64, now.second, 60);
        let time = [7.2, 9.0][i] / bus.packing.clamp(0.3, 1.2) * wave;
        if mode == 0 {
            self.cycles[i] += 1.0 / time;
        }
        let effort = on(mode == 0) * (0.4 + 0.6 * bus.packing);
        lag(&mut self.warmth[i], bus.ambient + 27.0 * effort, 1_200.0);
        // Within a cycle the arm lifts, swings and returns.
        let swing = libm::sin(self.cycles[i] * TAU);
        let current = on(mode != 1) * 1.5 + effort * (6.0 + 3.0 * swing);
        bus.power += 0.4 + current * 0.4;
        let vacuum = if mode == 0 && swing > -0.2 { -0.62 } else { -0.04 };
        bus.air += effort * 0.6;
        let shown = if mode == 0 { time } else { 0.0 };
        self.robots[i].put(truth, [mode as f64, libm::floor(self.cycles[i]), shown, self.warmth[i], current, vacuum]);
    }

    /// A vehicle goes to and fro between wrapper and dock until its battery asks for the charger.
    fn vehicle(&mut self, i: usize, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        if self.battery[i] < 24.0 {
            self.charging[i] = true;
        } else if self.battery[i] > 94.0 {
            self.charging[i] = false;
        }
        let at = (now.second + i as i64 * (ROUND / 2)).rem_euclid(ROUND) as f64;
        let half = ROUND as f64 / 2.0;
        let drive = half - STAND;
        let (leg, into) = if at < half { (0, at) } else { (1, at - half) };
        let standing = into < STAND;
        // Smooth start and stop: a cosine along the leg, whose derivative is the speed.
        let part = ((into - STAND) / drive).clamp(0.0, 1.0);
        let along = 0.5 - 0.5 * libm::cos(part * core::f64::consts::PI);
        let along = if leg == 0 { along } else { 1.0 - along };
        let length = 11.5;
        let speed = if standing { 0.0 } else { length / drive * 1.571 * libm::sin(part * core::f64::consts::PI) };
        let lane = [22.6, 26.4][i];
        let mode = if self.charging[i] {
            2
        } else if standing {
            1
        } else {
            0
        };
        if mode != 2 && at == 0.0 && now.packing_goes(bus) {
            self.trips[i] += 1.0;
            self.shipped[i] += 1.0;
        }
        self.battery[i] += match mode {
            0 => -0.0036,
            1 => -0.0012,
            _ => 0.016,
        };
        bus.power += on(mode == 2) * 3.2;
        let (z, speed) = if mode == 2 { (3.0, 0.0) } else { (3.0 - length * along, speed.max(0.0)) };
        let loaded = mode != 2 && leg == 0 && !standing;
        self.vehicles[i].put(truth, [mode as f64, self.battery[i], speed, lane, z, on(loaded), self.trips[i]]);
    }

    fn dock(&mut self, i: usize, now: &Now, bus: &Bus, truth: &mut [f64]) {
        let truck = episode(now.seed, 0x80 + i as u64, now.second, 3_600, 0.75, 1_500, 2_700);
        // The door opens two minutes after the truck has docked.
        let open = truck && episode(now.seed, 0x80 + i as u64, now.second - 120, 3_600, 0.75, 1_500, 2_700);
        let target = if open { 0.5 * (bus.ambient + now.outdoor) } else { bus.ambient - 2.0 };
        lag(&mut self.dock_air[i], target, if open { 240.0 } else { 900.0 });
        self.docks[i].put(truth, [on(open), on(truck), self.shipped[i], self.dock_air[i]]);
    }
}

impl Now {
    /// Vehicles are only called while pallets come.
    fn packing_goes(&self, bus: &Bus) -> bool {
        self.producing() && bus.packing > 0.1
    }
}
