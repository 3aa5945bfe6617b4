// A laboratory rig without geometry: what its authors labelled as anomalies raises status, and gaps in the chart are gaps.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { FILL, deltaE } from "./lib/color.mjs";
import { Gateway, ROOT, program, shared } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

const data = shared();
const wanted = { skip: data ? false : "no shared data" };
if (!data) console.log("SKIPPED (no shared data): SKAB in the browser");

const SITE = join(ROOT, "tests/fixtures/skab/site.toml");
/** Colour of a chart's first line in the dark theme; the playhead has it too. */
const LINE = [0x9d, 0x8c, 0xff];
/** Panels, the chart's ground among them. */
const SURFACE = [0x14, 0x17, 0x1c];
const MINUTE = 60_000;
const run = promisify(execFile);

let gateway, browser, view;

before(async () => {
  if (!data) return;
  gateway = await Gateway.serve(SITE, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1010, 620], fragment: "sel=rig-b-loop&chart=rig-b-loop.flow" });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

/** Rows of a recording: `{ t, anomaly }`, milliseconds. */
function rows(name) {
  const [head, ...lines] = readFileSync(join(data, "C-telemetry/skab", name), "utf8").trim().split("\n").map((line) => line.trim().split(";"));
  const label = head.indexOf("anomaly");
  return lines.map((row) => ({ t: Date.parse(`${row[0].replace(" ", "T")}Z`), anomaly: Number(row[label]) }));
}

/** First and last instant of the labelled stretch. */
function labelled(all) {
  const marked = all.filter((row) => row.anomaly === 1).map((row) => row.t);
  return [marked[0], marked.at(-1)];
}

async function headless(time) {
  const { stdout } = await run(program(), ["state", SITE, "--at", time, "--json"], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout).twins;
}

const at = (ms) => new Date(ms).toISOString();

test("both rigs are twins without geometry, and the page says no problem", wanted, async () => {
  const state = await view.until((s) => s.link === "up" && !s.historyBusy && s.time.extent, "the recordings");
  const ids = ["rig-a", "rig-a-loop", "rig-a-pump", "rig-a-tank", "rig-b", "rig-b-loop", "rig-b-pump", "rig-b-tank"];
  assert.deepEqual(Object.keys(state.twins).sort(), ids);
  assert.deepEqual(state.problems, []);
});

test("status before, inside and after a labelled anomaly is what the headless program says; inside it is raised", wanted, async () => {
  const [from, to] = labelled(rows("other/9.csv"));
  const [fromB, toB] = labelled(rows("valve1/2.csv"));
  const pump = [];
  const instants = [from - 2 * MINUTE, from + MINUTE / 2, (from + to) / 2, to - 5_000, to + 2 * MINUTE, fromB - 5 * MINUTE, (fromB + toB) / 2, toB + MINUTE];
  for (const ms of instants) {
    const time = at(ms);
    const twins = await headless(time);
    const shown = await view.seek(time);
    for (const twin of twins) {
      const here = shown.twins[twin.id];
      assert.deepEqual([here.status, here.freshness], [twin.status, twin.freshness], `${twin.id} at ${time}: page and headless`);
    }
    pump.push(shown.twins["rig-a-pump"].status);
    const raised = twins.some((twin) => twin.status === "out_of_specification");
    await view.see((picture) => {
      // A triangle in the tree of assets is about 50 pixels.
      const [left, top, right, bottom] = [0, 70, 236, 300];
      const pixels = picture.share([left, top, right, bottom], FILL.out_of_specification, 8) * (right - left) * (bottom - top);
      return raised === pixels > 25 || `${pixels.toFixed(0)} yellow pixels in the tree, raised: ${raised}`;
    }, `the tree at ${time}`);
  }
  assert.deepEqual(pump.slice(0, 5), ["normal", "out_of_specification", "out_of_specification", "out_of_specification", "normal"]);
});

/** Where the chart draws: above the time bar (72), between the names (240) and the axis (148). */
function plot(state) {
  const area = { left: 240, right: view.size[0] - 148, top: state.viewport[3] + 14, bottom: view.size[1] - 72 - 6 };
  assert.ok(area.bottom - area.top > 120, `the chart is open: ${JSON.stringify(area)}`);
  return area;
}

/** Columns of the plot with ink of the line, as a set; those of the playhead, which has the same colour, are left out. */
function inked(picture, { left, right, top, bottom }) {
  const columns = new Map();
  for (let x = left; x < right; x += 1) {
    let ink = 0;
    for (let y = top; y < bottom; y += 1) ink += deltaE(picture.at(x, y), LINE) < 18 ? 1 : 0;
    columns.set(x, ink);
  }
  const height = bottom - top;
  const playhead = [...columns].filter(([, ink]) => ink > 0.9 * height).map(([x]) => x);
  const near = (x) => playhead.some((p) => Math.abs(p - x) <= 2);
  return { playhead, columns: new Set([...columns].filter(([x, ink]) => ink > 0 && !near(x)).map(([x]) => x)) };
}

/** Runs of columns without ink between the first and the last column with it. */
function holes({ columns, playhead }) {
  const all = [...columns, ...playhead].sort((a, b) => a - b);
  return all.slice(1).map((x, nth) => [all[nth], x]).filter(([a, b]) => b - a > 5);
}

test("76 s without samples are a gap in the chart: hatched, without a line, and nothing bridges it", wanted, async () => {
  const times = rows("valve1/2.csv").map((row) => row.t);
  const silences = times.slice(1).map((t, nth) => [times[nth], t]).filter(([a, b]) => b - a > 10_000);
  assert.equal(silences.length, 1);
  const [[from, to]] = silences;
  assert.equal(to - from, 76_000);
  // The bar shows a quarter of an hour at first, its live edge at 94 %.
  const edge = times.at(-1);
  await view.until((s) => s.viewport[3] < view.size[1] - 200, "the chart to be open, because the link names a signal");
  await view.command({ follow: true });
  const state = await view.until((s) => s.time.state === "following" && Date.parse(s.time.playhead) === edge && !s.historyBusy, "the end");
  const area = plot(state);
  const xOf = (ms) => area.left + ((ms - edge) / (15 * MINUTE) + 0.94) * (area.right - area.left);
  let found;
  const picture = await view.see((seen) => {
    found = holes(inked(seen, area));
    return found.length === 1 || `holes ${JSON.stringify(found)}`;
  }, "one gap");
  const [[a, b]] = found;
  assert.ok(Math.abs(a - xOf(from)) <= 3 && Math.abs(b - xOf(to)) <= 3, `gap at ${a}..${b}, should be ${xOf(from).toFixed(1)}..${xOf(to).toFixed(1)}`);
  const { columns } = inked(picture, area);
  const share = (l, r) => [...columns].filter((x) => x >= l && x < r).length / (r - l);
  assert.ok(share(area.left + 2, a) > 0.95, `the line before it: ${share(area.left + 2, a)}`);
  assert.ok(share(b + 1, Math.floor(xOf(edge)) - 4) > 0.95, `the line after it: ${share(b + 1, Math.floor(xOf(edge)) - 4)}`);
  // Hatching, told from the ground: it inks every second pixel or so, faintly.
  const ground = (l, r) => picture.share([l, area.top + 4, r, area.bottom - 4], SURFACE, 0.6);
  assert.ok(ground(a + 4, b - 4) < ground(a - 44, a - 4) - 0.15, `hatched: ${ground(a + 4, b - 4).toFixed(2)} of bare ground, beside it ${ground(a - 44, a - 4).toFixed(2)}`);
  await view.shot("skab-gap");
});

test("inside the gap nothing is known of what comes after it", wanted, async () => {
  const times = rows("valve1/2.csv").map((row) => row.t);
  const nth = times.findIndex((t, index) => index > 0 && t - times[index - 1] > 10_000);
  const state = await view.seek(at((times[nth - 1] + times[nth]) / 2));
  const area = plot(state);
  const x = area.left + ((times[nth - 1] - times.at(-1)) / (15 * MINUTE) + 0.94) * (area.right - area.left);
  await view.see((seen) => {
    const { columns, playhead } = inked(seen, area);
    const last = Math.max(...columns);
    return (playhead.length > 0 && Math.abs(last - x) <= 3) || `the line ends at ${last}, should at ${x.toFixed(1)}; playhead ${playhead}`;
  }, "a line that ends where the samples do");
  await view.shot("skab-inside-gap");
});

test("the browser had nothing to complain about", wanted, () => view.assertQuiet());
