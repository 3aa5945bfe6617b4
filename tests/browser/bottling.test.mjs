// The demo plant as a newcomer sees it: it lives, it remembers yesterday, it tells its story, it can be asked what if.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { WHAT_IF } from "./lib/color.mjs";
import { CLOCK, Gateway, ROOT } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEARING = "filler-bearing-01";

let gateway, browser, view, started;

before(async () => {
  gateway = await Gateway.serve(`${ROOT}/assets/sites/bottling/site.toml`, { args: ["--clock", CLOCK] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1280, 720] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

const at = (ms) => new Date(ms).toISOString();

test("the hall is drawn, with its twins and no problems", async () => {
  const state = await view.until((s) => s.link === "up" && s.samples > 0, "the stream");
  assert.ok(Object.keys(state.twins).length >= 60, `${Object.keys(state.twins).length} twins`);
  assert.deepEqual(state.problems, []);
  const placed = Object.values(state.twins).filter((twin) => twin.screen).length;
  assert.ok(placed >= 50, `${placed} twins are in the picture`);
  await view.see((picture) => {
    const colours = picture.variety(state.viewport);
    return colours >= 60 || `the 3D view holds ${colours} colours`;
  }, "a hall full of machines");
  await view.shot("bottling-dark");
});

test("it lives: samples arrive and the playhead follows, until someone pauses; following resumes", async () => {
  const first = await view.until((s) => s.time.state === "following", "following");
  const second = await view.until((s) => s.samples > first.samples + 300 && s.time.playhead > first.time.playhead, "three hundred more samples");
  assert.equal(second.time.state, "following");
  await view.command({ pause: true });
  const paused = await view.until((s) => s.time.state === "paused", "the pause");
  const later = await view.until((s) => s.samples > paused.samples + 100, "samples during the pause");
  assert.equal(later.time.playhead, paused.time.playhead, "a paused view is not disturbed by time");
  await view.command({ follow: true });
  const live = await view.until((s) => s.time.state === "following" && s.time.playhead > later.time.playhead, "live again");
  assert.ok(Date.parse(live.time.liveEdge) - Date.parse(live.time.playhead) < 2_000);
});

test("yesterday is in the history: the old bearing failed and was replaced", async () => {
  const state = await view.until((s) => !s.historyBusy && s.time.extent, "history to load");
  const [from, to] = state.time.extent.map((text) => Date.parse(text));
  assert.ok(to - from > 23 * HOUR, `${((to - from) / HOUR).toFixed(1)} h of history`);
  // The story begins when the history ends; the generator documents both incidents of the day before.
  started = from + DAY;
  // Worn, it shakes as long as the line runs; at some hours of the day the line stands for a while.
  const before = [];
  for (const hours of [16.1, 16.4, 16.7, 17]) before.push((await view.seek(at(started - hours * HOUR))).twins[BEARING].status);
  assert.ok(before.some((status) => status !== "normal"), `shortly before its replacement: ${before}`);
  const good = await view.seek(at(started - 14 * HOUR));
  assert.equal(good.twins[BEARING].status, "normal", "after its replacement");
});

test("the story of the first three minutes: a bearing wears out, a sensor and a source fall silent, an alarm comes and goes", async () => {
  await view.command({ follow: true });
  await view.until((s) => Date.parse(s.time.liveEdge) > started + 135_000, "the story to be told", { patience: 240_000 });
  const expected = [[5, "normal"], [38, "maintenance"], [80, "out_of_specification"], [122, "failure"]];
  const seen = [];
  for (const [second] of expected) seen.push((await view.seek(at(started + second * 1000))).twins[BEARING].status);
  assert.deepEqual(seen, expected.map(([, status]) => status));
  const middle = await view.seek(at(started + 85_000));
  assert.equal(middle.twins["tank-02"].alarm?.state, "unacknowledged", "the level alarm of tank 2 stands");
  // One of the mixer's sensors is silent, the fleet's link is down: both are told apart from a bad status.
  assert.notEqual(middle.twins["mixer-01"].freshness, "live", "a sensor of the mixer is silent");
  assert.notEqual(middle.twins["agv-01"].freshness, "live", "the fleet's source is away");
  const before = await view.seek(at(started + 2_000));
  assert.equal(before.twins["tank-02"].alarm?.state ?? "normal", "normal", "no alarm yet");
});

test("stepping goes to the next event", async () => {
  const here = await view.seek(at(started + 2_000));
  await view.command({ step: "forward" });
  const next = await view.until((s) => s.time.playhead > here.time.playhead, "the next event");
  assert.equal(next.time.state, "paused");
  assert.ok(Date.parse(next.time.playhead) < started + 60_000, "something happens in the first minute");
});

test("what if the line ran faster: the answer plays as a branch that is visibly not real", async () => {
  await view.seek(at(started + 2_000));
  await view.command({ select: BEARING });
  await view.command({ fork: at(started + 2_000) });
  await view.command({ horizonHours: 1 });
  await view.command({ knobs: { "conveyor-speed": 20, ambient: 8 } });
  await view.command({ run: true });
  const state = await view.until((s) => s.branches.length === 1 && s.running === null, "the run", { patience: 300_000 });
  assert.ok(state.branches[0].shown);
  assert.ok(state.branches[0].rows >= 1, "the table names what changes");
  await view.seek(at(started + 2_000 + HOUR / 2));
  const { viewport: [l, t, , b] } = await view.drawn();
  await view.see((picture) => {
    const frame = picture.share([l + 1, t + 60, l + 3, b - 60], WHAT_IF.dark, 8);
    return frame > 0.9 || `frame ${frame.toFixed(2)}`;
  }, "the frame of what is not real");
  await view.shot("bottling-what-if");
});

test("focus flies to a machine and isolate leaves only it", async () => {
  await view.command({ viewBranch: null });
  const wide = await view.drawn();
  await view.command({ select: "filler-01" });
  await view.command({ focus: "filler-01" });
  await view.command({ isolate: true });
  const near = await view.until((s) => s.isolated && s.fragment !== wide.fragment && s.twins["filler-01"].screen, "the filler alone");
  const [l, t, r, b] = near.viewport;
  const [x, y] = near.twins["filler-01"].screen;
  assert.ok(Math.hypot(x - (l + r) / 2, y - (t + b) / 2) < 0.25 * (r - l), `in the middle: ${x}, ${y}`);
  await view.command({ isolate: false });
  await view.command({ home: true });
  await view.until((s) => !s.isolated, "everything again");
});

test("light theme and a small window", async () => {
  await view.command({ theme: "light" });
  await view.command({ follow: true });
  await view.until((s) => s.theme === "light" && s.time.state === "following", "the light theme");
  await view.drawn();
  await view.shot("bottling-light");
  await view.page.setViewportSize({ width: 800, height: 600 });
  view.size = [800, 600];
  const small = await view.until((s) => s.viewport[2] <= 800 && s.viewport[2] - s.viewport[0] > 600, "rails instead of panels");
  assert.ok(small.viewport[3] <= 600);
  await view.drawn();
  await view.shot("bottling-800x600");
});

test("the browser had nothing to complain about", () => view.assertQuiet());
