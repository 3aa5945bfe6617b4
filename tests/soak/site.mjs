// The soak's site: as many signals as asked for on twins of a hundred, a rule on every one of them, one websocket source, cubes to look at.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cubesGlb } from "../browser/lib/glb.mjs";

/** Signals of one twin. The mix repeats every 20: 16 numbers, 2 switches, a mode, a counter, as `orrery bench feed` sends them. */
const PER_TWIN = 100;

const signal = (at) => {
  const kind = at % 20;
  const name = `s${String(at).padStart(2, "0")}`;
  if (kind < 16) return `    { name = "${name}", period = "1s" },`;
  if (kind < 18) return `    { name = "${name}", value = "bool", period = "1s" },`;
  return `    { name = "${name}", value = "int", kind = "${kind === 18 ? "discrete" : "counter"}", period = "1s" },`;
};

/**
 * Every sample is judged, so that what the page keeps of its rules is part of the run. The limit of the numbers lies among them: most
 * are always on one side of it, some drift over it in their time, and where one is noise about it, it is crossed every other second.
 */
const rule = (at) => {
  const kind = at % 20;
  const name = `s${String(at).padStart(2, "0")}`;
  const judged = (how) => `[[interfaces.rules]]\nid = "${name}"\nsignal = "${name}"\n${how}\n`;
  if (kind < 16) return judged('kind = "range"\nbands = [{ above = 30, status = "maintenance" }]');
  if (kind < 18) return judged('kind = "match"\ncases = [{ value = true, status = "out_of_specification" }]');
  if (kind === 18) return judged('kind = "match"\ncases = [{ value = 5, status = "function_check" }]');
  return judged('kind = "range"\nbands = [{ above = 500000, status = "maintenance" }]');
};

const HEAD = `# Made by the soak.
[site]
id = "soak"
name = "Soak"
time_zone = "UTC"

[[models]]
id = "cubes"
path = "cubes.glb"

[view]
eye = [0, 60, 30]
target = [0, 0, 0]

[[sources]]
id = "feed"
kind = "websocket"

[[interfaces]]
id = "machine"
signals = [
${Array.from({ length: PER_TWIN }, (_, at) => signal(at)).join("\n")}
]

${Array.from({ length: PER_TWIN }, (_, at) => rule(at)).join("\n")}
`;

/** Writes a site with at least `signals` signals into `folder`; answers the path of its file and the number of signals. */
export function writeSite(folder, signals) {
  mkdirSync(folder, { recursive: true });
  const names = Array.from({ length: Math.ceil(signals / PER_TWIN) }, (_, at) => `machine-${String(at + 1).padStart(4, "0")}`);
  const side = Math.ceil(Math.sqrt(names.length));
  const spots = names.map((name, at) => ({ name, at: [(at % side - side / 2) * 4, 1, (Math.floor(at / side) - side / 2) * 4] }));
  writeFileSync(join(folder, "cubes.glb"), cubesGlb(spots));
  const twins = names.map((name) => `\n[[twins]]\nid = "${name}"\ninterface = "machine"\nbind = { node = "${name}" }\n`);
  const site = join(folder, "site.toml");
  writeFileSync(site, HEAD + twins.join(""));
  return { site, signals: names.length * PER_TWIN };
}
