// Frame time of Orrery and of a plain three.js page that shows the same hall, in the same browser, one after the other.
//
//   cargo demo --build-only && node tests/browser/peer/bench.mjs [--seconds 20] [--rounds 2]
//
// Both are made to draw all the time: Orrery by playing history while the camera turns, three.js by its own loop. Rounds
// alternate, so that a machine that grows busier wrongs neither. Prints JSON. Not part of `cargo verify`.
import { cpus } from "node:os";

import { Gateway, ROOT } from "../lib/server.mjs";
import { View, launch } from "../lib/view.mjs";
import { servePeer } from "./serve.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? Number(process.argv[at + 1]) : otherwise;
};
const seconds = option("seconds", 20);
const rounds = option("rounds", 2);
const SIZES = [[1280, 720], [640, 360]];
/** Target, yaw, pitch, distance: the whole hall from a three-quarter angle. */
const POSE = [-1, 1, 0, 0.6, 0.5, 44];

const peerPage = await servePeer();

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)];
};
const round1 = (number) => (number === null ? null : Math.round(number * 10) / 10);

async function openPeer(browser, [width, height]) {
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`peer: ${error}`));
  await page.goto(peerPage.url);
  await page.waitForFunction(() => window.peer, null, { timeout: 120_000 });
  return { page, context };
}

/** Orrery's frame times while it plays and its camera turns with every animation frame of the page. */
function driveOrrery(view, pose) {
  return view.page.evaluate(({ seconds, pose }) => new Promise((done) => {
    const start = performance.now();
    const first = window.orrery.getState().frame;
    const kept = [];
    let seen = first;
    const turn = () => {
      const t = (performance.now() - start) / 1000;
      const [x, y, z, yaw, pitch, distance] = pose;
      window.orrery.command({ camera: [x, y, z, yaw + t * 0.05, pitch, distance] });
      const state = window.orrery.getState();
      // `frameMs` holds the last frames; take those that are new.
      const fresh = Math.min(state.frame - seen, state.frameMs.length);
      if (fresh > 0) kept.push(...state.frameMs.slice(-fresh));
      seen = state.frame;
      if (t < seconds) requestAnimationFrame(turn);
      else done({ times: kept, frames: seen - first, elapsed: performance.now() - start });
    };
    requestAnimationFrame(turn);
  }), { seconds, pose });
}

const gateway = await Gateway.serve(`${ROOT}/assets/sites/bottling/site.toml`);
const browser = await launch();
const out = { machine: { cpu: cpus()[0]?.model, cores: cpus().length, browser: browser.version() }, seconds, rounds, sizes: [] };
try {
  for (const size of SIZES) {
    const [width, height] = size;
    const orreryTimes = [], peerTimes = [], starts = [];
    let peerInfo = null;
    for (let round = 0; round < rounds; round += 1) {
      const opened = Date.now();
      const view = await View.open(browser, gateway.url, { size });
      const ready = await view.state();
      starts.push({ moduleToPicture: ready.firstPicture, navigationToPicture: (Date.now() - opened) / 1000 });
      let state = await view.until((s) => !s.historyBusy && s.samples > 0 && s.time.extent, "history");
      // Statuses of the last three minutes, for the peer to show the same changes.
      const statuses = [];
      const edge = Date.parse(state.time.liveEdge);
      for (let back = 100; back >= 0; back -= 20) {
        state = await view.seek(new Date(edge - back * 1000).toISOString());
        statuses.push(Object.fromEntries(Object.entries(state.twins).map(([id, twin]) => [id, twin.status])));
      }
      await view.seek(new Date(edge - 120_000).toISOString());
      await view.command({ select: null });
      await view.command({ play: true });
      await view.until((s) => s.time.state === "playing", "playing");
      const measured = await driveOrrery(view, POSE);
      orreryTimes.push(...measured.times);
      const ids = Object.keys(state.twins);
      const [l, t, r, b] = state.viewport;
      out.orreryViewport ??= {};
      out.orreryViewport[`${width}x${height}`] = [Math.round(r - l), Math.round(b - t)];
      await view.close();
      const peer = await openPeer(browser, size);
      await peer.page.evaluate((given) => window.peer.bind(given), ids);
      const theirs = await peer.page.evaluate((job) => window.peer.measure(job), { width, height, seconds, pose: POSE, statuses });
      peerTimes.push(...theirs.times);
      peerInfo = { drawCalls: theirs.calls, triangles: theirs.triangles, three: await peer.page.evaluate(() => window.peer.revision) };
      await peer.context.close();
    }
    const [ours, theirs] = [median(orreryTimes), median(peerTimes)];
    out.sizes.push({
      size: `${width}x${height}`,
      orrery: { frames: orreryTimes.length, medianMs: round1(ours), startSeconds: starts },
      peer: { frames: peerTimes.length, medianMs: round1(theirs), ...peerInfo },
      ratio: ours && theirs ? Math.round((theirs / ours) * 100) / 100 : null,
    });
  }
} finally {
  await browser.close();
  await gateway.stop();
  peerPage.close();
}
console.log(JSON.stringify(out, null, 2));
