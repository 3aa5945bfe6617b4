// Time travel over a whole day: the time bar is dragged end to end without a stall and colours follow; what is not in memory
// is fetched where a person goes, and what is here, in extracts, away or a gap is drawn apart.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { FILL, Picture } from "./lib/color.mjs";
import { CLOCK, Gateway, ROOT, program, scratch } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

const HOUR = 3_600_000;
const BEARING = "filler-bearing-01";
const SITE = `${ROOT}/assets/sites/bottling/site.toml`;
const FRAMES = join(ROOT, "artifacts", "browser", "drag");
/** A picture counts for a status where so much of the box around the bearing has its colour. */
const ENOUGH = 0.01;

let gateway, browser, view, data;

before(async () => {
  data = scratch("drag");
  gateway = await Gateway.serve(SITE, { args: ["--data", data, "--clock", CLOCK] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1024, 640] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

// A test that ends in the middle of a drag leaves no button pressed for those behind it.
afterEach(async () => {
  view.held = null;
  await view.page.mouse.up();
});

const iso = (ms) => new Date(ms).toISOString();
const ms = (text) => Date.parse(text);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const covers = (state, what) => state.cover.filter(([, , one]) => one === what);

/** Where instants lie on the time bar, from two presses. */
async function calibrate(left, right, y) {
  const seen = [];
  for (const x of [left, right]) {
    await view.click(x, y);
    seen.push(ms((await view.until((s) => s.time.state === "paused", "the press to count")).time.playhead));
  }
  const perPixel = (seen[1] - seen[0]) / (right - left);
  assert.ok(perPixel > 0, "the bar runs from left to right");
  return { perPixel, at: (t) => left + (t - seen[0]) / perPixel };
}

/** Waits until the camera's flight is over: the bearing stands where it stood some frames before. */
async function standing() {
  let before = null;
  return view.until((s) => {
    const screen = s.twins[BEARING].screen;
    if (before && s.frame < before.frame + 3) return false;
    const still = s.isolated && screen && before?.at === screen.map(Math.round).join();
    before = { frame: s.frame, at: screen?.map(Math.round).join() };
    return still;
  }, "the bearing alone, and the camera at rest");
}

test("a day is here, with its seams", async () => {
  await view.command({ range: null });
  const state = await view.until((s) => !s.historyBusy && s.time.extent && covers(s, "raw").length > 0, "the day to load", { patience: 300_000 });
  // Again: on a slow machine all time was less when it was asked for.
  await view.command({ range: null });
  const [from, to] = state.time.extent.map(ms);
  assert.ok(to - from > 23.5 * HOUR, `${((to - from) / HOUR).toFixed(1)} h`);
  assert.deepEqual(state.cover.map(([, , what]) => what), ["raw"], "all of it at full detail");
  await view.shot("drag-whole-day");
});

test("the day is dragged end to end without a stall, and the colours follow", async () => {
  await view.command({ select: BEARING });
  await view.command({ focus: BEARING });
  // Alone: the filler around it fills a third of the box that is looked at, and has troubles of its own.
  await view.command({ isolate: true });
  const start = await standing();
  const [left, , right, bottom] = start.viewport;
  const y = bottom + 36;
  // Between the bar's controls and its readout, whose places are the panels' own.
  const bar = await calibrate(left + 20, right - 160, y);
  const [from, to] = start.time.extent.map(ms);
  const [first, last] = [Math.max(left + 4, bar.at(from)), Math.min(right + 120, bar.at(to))];
  rmSync(FRAMES, { recursive: true, force: true });
  mkdirSync(FRAMES, { recursive: true });

  const session = await view.context.newCDPSession(view.page);
  let newest = null;
  session.on("Page.screencastFrame", ({ data: png, sessionId }) => {
    newest = Buffer.from(png, "base64");
    session.send("Page.screencastFrameAck", { sessionId }).catch(() => {});
  });
  await session.send("Page.startScreencast", { format: "png", everyNthFrame: 1 });
  await view.page.mouse.move(first, y);
  await view.page.mouse.down();
  // Waiting moves the pointer a little, to be drawn for: here, where it holds the playhead.
  view.held = [first, y];
  await view.until((s) => Math.abs(ms(s.time.playhead) - from) < HOUR, "the beginning of the day");
  view.held = null;
  newest = null;
  const pictures = [];
  const shutter = setInterval(async () => {
    const png = newest;
    const state = await view.state().catch(() => null);
    if (png && state) pictures.push({ png, frame: state.frame, playhead: ms(state.time.playhead), status: state.twins[BEARING].status });
  }, 100);

  const began = Date.now();
  const frames = [(await view.state()).frame];
  const gaps = [];
  // As a hand does: by the clock, however few pictures the machine draws meanwhile.
  const length = 20_000;
  for (let step = 0, drawnAt = Date.now(), part = 0; part < 1; step += 1) {
    part = Math.min(1, (Date.now() - began) / length);
    await view.page.mouse.move(first + (last - first) * part, y + (step % 2));
    const { frame } = await view.state();
    if (frame !== frames.at(-1)) {
      gaps.push(Date.now() - drawnAt);
      drawnAt = Date.now();
      frames.push(frame);
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  const took = Date.now() - began;
  await view.page.mouse.up();
  clearInterval(shutter);
  await view.command({ isolate: false });
  await session.send("Page.stopScreencast");

  pictures.forEach(({ png }, nth) => writeFileSync(join(FRAMES, `${String(nth).padStart(3, "0")}.png`), png));
  const usual = median(gaps);
  const worst = Math.max(...gaps);
  writeFileSync(join(FRAMES, "sequence.json"), JSON.stringify({
    took, frames: gaps.length, usual, worst, pictures: pictures.map(({ playhead, status }) => [iso(playhead), status]),
  }, null, 1));
  console.log(`  ${gaps.length} frames in ${(took / 1000).toFixed(1)} s while dragging over a day: usually ${usual} ms, at worst ${worst} ms; ${pictures.length} pictures`);
  assert.ok(gaps.length > 15, `${gaps.length} frames`);
  // A stall is a frame that takes several times as long as its neighbours, not a slow machine.
  const slow = gaps.filter((gap) => gap > Math.max(4 * usual, 600)).length;
  assert.ok(slow <= gaps.length * 0.02, `${slow} of ${gaps.length} frames took over four times as long as usual (${usual} ms), the worst ${worst} ms`);

  const travelled = pictures.map(({ playhead }) => playhead);
  assert.ok(Math.max(...travelled) - Math.min(...travelled) > 20 * HOUR, "the playhead went over the day");
  assert.ok(new Set(travelled).size > 15, "and did so in many steps");
  const said = new Set(pictures.map(({ status }) => status));
  assert.ok(said.has("normal") && said.size >= 2, `statuses on the way: ${[...said].join(", ")}`);
  // A picture comes some frames after the state beside it.
  const [x, y0] = start.twins[BEARING].screen;
  const box = [x - 100, y0 - 40, x + 100, y0 + 110];
  const shows = pictures.map(({ png }) => {
    const picture = new Picture(png);
    return new Set(["maintenance", "out_of_specification", "failure"].filter((status) => picture.share(box, FILL[status], 9) >= ENOUGH));
  });
  // By count where frames are quick, by frames where the machine is slow and many pictures are taken of each.
  const LAG = 12;
  const LATE_FRAMES = 6;
  const near = (nth, other) => Math.abs(other - nth) <= LAG || Math.abs(pictures[other].frame - pictures[nth].frame) <= LATE_FRAMES;
  shows.forEach((seen, nth) => {
    const about = pictures.filter((_, other) => near(nth, other)).map(({ status }) => status);
    const well = about.every((status) => status === "normal");
    assert.ok(!well || seen.size === 0, `picture ${nth} shows ${[...seen].join(", ")}, but the bearing was well all around`);
  });
  let stretches = 0;
  for (let from = 0, to; from < pictures.length; from = to) {
    const { status } = pictures[from];
    for (to = from; to < pictures.length && pictures[to].status === status; to += 1);
    if (to - from < 3 || !["maintenance", "out_of_specification", "failure"].includes(status)) continue;
    const followed = shows.some((seen, nth) => nth >= from && (nth < to || near(to - 1, nth)) && seen.has(status));
    // What a slow machine drew once or twice may have been passed over on the way to us.
    const drawn = new Set(pictures.slice(from, to).map(({ frame }) => frame)).size;
    assert.ok(followed || drawn < 3, `${status} in pictures ${from} to ${to} is never seen`);
    stretches += Number(followed);
  }
  assert.ok(stretches >= 1, `${stretches} stretches of trouble were seen`);
  const quiet = shows.filter((seen) => seen.size === 0).length;
  assert.ok(quiet > pictures.length / 2, `${quiet} of ${pictures.length} pictures show it well`);
});

test("the same instants as the command line says", async () => {
  const { time } = await view.state();
  const [from, to] = time.extent.map(ms);
  for (const part of [0.1, 0.33, 0.7]) {
    const t = iso(Math.round((from + (to - from) * part) / 1000) * 1000);
    const shown = await view.seek(t);
    const told = JSON.parse(execFileSync(program(), ["state", SITE, "--data", data, "--at", t, "--json"], { maxBuffer: 1 << 28 }));
    for (const twin of told.twins) assert.equal(shown.twins[twin.id].status, twin.status, `${twin.id} at ${t}`);
  }
});

const coarse = (state) => state.cover.filter(([, , what]) => what !== "raw" && what !== "coming");

test("with little memory, far history is an extract or away, and comes in full where a person goes", async () => {
  await view.command({ pause: true });
  await view.command({ historyMegabytes: 1.5 });
  await view.command({ range: null });
  const poor = await view.until((s) => coarse(s).length > 0 && !s.historyBusy, "history to be given up", { patience: 120_000 });
  console.log(`  with 1.5 MB: ${poor.cover.map(([a, b, what]) => `${what} ${((ms(b) - ms(a)) / HOUR).toFixed(1)} h`).join(", ")}; the store holds ${poor.storeBytes} bytes`);
  await view.drawn();
  await view.shot("drag-little-memory");
  const [from, to] = coarse(poor).map(([a, b]) => [ms(a), ms(b)]).sort((a, b) => b[1] - b[0] - (a[1] - a[0]))[0];
  const t = iso(Math.round((from + to) / 2000) * 1000);
  await view.command({ seek: t });
  const there = await view.until((s) => Math.abs(ms(s.time.playhead) - ms(t)) < 1 && !s.time.buffering && s.time.detail === "raw" && !s.historyBusy, `samples at ${t}`);
  const here = there.cover.find(([a, b]) => ms(a) <= ms(t) && ms(t) < ms(b));
  assert.equal(here?.[2], "raw");
  const told = JSON.parse(execFileSync(program(), ["state", SITE, "--data", data, "--at", t, "--json"], { maxBuffer: 1 << 28 }));
  for (const twin of told.twins) {
    assert.equal(there.twins[twin.id].status, twin.status, `${twin.id} at ${t}`);
    assert.equal(there.twins[twin.id].freshness, twin.freshness, `${twin.id} at ${t}`);
  }
  await view.shot("drag-fetched");
});

test("a thousand times as fast, both ways, the playhead never runs ahead of its data", async () => {
  await view.command({ historyMegabytes: 224 });
  const { time } = await view.state();
  const [from, to] = time.extent.map(ms);
  for (const [speed, start] of [[1000, from + 2 * HOUR], [-1000, to - 2 * HOUR]]) {
    await view.seek(iso(start));
    await view.command({ speed });
    await view.command({ play: true });
    const far = await view.until((s) => Math.abs(ms(s.time.playhead) - start) > HOUR, `an hour at ${speed}x`);
    assert.equal(Math.sign(ms(far.time.playhead) - start), Math.sign(speed));
    assert.ok(far.time.buffering || covers(far, "raw").concat(covers(far, "5min"), covers(far, "1h")).some(([a, b]) => ms(a) <= ms(far.time.playhead) && ms(far.time.playhead) <= ms(b)), "shown from data");
    await view.command({ pause: true });
  }
  await view.command({ speed: 1 });
});

test("the browser had nothing to complain about", () => view.assertQuiet());
