// Starts and stops the gateway under test. Every child is ended when the test process ends, however that happens.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/**
 * What the clock of a demo plant shows when a test starts it. The plant's day depends on its hour (weather, shifts, wear), so a
 * suite that began "now" would test another plant at every run. `ORRERY_TEST_CLOCK` looks at another day on purpose.
 */
export const CLOCK = process.env.ORRERY_TEST_CLOCK ?? "2026-03-02T08:25:00Z";

const children = new Set();
const folders = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A new folder that is removed when the process ends. */
export function scratch(name) {
  const folder = mkdtempSync(join(tmpdir(), `orrery-${name}-`));
  folders.add(folder);
  return folder;
}

/** Path of the gateway: `ORRERY_BIN`, as `cargo verify` sets it, else where `cargo demo --build-only` puts it. */
export function program() {
  const named = process.env.ORRERY_BIN;
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const found = [named, join(target, "release", "orrery")].find((path) => path && existsSync(path));
  if (!found) throw new Error("there is no gateway to test: run `cargo demo --build-only`, or name the program in ORRERY_BIN");
  return found;
}

/** A port that nobody listens at. Somebody may take it before we do; starting then fails loudly. */
export function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** Where the shared data sets are, or null: `ORRERY_SHARED`, else `../shared` beside the checkout. */
export function shared() {
  const named = process.env.ORRERY_SHARED;
  const folder = named ? resolve(named) : resolve(ROOT, "../shared");
  const data = [join(folder, "data"), folder].find((path) => existsSync(join(path, "C-telemetry")));
  return data ?? null;
}

/** A running gateway. */
export class Gateway {
  /** Starts `orrery serve SITE` at `port` (a free one by default) and waits for its address. */
  static async serve(site, { port, args = [], command = "serve" } = {}) {
    const gateway = new Gateway();
    gateway.port = port ?? (await freePort());
    gateway.args = [command, site, "--listen", `127.0.0.1:${gateway.port}`, ...args];
    if (process.env.ORRERY_WEB) gateway.args.push("--web", process.env.ORRERY_WEB);
    await gateway.start();
    return gateway;
  }

  /** Starts the same command line again. */
  async start() {
    // The project's own fixtures have their data outside of their folder; this is where they may read it.
    const data = shared();
    const env = data ? { ...process.env, ORRERY_SHARED: data } : process.env;
    const child = spawn(program(), this.args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    this.child = child;
    this.output = "";
    child.stderr.on("data", (text) => { this.output += text; });
    this.ended = new Promise((done) => child.once("exit", (code, signal) => {
      children.delete(child);
      done({ code, signal });
    }));
    let said = "";
    const address = new Promise((done) => child.stdout.on("data", (text) => {
      said += text;
      const url = said.match(/http:\/\/\S+/);
      if (url) done(url[0].replace(/\/$/, ""));
    }));
    // Two minutes: a day of history is generated and sealed first, on a machine that may be busy.
    const late = new Promise((_, failed) => setTimeout(() => failed(new Error("the gateway printed no address in 120 s")), 120_000).unref());
    const over = this.ended.then(({ code }) => { throw new Error(`the gateway ended with ${code}:\n${this.output}`); });
    this.url = await Promise.race([address, over, late]);
    over.catch(() => {});
  }

  /** Stops it as Ctrl-C would; fails when it does not stop cleanly. */
  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGINT");
    const late = new Promise((_, failed) => setTimeout(() => failed(new Error("the gateway did not stop in 30 s")), 30_000).unref());
    const { code } = await Promise.race([this.ended, late]);
    if (code !== 0) throw new Error(`the gateway ended with ${code}:\n${this.output}`);
  }

  /** Takes it away without a word, as a power cut would. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
