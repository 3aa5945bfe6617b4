// As it was, and as it was known: a reading that arrived late is in the past for whoever looks back, unless they ask what could
// have been known then. By key, by command and by link; and the page says which of the two it shows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FILL } from "./lib/color.mjs";
import { cubesGlb } from "./lib/glb.mjs";
import { Gateway, program, scratch } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

const SITE = `# Made by the browser suite: one machine, one of whose readings was stored three minutes late.
[site]
id = "late"
name = "A late reading"
time_zone = "UTC"

[[models]]
id = "machine"
path = "machine.glb"
twin = "machine"

[view]
eye = [0, 3, 6]
target = [0, 1, 0]
time = "recorded"

[[twins]]
id = "machine"
signals = [{ name = "load", unit = "%", period = "1min" }]

[[twins.rules]]
id = "load"
kind = "range"
signal = "load"
bands = [{ above = 90, status = "failure" }]

[[sources]]
id = "log"
kind = "csv"
path = "log.csv"
time = { column = "taken" }
received = "stored"
columns = { load = "machine.load" }
`;

const at = (minute, second = 0) => `2026-03-02T08:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}Z`;
/** The reading of 08:02 is over its limit, and came at 08:05:30. */
const ROWS = Array.from({ length: 11 }, (_, n) => [at(n), n === 2 ? at(5, 30) : at(n, 1), n === 2 ? 99 : 10]);

let gateway, browser, view, site;

before(async () => {
  const folder = scratch("late");
  site = join(folder, "site.toml");
  writeFileSync(join(folder, "machine.glb"), cubesGlb([{ name: "machine", at: [0, 1, 0] }]));
  writeFileSync(join(folder, "log.csv"), `taken,stored,load\n${ROWS.map((row) => row.join(",")).join("\n")}\n`);
  writeFileSync(site, SITE);
  gateway = await Gateway.serve(site, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1010, 560] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

const told = (t, more = []) => JSON.parse(execFileSync(program(), ["state", site, "--at", t, "--json", ...more], { encoding: "utf8" })).twins[0].status;
const basis = (as) => view.until((s) => s.time.as === as && !s.historyBusy, `the state as it ${as === "known" ? "was known" : "was"}`);
const shows = (status) => view.see((picture) => {
  const share = picture.share(around(statusOf.screen, 12), FILL[status], 9);
  return share > 0.2 || `${(share * 100).toFixed(1)} % of the machine look like ${status}`;
}, `the machine in ${status}`);
let statusOf;

test("a late reading is in the past, and was not known then: the page and the command say the same", async () => {
  for (const [t, was, known] of [[at(2, 30), "failure", "normal"], [at(5, 0), "normal", "normal"], [at(1, 30), "normal", "normal"]]) {
    await view.command({ as: "was" });
    await view.seek(t);
    statusOf = (await basis("was")).twins.machine;
    assert.equal(statusOf.status, was, `as it was at ${t}`);
    assert.equal(told(t), was);
    await shows(was);
    await view.command({ as: "known" });
    statusOf = (await basis("known")).twins.machine;
    assert.equal(statusOf.status, known, `as it was known at ${t}`);
    assert.equal(told(t, ["--as-known"]), known);
    await shows(known);
  }
});

test("the key goes there and back, and the picture tells which of the two it is", async () => {
  await view.command({ as: "was" });
  await view.seek(at(2, 30));
  await view.press("k");
  const known = await basis("known");
  assert.equal(known.twins.machine.status, "normal");
  await view.shot("known-then");
  assert.match(known.fragment, /as=known/, "the link carries it");
  await view.press("k");
  assert.equal((await basis("was")).twins.machine.status, "failure");
});

test("a link opens the same view, and what is not understood is refused", async () => {
  const other = await View.open(browser, gateway.url, { size: [1010, 560], fragment: `t=${encodeURIComponent(at(2, 30))}&as=known` });
  const state = await other.until((s) => s.time.as === "known" && !s.historyBusy && s.time.state === "paused", "the link to count");
  assert.equal(state.twins.machine.status, "normal");
  await other.close();
  const answer = await view.page.evaluate(() => window.orrery.command({ as: "guessed" }));
  assert.ok(!answer.ok && answer.error, JSON.stringify(answer));
  const bad = await View.open(browser, gateway.url, { size: [1010, 560], fragment: `t=${encodeURIComponent(at(2, 30))}&as=guessed` });
  assert.equal((await bad.until((s) => !s.historyBusy && s.time.state === "paused", "the rest of the link")).time.as, "was");
  await bad.close();
});

test("the browser had nothing to complain about", () => view.assertQuiet());
