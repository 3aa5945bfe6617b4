//! The wet part: tanks, mixer, pumps with their motors, valves, heat exchanger, pasteurizer, cleaning and fresh water.
//!
//! Tanks balance mass; pumps follow the affinity laws against a system curve; product is heated, held and cooled.

use super::Bus;
use super::catalog::{Catalog, Column, Group, Link, count, float, meter, on, switch, words};
use super::noise::{lag, wander};
use super::plan::{Now, incidents, story};

const TANK: &[Column; 5] = &[
    float("level", "%", 2, (0.0, 100.0), 1, 0.04),
    float("temperature", "°C", 5, (-20.0, 120.0), 1, 0.04),
    float("pressure", "bar", 5, (-1.0, 6.0), 3, 0.001),
    float("inflow", "m³/h", 2, (0.0, 60.0), 2, 0.02),
    float("outflow", "m³/h", 2, (0.0, 60.0), 2, 0.02),
];
const PUMP: &[Column; 8] = &[
    switch("running"),
    float("speed", "1/min", 2, (0.0, 3_600.0), 0, 2.0),
    float("flow", "m³/h", 2, (0.0, 80.0), 2, 0.03),
    float("suction_pressure", "bar", 2, (-1.0, 10.0), 2, 0.005),
    float("discharge_pressure", "bar", 2, (-1.0, 16.0), 2, 0.008),
    float("power", "kW", 2, (0.0, 30.0), 2, 0.01),
    float("vibration_rms", "mm/s", 2, (0.0, 25.0), 2, 0.02),
    float("bearing_temperature", "°C", 5, (-20.0, 150.0), 1, 0.06),
];
const MOTOR: &[Column; 4] = &[
    float("current", "A", 2, (0.0, 60.0), 2, 0.04),
    float("winding_temperature", "°C", 5, (-20.0, 200.0), 1, 0.08),
    float("vibration_rms", "mm/s", 2, (0.0, 25.0), 2, 0.02),
    meter("running_hours", "h", 10, 2),
];
const VALVE: &[Column; 4] = &[
    float("position", "%", 2, (0.0, 100.0), 1, 0.1),
    float("setpoint", "%", 2, (0.0, 100.0), 1, 0.0),
    float("deviation", "%", 2, (-100.0, 100.0), 1, 0.1),
    count("strokes", 10),
];
const EXCHANGER: &[Column; 6] = &[
    float("product_in_temperature", "°C", 5, (-20.0, 150.0), 1, 0.05),
    float("product_out_temperature", "°C", 2, (-20.0, 150.0), 1, 0.05),
    float("service_in_temperature", "°C", 5, (-20.0, 150.0), 1, 0.05),
    float("service_out_temperature", "°C", 5, (-20.0, 150.0), 1, 0.05),
    float("flow", "m³/h", 2, (0.0, 60.0), 2, 0.02),
    float("differential_pressure", "bar", 5, (0.0, 4.0), 3, 0.004),
];
const PASTEURIZER_STATES: &[&str] = &["production", "recirculation", "idle"];
const PASTEURIZER: &[Column; 7] = &[
    words("state", PASTEURIZER_STATES),
    float("holding_temperature", "°C", 2, (0.0, 120.0), 2, 0.03),
    float("flow", "m³/h", 2, (0.0, 60.0), 2, 0.02),
    float("pressure", "bar", 2, (0.0, 10.0), 2, 0.01),
    float("pasteurization_units", "PU", 5, (0.0, 200.0), 1, 0.2),
    float("steam_valve", "%", 2, (0.0, 100.0), 1, 0.2),
    float("differential_pressure", "bar", 5, (0.0, 4.0), 3, 0.004),
];
const MIXER_STATES: &[&str] = &["mixing", "discharging", "idle"];
const MIXER: &[Column; 6] = &[
    words("state", MIXER_STATES),
    float("speed", "1/min", 2, (0.0, 300.0), 1, 0.3),
    float("motor_current", "A", 2, (0.0, 60.0), 2, 0.06),
    float("product_temperature", "°C", 2, (-20.0, 120.0), 1, 0.05),
    float("brix", "°Bx", 5, (0.0, 70.0), 2, 0.01),
    count("batches", 10),
];
const CIP_PHASES: &[&str] = &["idle", "pre-rinse", "caustic", "rinse", "acid", "final-rinse"];
const CIP: &[Column; 5] = &[
    words("phase", CIP_PHASES),
    float("temperature", "°C", 5, (0.0, 120.0), 1, 0.08),
    float("conductivity", "mS/cm", 5, (0.0, 120.0), 1, 0.05),
    float("flow", "m³/h", 5, (0.0, 60.0), 2, 0.02),
    float("return_turbidity", "NTU", 5, (0.0, 500.0), 1, 0.2),
];
const WATER: &[Column; 5] = &[
    float("conductivity", "µS/cm", 5, (0.0, 200.0), 1, 0.05),
    float("flow", "m³/h", 5, (0.0, 60.0), 2, 0.02),
    float("chlorine", "mg/l", 10, (0.0, 5.0), 3, 0.002),
    float("filter_dp", "bar", 10, (0.0, 4.0), 3, 0.002),
    float("tank_level", "%", 5, (0.0, 100.0), 1, 0.05),
];
const RACK: &[Column; 3] = &[
    float("product_pressure", "bar", 5, (0.0, 16.0), 2, 0.01),
    float("cold_water_temperature", "°C", 10, (-10.0, 60.0), 1, 0.05),
    float("steam_pressure", "bar", 5, (0.0, 16.0), 2, 0.01),
];

/// Volume of the buffer tank before the filler in m³: 1 % is 25 l.
const BUFFER_TANK: f64 = 2.5;
const RAW_TANK: f64 = 20.0;
const WATER_TANK: f64 = 12.0;

/// A pump of one kind: head at rated speed without flow (m), loss of head per (m³/h)², rated kW, amperes at rated load.
#[derive(Clone, Copy)]
struct Kind {
    shutoff: f64,
    slope: f64,
    /// Static head of the system, m.
    lift: f64,
    /// Resistance of the system, m per (m³/h)².
    resistance: f64,
    rated_speed: f64,
}

const KINDS: [Kind; 6] = [
    Kind { shutoff: 48.0, slope: 0.020, lift: 14.0, resistance: 0.028, rated_speed: 2_950.0 },
    Kind { shutoff: 42.0, slope: 0.018, lift: 12.0, resistance: 0.020, rated_speed: 2_950.0 },
    Kind { shutoff: 38.0, slope: 0.022, lift: 18.0, resistance: 0.030, rated_speed: 2_950.0 },
    Kind { shutoff: 30.0, slope: 0.004, lift: 10.0, resistance: 0.005, rated_speed: 1_475.0 },
    Kind { shutoff: 34.0, slope: 0.006, lift: 6.0, resistance: 0.014, rated_speed: 1_475.0 },
    Kind { shutoff: 45.0, slope: 0.060, lift: 25.0, resistance: 0.080, rated_speed: 2_950.0 },
];

#[derive(Clone)]
struct Pump {
    at: Group<8>,
    motor: Group<4>,
    flow: f64,
    bearing: f64,
    winding: f64,
    hours: f64,
    discharge: f64,
}

impl Pump {
    /// One second at the wanted flow; returns electric power in kW.
    fn step(&mut self, i: usize, now: &Now, bus: &mut Bus, wanted: f64, suction: f64, truth: &mut [f64]) {
        let kind = KINDS[i];
        lag(&mut self.flow, wanted, 2.5);
        if self.flow < 0.05 {
            self.flow = 0.0;
        }
        let running = self.flow > 0.0;
        let q = self.flow;
        // Affinity laws: head of the pump at relative speed n is shutoff·n² − slope·q²; it meets the system's curve.
        let n = if running { libm::sqrt((kind.lift + (kind.resistance + kind.slope) * q * q) / kind.shutoff) } else { 0.0 };
        let head = if running { kind.shutoff * n * n - kind.slope * q * q } else { 0.0 };
        self.discharge = suction + head / 10.2;
        // Hydraulic kW = ρ g q h / 3.6e6; efficiency falls towards no flow.
        let efficiency = 0.30 + 0.35 * (q / (q + 8.0));
        let power = on(running) * (0.25 + q * head / 367.0 / efficiency);
        bus.power += power;
        let current = power / 0.588;
        let lane = 0x200 + i as u64;
        let vibration = on(running) * (0.55 + 0.75 * n * n) * (1.0 + 0.12 * wander(now.seed, lane, now.second, 60));
        // Pump 5 runs a little rough: worn coupling, watched by maintenance.
        let vibration = if i == 4 { vibration * 1.9 } else { vibration };
        lag(&mut self.bearing, bus.ambient + on(running) * (12.0 + 9.0 * n * n), 700.0);
        lag(&mut self.winding, bus.ambient + on(running) * 14.0 + 1.9 * power * power.min(9.0), 900.0);
        self.hours += on(running) / 3_600.0;
        self.at.put(truth, [on(running), n * kind.rated_speed, q, suction, self.discharge, power, vibration, self.bearing]);
        self.motor.put(truth, [current, self.winding, vibration * 0.7 + 0.1 * on(running), self.hours]);
    }
}

#[derive(Clone)]
struct Valve {
    at: Group<4>,
    position: f64,
    strokes: f64,
    was: f64,
}

impl Valve {
    /// Moves towards the command; `actual` overrides where it really is (a stuck valve).
    fn step(&mut self, command: f64, actual: Option<f64>, truth: &mut [f64]) {
        lag(&mut self.position, actual.unwrap_or(command), 2.5);
        if (self.position - self.was).abs() > 25.0 {
            self.strokes += 1.0;
            self.was = self.position;
        }
        self.at.put(truth, [self.position, command, self.position - command, self.strokes]);
    }
}

#[derive(Clone)]
pub(crate) struct Liquid {
    tanks: [Group<5>; 3],
    levels: [f64; 3],
    tank_warmth: [f64; 3],
    pumps: [Pump; 6],
    valves: [Valve; 4],
    exchanger: Group<6>,
    pasteurizer: Group<7>,
    mixer: Group<6>,
    cip: Group<5>,
    water: Group<5>,
    rack: Group<3>,
    filling: bool,
    watering: bool,
    inflow: f64,
    holding: f64,
    product_in: f64,
    service_out: f64,
    steam_valve: f64,
    mixer_speed: f64,
    mixer_warmth: f64,
    batches: f64,
    cip_warmth: f64,
    cip_strength: f64,
    turbidity: f64,
    fresh: f64,
}

impl Liquid {
    pub(crate) fn new(c: &mut Catalog, now: &Now) -> Self {
        let link = Link::Process;
        let year = (now.second - 1_767_225_600).max(0) as f64;
        let tanks = core::array::from_fn(|i| c.group(&format!("tank-{:02}", i + 1), link, TANK));
        let pumps = core::array::from_fn(|i| Pump {
            at: c.group(&format!("pump-{:02}", i + 1), link, PUMP),
            motor: c.group(&format!("motor-{:02}", i + 1), Link::Condition, MOTOR),
            flow: 0.0,
            bearing: 38.0,
            winding: 40.0,
            hours: 4_000.0 * (i + 2) as f64 + year / 3_600.0 * 0.8,
            discharge: 1.0,
        });
        let valves = core::array::from_fn(|i| Valve {
            at: c.group(&format!("valve-{:02}", i + 1), link, VALVE),
            position: 40.0,
            strokes: libm::floor(9_000.0 * (i + 1) as f64 + year / 1_800.0),
            was: 40.0,
        });
        Self {
            tanks,
            levels: [70.0, 80.0, 75.0],
            tank_warmth: [16.0, 8.0, 14.0],
            pumps,
            valves,
            exchanger: c.group("heat-exchanger-01", link, EXCHANGER),
            pasteurizer: c.group("pasteurizer-01", link, PASTEURIZER),
            mixer: c.group("mixer-01", link, MIXER),
            cip: c.group("cip-01", link, CIP),
            water: c.group("water-treatment-01", link, WATER),
            rack: c.group("pipe-rack-01", link, RACK),
            filling: false,
            watering: false,
            inflow: 12.0,
            holding: 72.5,
            product_in: 24.0,
            service_out: 11.0,
            steam_valve: 45.0,
            mixer_speed: 0.0,
            mixer_warmth: 16.0,
            batches: libm::floor(year / 3_700.0),
            cip_warmth: 20.0,
            cip_strength: 0.5,
            turbidity: 2.0,
            fresh: 0.0,
        }
    }

    pub(crate) fn step(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        self.buffer_tank(now, bus);
        self.raw_tank();
        self.water_tank(now, bus);
        self.heat(now, bus, truth);
        self.pumps(now, bus, truth);
        self.mixer(now, bus, truth);
        self.cleaning(now, bus, truth);
        self.report(now, bus, truth);
    }

    /// Tank 2 between pasteurizer and filler: level control at 80 %, apart from the stuck valve of the story.
    fn buffer_tank(&mut self, now: &Now, bus: &mut Bus) {
        let level = self.levels[1];
        let wanted = if now.in_story(story::VALVE_STUCK, story::VALVE_FREED) {
            24.5
        } else if now.in_story(story::VALVE_FREED, story::VALVE_NORMAL) && level > 80.0 {
            (bus.draw - 6.5).max(0.0)
        } else {
            (bus.draw + 1.4 * (80.0 - level)).clamp(0.0, 22.0)
        };
        let wanted = if wanted < 0.6 { 0.0 } else { wanted };
        lag(&mut self.inflow, wanted, 3.0);
        if self.inflow < 0.05 {
            self.inflow = 0.0;
        }
        bus.pasteurized = self.inflow;
        self.levels[1] = balance(level, self.inflow - bus.draw, BUFFER_TANK);
    }

    /// Tank 1 holds mixed product: emptied by production, filled by the mixer in batches.
    fn raw_tank(&mut self) {
        if self.levels[0] < 45.0 {
            self.filling = true;
        } else if self.levels[0] > 88.0 && self.filling {
            self.filling = false;
            self.batches += 1.0;
        }
        self.levels[0] = balance(self.levels[0], self.pumps[3].flow - self.inflow, RAW_TANK);
    }

    /// Tank 3 holds treated water for rinser and mixer.
    fn water_tank(&mut self, now: &Now, bus: &mut Bus) {
        if self.levels[2] < 60.0 {
            self.watering = true;
        } else if self.levels[2] > 86.0 {
            self.watering = false;
        }
        lag(&mut self.fresh, if self.watering { 14.0 } else { 0.0 }, 5.0);
        let cleaning = if now.line == 2 { 8.0 } else { 0.0 };
        bus.water = 2.6 * bus.rinse + cleaning + if self.filling { 6.0 } else { 0.4 };
        self.levels[2] = balance(self.levels[2], self.fresh - self.pumps[5].flow, WATER_TANK);
    }

    /// Pasteurizer holds 72.5 °C by steam; the heat exchanger cools the product with chilled water afterwards.
    fn heat(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let q = bus.pasteurized;
        let state = if q > 0.3 {
            0
        } else if now.line == 0 {
            1
        } else {
            2
        };
        let wobble = 0.12 * wander(now.seed, 0x31, now.second, 45);
        lag(&mut self.holding, 72.5 + wobble - 0.04 * (q - 12.0), 40.0);
        lag(&mut self.steam_valve, if state == 2 { 8.0 } else { 16.0 + 2.4 * q }, 12.0);
        bus.steam = self.steam_valve * 9.0;
        // Pasteurization units per minute of holding: z = 7 °C about 60 °C; 25 s of holding at 12 m³/h.
        let minutes = if q > 0.3 { 5.0 / q } else { 0.0 };
        let units = (minutes * libm::exp((self.holding - 60.0) / 7.0 * core::f64::consts::LN_10)).min(150.0);
        // Scale builds up over two days of production and is cleaned away.
        let scale = (now.second.rem_euclid(172_800)) as f64 / 172_800.0;
        let fouling = 0.08 * scale;
        let loss = (0.35 + fouling) * (q / 12.0) * (q / 12.0);
        let pressure = if q > 0.3 { 3.2 + 0.4 * (q / 12.0) } else { 1.4 };
        self.pasteurizer.put(truth, [state as f64, self.holding, q, pressure, units, self.steam_valve, loss]);
        // Regeneration leaves the product some 24 °C warm; the exchanger reaches 82 % of the way to the water.
        lag(&mut self.product_in, 23.5 + 0.1 * (q - 12.0), 60.0);
        let effectiveness = (0.86 - 0.06 * scale) * (1.0 - 0.008 * (q - 12.0));
        let out = self.product_in - effectiveness * (self.product_in - bus.chilled);
        lag(&mut bus.product_out, if q > 0.3 { out } else { bus.chilled + 3.0 }, 20.0);
        // 1.16 kWh per m³ and kelvin.
        bus.cooling = 1.16 * q * (self.product_in - bus.product_out).max(0.0);
        lag(&mut self.service_out, bus.chilled + bus.cooling / (1.16 * 30.0), 25.0);
        let temperatures = [self.product_in, bus.product_out, bus.chilled, self.service_out];
        let [a, b, c, d] = temperatures;
        self.exchanger.put(truth, [a, b, c, d, q, (0.22 + fouling) * (q / 12.0) * (q / 12.0)]);
    }

    fn pumps(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let hydrostatic = |level: f64| 0.05 + level / 100.0 * 0.28;
        let suction =
            [hydrostatic(self.levels[0]), 1.4, hydrostatic(self.levels[1]) + 0.3, 0.25, 1.5, hydrostatic(self.levels[2])];
        let circulation = if now.line == 1 { 18.0 } else { 30.0 };
        let wanted = [self.inflow, self.inflow, bus.draw, if self.filling { 40.0 } else { 0.0 }, circulation, bus.water];
        for (i, pump) in self.pumps.iter_mut().enumerate() {
            pump.step(i, now, bus, wanted[i], suction[i], truth);
        }
        let stuck = now.in_story(story::VALVE_STUCK, story::VALVE_FREED).then_some(98.0);
        let inlet = (self.inflow / 25.0 * 100.0).clamp(0.0, 100.0);
        // While it is stuck the controller already asks for less: position and set-point part.
        let command = if stuck.is_some() { (48.0 - 6.0 * (self.levels[1] - 80.0)).clamp(0.0, 100.0) } else { inlet };
        self.valves[0].step(on(self.filling) * 100.0, None, truth);
        self.valves[1].step(command, stuck, truth);
        let chill = (30.0 + bus.cooling * 0.16).clamp(0.0, 100.0);
        self.valves[2].step(chill, None, truth);
        self.valves[3].step(self.steam_valve, None, truth);
    }

    /// The mixer prepares the next batch while tank 1 empties and discharges it while tank 1 fills.
    fn mixer(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let state = if self.filling {
            1
        } else if self.levels[0] < 80.0 {
            0
        } else {
            2
        };
        lag(&mut self.mixer_speed, [140.0, 60.0, 0.0][state], 8.0);
        if self.mixer_speed < 0.5 {
            self.mixer_speed = 0.0;
        }
        let share = self.mixer_speed / 140.0;
        let current = if share > 0.0 { 6.0 + 16.0 * share * share } else { 0.0 };
        bus.power += current * 0.58;
        lag(&mut self.mixer_warmth, 15.5 + 1.5 * share + 0.04 * (bus.ambient - 20.0), 900.0);
        let brix = 10.8 + 0.06 * wander(now.seed, 0x33, now.second, 900);
        self.mixer.put(truth, [state as f64, self.mixer_speed, current, self.mixer_warmth, brix, self.batches]);
    }

    /// Cleaning in place runs through its phases in every changeover.
    fn cleaning(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let phase = if now.line == 2 {
            match now.into_changeover {
                ..150 => 1,
                150..540 => 2,
                540..720 => 3,
                720..960 => 4,
                _ => 5,
            }
        } else {
            0
        };
        let (warmth, strength, dirt) = [
            (bus.ambient, 0.5, 2.0),
            (35.0, 0.6, 120.0),
            (80.0, 62.0, 45.0),
            (45.0, 2.0, 10.0),
            (65.0, 34.0, 6.0),
            (25.0, 0.5, 2.0),
        ][phase];
        lag(&mut self.cip_warmth, warmth, if phase == 0 { 1_800.0 } else { 60.0 });
        lag(&mut self.cip_strength, strength, 25.0);
        lag(&mut self.turbidity, dirt, 40.0);
        let flow = if phase == 0 { 0.0 } else { 16.0 };
        bus.power += on(phase > 0) * 5.5;
        bus.steam += on(phase == 2 || phase == 4) * 250.0;
        self.cip.put(truth, [phase as f64, self.cip_warmth, self.cip_strength, flow, self.turbidity]);
    }

    fn report(&mut self, now: &Now, bus: &Bus, truth: &mut [f64]) {
        let flows = [(self.pumps[3].flow, self.inflow), (self.inflow, bus.draw), (self.fresh, self.pumps[5].flow)];
        let sources = [self.mixer_warmth, bus.product_out, 13.0];
        for i in 0..3 {
            let (inflow, outflow) = flows[i];
            // Stirred tank: the feed displaces the contents; insulation lets in a little of the hall.
            let tau = 3_600.0 * [RAW_TANK, BUFFER_TANK, WATER_TANK][i] * 0.7 / inflow.max(0.6);
            lag(&mut self.tank_warmth[i], sources[i], tau);
            lag(&mut self.tank_warmth[i], bus.ambient, 90_000.0);
            let gas = if i == 1 { 1.8 } else { 0.02 };
            let pressure = gas + self.levels[i] / 100.0 * 0.28;
            self.tanks[i].put(truth, [self.levels[i], self.tank_warmth[i], pressure, inflow, outflow]);
        }
        let days = now.second.rem_euclid(21 * 86_400) as f64 / 86_400.0;
        let chlorine = 0.28 + 0.02 * wander(now.seed, 0x35, now.second, 1_200);
        let conductivity = 8.5 + 0.8 * wander(now.seed, 0x36, now.second, 3_600);
        let filter = (0.25 + 0.022 * days) * (self.fresh / 14.0) * (self.fresh / 14.0);
        self.water.put(truth, [conductivity, self.fresh, chlorine, filter, self.levels[2]]);
        let jam = on(now.in_incident(incidents::LABELLER_JAM));
        self.rack.put(truth, [self.pumps[0].discharge + 0.1 * jam, 12.5 + 0.3 * (bus.ambient - 20.0) * 0.2, 7.8]);
    }
}

/// Level in per cent after one second of a net flow in m³/h into a tank of so many m³.
fn balance(level: f64, net: f64, volume: f64) -> f64 {
    (level + net / 36.0 / volume).clamp(0.0, 100.0)
}
