//! Compressed air, chilled water, steam and electricity: what the line needs, supplied with bands, lags and limits.

use super::Bus;
use super::catalog::{Catalog, Column, Group, Link, float, meter, on, words};
use super::noise::{lag, wander};
use super::plan::{Now, incidents};

const COMPRESSOR_STATES: &[&str] = &["load", "unload", "stopped", "fault"];
const COMPRESSOR: &[Column; 8] = &[
    words("state", COMPRESSOR_STATES),
    float("discharge_pressure", "bar", 2, (0.0, 16.0), 2, 0.008),
    float("power", "kW", 2, (0.0, 160.0), 1, 0.15),
    float("flow", "m³/min", 2, (0.0, 40.0), 2, 0.04),
    float("oil_temperature", "°C", 5, (-20.0, 150.0), 1, 0.1),
    float("vibration_rms", "mm/s", 2, (0.0, 25.0), 2, 0.03),
    float("filter_dp", "mbar", 10, (0.0, 200.0), 1, 0.2),
    meter("running_hours", "h", 10, 2),
];
const DRYER: &[Column; 3] = &[
    words("state", &["running", "regenerating", "fault"]),
    float("dew_point", "°C", 5, (-80.0, 30.0), 1, 0.08),
    float("inlet_temperature", "°C", 5, (-20.0, 100.0), 1, 0.08),
];
const RECEIVER: &[Column; 2] =
    &[float("pressure", "bar", 1, (0.0, 16.0), 2, 0.004), float("temperature", "°C", 10, (-20.0, 100.0), 1, 0.05)];
const CHILLER_STATES: &[&str] = &["running", "standby", "fault"];
const CHILLER: &[Column; 7] = &[
    words("state", CHILLER_STATES),
    float("supply_temperature", "°C", 2, (-20.0, 60.0), 2, 0.02),
    float("return_temperature", "°C", 2, (-20.0, 60.0), 2, 0.02),
    float("supply_setpoint", "°C", 5, (-5.0, 20.0), 1, 0.0),
    float("power", "kW", 2, (0.0, 200.0), 1, 0.15),
    float("cooling_power", "kW", 5, (0.0, 600.0), 1, 0.3),
    float("condensing_pressure", "bar", 5, (0.0, 40.0), 2, 0.02),
];
const BOILER: &[Column; 6] = &[
    words("state", &["firing", "standby"]),
    float("steam_pressure", "bar", 2, (0.0, 16.0), 2, 0.01),
    float("water_level", "%", 2, (0.0, 100.0), 1, 0.2),
    float("flue_temperature", "°C", 5, (0.0, 400.0), 1, 0.3),
    float("gas_flow", "m³/h", 5, (0.0, 200.0), 1, 0.2),
    float("feedwater_flow", "m³/h", 5, (0.0, 10.0), 2, 0.01),
];
const SWITCHGEAR: &[Column; 9] = &[
    float("active_power", "kW", 1, (0.0, 1_000.0), 1, 0.3),
    meter("energy", "kWh", 5, 1),
    float("power_factor", "", 5, (0.0, 1.0), 3, 0.001),
    float("voltage_l1", "V", 5, (0.0, 300.0), 1, 0.15),
    float("voltage_l2", "V", 5, (0.0, 300.0), 1, 0.15),
    float("voltage_l3", "V", 5, (0.0, 300.0), 1, 0.15),
    float("current", "A", 2, (0.0, 2_000.0), 0, 0.6),
    float("frequency", "Hz", 5, (45.0, 55.0), 3, 0.003),
    float("busbar_temperature", "°C", 10, (-20.0, 150.0), 1, 0.05),
];
const TRANSFORMER: &[Column; 4] = &[
    float("load", "%", 5, (0.0, 150.0), 1, 0.1),
    float("oil_temperature", "°C", 10, (-20.0, 150.0), 1, 0.05),
    float("winding_temperature", "°C", 10, (-20.0, 180.0), 1, 0.05),
    float("oil_level", "%", 10, (0.0, 100.0), 1, 0.1),
];
const AREA: &[Column; 2] =
    &[float("power", "kW", 5, (0.0, 1_000.0), 1, 0.1), float("air_demand", "m³/min", 5, (0.0, 60.0), 2, 0.02)];

/// Volume of the receiver and the pipes in m³.
const AIR_VOLUME: f64 = 8.0;
/// Delivery of one compressor, m³/min of free air.
const DELIVERY: f64 = 21.0;
/// Rated power of the transformer, kVA.
const TRANSFORMER_KVA: f64 = 630.0;

#[derive(Clone)]
struct Compressor {
    at: Group<8>,
    /// Loads below and unloads above these pressures, bar.
    band: (f64, f64),
    state: usize,
    oil: f64,
    flow: f64,
    hours: f64,
    /// Seconds since it last loaded.
    idle: i64,
}

#[derive(Clone)]
pub(crate) struct Utilities {
    compressors: [Compressor; 2],
    dryer: Group<3>,
    receiver: Group<2>,
    chiller: Group<7>,
    boiler: Group<6>,
    switchgear: Group<9>,
    transformer: Group<4>,
    area: Group<2>,
    pressure: f64,
    air_use: f64,
    dew_point: f64,
    supply: f64,
    back: f64,
    chiller_power: f64,
    steam: f64,
    firing: bool,
    flue: f64,
    drum: f64,
    energy: f64,
    busbar: f64,
    oil: f64,
    winding: f64,
}

impl Utilities {
    pub(crate) fn new(c: &mut Catalog, now: &Now) -> Self {
        let link = Link::Utilities;
        let year = (now.second - 1_767_225_600).max(0) as f64;
        let compressor = |c: &mut Catalog, i: usize| Compressor {
            at: c.group(&format!("compressor-{:02}", i + 1), link, COMPRESSOR),
            band: [(6.7, 7.3), (6.4, 7.05)][i],
            state: 1 + i,
            oil: 70.0,
            flow: 0.0,
            hours: 21_000.0 * (2 - i) as f64 + year / 3_600.0 * [0.95, 0.2][i],
            idle: 0,
        };
        Self {
            compressors: [compressor(c, 0), compressor(c, 1)],
            dryer: c.group("dryer-01", link, DRYER),
            receiver: c.group("air-receiver-01", link, RECEIVER),
            chiller: c.group("chiller-01", link, CHILLER),
            boiler: c.group("boiler-01", link, BOILER),
            switchgear: c.group("switchgear-01", link, SWITCHGEAR),
            transformer: c.group("transformer-01", link, TRANSFORMER),
            area: c.group("utilities", link, AREA),
            pressure: 7.0,
            air_use: 14.0,
            dew_point: -38.0,
            supply: 5.0,
            back: 9.0,
            chiller_power: 40.0,
            steam: 8.0,
            firing: true,
            flue: 160.0,
            drum: 55.0,
            energy: year / 3_600.0 * 300.0,
            busbar: 38.0,
            oil: 52.0,
            winding: 58.0,
        }
    }

    pub(crate) fn step(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        self.air(now, bus, truth);
        self.chilled_water(now, bus, truth);
        self.steam(now, bus, truth);
        self.electricity(now, bus, truth);
        self.area.put(truth, [bus.power, self.air_use]);
        bus.air = 0.0;
    }

    fn air(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let wave = 1.0 + 0.06 * wander(now.seed, 0x90, now.second, 30);
        let demand = (3.5 + 9.0 * bus.ratio.min(1.3) + 2.5 * bus.packing + bus.air) * wave;
        lag(&mut self.air_use, demand, 4.0);
        let filter = now.second.rem_euclid(40 * 86_400) as f64 / 86_400.0;
        let mut supply = 0.0;
        for (i, c) in self.compressors.iter_mut().enumerate() {
            c.state = compressor_state(c, self.pressure, i == 0 && now.compressor_tripped());
            c.idle = if c.state == 0 { 0 } else { c.idle + 1 };
            lag(&mut c.flow, on(c.state == 0) * DELIVERY, 3.0);
            supply += c.flow;
            let power = [82.0 + 3.0 * (self.pressure - 7.0), 24.0, 0.0, 0.0][c.state];
            bus.power += power;
            c.hours += on(c.state < 2) / 3_600.0;
            lag(&mut c.oil, if c.state < 2 { bus.ambient + [58.0, 46.0][c.state] } else { bus.ambient }, 500.0);
            let vibration = [2.0, 1.5, 0.0, 0.0][c.state] * (1.0 + 0.05 * wander(now.seed, 0x91 + i as u64, now.second, 40));
            let discharge = self.pressure + 0.012 * c.flow;
            let dirt = 28.0 + 0.5 * filter + on(c.state == 0) * 6.0;
            let state = c.state as f64;
            c.at.put(truth, [state, discharge, power, c.flow, c.oil, vibration, dirt, c.hours]);
        }
        // Free air of one bar fills the volume: dp = (in − out) / 60 / volume each second.
        self.pressure = (self.pressure + (supply - self.air_use) / 60.0 / AIR_VOLUME).clamp(0.0, 10.0);
        let inlet = bus.ambient + 9.0;
        lag(&mut self.dew_point, -40.0 + 0.35 * (bus.ambient - 20.0) + 0.12 * (supply - 14.0), 300.0);
        let regenerating = on(now.second.rem_euclid(600) >= 480);
        self.dryer.put(truth, [regenerating, self.dew_point, inlet]);
        self.receiver.put(truth, [self.pressure, bus.ambient + 5.0]);
    }

    fn chilled_water(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        let setpoint = 4.5;
        let tripped = now.in_incident(incidents::CHILLER_TRIP);
        let load = bus.cooling + 12.0;
        let state = if tripped {
            2
        } else if load > 14.0 {
            0
        } else {
            1
        };
        // Without the machine the load heats the loop of some 9 m³; with it the set-point returns in minutes.
        if tripped {
            self.supply = (self.supply + load / 1.16 / 9.0 / 3_600.0 * 0.9).min(16.0);
        } else {
            let ripple = 0.12 * wander(now.seed, 0xA0, now.second, 50);
            lag(&mut self.supply, setpoint + ripple + 0.004 * (load - 150.0).max(0.0), 150.0);
        }
        bus.chilled = self.supply;
        lag(&mut self.back, self.supply + load / (1.16 * 30.0), 40.0);
        // Coefficient of performance 4.2 at 10 °C outside, less when it is warmer.
        let performance = (4.6 - 0.04 * now.outdoor).max(2.0);
        let wanted = if state == 0 { load / performance + 4.0 } else { 2.0 * on(state == 1) };
        lag(&mut self.chiller_power, wanted, 20.0);
        bus.power += self.chiller_power;
        let condensing = 9.0 + 0.22 * now.outdoor + 0.02 * self.chiller_power;
        let delivered = if state == 0 { load } else { 0.0 };
        self.chiller.put(truth, [state as f64, self.supply, self.back, setpoint, self.chiller_power, delivered, condensing]);
    }

    fn steam(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        // The burner works between 7.6 and 8.4 bar; a bar of the drum is worth about 60 kg of steam.
        if self.steam < 7.6 {
            self.firing = true;
        } else if self.steam > 8.4 {
            self.firing = false;
        }
        let made = on(self.firing) * 900.0;
        self.steam = (self.steam + (made - bus.steam - 20.0) / 3_600.0 / 60.0).clamp(0.0, 10.0);
        lag(&mut self.flue, if self.firing { 188.0 } else { 110.0 }, 60.0);
        let feeding = self.drum < 52.0 || (self.drum < 58.0 && self.drum > 52.0 && now.second.rem_euclid(240) < 120);
        let feed = on(feeding) * 1.4;
        self.drum = (self.drum + (feed - (bus.steam + 20.0) / 1_000.0) / 3_600.0 / 1.2 * 100.0).clamp(20.0, 80.0);
        bus.power += 2.0 + on(self.firing) * 4.0;
        let gas = on(self.firing) * 64.0;
        self.boiler.put(truth, [on(!self.firing), self.steam, self.drum, self.flue, gas, feed]);
    }

    fn electricity(&mut self, now: &Now, bus: &mut Bus, truth: &mut [f64]) {
        // Lighting and offices.
        bus.power += 14.0 + if (6.0..18.0).contains(&now.hour) { 9.0 } else { 3.0 };
        self.energy += bus.power / 3_600.0;
        let factor = 0.90 + 0.0001 * bus.power - 0.01 * on(!now.producing());
        let factor = factor.min(0.97);
        let volt = |lane: u64| 231.5 - 0.008 * bus.power + 1.1 * wander(now.seed, 0xB0 + lane, now.second, 240);
        let [l1, l2, l3] = [volt(0), volt(1) - 0.4, volt(2) + 0.3];
        let current = bus.power * 1_000.0 / (l1 + l2 + l3) / factor;
        lag(&mut self.busbar, bus.ambient + 3.0 + 0.000_035 * current * current, 1_500.0);
        let frequency = 50.0 + 0.02 * wander(now.seed, 0xB4, now.second, 20);
        let meters = [bus.power, self.energy, factor, l1, l2, l3, current, frequency, self.busbar];
        self.switchgear.put(truth, meters);
        let load = bus.power / factor / TRANSFORMER_KVA;
        // Loading guide (IEC 60076-7): oil follows the losses with hours, the winding sits above the oil with minutes.
        lag(&mut self.oil, bus.ambient + 8.0 + 42.0 * load * load, 9_000.0);
        lag(&mut self.winding, self.oil + 18.0 * load * load, 420.0);
        self.transformer.put(truth, [load * 100.0, self.oil, self.winding, 71.0 + 0.05 * (self.oil - 50.0)]);
    }
}

fn compressor_state(c: &Compressor, pressure: f64, tripped: bool) -> usize {
    let (low, high) = c.band;
    if tripped {
        3
    } else if pressure < low {
        0
    } else if pressure > high || c.state == 3 {
        if c.state == 2 || c.idle > 240 { 2 } else { 1 }
    } else if c.state == 1 && c.idle > 240 {
        // Four minutes without load: the motor stops.
        2
    } else {
        c.state
    }
}
