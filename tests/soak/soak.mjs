// A long run of the whole chain: thousands of signals at 1 Hz over a real /ingest into a gateway with a disk, while
// browsers look on. Memory must stay flat, frame time steady, and nothing may be lost.
//
//   node tests/soak/soak.mjs [--signals 20000] [--seconds 600] [--browsers 2] [--every 5] [--web DIR]
//                            [--growth-mb 24] [--page-growth-mb 64] [--frame-ratio 1.5]
//
// `--browsers 0` puts two plain stream clients in their place. The program is named by ORRERY_BIN as in the browser suite.
// Prints a JSON summary; exit code 0 where all checks hold, 1 where one does not, 2 where the run broke. It ends at most
// four minutes after the samples do.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";

import { Gateway, program, scratch } from "../browser/lib/server.mjs";
import { writeSite } from "./site.mjs";
import { Listener, percentile, renderersMb, rssMb, slope } from "./watch.mjs";

const NUMBERS = { signals: 20_000, seconds: 600, browsers: 2, every: 5, "growth-mb": 24, "page-growth-mb": 64, "frame-ratio": 1.5 };

function options() {
  const found = { ...NUMBERS };
  const given = process.argv.slice(2);
  for (let at = 0; at < given.length; at += 2) {
    const [name, value] = [given[at].replace(/^--/, ""), given[at + 1]];
    if (name === "web" && value) process.env.ORRERY_WEB = resolve(value);
    else if (name in NUMBERS && Number.isFinite(Number(value)) && value !== undefined) found[name] = Number(value);
    else throw new Error(`'${given[at]} ${value ?? ""}' is no option; there are --web DIR and ${Object.keys(NUMBERS).map((key) => `--${key} N`).join(", ")}`);
  }
  return found;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const one = (number) => (number === null ? null : Math.round(number * 100) / 100);

/** Pages that look on, or plain clients. Each answers what happened since it was last asked. */
async function watchers(gateway, browsers) {
  if (browsers === 0) {
    const listeners = [await Listener.open(gateway.port), await Listener.open(gateway.port)];
    return {
      ask: async () => ({}),
      end: async () => {
        const told = listeners.map(({ bytes, frames, lags, closed }) => ({ bytes, frames, lags, closed }));
        for (const listener of listeners) listener.close();
        return { clients: told, complaints: told.filter((one) => one.closed || one.frames === 0).map(() => "a client lost its stream") };
      },
    };
  }
  const { View, launch } = await import("../browser/lib/view.mjs");
  const browser = await launch();
  const views = [];
  for (let at = 0; at < browsers; at += 1) {
    const view = await View.open(browser, gateway.url, { size: [960, 540] });
    // Every animation frame counts, whether or not the viewer had anything to draw: a blocked page shows here.
    await view.page.evaluate(() => {
      window.__frames = [];
      let last = null;
      const tick = (now) => {
        if (last !== null && window.__frames.length < 100_000) window.__frames.push(now - last);
        last = now;
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    });
    views.push(view);
  }
  return {
    ask: async () => {
      const told = await Promise.all(views.map(async (view) => {
        await view.nudge();
        return view.page.evaluate(() => ({
          frames: window.__frames.splice(0),
          heap: performance.memory ? performance.memory.usedJSHeapSize / 1e6 : null,
          drawn: window.orrery.getState().frame,
        }));
      }));
      const heaps = told.map((page) => page.heap).filter((heap) => heap !== null);
      return {
        frames: told.flatMap((page) => page.frames),
        heapMb: heaps.length > 0 ? heaps.reduce((a, b) => a + b, 0) : null,
        pagesMb: renderersMb(),
        drawn: told.map((page) => page.drawn),
      };
    },
    end: async () => {
      const complaints = views.flatMap((view) => view.complaints);
      await browser.close();
      return { clients: views.length, complaints };
    },
  };
}

/** The sender: a process of its own, whose answer is one JSON object. */
function feed(gateway, { signals, seconds }) {
  const args = ["bench", "feed", "--url", `${gateway.url}/`, "--signals", String(signals), "--seconds", String(seconds), "--json"];
  const child = spawn(program(), args, { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (text) => { said += text; });
  const late = setTimeout(() => child.kill("SIGKILL"), (seconds + 120) * 1000);
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("exit", (code, signal) => {
      clearTimeout(late);
      if (code === 0 || code === 1) done(JSON.parse(said));
      else failed(new Error(`the sender ended with ${code ?? signal}`));
    });
  });
}

const counters = async (gateway) => (await fetch(`${gateway.url}/api/counters`)).json();

/** Bytes that the gateway says it holds on purpose: history, and batches for clients that come back. */
async function held(gateway) {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const value = (name) => Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))?.[1] ?? 0);
  return value("orrery_store_bytes") + value("orrery_backfill_bytes");
}

/** Growth over the last third in megabytes, by the line through it. */
function growth(samples, of) {
  const points = samples.slice(Math.floor((samples.length * 2) / 3)).map((sample) => [sample.at, of(sample)]).filter(([, y]) => y !== null && y !== undefined);
  const steep = slope(points);
  return steep === null ? null : steep * (points.at(-1)[0] - points[0][0]);
}

async function run() {
  const wanted = options();
  const folder = scratch("soak");
  const { site } = writeSite(join(folder, "site"), wanted.signals);
  const gateway = await Gateway.serve(site, { args: ["--data", join(folder, "data")] });
  const eyes = await watchers(gateway, wanted.browsers);
  const begun = Date.now();
  const seconds = () => (Date.now() - begun) / 1000;
  let fed = null;
  const feeding = feed(gateway, wanted).finally(() => { fed = true; });
  feeding.catch(() => {});
  const samples = [];
  while (!fed) {
    await Promise.race([pause(wanted.every * 1000), feeding.catch(() => {})]);
    samples.push({ at: seconds(), rssMb: rssMb(gateway.child.pid), heldMb: (await held(gateway)) / 1048576, ...(await eyes.ask()) });
  }
  const sent = await feeding;
  const inMemory = await counters(gateway);
  const { clients, complaints } = await eyes.end();
  await gateway.stop();
  await gateway.start();
  const onDisk = await counters(gateway);
  await gateway.stop();

  const third = Math.floor(samples.length / 3);
  const frames = (part) => part.flatMap((sample) => sample.frames ?? []);
  const [first, last] = [percentile(frames(samples.slice(0, third)), 95), percentile(frames(samples.slice(-third)), 95)];
  const figures = {
    signals: wanted.signals, seconds: one(seconds()), browsers: wanted.browsers, ...sent,
    samplesInMemory: inMemory.samples, samplesOnDisk: onDisk.samples,
    gatewayRssMb: one(samples.at(-1).rssMb), gatewayHeldMb: one(samples.at(-1).heldMb),
    gatewayGrowthMb: one(growth(samples, ({ rssMb, heldMb }) => (rssMb === null ? null : rssMb - heldMb))),
    pagesMb: one(samples.at(-1).pagesMb ?? null), pagesGrowthMb: one(growth(samples, (sample) => sample.pagesMb)),
    heapMb: one(samples.at(-1).heapMb ?? null), heapGrowthMb: one(growth(samples, (sample) => sample.heapMb)),
    frameP95FirstMs: one(first), frameP95LastMs: one(last), clients,
  };
  const failures = [...complaints];
  const check = (holds, words) => { if (!holds) failures.push(words); };
  check(sent.sent > 0 && sent.acked === sent.sent && sent.refused === 0, `${sent.acked} of ${sent.sent} samples were acknowledged`);
  check(sent.durable, "the gateway did not promise that samples are on disk");
  check(inMemory.samples === sent.sent, `${inMemory.samples} of ${sent.sent} samples are in the gateway's history`);
  check(onDisk.samples === sent.sent, `${onDisk.samples} of ${sent.sent} samples are there after a restart`);
  check(samples.length >= 6, `only ${samples.length} looks were taken; that says nothing about memory`);
  const grown = (name, limit) => check(figures[name] === null || figures[name] <= limit, `${name} is ${figures[name]} in the last third, more than ${limit}`);
  grown("gatewayGrowthMb", wanted["growth-mb"]);
  if (wanted.browsers > 0) {
    check(figures.pagesGrowthMb !== null, "the pages' memory can't be read");
    grown("pagesGrowthMb", wanted["page-growth-mb"]);
    grown("heapGrowthMb", wanted["page-growth-mb"]);
    check(first !== null && last !== null && last <= first * wanted["frame-ratio"], `frame time went from ${one(first)} to ${one(last)} ms (p95)`);
  }
  const { frames: _, ...lastLook } = samples.at(-1);
  console.log(JSON.stringify({ ok: failures.length === 0, failures, ...figures, looks: samples.length, lastLook }, null, 1));
  return failures.length === 0 ? 0 : 1;
}

try {
  process.exit(await run());
} catch (error) {
  console.error(error);
  process.exit(2);
}
