// The link breaks: the gateway is taken away without a word and comes back. The page says so, goes on showing what it has, and catches up.
// The one file of the suite that lives by the machine's clock: a gateway that is started again with --clock would live the same minutes twice.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Feed } from "./lib/feed.mjs";
import { cubesGlb } from "./lib/glb.mjs";
import { Gateway, freePort, scratch } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

const SITE = `# Made by the browser suite: one machine that a script feeds.
[site]
id = "fed"
name = "Fed by a script"

[[models]]
id = "machine"
path = "machine.glb"
twin = "machine"

[[twins]]
id = "machine"
signals = [{ name = "load", unit = "%", period = "200ms", late_after = "600ms", stale_after = "2s" }]

[[twins.rules]]
id = "load"
kind = "range"
signal = "load"
bands = [{ above = 90, status = "failure" }]

[[sources]]
id = "script"
kind = "websocket"
token = "sesame"
`;

let gateway, browser, view, feed, folder;

before(async () => {
  folder = scratch("fed");
  writeFileSync(join(folder, "machine.glb"), cubesGlb([{ name: "machine", at: [0, 1, 0] }]));
  writeFileSync(join(folder, "site.toml"), SITE);
  gateway = await Gateway.serve(folder, { port: await freePort(), args: ["--data", join(folder, "data")] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1100, 600] });
});
after(async () => {
  await view?.close();
  await feed?.close();
  await browser?.close();
  await gateway?.stop();
});

/** A script's work: a value five times a second, over a connection of its own. */
async function push(value) {
  await feed?.close();
  feed = await Feed.open(browser, gateway.url, "sesame");
  await feed.every(200, { signal: "machine.load", value });
}

let broken, before_break, plain;

test("a script pushes values in and the machine takes their colour", async () => {
  await push(42);
  const state = await view.until((s) => s.link === "up" && s.samples > 10 && s.twins.machine.status === "normal", "pushed values");
  assert.equal(state.twins.machine.freshness, "live");
  // Far enough off that nothing but background is where the banner will be.
  await view.command({ camera: [0, 0, 0, 0.6, 0.5, 60] });
  await view.drawn();
  plain = await view.picture();
});

test("the gateway is killed: the page says that the link is down and keeps what it has", async () => {
  before_break = (await view.state()).time.liveEdge;
  await gateway.kill();
  broken = Date.now();
  const state = await view.until((s) => s.link === "down", "the link to be known as broken");
  assert.equal(state.phase, "running");
  // The banner is a card below the top edge of the 3D view, in its middle.
  const [l, t, r] = state.viewport;
  const card = [(l + r) / 2 - 100, t + 16, (l + r) / 2 + 100, t + 60];
  await view.see((picture) => {
    // Words in the text colour where before there was nothing but background.
    const words = (seen) => seen.share(card, [0xe7, 0xea, 0xee], 12);
    return (words(picture) > 0.01 && words(plain) < 0.002) || `text covers ${words(picture).toFixed(4)} of the banner's place, ${words(plain).toFixed(4)} before`;
  }, "the banner");
  await view.shot("link-down");
  const past = await view.seek(before_break);
  assert.equal(past.twins.machine.status, "normal", "history is still there");
});

test("the gateway comes back: the page connects again by itself and new values flow", async () => {
  // Long enough for the machine to be stale in between.
  await new Promise((done) => setTimeout(done, Math.max(0, broken + 4_000 - Date.now())));
  await gateway.start();
  await view.command({ follow: true });
  const up = await view.until((s) => s.link === "up" && s.connections >= 2, "the second connection");
  await push(95);
  const state = await view.until((s) => s.samples > up.samples + 5 && s.twins.machine.status === "failure", "new values after the restart");
  assert.equal(state.time.state, "following");
  assert.equal(state.twins.machine.freshness, "live");
});

test("the hole between is neither hidden nor filled with invention", async () => {
  const hole = await view.seek(new Date(broken + 3_000).toISOString());
  assert.ok(["stale", "offline"].includes(hole.twins.machine.freshness), `freshness in the hole: ${hole.twins.machine.freshness}`);
  const earlier = await view.seek(before_break);
  assert.equal(earlier.twins.machine.status, "normal", "what was measured before the kill survived it");
  const { extent } = (await view.state()).time;
  assert.ok(Date.parse(extent[0]) < broken, "history reaches back over the restart");
});

// The browser itself reports connections that fail, and what is sent between their end and its news; no page can prevent it.
const BROKEN = [/WebSocket connection to .* failed/, /net::ERR_CONNECTION_(REFUSED|RESET|CLOSED)/, /ERR_EMPTY_RESPONSE/, /WebSocket is already in CLOSING or CLOSED state/];
test("nothing but the broken connection was complained about", () => view.assertQuiet(BROKEN));
