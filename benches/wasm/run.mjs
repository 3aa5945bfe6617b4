// The time store in WASM beside the native one, one after the other on this machine; with --view the view's path from samples to
// colour codes (`orrery bench view`).
//
// node benches/wasm/run.mjs [--view] [--signals 50000] [--seconds 3600] [--reads 400] [--rounds 2] [--only NAME,…] [--json]
// Needs the wasm32-unknown-unknown target. Builds everything it runs; prints the times and their ratios to native, and ends
// with 1 where what the page ships needs more than 2.5 times the native p99 of a jump or a drag step (of the view also of following).

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const MUST = 2.5;
const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(here, "target");

// Name, profile of Cargo.toml, flags beyond the target's own. The first is what the page ships.
const BUILDS = [
  { name: "page", profile: "page", flags: "" },
  { name: "page+simd", profile: "page", flags: "-C target-feature=+simd128" },
  { name: "page, store at 3", profile: "page-fast-store", flags: "" },
  { name: "page, store at 3, simd", profile: "page-fast-store", flags: "-C target-feature=+simd128" },
  { name: "all at 3", profile: "fast", flags: "" },
  { name: "all at 3, simd", profile: "fast", flags: "-C target-feature=+simd128" },
];

const { values: args } = parseArgs({
  options: {
    view: { type: "boolean", default: false },
    signals: { type: "string", default: "50000" },
    seconds: { type: "string" },
    reads: { type: "string" },
    rounds: { type: "string", default: "2" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const JUDGED = ["jump_p99_ms", "drag_p99_ms", ...(args.view ? ["follow_p99_ms"] : [])];
const [seconds, reads] = args.view ? ["1800", "600"] : ["3600", "400"];
const size = [args.signals, args.seconds ?? seconds, args.reads ?? reads].map(Number);
// A twin of the view has ten signals.
const given = args.view ? [size[0] / 10, size[1], size[2]] : size;
const rounds = Number(args.rounds);
if (![...size, ...given, rounds].every((n) => Number.isInteger(n) && n > 0)) {
  console.error("--signals (with --view a multiple of 10), --seconds, --reads and --rounds want whole numbers above 0");
  process.exit(2);
}
const only = args.only?.split(",").map((name) => name.trim());
// A name means that build alone, a profile all builds of it.
const chosen = (word) => BUILDS.filter((build) => build.name === word).concat(BUILDS.filter((build) => build.profile === word && !BUILDS.some(({ name }) => name === word)));
const builds = only ? only.flatMap(chosen) : BUILDS;
if (builds.length === 0) {
  console.error(`--only: there are ${BUILDS.map((build) => build.name).join("; ")}`);
  process.exit(2);
}

function cargo(build, extra, flags) {
  const env = { ...process.env, CARGO_TARGET_DIR: target };
  if (flags) env.RUSTFLAGS = flags;
  const words = ["build", "--locked", "--quiet", "--manifest-path", join(here, "Cargo.toml"), "--profile", build, ...extra];
  execFileSync("cargo", words, { env, stdio: ["ignore", 2, 2] });
}

function native() {
  cargo("release", ["--bin", "native"]);
  const text = execFileSync(join(target, "release", "native"), [...(args.view ? ["view"] : []), ...given.map(String)], { encoding: "utf8" });
  return Object.fromEntries(text.trim().split("\n").map((line) => line.split(" ")).map(([id, value]) => [id, Number(value)]));
}

// The module's bytes; built again for every set of flags, so they are read at once.
function build({ profile, flags }) {
  cargo(profile, ["--lib", "--target", "wasm32-unknown-unknown"], flags);
  return readFileSync(join(target, "wasm32-unknown-unknown", profile, "time_store_wasm.wasm"));
}

async function wasm(bytes) {
  const rows = {};
  let memory;
  const host = {
    now: () => performance.now(),
    row: (at, length, value) => {
      rows[new TextDecoder().decode(new Uint8Array(memory.buffer, at, length))] = value;
    },
  };
  const { instance } = await WebAssembly.instantiate(bytes, { host });
  memory = instance.exports.memory;
  instance.exports[args.view ? "view" : "run"](...given);
  if (!args.view) rows.linear_memory_bytes_per_sample = memory.buffer.byteLength / (size[0] * size[1]);
  return rows;
}

const isRate = (id) => id.endsWith("samples_s");
// Of the rounds the better one: other work on the machine only ever adds time.
function better(a, b) {
  if (!a) return b;
  return Object.fromEntries(Object.keys(b).map((id) => [id, (isRate(id) ? Math.max : Math.min)(a[id], b[id])]));
}

const modules = builds.map(build);
let base;
const results = builds.map(() => undefined);
for (let round = 0; round < rounds; round += 1) {
  base = better(base, native());
  for (const [at, bytes] of modules.entries()) results[at] = better(results[at], await wasm(bytes));
}

const ratio = (id, rows) => (isRate(id) ? base[id] / rows[id] : rows[id] / base[id]);
const judged = results[builds.indexOf(BUILDS[0])];
const missed = judged ? JUDGED.filter((id) => ratio(id, judged) > MUST) : [];
if (args.json) {
  const rows = builds.map((build, at) => ({
    build: build.name,
    module_bytes: modules[at].length,
    rows: Object.entries(results[at]).map(([id, value]) => ({ id, value, times_native: base[id] ? ratio(id, results[at]) : null })),
  }));
  const [signals, seconds, reads] = size;
  console.log(JSON.stringify({ signals, seconds, reads, rounds, must: MUST, native: base, builds: rows, missed }, null, 1));
} else {
  const ids = Object.keys(base);
  console.log(`${size[0]} signals x ${size[1]} s, ${size[2]} reads, best of ${rounds} rounds; in brackets times native\n`);
  console.log(`| | module | ${ids.join(" | ")} |\n|---|---|${ids.map(() => "---|").join("")}`);
  console.log(`| native | | ${ids.map((id) => base[id].toPrecision(3)).join(" | ")} |`);
  for (const [at, build] of builds.entries()) {
    const cells = ids.map((id) => `${results[at][id].toPrecision(3)} (${ratio(id, results[at]).toFixed(2)}x)`);
    console.log(`| ${build.name} | ${(modules[at].length / 1024).toFixed(0)} KiB | ${cells.join(" | ")} |`);
  }
  if (judged) console.log(`\nThe page's ${JUDGED.join(", ")} at most ${MUST} times native: ${missed.length ? `MISSED by ${missed.join(", ")}` : "met"}`);
}
process.exit(missed.length ? 1 : 0);
