// A plant as files behind a web server that knows nothing of Orrery: opened, scrubbed, charted, searched, linked to, asked what if.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FILL } from "./lib/color.mjs";
import { CUBES, START, STEPS, STEP_S, instant, statusAt, writeCubes } from "./lib/cubes.mjs";
import { Files } from "./lib/files.mjs";
import { Gateway, program, scratch } from "./lib/server.mjs";
import { View, around, launch } from "./lib/view.mjs";

const END = START + STEPS * STEP_S * 1000;
let files, browser, view, site, data, folder;

function publish() {
  const web = process.env.ORRERY_WEB ? ["--web", process.env.ORRERY_WEB] : [];
  return JSON.parse(execFileSync(program(), ["publish", site, "--data", data, "-o", folder, "--json", ...web], { encoding: "utf8" }));
}

before(async () => {
  site = writeCubes(scratch("copied"));
  data = join(scratch("copied-data"), "history");
  folder = join(scratch("copy"), "cubes");
  // A gateway ran once; it is gone when somebody looks, and its rule was changed on the way.
  const gateway = await Gateway.serve(site, { args: ["--speed", "max", "--data", data] });
  const sealed = async () => (await (await fetch(`${gateway.url}/api/catalogue`)).json()).extent_us?.[1] >= END * 1000;
  while (!(await sealed())) await new Promise((done) => setTimeout(done, 100));
  await gateway.stop();
  const made = publish();
  assert.deepEqual([made.revision, made.history.to], [1, new Date(END).toISOString().replace(".000", "")]);
  files = await Files.serve(folder, "plants/cubes");
  browser = await launch();
  view = await View.open(browser, files.url, { size: [1280, 720] });
});
after(async () => {
  await view?.close();
  await browser?.close();
  await files?.stop();
});

/** Every cube as the table says, in what the page tells and in the picture. */
async function shows(ms) {
  const state = await view.until((s) => Date.parse(s.time.playhead) === ms && !s.historyBusy
    && CUBES.every((cube) => s.twins[cube].status === statusAt(cube, ms)), `the cubes of ${new Date(ms).toISOString()}`);
  for (const cube of CUBES) {
    const { screen, status, freshness } = state.twins[cube];
    assert.equal(freshness, "live", `${cube} is as fresh as it was then`);
    if (status === "normal" || !screen) continue;
    await view.see((picture) => picture.share(around(screen, 6), FILL[status], 10) > 0.5 || `${cube} is not ${status}`, `${cube} in the colour of ${status}`);
  }
  return state;
}

test("the copy opens at its end, with every colour, and nothing of it is called live", async () => {
  const state = await shows(END);
  assert.deepEqual([state.link, state.time.state, state.problems, state.connections], ["none", "following", [], 0]);
  await view.shot("copy");
});

test("it is scrubbed, and played to its end, where it stands still", async () => {
  for (const second of [3, 37, 64, 95]) {
    await view.seek(instant(second));
    await shows(START + second * 1000);
  }
  await view.seek(instant(STEPS * STEP_S - 2));
  await view.command({ speed: 2, play: true });
  const over = await view.until((s) => s.time.state !== "playing", "the end");
  assert.deepEqual([over.time.state, Date.parse(over.time.playhead)], ["paused", END]);
});

test("it is charted and searched", async () => {
  await view.command({ chart: { show: ["cube-2.level"] } });
  await view.until((s) => s.chart.open && s.viewport[3] < 560, "the chart");
  await view.shot("copy-chart");
  await view.command({ chart: { show: [] } });
  await view.press("/");
  await view.page.keyboard.type("cube-5");
  await view.drawn();
  await view.click(...HIT);
  await view.until((s) => s.selection.join() === "cube-5", "what was found to be selected");
  await view.shot("copy-search");
});

/** The first row of the tree. */
const HIT = [120, 96];

test("a link opens in it, and a what-if run answers", async () => {
  const second = await View.open(browser, files.url, { size: [900, 600], fragment: `t=${instant(37)}&sel=cube-3` });
  const linked = await second.until((s) => s.time.state === "paused" && !s.historyBusy, "the instant of the link");
  assert.deepEqual([Date.parse(linked.time.playhead), linked.selection], [START + 37_000, ["cube-3"]]);
  assert.equal(linked.twins["cube-3"].status, statusAt("cube-3", START + 37_000));
  await second.command({ fork: instant(37) });
  await second.command({ horizonHours: 1 });
  await second.command({ knobs: { push: 40 } });
  await second.command({ run: true });
  const run = await second.until((s) => s.branches.length === 1 && s.running === null, "the branch");
  assert.match(run.branches[0].name, /Push \+40/);
  await second.assertQuiet();
  await second.close();
});

test("a copy that is brought up to date shows an earlier instant by the rules of then", async () => {
  const text = readFileSync(site, "utf8");
  const changed = text.replace('{ value = "failure", status = "failure" }', '{ value = "failure", status = "function_check" }');
  assert.notEqual(changed, text);
  writeFileSync(`${site}.new`, changed);
  renameSync(`${site}.new`, site);
  const made = publish();
  assert.deepEqual([made.revision, made.changed], [2, "revision"]);
  const failed = CUBES.find((cube) => statusAt(cube, START + 64_000) === "failure");
  const again = await View.open(browser, files.url, { size: [640, 400], fragment: `t=${instant(64)}` });
  await again.until((s) => s.time.revision === 1 && s.twins[failed].status === "failure" && !s.historyBusy, "the revision of then");
  await again.command({ judgeBy: "now" });
  await again.until((s) => s.time.revision === 2 && s.twins[failed].status === "function_check" && !s.historyBusy, "today's");
  await again.assertQuiet();
  await again.close();
});

test("nothing but files was asked for, and the browser had nothing to complain about", async () => {
  const odd = files.asked.filter((request) => !/^GET \/plants\/cubes(\/([\w.-]*|(pieces|revisions)\/[\w.]+))?$/.test(request) && request !== "GET /favicon.ico");
  assert.deepEqual(odd, []);
  await view.assertQuiet();
});
