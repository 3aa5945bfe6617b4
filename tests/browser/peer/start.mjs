// How long until one sees the plant: Orrery and a plain three.js page that shows the same hall, in the same browser, in turns.
//
//   cargo demo --build-only && node tests/browser/peer/start.mjs [--rounds 5] [--slow] [--web FOLDER[,FOLDER...]]
//
// From the navigation to the first coloured picture (of Orrery: the cover is off and statuses are known; of the peer: the hall's
// pixels are there, before it has any data). Cold: nothing in the browser's cache; warm: the same browser has been there before. With
// --slow on a link of 1.6 Mbit/s and 150 ms, as the browser's tools emulate it, cold only. Prints JSON.
import { cpus } from "node:os";

import { CLOCK, Gateway, ROOT } from "../lib/server.mjs";
import { launch } from "../lib/view.mjs";
import { servePeer } from "./serve.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : otherwise;
};
const slow = process.argv.includes("--slow");
const rounds = Number(option("rounds", slow ? 1 : 5));
const pages = option("web", process.env.ORRERY_WEB ?? "").split(",");
const SIZE = [1280, 720];
const POSE = [-1, 1, 0, 0.6, 0.5, 44];
const LINK = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 };

/** In the page: when the first coloured picture stood, in milliseconds since the navigation. */
function watchOrrery() {
  window.__seen = new Promise((done) => {
    const marks = {};
    const look = () => {
      const cover = document.getElementById("cover");
      if (window.orrery && !marks.module) marks.module = performance.now();
      if (cover?.classList.contains("done")) {
        marks.uncovered ??= performance.now();
        const state = window.orrery.getState();
        if (state.status && state.status.normal > 0 && state.firstPicture !== null) {
          requestAnimationFrame(() => setTimeout(() => done({ ...marks, coloured: performance.now() })));
          return;
        }
      }
      setTimeout(look, 15);
    };
    look();
  });
}

async function orrery(context, url) {
  const page = await context.newPage();
  await page.addInitScript(watchOrrery);
  if (slow) await (await context.newCDPSession(page)).send("Network.emulateNetworkConditions", LINK);
  await page.goto(url, { waitUntil: "commit" });
  const marks = await page.evaluate(() => window.__seen);
  await page.close();
  return marks;
}

async function peer(context, url) {
  const page = await context.newPage();
  if (slow) await (await context.newCDPSession(page)).send("Network.emulateNetworkConditions", LINK);
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => window.peer, null, { timeout: 300_000, polling: 15 });
  const coloured = await page.evaluate(([size, pose]) => window.peer.show(...size, pose), [SIZE, POSE]);
  await page.close();
  return { coloured };
}

const browser = await launch();
const peerPage = await servePeer();
const gateways = [];
const out = { machine: { cpu: cpus()[0]?.model, cores: cpus().length, browser: browser.version() }, rounds, slow, seconds: {} };
const note = (who, when, marks) => {
  for (const [mark, ms] of Object.entries(marks)) (((out.seconds[who] ??= {})[when] ??= {})[mark] ??= []).push(Math.round(ms) / 1000);
};
try {
  for (const page of pages) {
    if (page) process.env.ORRERY_WEB = page;
    gateways.push([page || "orrery", await Gateway.serve(`${ROOT}/assets/sites/bottling/site.toml`, { args: ["--clock", CLOCK] })]);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, open, url] of [...gateways.map(([name, gateway]) => [name, orrery, gateway.url]), ["three.js", peer, peerPage.url]]) {
      const context = await browser.newContext({ viewport: { width: SIZE[0], height: SIZE[1] }, deviceScaleFactor: 1 });
      context.setDefaultTimeout(300_000);
      note(name, "cold", await open(context, url));
      if (!slow) note(name, "warm", await open(context, url));
      await context.close();
    }
  }
} finally {
  await browser.close();
  for (const [, gateway] of gateways) await gateway.stop();
  peerPage.close();
}
console.log(JSON.stringify(out, null, 2));
