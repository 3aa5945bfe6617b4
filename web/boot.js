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

// Answers that the first picture needs, asked for before the module is there: it takes these instead of asking again. By address.
const early = new Map();
/** More are asked for by the module. */
const EARLY = 12;

// Taken in as it comes: the gateway lets go of whoever leaves an answer unread for long, and the module may take its time.
async function asked(url) {
  const response = await fetch(url, { headers: credentials() });
  if (!response.ok || !response.body) return response;
  const unread = { highWaterMark: Number.POSITIVE_INFINITY };
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(new TransformStream({}, unread, unread)), { status, statusText, headers });
}

const absolute = (path) => new URL(path, location.href).href;

// Where the plant is to be had: from the gateway that sent this page, or, of a copy that `orrery publish` wrote, from the files
// beside it.
const folder = own.dataset.folder;
const address = folder
  ? { manifest: `${folder}/manifest.json`, piece: (hash) => `${folder}/pieces/${hash}` }
  : { manifest: "/api/publication", piece: (hash) => `/api/piece/${hash}` };

function askEarly(path) {
  const answer = asked(absolute(path));
  answer.catch(() => { /* whoever takes it says so */ });
  early.set(absolute(path), answer);
}

// The pieces that a first picture needs: model, the scene's header, the coarsest geometry; and what lists history, where it is a piece.
function firstPieces(text) {
  try {
    const { model, scene, history } = JSON.parse(text);
    const geometry = (scene?.first ?? []).map((ordinal) => scene.geometry[ordinal]);
    return [model, scene?.index, history, ...geometry].filter((piece) => piece?.sha256).slice(0, EARLY);
  } catch {
    return []; // the module has the words for it
  }
}

// Asks for the publication and what the first picture needs of it; answers the status, or nothing where there was no answer.
async function askAhead() {
  const url = absolute(address.manifest);
  const response = await fetch(url, { headers: credentials() }).catch(() => null);
  // A site that is still being compiled is asked for again by the module, which says so meanwhile.
  if (!response?.ok) return response?.status;
  const text = await response.text();
  early.set(url, Promise.resolve(new Response(text, { headers: response.headers })));
  for (const { sha256 } of firstPieces(text)) askEarly(address.piece(sha256));
  return response.status;
}

const credentials = () => (token ? { Authorization: `Bearer ${token}` } : {});

// Why the gateway does not let us in, by what it answered, or null. Whatever else is wrong, the viewer itself has better words for.
function refusal(status) {
  // A server of files has ways of its own to ask.
  if (folder) return null;
  switch (status) {
    case 401: return token ? "This token is not known here, or its time is over." : "Paste the token that you were given.";
    // A page that may not be here at all would be asked in vain.
    case 403: return token ? "This token may not view the plant." : null;
    case 429: return "Too many wrong tokens from here. Wait a minute, then paste the right one.";
    default: return null;
  }
}

// Asks the person until the gateway lets us in.
async function enter(title, why) {
  while (why) {
    keepToken(await ask(title, why));
    why = refusal(await askAhead());
  }
}

// The gateway does not let an open page in any more: its token was taken back, or its time is over. What it shows of the plant is
// covered until somebody with a token goes on, from where the page is.
let shut = false;

async function shutOut(viewer) {
  if (shut || dead) return;
  shut = true;
  $("stage").inert = true;
  await enter("Your access has ended", "The token of this page was taken back, or its time is over. Paste another to go on where you are.");
  $("stage").inert = false;
  $("orrery").focus();
  shut = false;
  viewer.orrery_admitted();
}

function ask(title, why) {
  const input = $("door-token");
  const covered = !$("cover").hidden;
  $("door-title").textContent = title;
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
      $("cover").hidden = !covered;
      done(value);
    };
    $("door-enter").onclick = go;
    input.onkeydown = (event) => { if (event.key === "Enter") go(); };
  });
}

/** How much of the way to the first picture the module is, on the bar. */
const MODULE_SHARE = 0.5;

// The module's bytes with a count of what has come. The length in the response is that of the compressed body, so the
// real length is written into the page when it is built.
async function download(url, expected, squeezed) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText} for ${url}`);
  const coding = response.headers.get("content-encoding");
  // A server of files sends a packed module as it is, unless it knows what the name's ending means.
  const unpack = new URL(url).pathname.endsWith(".gz") && !coding;
  const total = (unpack ? squeezed : expected) || Number(response.headers.get("x-uncompressed-length")) || 0;
  const packed = coding === "br" || (coding && folder) ? squeezed : 0;
  let seen = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, out) {
      seen += chunk.byteLength;
      // Bytes as they travel: packed, they come in the same proportion.
      const travels = packed || total;
      const part = total ? seen / total : 0;
      cover("Loading the viewer", part * MODULE_SHARE, total ? `${megabytes(part * travels)} of ${megabytes(travels)}` : megabytes(seen));
      out.enqueue(chunk);
    },
  }));
  const module = unpack ? counted.pipeThrough(new DecompressionStream("gzip")) : counted;
  return new Response(module, { headers: { "Content-Type": "application/wasm" } });
}

// A host page's command as text. JSON would leave out or change in silence what it can't hold: `{loop: NaN}` would end the loop.
function asText(command) {
  let named = "a command";
  return JSON.stringify(command, function (key, value) {
    const given = this[key];
    if (this === command) named = key;
    const lost = value === undefined || ["function", "symbol", "bigint"].includes(typeof value)
      || ((typeof value === "number" || value instanceof Number) && !Number.isFinite(Number(value)))
      // A date that is none.
      || (value === null && given !== null);
    if (lost) throw new TypeError(`${named}: has ${typeof given === "function" ? "a function" : String(given)} in it`);
    return value;
  });
}

function obey(viewer, command) {
  let text;
  try {
    text = asText(command);
  } catch (error) {
    return { ok: false, error: `${error.message}; a command is an object of what JSON can hold` };
  }
  return JSON.parse(viewer.orrery_command(text));
}

async function start() {
  const lack = missing();
  if (lack) return fatal("This browser can't show the plant", lack);

  takeToken();
  // All at once: on a slow link every question that waits for an answer before it is felt.
  const url = new URL(own.dataset.wasm, import.meta.url);
  const coming = Promise.all([
    import(new URL(own.dataset.module, import.meta.url)),
    download(url, Number(own.dataset.bytes), Number(own.dataset.packed)),
  ]);
  coming.catch(() => { /* told where it is waited for */ });
  await enter("This plant asks who you are", refusal(await askAhead()));

  let viewer = null;
  // Called from Rust.
  window.__orrery = {
    token() { return token ?? undefined; },
    folder() { return folder && absolute(`${folder}/`); },
    early(url) {
      const answer = early.get(absolute(url));
      early.delete(absolute(url));
      return answer;
    },
    progress(text, share, detail) { cover(text || "Starting", MODULE_SHARE + (1 - MODULE_SHARE) * share, detail); },
    shutOut() { shutOut(viewer); },
    ready() { early.clear(); $("cover").classList.add("done"); setTimeout(() => { $("cover").hidden = true; }, 300); },
    panic(message) { fatal("The viewer has stopped", "An error that it can't recover from. Nothing in the plant is affected; reload to go on.", message); },
    graphics(message) { fatal("The graphics system has stopped", "The browser took the graphics device away or reported an error. Reload to go on.", message); },
  };
  $("orrery").addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    window.__orrery.graphics("The WebGL context was lost.");
  });

  const [module, wasm] = await coming;
  viewer = module;
  await viewer.default({ module_or_path: wasm });

  window.orrery = Object.freeze({
    version: viewer.orrery_version(),
    /** What the viewer shows now: camera, selection, time, health counts (docs/EMBED.md). */
    getState: () => JSON.parse(viewer.orrery_state()),
    /** Does one thing, for example {"seek": "2026-03-02T08:15:04Z"}; answers {"ok": true} or {"ok": false, "error": "..."}. */
    command: (command) => obey(viewer, command),
  });
  window.dispatchEvent(new CustomEvent("orrery:start"));
}

window.addEventListener("error", (event) => {
  // A trap in WebAssembly: the panic hook has usually spoken already.
  if (event.error instanceof WebAssembly.RuntimeError) fatal("The viewer has stopped", "Reload to go on.", String(event.error.stack || event.error));
});
start().catch((error) => fatal("The viewer could not be loaded", "Check the connection to the server and reload.", String(error)));
