// The suite's own site, where every pixel follows from a table: first picture, colours, picking, time bar, what-if, links.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { FILL, WHAT_IF } from "./lib/color.mjs";
import { CUBES, START, STEPS, STEP_S, instant, statusAt, writeCubes } from "./lib/cubes.mjs";
import { Gateway, scratch } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

/**
 * Farthest that a status fill may be from its token, in CIEDE2000: what look.md promises. A fifth to a half of the pixels
 * does not keep to it on purpose: pattern ink, drawn edges, the leader line of a mark. Hence a share and not an average;
 * statuses are more than 16 apart, so a third of the pixels within 8 of one is proof of it.
 */
const TOLERANCE = 8;
const SHARE = 0.33;

/** Wide enough for panels at both sides, and no larger than it must be: the graphics are software. */
const SIZE = [1010, 560];

let gateway, browser, view;

before(async () => {
  gateway = await Gateway.serve(writeCubes(scratch("cubes")), { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: SIZE });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

const names = (state) => Object.keys(state.twins).sort();

test("the first picture shows the plant, its panels and no cover", async () => {
  const state = await view.until((s) => s.link === "up" && !s.historyBusy, "link and history");
  assert.deepEqual(names(state), CUBES);
  assert.ok(state.firstPicture > 0);
  await view.see((picture) => {
    const scene = picture.variety(state.viewport);
    const tree = picture.variety([0, 60, 230, 400]);
    return (scene >= 12 && tree >= 4) || `the 3D view holds ${scene} colours, the tree ${tree}`;
  }, "a picture that is not blank");
  await view.shot("cubes-first");
});

test("every cube has the colour of its status at a known time", async () => {
  // Steps 1 to 5 together give each of the five statuses to each place of the screen.
  for (const step of [1, 2, 4]) {
    const seconds = step * STEP_S + 3;
    await view.seek(instant(seconds));
    const state = await view.drawn();
    for (const cube of CUBES) {
      assert.equal(state.twins[cube].status, statusAt(cube, START + seconds * 1000), `${cube} at ${instant(seconds)}`);
      assert.ok(state.twins[cube].screen, `${cube} is in the picture`);
    }
    await view.see((picture) => {
      const wrong = [];
      for (const cube of CUBES) {
        const { status, screen } = state.twins[cube];
        // Normal parts keep their own material, dimmed: grey here, as the status is.
        if (status === "normal") continue;
        const share = picture.share(around(screen, 12), FILL[status], TOLERANCE);
        if (share < SHARE) wrong.push(`${cube}: ${(share * 100).toFixed(0)} % of ${status}, pixel ${picture.at(...screen)}`);
        for (const [other, color] of Object.entries(FILL)) {
          if (other !== status && picture.share(around(screen, 12), color, TOLERANCE) >= SHARE) wrong.push(`${cube} looks like ${other}`);
        }
      }
      return wrong.length === 0 || wrong.join("; ");
    }, `the table's colours at ${instant(seconds)}`);
  }
  await view.shot("cubes-statuses");
});

test("a click selects what is under the pointer, a click beside it lets go", async () => {
  const { twins, viewport } = await view.drawn();
  await view.click(...twins["cube-5"].screen);
  await view.until((s) => s.selection.length === 1 && s.selection[0] === "cube-5", "cube-5 to be selected");
  await view.click(viewport[0] + 30, viewport[3] - 90);
  await view.until((s) => s.selection.length === 0, "the selection to be empty");
});

test("dragging on the time bar scrubs, and the picture follows", async () => {
  await view.seek(instant(5));
  const [width, height] = view.size;
  // The bar is the bottom 72 px; its plot lies between the transport (240 px) and the readout (148 px).
  const [left, right, y] = [240, width - 148, height - 36];
  const at = (share) => left + (right - left) * share;
  const seen = [];
  await view.point(at(0.3), y);
  await view.page.mouse.down();
  for (const share of [0.34, 0.42, 0.5, 0.58]) {
    await view.point(at(share), y);
    const before = seen.at(-1) ?? -Infinity;
    const state = await view.until((s) => s.time.state === "paused" && Date.parse(s.time.playhead) > before, "the playhead to follow the pointer");
    seen.push(Date.parse(state.time.playhead));
  }
  await view.page.mouse.up();
  await view.drawn();
  view.held = null;
  const state = await view.drawn();
  const playhead = Date.parse(state.time.playhead);
  assert.ok(playhead > START && playhead < START + STEPS * STEP_S * 1000, `inside the recording: ${state.time.playhead}`);
  for (const cube of CUBES) assert.equal(state.twins[cube].status, statusAt(cube, playhead), `${cube} after the drag`);
});

test("Space plays and pauses, End returns to live", async () => {
  await view.seek(instant(20));
  await view.click(view.size[0] * 0.4, view.size[1] * 0.14);
  await view.press("Space");
  await view.until((s) => s.time.state === "playing" && Date.parse(s.time.playhead) > START + 20_500, "time to run");
  await view.press("Space");
  await view.until((s) => s.time.state === "paused", "time to stand");
  await view.press("End");
  const state = await view.until((s) => s.time.state === "following", "the live edge");
  assert.equal(Date.parse(state.time.playhead), Date.parse(state.time.liveEdge));
});

test("a double-click flies there, even where slow frames merge its clicks", async () => {
  await view.command({ home: true });
  const wide = await view.drawn();
  const distance = (state) => Number(/cam=([^&]*)/.exec(state.fragment)[1].split(",")[5]);
  const [x, y] = wide.twins["cube-2"].screen;
  await view.point(x, y);
  await view.page.mouse.dblclick(x, y, { delay: 20 });
  await view.until((s) => distance(s) < 0.9 * distance(wide) && s.selection.includes("cube-2"), "cube-2 close by");
  view.held = null;
  await view.command({ home: true });
  await view.command({ select: null });
  await view.drawn();
});

test("a link brings back camera, selection and instant", async () => {
  await view.command({ select: "cube-2" });
  await view.command({ camera: [1, 1, 0, 0.4, 0.9, 14] });
  await view.seek(instant(42));
  const here = await view.drawn();
  assert.match(here.fragment, /cam=.*sel=cube-2.*t=/);
  // The address follows at most four times a second: browsers refuse more.
  await view.page.waitForFunction((hash) => location.hash === hash, `#${here.fragment}`, { timeout: 10_000, polling: 50 });
  await view.assertQuiet();
  // A fresh context: nothing but the link carries the view over. One page at a time, because they share one software GPU.
  await view.close();
  view = await View.open(browser, gateway.url, { size: SIZE, fragment: here.fragment });
  const there = await view.until((s) => s.fragment === here.fragment && !s.historyBusy, "the same view in another page");
  assert.deepEqual(there.selection, ["cube-2"]);
  assert.equal(there.time.state, "paused");
  assert.equal(Date.parse(there.time.playhead), Date.parse(instant(42)));
  for (const cube of CUBES) assert.equal(there.twins[cube].status, here.twins[cube].status);
});

test("a what-if run becomes a branch that is visibly not real", async () => {
  await view.command({ home: true });
  await view.seek(instant(30));
  await view.command({ fork: instant(30) });
  await view.command({ horizonHours: 1 });
  await view.command({ knobs: { push: 40 } });
  await view.command({ run: true });
  const state = await view.until((s) => s.branches.length === 1 && s.branches[0].shown && s.running === null, "the branch");
  const [branch] = state.branches;
  assert.match(branch.name, /Push \+40/);
  assert.equal(Date.parse(branch.range[0]), Date.parse(instant(30)));
  assert.ok(branch.rows >= 1, "the table names what changes");
  await view.seek(instant(30 + 1800));
  const late = await view.until((s) => s.twins["cube-1"].status !== statusAt("cube-1", START) || s.twins["cube-1"].freshness, "the branch's own time");
  assert.ok(Date.parse(late.time.playhead) > START + STEPS * STEP_S * 1000, "the playhead is in the computed future");
  await view.see((picture) => {
    const { viewport: [l, t, r, b] } = late;
    const frame = picture.share([l + 1, t + 60, l + 3, b - 60], WHAT_IF.dark, TOLERANCE);
    const banner = picture.share([(l + r) / 2 - 60, t + 2, (l + r) / 2 + 60, t + 34], WHAT_IF.dark, TOLERANCE);
    return (frame > 0.9 && banner > 0.3) || `frame ${frame.toFixed(2)}, banner ${banner.toFixed(2)}`;
  }, "frame and banner of what is not real");
  await view.shot("cubes-what-if");
  await view.command({ viewBranch: null });
  const back = await view.until((s) => !s.branches[0].shown, "reality");
  assert.ok(Date.parse(back.time.playhead) <= START + STEPS * STEP_S * 1000);
});

test("a page around it gets answers, also to nonsense", async () => {
  const said = await view.page.evaluate(() => ({
    version: window.orrery.version,
    unknown: window.orrery.command({ dance: 1 }),
    text: window.orrery.command("seek"),
    frozen: Object.isFrozen(window.orrery),
    refused: [{ seek: "yesterday" }, { speed: "fast" }, { step: "sideways" }, { select: "nobody" }, { chart: { show: ["nothing"] } }, { loop: "day" }]
      .map((command) => window.orrery.command(command)),
  }));
  assert.match(said.version, /^\d+\.\d+\.\d+/);
  assert.match(said.unknown.error, /dance.*known:.*seek/);
  assert.ok(said.text.error);
  assert.ok(said.frozen);
  for (const answer of [said.unknown, said.text, ...said.refused]) {
    assert.equal(answer.ok, false);
    assert.ok(answer.error, JSON.stringify(said.refused));
  }
});

test("what can't be done is answered with the command's name, and changes nothing", async () => {
  await view.command({ select: "cube-1" });
  await view.command({ loop: [instant(10), instant(20)] });
  const kept = (s) => ({
    selection: s.selection, fragment: s.fragment, loop: s.time.loop, range: s.time.range, speed: s.time.speed, as: s.time.as, theme: s.theme, quality: s.quality,
    chart: s.chart, knobs: s.knobs, fork: s.fork, horizonHours: s.horizonHours, isolated: s.isolated, branches: s.branches, running: s.running, state: s.time.state,
  });
  await view.until((s) => s.time.loop && s.selection[0] === "cube-1", "the loop");
  const before = kept(await view.drawn());
  const said = await view.page.evaluate(() => {
    const circle = {};
    circle.select = circle;
    const far = "9".repeat(400);
    const asked = [
      ["historyMegabytes", { historyMegabytes: 500 }], ["historyMegabytes", { historyMegabytes: 0.5 }], ["historyMegabytes", { historyMegabytes: "64" }],
      ["viewBranch", { viewBranch: 7 }], ["viewBranch", { viewBranch: NaN }], ["viewBranch", { viewBranch: "0" }],
      ["empty", {}], ["loop", { loop: NaN }], ["loop", { loop: undefined }], ["loop", { loop: false }], ["loop", { loop: new Date(NaN) }],
      ["range", { range: Infinity }], ["range", { range: [] }], ["select", { select: NaN }], ["select", { select: [] }], ["select", { select: "" }],
      ["speed", { speed: 0 }], ["speed", { speed: -Infinity }], ["speed", { speed: 10n }], ["speed", { speed: () => 1 }], ["seek", { seek: "" }], ["seek", { seek: 0 }],
      ["as", { as: "" }], ["play", { play: "no" }], ["play", { play: null }], ["pause", { pause: 0 }], ["follow", { follow: false }], ["home", { home: {} }], ["run", { run: 1 }],
      ["step", { step: 1 }], ["theme", { theme: "" }], ["quality", { quality: null }], ["isolate", { isolate: 1 }], ["focus", { focus: "nobody" }],
      ["chart", { chart: [] }], ["chart", { chart: { show: "cube-1.level" } }], ["knobs", { knobs: { push: 1e9 } }], ["knobs", { knobs: { push: NaN } }], ["knobs", { knobs: [] }],
      ["fork", { fork: "soon" }], ["horizonHours", { horizonHours: 0 }], ["horizonHours", { horizonHours: 1e9 }],
      ["camera", { camera: [0, 0, 0, 0, 0, NaN] }], ["camera", { camera: [0, 0, 0, 0, 9, 5] }], ["camera", { camera: [Number(far), 0, 0, 0, 0, 5] }], ["camera", { camera: new Array(6) }],
      ["camera", { camera: [1e300, 0, 0, 0, 0, 5] }], ["speed", { select: "cube-2", speed: 0 }], ["dance", { select: null, dance: 1 }], ["select", circle], ["select", { select: Symbol("x") }],
      ["command", undefined], ["command", null], ["command", 5], ["command", "seek"], ["command", [{ select: null }]], ["command", NaN], ["command", () => 1],
    ];
    return asked.map(([name, command], nth) => [name, nth, window.orrery.command(command)]);
  });
  for (const [name, nth, answer] of said) {
    assert.equal(answer.ok, false, `${name}, ${nth}`);
    assert.ok(answer.error.includes(name), `${name}, ${nth}: ${answer.error}`);
  }
  assert.deepEqual(kept(await view.drawn()), before);
  // What comes through is what JSON makes of it.
  assert.deepEqual(await view.page.evaluate(() => window.orrery.command({ seek: new Date("2026-03-02T08:00:30Z") })), { ok: true });
  await view.until((s) => Date.parse(s.time.playhead) === Date.parse(instant(30)), "the date");
  await view.command({ loop: null });
  await view.command({ select: null });
});

test("a page around it says what is charted, repeated, in range and set, and is told", async () => {
  await view.command({ chart: { show: ["cube-1.level"] } });
  await view.command({ loop: [instant(10), instant(20)] });
  // The bar leaves a margin at both ends.
  const asked = [instant(0), instant(150)];
  const near = (s) => s.time.range?.every((end, nth) => Math.abs(Date.parse(end) - Date.parse(asked[nth])) < 10_000);
  await view.command({ range: asked, knobs: { push: 20 }, quality: "high" });
  await view.until((s) => s.quality === "high" && s.knobs.push === 20 && near(s), "range, knob and quality");
  await view.command({ quality: "slim" });
  const shown = await view.until((s) => s.chart.open && s.time.loop, "chart and loop");
  assert.deepEqual(shown.chart, { open: true, show: ["cube-1.level"] });
  assert.deepEqual(shown.time.loop.map(Date.parse), [instant(10), instant(20)].map((text) => Date.parse(text)));
  await view.command({ chart: { show: [] } });
  await view.command({ loop: null });
  await view.until((s) => !s.chart.open && s.chart.show.length === 0 && s.time.loop === null, "neither");
});

test("light theme: legible, and the same status colours", async () => {
  const state = await view.seek(instant(13));
  await view.command({ select: null });
  await view.command({ theme: "light" });
  await view.until((s) => s.theme === "light", "the light theme");
  await view.see((picture) => {
    const panel = picture.share([4, 60, 230, 400], [0xf4, 0xf5, 0xf7], 3);
    const { screen, status } = state.twins["cube-2"];
    const fill = picture.share(around(screen, 12), FILL[status], TOLERANCE);
    return (panel > 0.5 && fill >= SHARE) || `panel ${panel.toFixed(2)}, ${status} ${fill.toFixed(2)}`;
  }, "light panels and unchanged status colours");
  await view.shot("cubes-light");
});

test("the browser had nothing to complain about", () => view.assertQuiet());
