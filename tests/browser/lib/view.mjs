// One page in a real Chromium, driven through window.orrery, pointer and keys. Waits are for states, never for times.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { Picture } from "./color.mjs";
import { ROOT } from "./server.mjs";

const FLAGS = [
  "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
  // Headless windows count as hidden on some machines; a hidden page draws nothing.
  "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
];
const PROGRAMS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Software rendering on a busy machine: long, because a pass returns at once and only a failure waits. */
export const PATIENCE_MS = Number(process.env.ORRERY_TEST_PATIENCE_S ?? 180) * 1000;
/** What software WebGL says about itself; nothing that the viewer could mend. */
const NOISE = [/GPU stall due to ReadPixels/, /swiftshader/i, /Automatic fallback to software WebGL/i];

export async function launch() {
  const executablePath = PROGRAMS.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("no Chromium found: apt-get install chromium, or name one in CHROMIUM");
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class View {
  /** Opens `url#fragment` in a context of its own and waits until the plant is drawn. */
  static async open(browser, url, { size = [1280, 720], fragment = "", theme = "dark", ready = true, motion = false } = {}) {
    const view = new View();
    // Camera moves jump under reduced motion, so that a test need not guess when they are over.
    view.context = await browser.newContext({
      viewport: { width: size[0], height: size[1] }, deviceScaleFactor: 1, colorScheme: theme, reducedMotion: motion ? "no-preference" : "reduce", locale: "en-GB", timezoneId: "UTC",
    });
    view.size = size;
    view.console = [];
    view.complaints = [];
    view.page = await view.context.newPage();
    view.listen();
    await view.context.addInitScript(() => {
      window.__violations = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        window.__violations.push(`${event.violatedDirective} blocked ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`);
      });
    });
    await view.page.goto(fragment ? `${url}/#${fragment}` : url, { waitUntil: "domcontentloaded", timeout: PATIENCE_MS });
    if (ready) await view.ready();
    return view;
  }

  listen() {
    const { page } = this;
    page.on("console", (message) => {
      const text = message.text();
      this.console.push(`${message.type()}: ${text}`);
      if (NOISE.some((noise) => noise.test(text))) return;
      if (message.type() === "error" || /content security policy/i.test(text)) {
        const { url } = message.location();
        this.complaints.push(url ? `${text} (${url})` : text);
      }
    });
    page.on("pageerror", (error) => this.complaints.push(`uncaught: ${error.stack ?? error}`));
    page.on("crash", () => this.complaints.push("the page crashed"));
  }

  /** Waits for the first complete picture. */
  async ready() {
    await this.until((state) => state.phase === "running" && state.firstPicture !== null && state.twins && state.viewport, "the plant to be drawn");
    await this.page.locator("#cover").waitFor({ state: "hidden", timeout: PATIENCE_MS });
  }

  /** What the page says that it shows, or null before it can say anything. */
  state() {
    // Before the module runs, the name means the canvas: elements with an id are properties of the window.
    return this.page.evaluate(() => (typeof window.orrery?.getState === "function" ? window.orrery.getState() : null));
  }

  /** Hands a command over; fails when the page refuses it. */
  async command(command) {
    const answer = await this.page.evaluate((given) => window.orrery.command(given), command);
    assert.deepEqual(answer, { ok: true }, `command ${JSON.stringify(command)}`);
    await this.nudge();
  }

  /** A quiet plant draws nothing; a pointer on the move makes it draw: along the top edge, or where a gesture holds it. */
  async nudge() {
    this.step = ((this.step ?? 0) + 1) % 2;
    const [x, y] = this.held ?? [Math.round(this.size[0] * 0.63), 3];
    await this.page.mouse.move(x + this.step, y);
  }

  /** Moves the pointer and lets the page see it there. */
  async point(x, y) {
    this.held = [x, y];
    await this.drawn();
  }

  /** Presses and lets go, each in frames of its own, as a hand does; pages that draw slowly merge what comes at once. */
  async click(x, y) {
    await this.point(x, y);
    await this.page.mouse.down();
    await this.drawn();
    await this.page.mouse.up();
    await this.drawn();
    this.held = null;
  }

  /** Presses a key, in frames of its own. */
  async press(key) {
    await this.page.keyboard.down(key);
    await this.drawn();
    await this.page.keyboard.up(key);
    await this.drawn();
  }

  /** Waits until `holds(state)` is true; answers the state. */
  async until(holds, what, { patience = PATIENCE_MS, nudge = true } = {}) {
    const end = Date.now() + patience;
    const started = Date.now();
    let last = null, first = null;
    let wait = 40;
    for (;;) {
      last = await this.state();
      if (last && holds(last)) {
        if (process.env.ORRERY_TEST_LOG) console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s, ${last.frame - first} frames for ${what}`);
        return last;
      }
      first ??= last?.frame;
      const fatal = await this.fatal();
      if (fatal || Date.now() > end) {
        const { twins, frameMs, ...rest } = last ?? {};
        const why = fatal ? `the page gave up: ${fatal}` : `waited ${patience / 1000} s`;
        await this.shot(`failed-${what.replace(/\W+/g, "-").slice(0, 60)}`).catch(() => {});
        const said = this.console.filter((line) => !/^log: %c(INFO|WARN)/.test(line)).slice(-12);
        throw new Error([`${why} for ${what}; last state: ${JSON.stringify(rest)}`, ...said].join("\n"));
      }
      if (nudge) await this.nudge();
      await pause(wait);
      wait = Math.min(250, wait * 1.3);
    }
  }

  /** Text of the panel of last resort, or null while it is hidden. */
  fatal() {
    return this.page.evaluate(() => {
      const panel = document.getElementById("fatal");
      return panel && !panel.hidden ? panel.innerText : null;
    });
  }

  /** Waits until everything asked for is on the screen: the state is of one frame, its pixels of the same or the next. */
  async drawn() {
    const { frame } = (await this.state()) ?? { frame: 0 };
    return this.until((state) => state.frame >= frame + 2, "two more frames");
  }

  /** Goes to an instant and waits until it is shown, with its history. */
  async seek(time) {
    const wanted = Date.parse(time);
    await this.command({ seek: time });
    return this.until((state) => !state.historyBusy && Math.abs(Date.parse(state.time.playhead) - wanted) < 1, `the playhead at ${time}`);
  }

  /** The screen's pixels. */
  async picture() {
    return new Picture(await this.page.screenshot({ type: "png", timeout: PATIENCE_MS }));
  }

  /** Takes pictures until one passes; pipelines compile in the background, so the first may be early. */
  async see(passes, what, patience = PATIENCE_MS) {
    const end = Date.now() + patience;
    for (;;) {
      await this.nudge();
      const picture = await this.picture();
      const verdict = passes(picture);
      if (verdict === true) return picture;
      if (Date.now() > end) {
        await this.shot(`failed-${what.replace(/\W+/g, "-").slice(0, 60)}`);
        throw new Error(`never saw ${what}: ${verdict}`);
      }
      await pause(200);
    }
  }

  /** Keeps a picture under artifacts/ for people. */
  async shot(name) {
    const folder = join(ROOT, "artifacts", "browser");
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), timeout: PATIENCE_MS });
  }

  /** Fails on anything that the browser or the page complained about, `expected` patterns aside. */
  async assertQuiet(expected = []) {
    const violations = await this.page.evaluate(() => window.__violations);
    assert.deepEqual(violations, [], "content security policy violations");
    const loud = this.complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(loud, [], "console errors");
  }

  async close() {
    await this.context.close();
  }
}

/** A box of `2 * half` pixels around a point. */
export const around = ([x, y], half) => [x - half, y - half, x + half, y + half];
