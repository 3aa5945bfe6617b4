// A gateway with an access file, as a person meets it: the page asks, says what was wrong, lets in whoever holds a token, and the
// token is in no address, no link and no other tab.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { writeCubes } from "./lib/cubes.mjs";
import { Gateway, program, scratch } from "./lib/server.mjs";
import { View, launch } from "./lib/view.mjs";

const SIZE = [1010, 560];
let gateway, browser, file;
const tokens = {};

/** Adds a token to the access file; answers it as it is printed, once. */
const grant = (role) => grantAs(role, role);

function grantAs(role, name) {
  const args = ["access", "new", file, "--role", role, "--name", name];
  const token = execFileSync(program(), args, { encoding: "utf8", stdio: "pipe" }).trim();
  assert.match(token, /^\S{20,}$/);
  assert.ok(!readFileSync(file, "utf8").includes(token), "the file keeps its hash only");
  return token;
}

before(async () => {
  file = join(scratch("door"), "access.toml");
  tokens.view = grant("view");
  tokens.send = grant("send");
  gateway = await Gateway.serve(writeCubes(scratch("door-cubes")), { args: ["--speed", "max", "--access", file] });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const door = (view) => view.page.locator("#door");
const asked = async (view, words) => {
  await door(view).waitFor({ state: "visible", timeout: 60_000 });
  await view.page.waitForFunction((part) => document.getElementById("door-text").textContent.includes(part), words, { timeout: 60_000 });
};
const type = async (view, token, press) => {
  await view.page.locator("#door-token").fill(token);
  if (press) await view.page.locator("#door-enter").click();
  else await view.page.keyboard.press("Enter");
};

test("without a token nothing of the plant leaves the gateway", async () => {
  for (const path of ["/api/publication", "/api/history?signal=x", "/api/catalogue", "/metrics"]) {
    const response = await fetch(`${gateway.url}${path}`);
    assert.equal(response.status, 401, path);
    assert.ok(!(await response.text()).includes("cube"), path);
  }
});

test("the page asks, says what was wrong, and lets in whoever holds a token", async () => {
  const view = await View.open(browser, gateway.url, { size: SIZE, ready: false });
  await asked(view, "Paste the token");
  assert.equal(await view.page.evaluate(() => document.activeElement?.id), "door-token", "ready to be pasted into");
  await view.shot("door-asks");
  await type(view, "orrery-of-somebody-elses-plant-0123456789");
  await asked(view, "not known here");
  await type(view, tokens.send, true);
  await asked(view, "may not view");
  await type(view, tokens.view);
  await view.ready();
  const state = await view.until((s) => s.link === "up" && !s.historyBusy, "link and history");
  assert.ok(Object.keys(state.twins).length > 0);
  const { url, kept } = await view.page.evaluate(() => ({ url: location.href, kept: [localStorage.length, document.cookie] }));
  assert.ok(!url.includes(tokens.view) && !JSON.stringify(state).includes(tokens.view), url);
  assert.deepEqual(kept, [0, ""], "kept for this tab only");
  // Refusals are errors of the network to a browser; of those it may complain, of nothing else.
  const others = view.complaints.filter((line) => !/status of (401|403)/.test(line));
  assert.deepEqual(others, []);

  await view.page.reload();
  await view.ready();
  assert.equal(await door(view).isVisible(), false, "a reload does not ask again");
  await view.close();
});

test("a token behind the address opens the door and leaves the address at once; the rest of the link holds", async () => {
  const view = await View.open(browser, gateway.url, { size: SIZE, fragment: `token=${encodeURIComponent(tokens.view)}&select=A1` });
  const url = await view.page.evaluate(() => location.href);
  assert.ok(!url.includes("token") && !url.includes(tokens.view), url);
  assert.equal(await door(view).isVisible(), false);
  await view.close();

  const broken = await View.open(browser, gateway.url, { size: SIZE, fragment: "token=%E0%A4%A", ready: false });
  await asked(broken, "Paste the token");
  await broken.close();
});

test("a token that is taken back shuts out the page that is open, which says why and goes on with another, without a reload", async () => {
  const view = await View.open(browser, gateway.url, { size: SIZE, fragment: `token=${encodeURIComponent(tokens.view)}&sel=cube-2` });
  await view.until((s) => s.link === "up" && s.shutOut === null, "the link");
  await view.page.evaluate(() => { window.__same = true; });
  const others = readFileSync(file, "utf8").split("[[tokens]]").filter((part) => !part.includes('name = "view"'));
  writeFileSync(file, others.join("[[tokens]]"));
  await asked(view, "taken back");
  assert.equal(await view.page.locator("#door-title").textContent(), "Your access has ended");
  assert.ok(!(await view.page.locator("#cover").isVisible()), "the door alone");
  assert.equal(await view.page.evaluate(() => document.activeElement?.id), "door-token", "ready to be pasted into");
  await view.shot("door-withdrawn");
  // A covered canvas is not drawn, and nothing is asked for meanwhile.
  const shut = await view.until((s) => s.link === "down" && s.shutOut, "the reason", { nudge: false });
  assert.match(shut.shutOut, /not good any more/);
  const { connections } = shut;
  // The old one stays shut out, by keys as a person types them.
  await view.page.keyboard.type(tokens.view);
  await view.page.keyboard.press("Enter");
  await asked(view, "not known here");
  tokens.view = grantAs("view", "again");
  await type(view, tokens.view, true);
  await door(view).waitFor({ state: "hidden", timeout: 60_000 });
  const back = await view.until((s) => s.link === "up" && s.shutOut === null && !s.historyBusy, "the link again");
  assert.equal(back.connections, connections + 1);
  assert.deepEqual(back.selection, ["cube-2"], "where it was");
  assert.ok(await view.page.evaluate(() => window.__same), "the same page");
  // The plant has pointer and keys again.
  await view.press("Escape");
  await view.until((s) => s.selection.length === 0, "the key to reach the plant");
  await view.page.reload();
  await view.ready();
  assert.equal(await door(view).isVisible(), false, "the new token is kept for this tab");
  await view.close();
});

test("the door fits a small screen, its title in one line", async () => {
  for (const size of [[320, 568], [360, 640], [640, 360]]) {
    const view = await View.open(browser, gateway.url, { size, ready: false });
    await asked(view, "Paste the token");
    const lines = await view.page.evaluate(() => {
      const title = document.getElementById("door-title");
      return title.getBoundingClientRect().height / parseFloat(getComputedStyle(title).lineHeight);
    });
    assert.ok(lines < 1.5, `${lines} lines at ${size}`);
    const button = await view.page.locator("#door-enter").boundingBox();
    assert.ok(button.x >= 0 && button.x + button.width <= size[0] && button.y + button.height <= size[1], JSON.stringify(button));
    await view.shot(`door-${size[0]}`);
    await view.close();
  }
});
