// The colour measure itself, against published pairs; everything else in the suite leans on it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { FILL, deltaE, deltaELab } from "./lib/color.mjs";

test("CIEDE2000 equals the published pairs of Sharma, Wu and Dalal", () => {
  const pairs = [
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, -1.3802, -84.2814], [50, 0, -82.7485], 1.0],
    [[50, 2.49, -0.001], [50, -2.49, 0.0009], 7.1792],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[50, 2.5, 0], [58, 24, 15], 19.4535],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ];
  for (const [a, b, expected] of pairs) assert.ok(Math.abs(deltaELab(a, b) - expected) < 1e-4, `${a} ${b}: ${deltaELab(a, b)}`);
});

test("no two statuses could be taken for each other within the suite's tolerance", () => {
  const all = Object.values(FILL);
  for (const [at, a] of all.entries()) for (const b of all.slice(at + 1)) assert.ok(deltaE(a, b) > 16, `${a} ${b}: ${deltaE(a, b)}`);
});
