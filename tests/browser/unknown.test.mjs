// Nobody knows: a source that falls silent, and a reading that says that there is no value. Neither is counted as normal, neither
// looks so, and neither goes on showing the last number as if it were current.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FILL } from "./lib/color.mjs";
import { Feed } from "./lib/feed.mjs";
import { cubesGlb } from "./lib/glb.mjs";
import { CLOCK, Gateway, program, scratch } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

const SITE = `# Made by the browser suite: one machine that reports five times a second, and one that reports changes only.
[site]
id = "silent"
name = "What nobody knows"
time_zone = "UTC"

[[models]]
id = "machines"
path = "machines.glb"

[view]
eye = [0, 6, 10]
target = [0, 1, 0]

[[interfaces]]
id = "machine"
bind = { node = "{twin}" }
signals = [{ name = "load", unit = "%" }]
rules = [{ id = "load", kind = "range", signal = "load", bands = [{ above = 90, status = "failure" }] }]

[[twins]]
id = "steady"
interface = "machine"
signals = [{ name = "load", period = "200ms", late_after = "1s", stale_after = "3s" }]

[[twins]]
id = "changes"
interface = "machine"

[[sources]]
id = "script"
kind = "websocket"
token = "sesame"
`;

let gateway, browser, view, feed, site, data;

before(async () => {
  const folder = scratch("silent");
  [site, data] = [join(folder, "site.toml"), join(folder, "data")];
  writeFileSync(join(folder, "machines.glb"), cubesGlb([{ name: "steady", at: [-2, 1, 0] }, { name: "changes", at: [2, 1, 0] }]));
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

const counts = ({ status }) => Object.fromEntries(Object.entries(status).filter(([, number]) => number > 0));

/** What the command says of a twin at the instant that the page shows. */
function told({ time }, id) {
  const args = ["state", site, "--data", data, "--at", time.playhead, "--json"];
  return JSON.parse(execFileSync(program(), args, { encoding: "utf8" })).twins.find((twin) => twin.id === id);
}

/** Waits until a machine looks like one status and not like the other; answers both shares. */
const looks = (id, status, other) => view.see((picture) => {
  const [like, unlike] = [status, other].map((name) => picture.share(around(shown.twins[id].screen, 12), FILL[name], 8));
  return (like > 0.2 && unlike < 0.1) || `${(like * 100).toFixed(0)} % of ${id} looks ${status}, ${(unlike * 100).toFixed(0)} % ${other}`;
}, `${id} as ${status}`);
let shown;

test("two machines that report are normal, and look it", async () => {
  await feed.send({ signal: "changes.load", value: 42 });
  await feed.every(200, { signal: "steady.load", value: 42 });
  shown = await view.until((s) => s.status?.normal === 2 && !s.historyBusy, "two normal machines");
  assert.deepEqual(counts(shown), { normal: 2 });
  for (const id of ["steady", "changes"]) await looks(id, "normal", "unknown");
  await view.shot("unknown-before");
});

test("a machine that falls silent is unknown: in the count, in the picture, and what it was before is kept apart", async () => {
  await feed.stop();
  shown = await view.until((s) => s.twins.steady.status === "unknown", "the silence to be noticed");
  assert.deepEqual(counts(shown), { normal: 1, unknown: 1 });
  assert.deepEqual([shown.twins.steady.freshness, shown.twins.steady.lastKnown], ["stale", "normal"]);
  assert.equal(told(shown, "steady").status, "unknown");
  await looks("steady", "unknown", "normal");
  await looks("changes", "normal", "unknown");
  await view.shot("unknown-silent");
});

/** Ink of the inspector's only row of a signal in a stretch of the screen: of its name at the left, of its number at the right. */
const ink = (picture, top, bottom) => [[722, 800], [930, 990]].map(([left, right]) => picture.share([left, top, right, bottom], [0xe7, 0xea, 0xee], 12));

test("a reading without a value leaves nothing to judge: the machine is unknown, its quality bad, and the last number is gone", async () => {
  await view.command({ select: "changes" });
  // "42.00 %", in the row below the words "All its rules are within limits".
  await view.see((picture) => ink(picture, 260, 300).every((share) => share > 0.01) || `${ink(picture, 260, 300)} of name and number`, "the number");
  await feed.send({ signal: "changes.load", value: null });
  shown = await view.until((s) => s.twins.changes.status === "unknown" && !s.historyBusy, "the reading without a value");
  assert.deepEqual(counts(shown), { unknown: 2 });
  assert.deepEqual([shown.twins.changes.freshness, shown.twins.changes.lastKnown], ["live", "normal"], "it is no silence");
  const { status, signals: [{ value, quality }] } = told(shown, "changes");
  assert.deepEqual({ status, value, quality }, { status: "unknown", value: null, quality: "bad" });
  // The reason takes some room, and the row stands lower.
  await view.see((picture) => {
    const [name, number] = ink(picture, 365, 400);
    return (name > 0.01 && number === 0) || `name ${name.toFixed(3)}, number ${number.toFixed(3)}`;
  }, "the signal without a number");
  await view.shot("unknown-no-value");
  await view.command({ select: null });
  await looks("changes", "unknown", "normal");
});

test("values that come back are judged again", async () => {
  await feed.send({ signal: "changes.load", value: 42 });
  await feed.every(200, { signal: "steady.load", value: 42 });
  shown = await view.until((s) => s.status.normal === 2, "two normal machines again");
  assert.deepEqual(["steady", "changes"].map((id) => shown.twins[id].lastKnown), [null, null]);
  for (const id of ["steady", "changes"]) await looks(id, "normal", "unknown");
});

test("the browser had nothing to complain about", () => view.assertQuiet());
