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

test("a changed rule colours the same instant anew, without a reload, with camera, selection and instant as they were", async () => {
  await view.seek(AT);
  await view.command({ select: CUBE });
  const before = await view.until((s) => s.selection.includes(CUBE), "the selection");
  const was = statusAt(CUBE, Date.parse(AT));
  assert.equal(before.twins[CUBE].status, was);
  await view.page.evaluate(() => { window.__same = true; });
  const other = was === "failure" ? "maintenance" : "failure";
  const text = readFileSync(site, "utf8");
  const changed = text.replace(`{ value = "${was}", status = "${was}" }`, `{ value = "${was}", status = "${other}" }`);
  assert.notEqual(changed, text, "the rule is there to be changed");
  replace(site, changed);
  const now = await view.until((s) => s.twins?.[CUBE]?.status === other && !s.historyBusy, "the new rule to be in force");
  assert.equal(await view.page.evaluate(() => window.__same), true, "the page is the same");
  assert.deepEqual([now.selection, now.time.playhead, now.fragment.split("&")[0]], [before.selection, before.time.playhead, before.fragment.split("&")[0]]);
  assert.deepEqual(now.problems, []);
});

test("a changed model takes the place of the old one while everything goes on", async () => {
  // The same cubes, each half a metre higher: seen by where their marks are.
  const before = await view.state();
  const spots = CUBES.map((name, at) => ({ name, at: [(at % 3) * 4 - 4, 1.5, at < 3 ? -2 : 2] }));
  replace(join(dirname(site), "cubes.glb"), cubesGlb(spots));
  const now = await view.until((s) => s.twins?.[CUBE]?.screen && s.twins[CUBE].screen[1] < before.twins[CUBE].screen[1] - 5, "the new model to be drawn");
  assert.equal(await view.page.evaluate(() => window.__same), true, "the page is the same");
  assert.deepEqual([now.selection, now.time.playhead], [before.selection, before.time.playhead]);
  const place = now.twins["cube-6"].screen;
  const wanted = now.twins["cube-6"].status;
  await view.see((picture) => wanted === "normal" || picture.share(around(place, 6), FILL[wanted], 10) > 0.5 || `${wanted} is not seen at ${place}`, "the cube in its new place");
});

test("the browser had nothing to complain about", async () => {
  await view.assertQuiet();
});
