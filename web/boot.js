// Starts the viewer: checks what the browser can do, shows real progress, and keeps a readable panel for the worst case.
// Everything that a host page may call hangs on window.orrery (docs/EMBED.md).

const $ = (id) => document.getElementById(id);
const own = $("boot");

let dead = false;

function fatal(title, text, detail) {
  if (dead) return;
  dead = true;
  $("cover").hidden = true;
  $("fatal-title").textContent = title;
  $("fatal-text").textContent = text;
  $("fatal-detail").textContent = detail || "";
  $("fatal-detail").hidden = !detail;
  $("fatal").hidden = false;
  $("fatal-reload").focus();
  window.dispatchEvent(new CustomEvent("orrery:fatal", { detail: { title, text, detail } }));
}

$("fatal-reload").addEventListener("click", () => location.reload());

function cover(text, share, detail) {
  $("cover-text").textContent = text;
  if (share !== undefined) $("cover-bar").style.width = `${Math.round(Math.min(1, share) * 100)}%`;
  if (detail !== undefined) $("cover-detail").textContent = detail || "\u00a0";
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function missing() {
  if (typeof WebAssembly !== "object") return "This browser can't run WebAssembly.";
  const probe = document.createElement("canvas").getContext("webgl2");
  if (!probe) return "This browser offers no WebGL 2. Update it, or switch hardware acceleration on.";
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  return null;
}

// Who we are, for gateways that ask (docs/SECURITY.md): out of #token=..., which leaves the address at once so that it gets into no
// link or history, else what was typed before in this tab. Kept for this tab only.
let token = null;

function keepToken(value) {
  token = value;
  try {
    if (value) sessionStorage.setItem("orrery.token", value);
    else sessionStorage.removeItem("orrery.token");
  } catch { /* a sandboxed frame has no storage; the token then lasts until it is reloaded */ }
}

function takeToken() {
  const parts = location.hash.replace(/^#/, "").split("&");
  const mine = parts.find((part) => part.startsWith("token="));
  if (mine) {
    history.replaceState(null, "", `#${parts.filter((part) => !part.startsWith("token=")).join("&")}`);
    try {
      return keepToken(decodeURIComponent(mine.slice("token=".length)));
    } catch { return; /* broken on its way; the person is asked */ }
  }
  try {
    token = sessionStorage.getItem("orrery.token");
  } catch { /* as above */ }
}

const credentials = () => (token ? { Authorization: `Bearer ${token}` } : {});

// Asks the person until the gateway lets us in. Whatever else is wrong, the viewer itself has better words for.
async function enter() {
  takeToken();
  for (;;) {
    const response = await fetch("/api/site", { method: "HEAD", headers: credentials(), cache: "no-store" }).catch(() => null);
    if (![401, 403, 429].includes(response?.status)) return;
    const why = {
      401: token ? "This token is not known here, or its time is over." : "Paste the token that you were given.",
      403: "This token may not view the plant.",
      429: "Too many wrong tokens from here. Wait a minute, then paste the right one.",
    }[response.status];
    // A page that may not be here at all would be asked in vain.
    if (response.status === 403 && !token) return;
    keepToken(await ask(why));
  }
}

function ask(why) {
  const input = $("door-token");
  $("door-text").textContent = why;
  $("cover").hidden = true;
  $("door").hidden = false;
  input.value = "";
  input.focus();
  return new Promise((done) => {
    const go = () => {
      const value = input.value.trim();
      if (!value) return;
      $("door-enter").onclick = input.onkeydown = null;
      input.value = "";
      $("door").hidden = true;
      $("cover").hidden = false;
      done(value);
    };
    $("door-enter").onclick = go;
    input.onkeydown = (event) => { if (event.key === "Enter") go(); };
  });
}

// The module's bytes with a count of what has come. The length in the response is that of the compressed body, so the
// real length is written into the page when it is built.
async function download(url, expected) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText} for ${url}`);
  const total = expected || Number(response.headers.get("x-uncompressed-length")) || 0;
  let seen = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, out) {
      seen += chunk.byteLength;
      cover("Loading the viewer", total ? seen / total : undefined, total ? `${megabytes(seen)} of ${megabytes(total)}` : megabytes(seen));
      out.enqueue(chunk);
    },
  }));
  return new Response(counted, { headers: { "Content-Type": "application/wasm" } });
}

async function start() {
  const lack = missing();
  if (lack) return fatal("This browser can't show the plant", lack);

  await enter();

  // Called from Rust.
  window.__orrery = {
    token() { return token ?? undefined; },
    ready() { $("cover").classList.add("done"); setTimeout(() => { $("cover").hidden = true; }, 300); },
    panic(message) { fatal("The viewer has stopped", "An error that it can't recover from. Nothing in the plant is affected; reload to go on.", message); },
    graphics(message) { fatal("The graphics system has stopped", "The browser took the graphics device away or reported an error. Reload to go on.", message); },
  };
  $("orrery").addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    window.__orrery.graphics("The WebGL context was lost.");
  });

  const url = new URL(own.dataset.wasm, import.meta.url);
  const [viewer, wasm] = await Promise.all([
    import(new URL(own.dataset.module, import.meta.url)),
    download(url, Number(own.dataset.bytes)),
  ]);
  await viewer.default({ module_or_path: wasm });
  cover("Starting", 1, "");

  window.orrery = Object.freeze({
    version: viewer.orrery_version(),
    /** What the viewer shows now: camera, selection, time, health counts (docs/EMBED.md). */
    getState: () => JSON.parse(viewer.orrery_state()),
    /** Does one thing, for example {"seek": "2026-03-02T08:15:04Z"}; answers {"ok": true} or {"error": "..."}. */
    command: (command) => JSON.parse(viewer.orrery_command(JSON.stringify(command))),
  });
  window.dispatchEvent(new CustomEvent("orrery:start"));
}

window.addEventListener("error", (event) => {
  // A trap in WebAssembly: the panic hook has usually spoken already.
  if (event.error instanceof WebAssembly.RuntimeError) fatal("The viewer has stopped", "Reload to go on.", String(event.error.stack || event.error));
});
start().catch((error) => fatal("The viewer could not be loaded", "Check the connection to the server and reload.", String(error)));
