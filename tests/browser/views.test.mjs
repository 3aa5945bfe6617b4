// Small windows and fingers: the 3D view keeps its room, taps select, a finger orbits, two zoom.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CUBES, instant, writeCubes } from "./lib/cubes.mjs";
import { Gateway, scratch } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

let gateway, browser, view;

before(async () => {
  gateway = await Gateway.serve(writeCubes(scratch("views")), { args: ["--speed", "max"] });
  browser = await launch();
});
after(async () => {
  await view?.close();
  await browser?.close();
  await gateway?.stop();
});

/** What every window size must keep: room for the plant, an instant, no problem. */
function holds(state, [width, height]) {
  const [l, t, r, b] = state.viewport;
  assert.ok(l >= 0 && t >= 0 && r <= width && b <= height, `inside the window: ${state.viewport}`);
  const share = ((r - l) * (b - t)) / (width * height);
  assert.ok(share >= 0.4, `the 3D view has ${(share * 100).toFixed(0)} % of the window`);
  assert.ok(Date.parse(state.time.playhead) > 0, `playhead ${state.time.playhead}`);
  assert.deepEqual(state.problems, []);
  assert.ok(CUBES.every((cube) => state.twins[cube].screen), "all parts are in the picture");
}

const connected = (s) => s.link === "up" && !s.historyBusy && s.time?.extent;

test("800x600: rails instead of panels, the plant keeps its room", async () => {
  const size = [800, 600];
  view = await View.open(browser, gateway.url, { size });
  await view.until(connected, "the recording");
  const state = await view.seek(instant(43));
  holds(state, size);
  await view.see((picture) => picture.variety(state.viewport) >= 12 || "nothing drawn", "the plant at 800x600");
  await view.shot("views-800x600");
  await view.assertQuiet();
  await view.close();
  view = null;
});

/** A browser context as a phone has it; the driver's own protocol gives fingers, one or more. */
async function phone(size) {
  const opened = new View();
  opened.context = await browser.newContext({
    viewport: { width: size[0], height: size[1] }, deviceScaleFactor: 1, hasTouch: true, isMobile: true,
    colorScheme: "dark", reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC",
  });
  Object.assign(opened, { size, console: [], complaints: [] });
  opened.page = await opened.context.newPage();
  opened.listen();
  await opened.context.addInitScript(() => {
    window.__violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.__violations.push(`${event.violatedDirective} blocked ${event.blockedURI}`));
  });
  // A mouse that moves beside the fingers would be a second pointer: frames are asked for by the page itself.
  opened.nudge = () => opened.page.evaluate(() => window.dispatchEvent(new Event("resize")));
  opened.session = await opened.context.newCDPSession(opened.page);
  opened.touch = async (type, ...points) => {
    await opened.session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    await opened.drawn();
  };
  await opened.page.goto(gateway.url, { waitUntil: "domcontentloaded" });
  await opened.ready();
  return opened;
}

const pose = (state) => state.fragment.match(/cam=([^&]+)/)[1].split(",").map(Number);

test("390x844 with fingers: the plant keeps its room", async () => {
  const size = [390, 844];
  view = await phone(size);
  await view.until(connected, "the recording");
  const state = await view.seek(instant(43));
  holds(state, size);
  await view.see((picture) => picture.variety(state.viewport) >= 12 || "nothing drawn", "the plant at 390x844");
  await view.shot("views-390x844");
});

test("a tap selects", async () => {
  const { twins } = await view.drawn();
  await view.touch("touchStart", twins["cube-5"].screen);
  await view.touch("touchEnd");
  await view.until((s) => s.selection.length === 1 && s.selection[0] === "cube-5", "cube-5 to be selected");
  await view.shot("views-390x844-selected");
});

test("one finger orbits", async () => {
  const before = await view.drawn();
  const [l, t, r, b] = before.viewport;
  const from = [l + (r - l) * 0.3, t + (b - t) * 0.35];
  await view.touch("touchStart", from);
  for (const step of [20, 50, 80]) await view.touch("touchMove", [from[0] + step, from[1] + step / 4]);
  await view.touch("touchEnd");
  const after = await view.until((s) => s.fragment !== before.fragment, "the camera to turn");
  const [a, c] = [pose(before), pose(after)];
  assert.ok(Math.abs(a[3] - c[3]) > 0.05, `yaw ${a[3]} to ${c[3]}`);
  assert.ok(Math.abs(a[5] - c[5]) < 0.02 * a[5], `distance ${a[5]} to ${c[5]} stays`);
  assert.deepEqual(after.selection, before.selection, "a drag is no tap");
});

test("two fingers zoom", async () => {
  const before = await view.drawn();
  const [l, t, r, b] = before.viewport;
  const [x, y] = [(l + r) / 2, (t + b) / 2];
  await view.touch("touchStart", [x - 30, y]);
  await view.touch("touchStart", [x - 30, y], [x + 30, y]);
  for (const half of [45, 65, 90]) await view.touch("touchMove", [x - half, y], [x + half, y]);
  await view.touch("touchEnd");
  const after = await view.until((s) => s.fragment !== before.fragment, "the camera to come near");
  assert.ok(pose(after)[5] < 0.8 * pose(before)[5], `distance ${pose(before)[5]} to ${pose(after)[5]}`);
});

test("the browser had nothing to complain about", () => view.assertQuiet());
