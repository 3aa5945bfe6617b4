// A real twin that nobody here made: the cookie factory's alarms, counted in its CSV and on the screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FILL } from "./lib/color.mjs";
import { Gateway, ROOT, shared } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

const data = shared();
const wanted = { skip: data ? false : "no shared data" };
if (!data) console.log("SKIPPED (no shared data): cookie factory in the browser");

let gateway, browser, view, rows, machineOf;

before(async () => {
  if (!data) return;
  rows = readFileSync(join(data, "C-telemetry/aws-cookiefactory-v1/telemetry.csv"), "utf8").trim().split("\n").map((line) => line.split(","));
  machineOf = machines(JSON.parse(readFileSync(join(data, "D-twin/aws-cookiefactory-v1/entities.json"), "utf8")));
  gateway = await Gateway.serve(`${ROOT}/tests/fixtures/cookie-factory/site.toml`, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1010, 680] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

/** Alarm asset to the asset of the machine that it belongs to: both are components of one entity. */
function machines({ entities }) {
  const found = new Map();
  for (const { components } of entities) {
    const assets = Object.values(components ?? {}).map((component) => ({
      alarm: component.componentTypeId.endsWith(".alarm"),
      id: component.properties?.telemetryAssetId?.value?.stringValue,
    })).filter((asset) => asset.id);
    const machine = assets.find((asset) => !asset.alarm);
    for (const asset of assets) if (asset.alarm && machine) found.set(asset.id, machine.id);
  }
  return found;
}

/** What the CSV says about every alarm at an instant, by nothing but reading it. */
function alarmsAt(ms) {
  const states = new Map();
  for (const [time, , asset, attribute, value] of rows) if (attribute === "alarm_status" && Number(time) <= ms) states.set(asset, value);
  return states;
}

const inAlarm = (value) => value === "ACTIVE" || value === "ACKNOWLEDGED";

test("all 54 assets of the recording are twins", wanted, async () => {
  const state = await view.until((s) => s.link === "up" && !s.historyBusy && s.time.extent, "the recording");
  const assets = [...new Set(rows.map((row) => row[2]))].sort();
  assert.equal(assets.length, 54);
  assert.deepEqual(Object.keys(state.twins).sort(), assets);
});

test("twins in alarm at twenty instants equal a count made in the CSV, and machines take the status of their alarm", wanted, async () => {
  const [first, last] = [Number(rows[0][0]), Number(rows.at(-1)[0])];
  const counts = [];
  for (let step = 0; step < 20; step += 1) {
    const ms = Math.trunc(first + ((last - first) * step) / 19);
    const states = alarmsAt(ms);
    const expected = [...states.values()].filter(inAlarm).length;
    const shown = await view.seek(new Date(ms).toISOString());
    const count = Object.values(shown.twins).filter((twin) => ["unacknowledged", "acknowledged"].includes(twin.alarm?.state)).length;
    assert.equal(count, expected, `at ${new Date(ms).toISOString()}`);
    counts.push(count);
    for (const [alarm, value] of states) {
      const status = { ACTIVE: "failure", ACKNOWLEDGED: "out_of_specification", NORMAL: "normal" }[value];
      assert.equal(shown.twins[machineOf.get(alarm)].status, status, `${machineOf.get(alarm)} with alarm ${value}`);
    }
  }
  assert.ok(Math.max(...counts) > Math.min(...counts), `alarms come and go: ${counts}`);
});

/** Share of the place of a machine on the screen that has a status colour. Models are not boxes, so it need not be most of it. */
async function colourOf(machine, status, place) {
  const covered = (picture, name) => picture.share(around(place, 30), FILL[name], 8);
  await view.see((picture) => {
    const shares = { failure: covered(picture, "failure"), out_of_specification: covered(picture, "out_of_specification") };
    const told = Object.entries(shares).every(([name, share]) => (name === status ? share > 0.1 : share < 0.02));
    return told || `${machine} should look ${status}: ${JSON.stringify(shares)}`;
  }, `${machine.split("_").slice(0, -1).join(" ")} ${status}`);
}

/** Flies to a machine, then looks past it, so that it stands in the lower right: cards about the sample's missing models lie upper left. */
async function flyTo(machine) {
  await view.command({ select: null });
  const before = await view.drawn();
  await view.command({ focus: machine });
  const near = await view.until((s) => s.fragment !== before.fragment && s.twins[machine].screen, `${machine} to be in the picture`);
  const [x, y, z, yaw, pitch, d] = near.fragment.match(/cam=([^&]+)/)[1].split(",").map(Number);
  await view.command({ camera: [x - 0.18 * d * Math.cos(yaw), y + 0.36 * d, z + 0.18 * d * Math.sin(yaw), yaw, pitch, 1.6 * d] });
  const state = await view.until((s) => s.fragment !== near.fragment && s.twins[machine].screen, `${machine} to stand aside`);
  return state.twins[machine].screen;
}

test("a mixer with an active alarm is red on the screen, its well neighbour is not", wanted, async () => {
  const start = await view.seek(new Date(Number(rows.at(-1)[0])).toISOString());
  const mixers = [...alarmsAt(Infinity)].filter(([alarm]) => alarm.startsWith("Mixer") && start.twins[machineOf.get(alarm)]);
  const sick = mixers.find(([, value]) => value === "ACTIVE");
  const well = mixers.find(([, value]) => value === "NORMAL");
  assert.ok(sick && well);
  await colourOf(machineOf.get(sick[0]), "failure", await flyTo(machineOf.get(sick[0])));
  await view.shot("cookie-mixer-in-alarm");
  await colourOf(machineOf.get(well[0]), "normal", await flyTo(machineOf.get(well[0])));
});

test("the water tank's colour follows its alarm from one instant to the next", wanted, async () => {
  const changes = rows.filter((row) => row[3] === "alarm_status" && row[2].startsWith("WaterTank"));
  const tank = machineOf.get(changes[0][2]);
  const place = await flyTo(tank);
  for (const [value, status] of [["ACTIVE", "failure"], ["ACKNOWLEDGED", "out_of_specification"], ["NORMAL", "normal"], ["ACTIVE", "failure"]]) {
    const row = changes.find((each) => each[4] === value);
    const state = await view.seek(new Date(Number(row[0])).toISOString());
    assert.equal(state.twins[tank].status, status, `${tank} with alarm ${value}`);
    await colourOf(tank, status, place);
  }
  await view.shot("cookie-tank");
});

test("the browser had nothing to complain about", wanted, () => view.assertQuiet());
