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
  view = await View.open(browser, gateway.url, { size: [1120, 640] });
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

test("a mixer's colour on the screen follows its alarm", wanted, async () => {
  // An alarm that is active at some instant and normal at another, of a machine that the scene places.
  const { twins } = await view.state();
  const changes = new Map();
  for (const [time, , asset, attribute, value] of rows) {
    if (attribute !== "alarm_status") continue;
    const seen = changes.get(asset) ?? {};
    seen[value] ??= Number(time);
    changes.set(asset, seen);
  }
  const pick = [...changes].find(([alarm, seen]) => seen.ACTIVE && seen.NORMAL && /Mixer/.test(machineOf.get(alarm)) && twins[machineOf.get(alarm)]);
  assert.ok(pick, "some mixer's alarm comes and goes");
  const [alarm, times] = pick;
  const mixer = machineOf.get(alarm);
  await view.command({ select: null });
  await view.command({ focus: mixer });
  await view.seek(new Date(times.ACTIVE).toISOString());
  const bad = await view.until((s) => s.twins[mixer].status === "failure" && s.twins[mixer].screen, `${mixer} to fail`);
  const failing = (picture) => picture.share(around(bad.twins[mixer].screen, 60), FILL.failure, 8);
  await view.see((picture) => failing(picture) > 0.1 || `${(failing(picture) * 100).toFixed(1)} % of the place is red`, "a red mixer");
  await view.shot("cookie-mixer-failure");
  await view.seek(new Date(times.NORMAL).toISOString());
  await view.until((s) => s.twins[mixer].status === "normal", `${mixer} to be well`);
  await view.see((picture) => failing(picture) < 0.01 || `${(failing(picture) * 100).toFixed(1)} % of the place is red`, "a mixer that is not red");
});

test("the browser had nothing to complain about", wanted, () => view.assertQuiet());
