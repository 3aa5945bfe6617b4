// A plant that changes while somebody looks at it: rules first, then a model. The page changes over without a reload.
import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";

import { FILL } from "./lib/color.mjs";
import { CUBES, instant, statusAt, writeCubes } from "./lib/cubes.mjs";
import { cubesGlb } from "./lib/glb.mjs";
import { Gateway, scratch } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

let gateway, browser, view, site;
const AT = instant(13);
const CUBE = "cube-2";

/** Replaces a file in one step, as careful editors do. */
function replace(path, bytes) {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

before(async () => {
  site = writeCubes(scratch("revisions"));
  gateway = await Gateway.serve(site, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1000, 600] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

/** Waits until the gateway lists so many revisions. */
async function revisions(count) {
  for (;;) {
    const listed = await (await fetch(`${gateway.url}/api/publication/revisions`)).json();
    if (listed.revisions.length >= count) return listed.revisions;
    await new Promise((done) => setTimeout(done, 200));
  }
}

test("a changed rule holds from its instant on: before it the plant is judged as it was, or by today's rule where somebody asks", async () => {
  await view.seek(AT);
  await view.command({ select: CUBE });
  const was = statusAt(CUBE, Date.parse(AT));
  const before = await view.until((s) => s.selection.includes(CUBE) && s.twins[CUBE].status === was && !s.historyBusy, "the selection");
  assert.deepEqual([before.time.revision, before.time.judgeBy], [1, "then"]);
  await view.page.evaluate(() => { window.__same = true; });
  const other = was === "failure" ? "maintenance" : "failure";
  const text = readFileSync(site, "utf8");
  const changed = text.replace(`{ value = "${was}", status = "${was}" }`, `{ value = "${was}", status = "${other}" }`);
  assert.notEqual(changed, text, "the rule is there to be changed");
  replace(site, changed);
  const [, second] = await revisions(2);
  assert.ok(Date.parse(second.valid_from) > Date.parse(AT), "the change is after the instant on the screen");
  const like = (s, revision, status) => s.time.revision === revision && s.twins?.[CUBE]?.status === status && !s.historyBusy;
  await view.command({ judgeBy: "now" });
  const now = await view.until((s) => like(s, 2, other), "today's rule");
  assert.ok(now.fragment.split("&").includes("judge=now"), now.fragment);
  await view.press("j");
  const then = await view.until((s) => like(s, 1, was), "the rule of then");
  // The live edge is judged by the revision in force, and the way back is the same again.
  await view.command({ follow: true });
  await view.until((s) => s.time.state === "following" && s.time.revision === 2, "the revision in force");
  await view.seek(AT);
  const back = await view.until((s) => like(s, 1, was), "the rule of then again");
  assert.equal(await view.page.evaluate(() => window.__same), true, "the page is the same");
  for (const state of [now, then, back]) {
    assert.deepEqual([state.selection, state.time.playhead, state.fragment.split("&")[0]], [before.selection, before.time.playhead, before.fragment.split("&")[0]]);
    assert.deepEqual([state.problems, state.connections, state.samples], [[], before.connections, before.samples], "nothing is fetched again for another rule");
  }
  await view.shot("revision-of-then");
});

test("a changed model takes the place of the old one from its instant on, and the old one is there before it", async () => {
  // The same cubes, each half a metre higher: seen by where their marks are.
  const before = await view.until((s) => s.time.revision === 1 && s.twins?.[CUBE]?.screen, "the first model");
  const spots = CUBES.map((name, at) => ({ name, at: [(at % 3) * 4 - 4, 1.5, at < 3 ? -2 : 2] }));
  replace(join(dirname(site), "cubes.glb"), cubesGlb(spots));
  await revisions(3);
  await view.command({ judgeBy: "now" });
  const now = await view.until((s) => s.time.revision === 3 && s.twins?.[CUBE]?.screen && s.twins[CUBE].screen[1] < before.twins[CUBE].screen[1] - 5, "the new model to be drawn");
  assert.equal(await view.page.evaluate(() => window.__same), true, "the page is the same");
  assert.deepEqual([now.selection, now.time.playhead], [before.selection, before.time.playhead]);
  const place = now.twins["cube-6"].screen;
  const wanted = now.twins["cube-6"].status;
  await view.see((picture) => wanted === "normal" || picture.share(around(place, 6), FILL[wanted], 10) > 0.5 || `${wanted} is not seen at ${place}`, "the cube in its new place");
  await view.command({ judgeBy: "then" });
  const then = await view.until((s) => s.time.revision === 1 && s.twins?.[CUBE]?.screen && Math.abs(s.twins[CUBE].screen[1] - before.twins[CUBE].screen[1]) < 1, "the old model to be drawn again");
  assert.deepEqual([then.selection, then.time.playhead], [before.selection, before.time.playhead]);
});

test("values stay with their signals when the site gains one between them or loses one", async () => {
  const folder = scratch("signals");
  const NAMES = ["one", "two", "three"], [MAINTENANCE, FAILURE] = [150, 250];
  const twin = (name, more = "") => `[[twins]]
id = "${name}"
signals = [{ name = "level", unit = "m", period = "10s" }${more}]
rules = [{ id = "high", kind = "range", signal = "level", bands = [{ above = ${MAINTENANCE}.0, status = "maintenance" }, { above = ${FAILURE}.0, status = "failure" }] }]
`;
  const head = '[site]\nid = "signals"\ntime_zone = "UTC"\n[[sources]]\nid = "table"\nkind = "csv"\npath = "table.csv"\nlayout = "long"\ntime = { column = "time" }\nkey = "{signal}"\nvalue = "value"\n';
  const rows = [];
  for (let step = 0; step < 30; step += 1) NAMES.forEach((name, at) => rows.push(`${instant(step * 10)},${name}.level,${100 * (at + 1) + step}`));
  writeFileSync(join(folder, "table.csv"), `time,signal,value\n${rows.join("\n")}\n`);
  const file = join(folder, "site.toml");
  writeFileSync(file, head + NAMES.map((name) => twin(name)).join(""));
  const plant = await Gateway.serve(file, { args: ["--speed", "max"] });
  const page = await View.open(browser, plant.url, { size: [640, 400], ready: false, fragment: `t=${instant(120)}&judge=now` });
  const shows = (revision, wanted) => page.until((s) => s.time?.revision === revision && s.time.state === "paused" && !s.historyBusy
    && Object.keys(s.twins ?? {}).length === Object.keys(wanted).length && Object.entries(wanted).every(([id, status]) => s.twins[id]?.status === status), `revision ${revision}`);
  await shows(1, { one: "normal", two: "maintenance", three: "failure" });
  replace(file, head + twin("one", ', { name = "twice", unit = "m", kind = "computed", expression = "level * 2" }') + twin("two") + twin("three"));
  await shows(2, { one: "normal", two: "maintenance", three: "failure" });
  replace(file, head + twin("one") + twin("three"));
  await shows(3, { one: "normal", three: "failure" });
  await page.close();
  await plant.stop();
});

test("the browser had nothing to complain about", async () => {
  await view.assertQuiet();
});
