//! The bottling line: ten machines in a row with accumulating conveyors between them, and their drives.
//!
//! Flow is continuous (bottles per hour), buffers are bounded: a stop upstream starves, a stop downstream blocks.

use super::Bus;
use super::catalog::{Catalog, Column, Group, Link, count, float, words};
use super::noise::{episode, lag, wander};
use super::plan::{LINE_STATES, Now, PRODUCTS, SHIFTS, incidents};

/// Words of every machine's state; the codes are their positions.
pub(crate) const MACHINE_STATES: &[&str] = &["running", "idle", "blocked", "starved", "fault", "maintenance"];
const RUNNING: usize = 0;
const IDLE: usize = 1;
const BLOCKED: usize = 2;
const STARVED: usize = 3;
const FAULT: usize = 4;
const REPAIR: usize = 5;

const STATE: Column = words("state", MACHINE_STATES);
const RATE: Column = float("rate", "1/h", 2, (0.0, 40_000.0), 0, 25.0);
const COUNT: Column = count("count", 2);
const LOAD: Column = float("load", "%", 2, (0.0, 150.0), 1, 0.5);
const CURRENT: Column = float("motor_current", "A", 2, (0.0, 80.0), 2, 0.08);
const WARMTH: Column = float("motor_temperature", "°C", 5, (-20.0, 180.0), 1, 0.08);

const MACHINE: &[Column; 6] = &[STATE, RATE, COUNT, LOAD, CURRENT, WARMTH];
const RINSER: &[Column; 8] = &[
    STATE,
    RATE,
    COUNT,
    LOAD,
    CURRENT,
    WARMTH,
    float("water_pressure", "bar", 2, (0.0, 6.0), 2, 0.01),
    float("water_flow", "m³/h", 2, (0.0, 10.0), 2, 0.02),
];
const FILLER: &[Column; 10] = &[
    STATE,
    RATE,
    COUNT,
    LOAD,
    CURRENT,
    WARMTH,
    float("bowl_level", "%", 2, (0.0, 100.0), 1, 0.3),
    float("bowl_pressure", "bar", 2, (0.0, 8.0), 2, 0.01),
    float("product_temperature", "°C", 2, (-10.0, 60.0), 1, 0.05),
    float("fill_deviation", "ml", 2, (-25.0, 25.0), 2, 0.25),
];
const CAPPER: &[Column; 7] = &[STATE, RATE, COUNT, LOAD, CURRENT, WARMTH, float("cap_torque", "N·m", 2, (0.0, 4.0), 2, 0.02)];
const LABELLER: &[Column; 7] = &[STATE, RATE, COUNT, LOAD, CURRENT, WARMTH, float("label_stock", "%", 5, (0.0, 100.0), 1, 0.0)];
const INSPECTOR: &[Column; 5] = &[
    STATE,
    COUNT,
    count("rejected", 2),
    float("reject_rate", "%", 5, (0.0, 100.0), 2, 0.02),
    float("camera_temperature", "°C", 5, (-10.0, 90.0), 1, 0.1),
];
const CHECKWEIGHER: &[Column; 5] =
    &[STATE, RATE, COUNT, count("rejected", 2), float("mean_weight", "g", 2, (0.0, 2_000.0), 1, 0.4)];
const WRAPPER: &[Column; 7] = &[STATE, RATE, COUNT, LOAD, CURRENT, WARMTH, float("film_stock", "%", 5, (0.0, 100.0), 1, 0.0)];

const FILLING_LINE: &[Column; 7] = &[
    float("speed_setpoint", "1/h", 5, (0.0, 30_000.0), 0, 0.0),
    float("speed_nominal", "1/h", 10, (0.0, 30_000.0), 0, 0.0),
    float("throughput", "1/h", 5, (0.0, 40_000.0), 0, 0.0),
    float("availability", "%", 10, (0.0, 100.0), 1, 0.0),
    words("state", LINE_STATES),
    words("product", PRODUCTS),
    words("shift", SHIFTS),
];
const PACKING_LINE: &[Column; 3] = &[
    float("throughput", "1/h", 5, (0.0, 40_000.0), 0, 0.0),
    float("buffer_fill", "%", 5, (0.0, 100.0), 1, 0.0),
    count("pallets", 5),
];
const CONVEYOR: &[Column; 3] = &[
    float("speed", "m/s", 2, (0.0, 2.0), 3, 0.002),
    float("motor_current", "A", 2, (0.0, 20.0), 2, 0.03),
    float("accumulation", "%", 5, (0.0, 100.0), 1, 0.4),
];
const CONVEYOR_MOTOR: &[Column; 4] = &[
    float("speed", "1/min", 2, (0.0, 3_000.0), 0, 2.0),
    float("current", "A", 2, (0.0, 20.0), 2, 0.03),
    float("winding_temperature", "°C", 5, (-20.0, 200.0), 1, 0.1),
    float("vibration_rms", "mm/s", 2, (0.0, 25.0), 2, 0.02),
];
const BEARING: &[Column; 5] = &[
    float("vibration_rms", "mm/s", 1, (0.0, 25.0), 2, 0.015),
    float("envelope", "gE", 2, (0.0, 60.0), 2, 0.02),
    float("temperature", "°C", 2, (-20.0, 150.0), 1, 0.06),
    float("wear", "mm/s", 2, (0.0, 25.0), 3, 0.0),
    float("wear_rate", "1/h", 5, (0.0, 100.0), 2, 0.0),
];

/// Machines in the order of the flow.
const DEPALLETIZER: usize = 0;
const RINSE: usize = 1;
const FILL: usize = 2;
const CAP: usize = 3;
const INSPECT: usize = 4;
const LABEL: usize = 5;
const WEIGH: usize = 6;
const PACK: usize = 7;
const PALLETIZE: usize = 8;
const WRAP: usize = 9;
const MACHINES: usize = 10;

/// Bottles that fit between a machine and the next: about 45 to 120 seconds of production on the conveyors.
const CAPACITY: [f64; MACHINES - 1] = [400.0, 300.0, 80.0, 500.0, 350.0, 250.0, 600.0, 900.0, 900.0];
/// Current of a drive without load and what full load adds, in amperes.
const AMPERES: [(f64, f64); MACHINES] =
    [(4.0, 7.0), (5.0, 9.0), (9.0, 19.0), (3.0, 6.0), (1.0, 1.2), (4.0, 7.5), (1.2, 1.6), (5.0, 9.0), (6.0, 12.0), (3.5, 6.5)];
/// Chance of a short stop in each half-hour.
const STOP_ODDS: [f64; MACHINES] = [0.25, 0.08, 0.06, 0.15, 0.03, 0.22, 0.02, 0.25, 0.2, 0.18];

/// For each conveyor the machine that feeds it and the buffer that it is: the filler's and capper's block stands on the
/// second, the camera on the fourth, the labeller on the fifth; six and seven are one buffer; crates go on the eighth.
const CONVEYORS: [(usize, usize); 8] =
    [(DEPALLETIZER, 0), (RINSE, 1), (CAP, 3), (INSPECT, 4), (LABEL, 5), (WEIGH, 6), (WEIGH, 6), (PACK, 7)];
/// Conveyors whose drives are watched, in the order of the drives.
const DRIVEN: [usize; 4] = [0, 1, 4, 7];

/// Bottles on a pallet.
const PALLET: f64 = 720.0;
/// Bottles in a case.
const CASE: f64 = 12.0;

#[derive(Clone)]
struct Machine {
    state: usize,
    /// Bottles per hour.
    rate: f64,
    /// Bottles since the beginning of the year.
    total: f64,
    load: f64,
    current: f64,
    warmth: f64,
}

/// Where the signals of the line lie.
#[derive(Clone, Copy)]
struct Places {
    filling: Group<7>,
    packing: Group<3>,
    simple: [(usize, Group<6>); 3],
    rinser: Group<8>,
    filler: Group<10>,
    bearing: Group<5>,
    capper: Group<7>,
    labeller: Group<7>,
    inspector: Group<5>,
    checkweigher: Group<5>,
    wrapper: Group<7>,
    conveyors: [Group<3>; 8],
    motors: [Group<4>; 4],
}

#[derive(Clone)]
pub(crate) struct Line {
    at: Places,
    machines: [Machine; MACHINES],
    buffers: [f64; MACHINES - 1],
    conveyor_speed: [f64; 8],
    motor_warmth: [f64; 4],
    rejected: [f64; 2],
    reject_rate: f64,
    camera: f64,
    label_stock: f64,
    film_stock: f64,
    wear: f64,
    wear_rate: f64,
    bearing_temperature: f64,
    availability: f64,
    bowl: f64,
}

impl Line {
    pub(crate) fn new(c: &mut Catalog, now: &Now) -> Self {
        let line = Link::Line;
        let at = Places {
            filling: c.group("filling-line", line, FILLING_LINE),
            packing: c.group("packing-line", line, PACKING_LINE),
            simple: [
                (DEPALLETIZER, c.group("depalletizer-01", line, MACHINE)),
                (PACK, c.group("packer-01", line, MACHINE)),
                (PALLETIZE, c.group("palletizer-01", line, MACHINE)),
            ],
            rinser: c.group("rinser-01", line, RINSER),
            filler: c.group("filler-01", line, FILLER),
            bearing: c.group("filler-bearing-01", Link::Condition, BEARING),
            capper: c.group("capper-01", line, CAPPER),
            labeller: c.group("labeller-01", line, LABELLER),
            inspector: c.group("inspector-01", line, INSPECTOR),
            checkweigher: c.group("checkweigher-01", line, CHECKWEIGHER),
            wrapper: c.group("wrapper-01", line, WRAPPER),
            conveyors: core::array::from_fn(|i| c.group(&format!("conveyor-{:02}", i + 1), line, CONVEYOR)),
            motors: core::array::from_fn(|i| c.group(&format!("conveyor-motor-{:02}", i + 1), Link::Condition, CONVEYOR_MOTOR)),
        };
        // Counters go on from an average since the beginning of 2026, so that a restarted plant does not begin at zero.
        let total = (now.second - 1_767_225_600).max(0) as f64 * 4.6;
        let machine = Machine { state: RUNNING, rate: now.rated, total, load: 70.0, current: 10.0, warmth: 48.0 };
        Self {
            at,
            machines: core::array::from_fn(|_| machine.clone()),
            buffers: CAPACITY.map(|c| c * 0.5),
            conveyor_speed: [0.5; 8],
            motor_warmth: [48.0; 4],
            rejected: [libm::floor(total * 0.004), libm::floor(total * 0.001)],
            reject_rate: 0.4,
            camera: 38.0,
            label_stock: 80.0,
            film_stock: 60.0,
            wear: 0.95,
            wear_rate: 0.02,
            bearing_temperature: 42.0,
            availability: 92.0,
            bowl: 55.0,
        }
    }

    pub(crate) fn step(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        self.flow(now);
        for (machine, (base, span)) in self.machines.iter_mut().zip(AMPERES) {
            drive(machine, base, span, bus.ambient);
            // 400 V, power factor 0.85: 0.59 kW per ampere.
            bus.power += machine.current * 0.59;
        }
        self.wear(now, bus.ambient);
        self.conveyors(now, bus, truth);
        let filler = &self.machines[FILL];
        bus.draw = filler.rate * now.litres / 1_000.0;
        bus.ratio = filler.rate / now.rated;
        bus.rinse = self.machines[RINSE].rate / now.rated;
        bus.pallets = libm::floor(self.machines[WRAP].total / PALLET);
        bus.packing = self.machines[PACK].rate / now.rated;
        let producing = on_share(filler.state == RUNNING);
        lag(&mut self.availability, producing * 100.0, 3_600.0);
        self.report(now, bus, truth);
    }

    /// Moves bottles for one second.
    fn flow(&mut self, now: &Now) {
        let fill: [f64; MACHINES - 1] = core::array::from_fn(|i| self.buffers[i] / CAPACITY[i]);
        for i in 0..MACHINES {
            let up = if i == 0 { 1.0 } else { fill[i - 1] };
            let down = if i == MACHINES - 1 { 0.0 } else { fill[i] };
            let state = next_state(now, i, self.machines[i].state, up, down);
            // The filler leads; the machines around it follow the buffers between.
            let target = match i {
                _ if state != RUNNING => 0.0,
                FILL => now.rated * now.filler_override(),
                _ if i < FILL => now.rated * (1.0 + 0.4 * (0.5 - down)),
                _ => now.rated * (1.0 + 0.4 * (up - 0.5)),
            };
            let machine = &mut self.machines[i];
            machine.state = state;
            lag(&mut machine.rate, target, if state == RUNNING { 6.0 } else { 2.5 });
            if machine.rate < 40.0 {
                machine.rate = 0.0;
            }
        }
        for i in 0..MACHINES {
            let mut bottles = self.machines[i].rate / 3_600.0;
            if i > 0 {
                bottles = bottles.min(self.buffers[i - 1]);
                self.buffers[i - 1] -= bottles;
            }
            if let Some(capacity) = CAPACITY.get(i) {
                bottles = bottles.min(capacity - self.buffers[i]);
                self.buffers[i] += bottles * self.kept(now, i, bottles);
            }
            self.machines[i].total += bottles;
        }
    }

    /// Share of bottles that a machine passes on; the camera and the scale take some out.
    fn kept(&mut self, now: &Now, machine: usize, bottles: f64) -> f64 {
        let share = match machine {
            INSPECT => {
                // A drifting print or a wet label shows as a swell of rejects for a while.
                let trouble = !now.undisturbed() && episode(now.seed, 0x1B, now.second, 7_200, 0.4, 200, 900);
                let share = 0.003 + 0.001 * wander(now.seed, 0x1A, now.second, 300) + if trouble { 0.035 } else { 0.0 };
                let share = share.max(0.0);
                lag(&mut self.reject_rate, share * 100.0, 60.0);
                self.rejected[0] += bottles * share;
                share
            }
            WEIGH => {
                self.rejected[1] += bottles * 0.001;
                0.001
            }
            _ => 0.0,
        };
        1.0 - share
    }

    /// The bearing of the filler's carousel: wear grows exponentially while it turns, vibration follows wear and speed.
    fn wear(&mut self, now: &Now, ambient: f64) {
        use super::plan::story;
        let ratio = self.machines[FILL].rate / now.rated;
        if now.phase == Some(story::ONSET) || now.since == incidents::BEARING_GROWTH.0 {
            self.wear = story::ONSET_VIBRATION;
        } else if now.phase == Some(story::REPAIRED) || now.since == incidents::BEARING_REPAIR.1 {
            self.wear = 0.95;
        }
        self.wear_rate = if now.in_story(story::ONSET, story::STOPPED) {
            story::RATE
        } else if now.in_incident(incidents::BEARING_GROWTH) {
            incidents::BEARING_RATE
        } else if now.since >= 0 {
            0.35
        } else {
            0.004
        };
        // Growth goes with the cube of speed, as the life of a bearing under load does (ISO 281: ball bearings, exponent 3).
        let rate = self.wear_rate / 3_600.0 * ratio * ratio * ratio;
        self.wear = (self.wear * libm::exp(rate)).min(16.0);
        let target = ambient + 14.0 * ratio + 2.0 * self.wear * ratio;
        lag(&mut self.bearing_temperature, target, 45.0);
    }

    fn conveyors(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        for (i, (machine, buffer)) in CONVEYORS.into_iter().enumerate() {
            let feeding = &self.machines[machine];
            let target = if now.line == 0 && feeding.state != FAULT { 0.12 + 0.48 * feeding.rate / now.rated } else { 0.0 };
            lag(&mut self.conveyor_speed[i], target, 4.0);
            let speed = if self.conveyor_speed[i] < 0.005 { 0.0 } else { self.conveyor_speed[i] };
            let share = self.buffers.get(buffer).map_or(0.4, |b| b / CAPACITY[buffer]);
            let moving = on_share(speed > 0.0);
            let current = moving * (1.2 + 3.0 * speed + 1.6 * share);
            bus.power += current * 0.55;
            self.at.conveyors[i].put(truth, [speed, current, share * 100.0]);
            if let Some(m) = DRIVEN.iter().position(|driven| *driven == i) {
                lag(&mut self.motor_warmth[m], bus.ambient + 2.1 * current * current, 600.0);
                // 4-pole motor and gear: 2350 1/min at 1 m/s.
                let vibration = 0.25 * moving + 0.9 * speed * (1.0 + 0.08 * wander(now.seed, 0x40 + m as u64, now.second, 90));
                self.at.motors[m].put(truth, [speed * 2_350.0, current, self.motor_warmth[m], vibration]);
            }
        }
    }

    fn report(&mut self, now: &Now, bus: &Bus, truth: &mut [f64]) {
        let m = &self.machines;
        let common = |i: usize, per: f64| {
            let m = &m[i];
            [m.state as f64, m.rate / per, libm::floor(m.total / per), m.load, m.current, m.warmth]
        };
        let setpoint = if now.producing() { now.rated * now.filler_override() } else { 0.0 };
        let codes = [now.line as f64, now.product as f64, now.shift as f64];
        let [state, product, shift] = codes;
        let speeds = [setpoint, now.rated, m[PACK].rate, self.availability];
        self.at.filling.put(truth, [speeds[0], speeds[1], speeds[2], speeds[3], state, product, shift]);
        let buffer = (self.buffers[6] + self.buffers[7] + self.buffers[8]) / (CAPACITY[6] + CAPACITY[7] + CAPACITY[8]);
        self.at.packing.put(truth, [m[WRAP].rate, buffer * 100.0, bus.pallets]);
        for (machine, group) in self.at.simple {
            let per = if machine == PALLETIZE {
                PALLET
            } else if machine == PACK {
                CASE
            } else {
                1.0
            };
            group.put(truth, common(machine, per));
        }
        let [a, b, c, d, e, f] = common(RINSE, 1.0);
        let water = 2.6 * bus.rinse;
        self.at.rinser.put(truth, [a, b, c, d, e, f, if water > 0.1 { 3.1 - 0.1 * water } else { 3.4 }, water]);
        let [a, b, c, d, e, f] = common(FILL, 1.0);
        lag(&mut self.bowl, if bus.draw > 0.5 { 55.0 } else { 62.0 }, 15.0);
        let bowl = self.bowl + 1.5 * wander(now.seed, 0x22, now.second, 20);
        let deviation = 0.4 * wander(now.seed, 0x23, now.second, 600) + 0.08 * (self.wear - 1.0);
        let tail = [bowl, 2.6 + 0.15 * bus.ratio, bus.product_out + 0.4, deviation];
        self.at.filler.put(truth, [a, b, c, d, e, f, tail[0], tail[1], tail[2], tail[3]]);
        let ratio = bus.ratio;
        let vibration = self.wear * (0.06 + 0.94 * ratio);
        let envelope = 0.4 + 1.8 * (self.wear - 0.8) * ratio;
        self.at.bearing.put(truth, [vibration, envelope.max(0.1), self.bearing_temperature, self.wear, self.wear_rate]);
        let [a, b, c, d, e, f] = common(CAP, 1.0);
        let torque = if m[CAP].rate > 0.0 { 1.85 + 0.05 * wander(now.seed, 0x24, now.second, 120) } else { 0.0 };
        self.at.capper.put(truth, [a, b, c, d, e, f, torque]);
        self.stocks();
        let m = &self.machines;
        let weight = if m[WEIGH].rate > 0.0 { now.litres * 1_020.0 + 24.0 + deviation } else { 0.0 };
        let head = [m[WEIGH].state as f64, m[WEIGH].rate, libm::floor(m[WEIGH].total)];
        self.at.checkweigher.put(truth, [head[0], head[1], head[2], libm::floor(self.rejected[1]), weight]);
        lag(&mut self.camera, bus.ambient + 14.0 + 3.0 * (m[INSPECT].rate / now.rated), 300.0);
        let head = [m[INSPECT].state as f64, libm::floor(m[INSPECT].total), libm::floor(self.rejected[0])];
        self.at.inspector.put(truth, [head[0], head[1], head[2], self.reject_rate, self.camera]);
        let common = |i: usize, per: f64| {
            let m = &self.machines[i];
            [m.state as f64, m.rate / per, libm::floor(m.total / per), m.load, m.current, m.warmth]
        };
        let [a, b, c, d, e, f] = common(LABEL, 1.0);
        self.at.labeller.put(truth, [a, b, c, d, e, f, self.label_stock]);
        let [a, b, c, d, e, f] = common(WRAP, PALLET);
        self.at.wrapper.put(truth, [a, b, c, d, e, f, self.film_stock]);
    }

    /// Labels and film are used up and renewed when a stop of that machine offers the chance, or at the last per cent.
    fn stocks(&mut self) {
        let use_up = |stock: &mut f64, machine: &Machine, roll: f64| {
            *stock -= machine.rate / 3_600.0 / roll * 100.0;
            if *stock < 2.0 || (*stock < 25.0 && machine.state == FAULT) {
                *stock = 100.0;
            }
        };
        use_up(&mut self.label_stock, &self.machines[LABEL], 60_000.0);
        use_up(&mut self.film_stock, &self.machines[WRAP], 90_000.0);
    }
}

/// The next state of a machine from the fill of the buffers before and after it, with room between leaving and entering.
fn next_state(now: &Now, machine: usize, state: usize, up: f64, down: f64) -> usize {
    if machine == FILL && now.filler_in_repair() {
        return REPAIR;
    }
    if machine == LABEL && now.in_incident(incidents::LABELLER_JAM) {
        return FAULT;
    }
    let lane = 0x100 + machine as u64;
    if now.producing() && !now.undisturbed() && episode(now.seed, lane, now.second, 1_800, STOP_ODDS[machine], 20, 110) {
        return FAULT;
    }
    if !now.producing() {
        return IDLE;
    }
    if down > 0.97 || (state == BLOCKED && down > 0.75) {
        return BLOCKED;
    }
    if up < 0.03 || (state == STARVED && up < 0.25) {
        return STARVED;
    }
    RUNNING
}

/// Speed gives load, load gives current, the square of load heats the winding above the hall.
fn drive(machine: &mut Machine, base: f64, span: f64, ambient: f64) {
    let rate = machine.rate / 24_000.0;
    let turning = on_share(machine.rate > 0.0);
    let load = turning * (22.0 + 56.0 * rate);
    lag(&mut machine.load, load, 3.0);
    let share = machine.load / 100.0;
    machine.current = base * turning + span * share;
    lag(&mut machine.warmth, ambient + 6.0 * turning + 52.0 * share * share, 420.0);
}

fn on_share(state: bool) -> f64 {
    if state { 1.0 } else { 0.0 }
}
