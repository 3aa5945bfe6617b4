// A building: nodes found by their IFC GlobalId, and a room whose colour follows its air over a day.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { FILL } from "./lib/color.mjs";
import { Gateway, ROOT, program, shared } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

const data = shared();
const wanted = { skip: data ? false : "no shared data" };
if (!data) console.log("SKIPPED (no shared data): duplex in the browser");

const SITE = join(ROOT, "tests/fixtures/duplex/site.toml");
const ROOM = "room-a102";
/** The same room of the other flat, which has no sensors. */
const SILENT = "room-b102";
const run = promisify(execFile);

let gateway, browser, view;

before(async () => {
  if (!data) return;
  gateway = await Gateway.serve(SITE, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [800, 600] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

/** What the gateway's program says without a page; `check` and `state` speak by their output, whatever they exit with. */
async function headless(...args) {
  const { stdout } = await run(program(), [...args, "--json"], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

/** Names of the nodes of a GLB, read from its JSON chunk. */
function nodeNames(path) {
  const bytes = readFileSync(path);
  return JSON.parse(bytes.subarray(20, 20 + bytes.readUInt32LE(12)).toString("utf8")).nodes.map((node) => node.name);
}

/** The CO2 of the log: `[milliseconds, ppm]`. Its clock is that of Mons in winter. */
function log() {
  const rows = readFileSync(join(data, "C-telemetry/uci-occupancy/datatest.txt"), "utf8").trim().split("\n").slice(1);
  return rows.map((row) => row.split(",")).map((row) => [Date.parse(`${row[1].replace(/"/g, "").replace(" ", "T")}+01:00`), Number(row[5])]);
}

/** The room's status by the site file's rule alone: above 800 and 1000 ppm, left only 25 ppm below. */
function statusAt(values, ms) {
  let level = 0;
  for (const [time, ppm] of values) {
    if (time > ms) break;
    const up = ppm > 1000 ? 2 : ppm > 800 ? 1 : 0;
    const down = ppm > 975 ? 2 : ppm > 775 ? 1 : 0;
    level = Math.max(up, Math.min(level, down));
  }
  return ["normal", "maintenance", "out_of_specification"][level];
}

test("every node is bound by its GlobalId, and every bound twin stands in the picture", wanted, async () => {
  const state = await view.until((s) => s.link === "up" && !s.historyBusy && s.time.extent, "the recording");
  const nodes = nodeNames(join(data, "A-gltf/derived-from-ifc/duplex_guid.glb"));
  const text = readFileSync(SITE, "utf8");
  const bound = [...text.matchAll(/^bind = \{ global_id = \[([^\]]*)\]/gms)].flatMap(([, list]) => [...list.matchAll(/"([^"]+)"/g)].map(([, id]) => id));
  assert.equal(nodes.length, 215);
  assert.deepEqual([...bound].sort(), [...nodes].sort(), "the site file binds each node once");
  const { summary, findings } = await headless("check", SITE);
  // In which zone the times of a table are read is worth knowing and no fault.
  const faults = findings.filter(({ severity }) => severity !== "info");
  assert.deepEqual([faults, summary.nodes, summary.bound_nodes], [[], 215, 215]);
  const twins = [...text.matchAll(/^\[\[twins\]\]\nid = "([^"]+)"/gm)].map(([, id]) => id);
  assert.deepEqual(Object.keys(state.twins).sort(), [...twins].sort());
  const shown = Object.values(state.twins).filter((twin) => twin.screen).length;
  assert.ok(shown >= 20, `${shown} twins have a place on the screen`);
  assert.equal(shown, summary.bound_twins, "exactly the twins with geometry have one");
  assert.deepEqual(state.problems, []);
});

/** Looks straight at the garden side, and answers a box on the wall of the room and one on the wall above, which is not of it. */
async function faceTheWall() {
  await view.command({ select: null });
  const wide = await view.drawn();
  await view.command({ focus: ROOM });
  const near = await view.until((s) => s.fragment !== wide.fragment, "the room to be near");
  const [x, y, z] = near.fragment.match(/cam=([^&]+)/)[1].split(",").map(Number);
  await view.command({ camera: [x, y, z, 0, 0.15, 14] });
  const { twins } = await view.until((s) => s.fragment !== near.fragment && s.twins[ROOM].screen, "the wall");
  const [sx, sy] = twins[ROOM].screen;
  return { wall: around([sx + 210, sy + 46], 22), above: around([sx - 200, sy - 150], 22) };
}

test("over a day the room is what the log, the headless program and the wall's colour say", wanted, async () => {
  const values = log();
  const { wall, above } = await faceTheWall();
  const seen = [];
  // 3 February, by the clock of the house: night, both sides of the first threshold, the day up and down, night again.
  for (const clock of ["03:00", "09:19", "09:21", "10:30", "13:30", "16:00", "19:20", "22:00"]) {
    const time = new Date(Date.parse(`2015-02-03T${clock}:30+01:00`)).toISOString();
    const expected = statusAt(values, Date.parse(time));
    const { twins } = await headless("state", SITE, "--at", time);
    const shown = await view.seek(time);
    for (const twin of twins) {
      const here = shown.twins[twin.id];
      assert.deepEqual([here.status, here.freshness], [twin.status, twin.freshness], `${twin.id} at ${time}: page and headless`);
    }
    assert.equal(shown.twins[ROOM].status, expected, `${ROOM} at ${time}: by the log`);
    assert.deepEqual([shown.twins[SILENT].status, shown.twins[SILENT].freshness], ["unknown", "never_seen"]);
    await view.see((picture) => {
      const wrong = [];
      for (const status of ["maintenance", "out_of_specification", "function_check", "failure"]) {
        const share = picture.share(wall, FILL[status], 8);
        if (status === expected ? share < 0.33 : share > 0.02) wrong.push(`${(share * 100).toFixed(0)} % of the wall is ${status}`);
        if (picture.share(above, FILL[status], 8) > 0.02) wrong.push(`the wall above is ${status}`);
      }
      return wrong.length === 0 || `${expected} at ${clock}: ${wrong.join("; ")}`;
    }, `the wall ${expected} at ${clock.replace(":", "")}`);
    if (expected !== seen.at(-1)) seen.push(expected);
    if (clock === "10:30") await view.shot("duplex-day");
  }
  assert.deepEqual(seen, ["normal", "maintenance", "out_of_specification", "maintenance", "out_of_specification", "maintenance", "normal"]);
});

test("the browser had nothing to complain about", wanted, () => view.assertQuiet());
