// The suite's own site: six cubes whose status at every instant follows from a table, and one process for what-if runs.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cubesGlb } from "./glb.mjs";

/** First instant of the recording. */
export const START = Date.parse("2026-03-02T08:00:00Z");
/** Every cube changes its state this often, in seconds. */
export const STEP_S = 10;
/** Number of states in the recording; it ends when the last has been reported for one step. */
export const STEPS = 12;
export const CUBES = ["cube-1", "cube-2", "cube-3", "cube-4", "cube-5", "cube-6"];

const CYCLE = ["normal", "maintenance", "out_of_specification", "function_check", "failure"];

/** The status of a cube at an instant in milliseconds, by the table alone. */
export function statusAt(cube, ms) {
  const step = Math.min(STEPS, Math.floor((ms - START) / 1000 / STEP_S));
  return CYCLE[(CUBES.indexOf(cube) + step) % CYCLE.length];
}

export const instant = (seconds) => new Date(START + seconds * 1000).toISOString();

const SITE = `# Made by the browser suite.
[site]
id = "cubes"
name = "Cubes"
time_zone = "UTC"

[[models]]
id = "cubes"
path = "cubes.glb"
__MORE_MODELS__
[view]
eye = [0, 17, 9]
target = [0, 0, 0]
time = "recorded"

[[sources]]
id = "table"
kind = "csv"
path = "table.csv"
layout = "long"
time = { column = "time" }
key = "{signal}"
value = "value"

[[interfaces]]
id = "lamp"
signals = [
    { name = "state", value = "text" },
    { name = "level", unit = "%", period = "2s", range = [0, 100] },
]

[[interfaces.rules]]
id = "state"
kind = "match"
signal = "state"
cases = [
    { value = "maintenance", status = "maintenance" },
    { value = "out_of_specification", status = "out_of_specification" },
    { value = "function_check", status = "function_check" },
    { value = "failure", status = "failure" },
]

[[interfaces.rules]]
id = "level"
kind = "range"
signal = "level"
bands = [{ above = 95, status = "maintenance" }]

[[interfaces.processes]]
signal = "level"
kind = "lag"
tau = "5min"
expr = "{twin}.level * 1.2"
clamp = [0, 100]

[[knobs]]
id = "push"
name = "Push"
unit = "%"
min = -50
max = 50
targets = [{ offset = "cube-1.level" }]
`;

/** Writes the site into `folder` and returns the path of its site file. `models` adds model files as they are: name to bytes. */
export function writeCubes(folder, models = {}) {
  mkdirSync(folder, { recursive: true });
  const spots = CUBES.map((name, at) => ({ name, at: [(at % 3) * 4 - 4, 1, at < 3 ? -2 : 2] }));
  writeFileSync(join(folder, "cubes.glb"), cubesGlb(spots));
  const rows = ["time,signal,value"];
  for (let second = 0; second <= STEPS * STEP_S; second += 2) {
    for (const [at, cube] of CUBES.entries()) {
      if (second % STEP_S === 0) rows.push(`${instant(second)},${cube}.state,${statusAt(cube, START + second * 1000)}`);
      rows.push(`${instant(second)},${cube}.level,${(40 + 5 * at + 3 * Math.sin(second / 9 + at)).toFixed(2)}`);
    }
  }
  writeFileSync(join(folder, "table.csv"), `${rows.join("\n")}\n`);
  const twins = CUBES.map((name) => `\n[[twins]]\nid = "${name}"\ninterface = "lamp"\nbind = { node = "${name}" }\n`);
  const more = Object.keys(models).map((name, at) => `\n[[models]]\nid = "extra-${at}"\npath = "${name}"\nbackground = ["**"]\n`);
  for (const [name, bytes] of Object.entries(models)) if (bytes) writeFileSync(join(folder, name), bytes);
  const site = join(folder, "site.toml");
  writeFileSync(site, SITE.replace("__MORE_MODELS__", more.join("")) + twins.join(""));
  return site;
}
