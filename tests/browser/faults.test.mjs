// What goes wrong is said, and the rest works: a broken model, a missing one, a lost graphics context, no gateway content at all.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CUBES, instant, writeCubes } from "./lib/cubes.mjs";
import { Gateway, scratch } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

let gateway, browser, view;

before(async () => {
  const site = writeCubes(scratch("faults"), { "broken.glb": Buffer.from("glTF\x02\0\0\0 this is no model"), "gone.glb": null });
  gateway = await Gateway.serve(site, { args: ["--speed", "max"] });
  browser = await launch();
  view = await View.open(browser, gateway.url, { size: [1000, 600] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

test("a broken and a missing model are named, and everything else works", async () => {
  const state = await view.until((s) => s.link === "up" && s.problems.length >= 2, "both problems to be told");
  const said = state.problems.map((problem) => `${problem.title} ${problem.detail}`).join("\n");
  assert.match(said, /extra-0.*model/);
  assert.match(said, /extra-1.*model/);
  assert.deepEqual(Object.keys(state.twins).sort(), CUBES);
  const shown = await view.seek(instant(13));
  assert.ok(CUBES.every((cube) => shown.twins[cube].screen), "the cubes are drawn");
  await view.shot("broken-models");
});

test("a lost graphics context ends in a readable panel with a way out", async () => {
  await view.page.evaluate(() => {
    const gl = document.getElementById("orrery").getContext("webgl2");
    gl.getExtension("WEBGL_lose_context").loseContext();
  });
  const panel = view.page.locator("#fatal");
  await panel.waitFor({ state: "visible" });
  assert.match(await panel.innerText(), /graphics.*Reload/s);
  await view.shot("context-lost");
  await view.page.locator("#fatal-reload").click();
  await view.page.waitForFunction(() => document.getElementById("fatal")?.hidden === true);
  await view.ready();
  assert.equal(await view.fatal(), null);
});

test("a module that can't be loaded is told in words, not by a black page", async () => {
  const other = await View.open(browser, `${gateway.url}/healthz`, { size: [800, 500], ready: false });
  await other.page.route(/\.wasm(\?|$)/, (route) => route.fulfill({ status: 503, body: "busy" }));
  await other.page.goto(gateway.url);
  const panel = other.page.locator("#fatal");
  await panel.waitFor({ state: "visible" });
  assert.match(await panel.innerText(), /could not be loaded.*503/s);
  await other.close();
});
