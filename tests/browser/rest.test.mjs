// A page at rest draws nothing: samples of now don't change a picture of another instant, and a clock that nobody needs is not
// shown sixty times a second. Counted in frames, over ten seconds of each state.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { CLOCK, Gateway, ROOT, scratch } from "./lib/server.mjs";
import { PATIENCE_MS, View, launch } from "./lib/view.mjs";

const SECONDS = 10;
const HOUR = 3_600_000;
/** When the demo plant's source that drops off is back (`story::SOURCE_UP`), with some seconds; it drops off again after 1,275 s. */
const STORY_TOLD_MS = 125_000;

let gateway, browser, view;

before(async () => {
  gateway = await Gateway.serve(`${ROOT}/assets/sites/bottling/site.toml`, { args: ["--clock", CLOCK] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1010, 560] });
  // A link that breaks or mends is news that is drawn at any instant, and would be counted.
  const told = Date.parse(CLOCK) + STORY_TOLD_MS;
  await view.until((s) => Date.parse(s.time?.liveEdge) > told, "the links to have settled", { patience: 2 * STORY_TOLD_MS });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Lets everything that was begun come to its end: six seconds without a frame and no history on its way, or, of what never rests, twenty seconds. */
async function settle(of, { never = false } = {}) {
  if (never) return pause(20_000);
  const end = Date.now() + PATIENCE_MS;
  let { frame } = await of.state();
  for (let quiet = 0; quiet < 6; ) {
    await pause(1_000);
    const { frame: now, historyBusy } = await of.state();
    quiet = now === frame && !historyBusy ? quiet + 1 : 0;
    frame = now;
    assert.ok(Date.now() < end, `it never rests: ${JSON.stringify({ ...(await of.state()), twins: null })}`);
  }
}

/** Frames in ten seconds, and what the browser's processes computed meanwhile, in seconds. */
async function frames(of, what) {
  const cdp = await browser.newBrowserCDPSession();
  const cpu = async () => (await cdp.send("SystemInfo.getProcessInfo")).processInfo.reduce((sum, process) => sum + process.cpuTime, 0);
  const [before, began] = [(await of.state()).frame, await cpu()];
  await pause(SECONDS * 1_000);
  const [count, seconds] = [(await of.state()).frame - before, (await cpu()) - began];
  console.log(`  ${what}: ${count} frames in ${SECONDS} s, ${((seconds / SECONDS) * 100).toFixed(1)} % of a core in all processes`);
  return count;
}

test("a paused page draws nothing, now and at any instant, while samples go on arriving", async () => {
  await view.command({ pause: true });
  const paused = await view.until((s) => s.time.state === "paused" && !s.historyBusy, "the pause");
  await settle(view);
  assert.equal(await frames(view, "paused, now"), 0);
  await view.seek(new Date(Date.parse(paused.time.playhead) - 6 * HOUR).toISOString());
  await settle(view);
  assert.equal(await frames(view, "paused, six hours ago"), 0);
  // Nothing was lost by not looking: the next frame has it.
  const later = await view.until((s) => s.samples > paused.samples + 100, "what arrived meanwhile");
  assert.equal(later.link, "up");
  assert.equal(later.connections, 1);
});

test("an alarm that nobody acknowledged rests, too, where motion is not wanted; else it blinks twice a second", async () => {
  const alarm = (state) => Object.values(state.twins).some((twin) => twin.alarm?.state === "unacknowledged");
  for (let step = 0; step < 12 && !alarm(await view.state()); step += 1) {
    const { playhead } = (await view.state()).time;
    await view.command({ step: "back" });
    await view.until((s) => !s.historyBusy && s.time.playhead !== playhead, "the event before");
  }
  const { time } = await view.until(alarm, "an alarm that nobody acknowledged");
  await settle(view);
  assert.equal(await frames(view, "paused, an unacknowledged alarm, reduced motion"), 0);
  const moving = await View.open(browser, gateway.url, { size: [640, 400], motion: true, fragment: `t=${time.playhead}` });
  await moving.until((s) => s.time.state === "paused" && !s.historyBusy && alarm(s), "the same with motion");
  await settle(moving, { never: true });
  const count = await frames(moving, "paused, an unacknowledged alarm that blinks");
  assert.ok(count >= 1 && count <= 2 * SECONDS + 2, `${count} frames`);
  await moving.close();
});

test("following a plant that says nothing takes two frames a second", async () => {
  const site = join(scratch("quiet"), "site.toml");
  writeFileSync(site, '[site]\nid = "quiet"\n[[twins]]\nid = "pump"\nsignals = [{ name = "flow", unit = "l/min", period = "1h" }]\n[[sources]]\nid = "script"\nkind = "websocket"\n');
  const quiet = await Gateway.serve(site, { args: ["--clock", CLOCK] });
  const page = await View.open(browser, quiet.url, { size: [640, 400], ready: false });
  await page.until((s) => s.phase === "running" && s.link === "up", "the quiet plant", { nudge: false });
  await settle(page, { never: true });
  const count = await frames(page, "following a quiet plant");
  assert.ok(count >= 1 && count <= 2 * SECONDS + 2, `${count} frames`);
  await page.close();
  await quiet.stop();
});

test("it wakes: a link that breaks is seen without a hand on the mouse, and mends", async () => {
  await view.command({ pause: true });
  await settle(view);
  await gateway.kill();
  await view.until((s) => s.link !== "up", "the broken link", { nudge: false });
  await gateway.start();
  await view.until((s) => s.link === "up", "the link again", { nudge: false });
  await settle(view);
  assert.equal(await frames(view, "paused, after a restart"), 0);
});
