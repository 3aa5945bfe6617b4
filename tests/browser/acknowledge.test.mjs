// An alarm that somebody has to see: it goes on asking after its limit is no longer passed, until a person presses its button. The
// page and the command say the same of it, before and after.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Feed } from "./lib/feed.mjs";
import { cubesGlb } from "./lib/glb.mjs";
import { CLOCK, Gateway, program, scratch } from "./lib/server.mjs";
import { PATIENCE_MS, View, around, launch } from "./lib/view.mjs";

const SITE = `# Made by the browser suite: one tank whose alarm waits for a person.
[site]
id = "tanks"
name = "A tank with an alarm"
time_zone = "UTC"

[[models]]
id = "tank"
path = "tank.glb"
twin = "tank"

[[twins]]
id = "tank"
# Without a period: a reading counts until the next, however slow the machine that runs this.
signals = [{ name = "level", unit = "%" }]

[[twins.alarms]]
id = "high"
kind = "limit"
signal = "level"
message = "Level too high"
above = 90
acknowledge = "required"

[[sources]]
id = "script"
kind = "websocket"
token = "sesame"
`;

let gateway, browser, view, feed, site, data;

before(async () => {
  const folder = scratch("tanks");
  [site, data] = [join(folder, "site.toml"), join(folder, "data")];
  writeFileSync(join(folder, "tank.glb"), cubesGlb([{ name: "tank", at: [0, 1, 0] }]));
  writeFileSync(site, SITE);
  gateway = await Gateway.serve(site, { args: ["--data", data, "--clock", CLOCK] });
  browser = await launch();
  feed = await Feed.open(browser, gateway.url, "sesame");
  view = await View.open(browser, gateway.url, { size: [1010, 560] });
});
after(async () => {
  await view?.close();
  await feed?.close();
  await browser?.close();
  await gateway?.stop();
});

const level = (value) => feed.send({ signal: "tank.level", value });
const shows = (state) => view.until((s) => (s.twins.tank.alarm?.state ?? "normal") === state && !s.historyBusy, `the alarm to be ${state.replace("_", " ")}`);

/** What the command makes of the data folder at an instant that the page shows. */
function told({ time }) {
  const args = ["state", site, "--data", data, "--at", time.playhead, "--json"];
  return JSON.parse(execFileSync(program(), args, { encoding: "utf8" })).twins[0].alarms[0]?.state ?? "normal";
}

/** Places in the list, from the top of the panel: tabs of 36 px, counts in 32 px, then the only row, of 50 px, whose lower half ends with the button. */
const list = ({ viewport: [, top] }) => ({
  active: [view.size[0] - 290, top + 44, view.size[0] - 279, top + 66],
  unseen: [view.size[0] - 276, top + 44, view.size[0] - 100, top + 66],
  button: [view.size[0] - 22, top + 36 + 32 + 33],
});

/** Presses the row's button, and waits until the gateway says that the acknowledgement is safe. */
async function acknowledge(state) {
  const answered = view.page.waitForResponse((response) => response.url().endsWith("/api/alarms/tank.high/acknowledge"), { timeout: PATIENCE_MS });
  await view.point(...list(state).button);
  // At once, not in frames of their own: what is held for five seconds is no click, and a busy machine may take that long for two frames.
  await view.page.mouse.click(...list(state).button);
  view.held = null;
  assert.equal((await answered).status(), 200);
}

let waiting;

test("an alarm that rose and returned unseen goes on asking, in the list and for the command", async () => {
  await level(50);
  await shows("normal");
  await view.press("a");
  await level(95);
  assert.equal(told(await shows("unacknowledged")), "unacknowledged");
  await view.drawn();
  const active = await view.picture();
  await level(50);
  waiting = await shows("returned_unacknowledged");
  assert.equal(told(waiting), "returned_unacknowledged");
  // "1 active, 1 unacknowledged" became "0 active, 1 unacknowledged": another first digit, and not a pixel of the rest.
  await view.see((picture) => {
    const [first, rest] = [list(waiting).active, list(waiting).unseen].map((place) => picture.changed(place, active));
    return (first > 0.02 && rest === 0) || `${first.toFixed(3)} of the first digit and ${rest.toFixed(3)} of the words after it changed`;
  }, "one active alarm less and as many that nobody saw");
  await view.shot("alarm-waits");
});

test("its button acknowledges it: the page, the list and the command have nothing left to ask", async () => {
  const before = await view.picture();
  await acknowledge(waiting);
  assert.equal(told(await shows("normal")), "normal");
  await view.see((picture) => {
    const changed = picture.changed(around(list(waiting).button, 7), before);
    return changed > 0.1 || `${changed.toFixed(2)} of the button's place changed`;
  }, "no button any more");
  await view.shot("alarm-seen");
});

test("before that instant nobody had seen it, for the page and for the command", async () => {
  await view.seek(waiting.time.playhead);
  assert.equal(told(await shows("returned_unacknowledged")), "returned_unacknowledged");
  await view.command({ follow: true });
  await shows("normal");
});

test("raised again it asks again, and one that was seen while active goes by itself", async () => {
  await level(99);
  const active = await shows("unacknowledged");
  assert.equal(told(active), "unacknowledged");
  await acknowledge(active);
  assert.equal(told(await shows("acknowledged")), "acknowledged");
  await level(50);
  assert.equal(told(await shows("normal")), "normal");
});

test("the browser had nothing to complain about", () => view.assertQuiet());
