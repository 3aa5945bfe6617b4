// Finishes a page that trunk built: drops debug names from the module, names files by their content, compresses them.
// node web/pack.mjs FOLDER release|dev
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, constants } from "node:zlib";

const [folder, effort] = process.argv.slice(2);
const release = effort === "release";

// A module is a list of sections; custom ones (id 0) named "name" or "producers" are for people with debuggers.
function withoutNames(bytes) {
  const kept = [bytes.subarray(0, 8)];
  const dropped = [];
  let at = 8;
  const leb = (from) => {
    let value = 0, shift = 0, i = from;
    for (;;) {
      const byte = bytes[i++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return [value, i];
      shift += 7;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at];
    const [size, body] = leb(at + 1);
    at = body + size;
    let name = "";
    if (id === 0) {
      const [length, from] = leb(body);
      name = Buffer.from(bytes.subarray(from, from + length)).toString();
    }
    (id === 0 && (name === "name" || name === "producers") ? dropped : kept).push(bytes.subarray(start, at));
  }
  return [Buffer.concat(kept), Buffer.concat(dropped)];
}

const wasmPath = join(folder, "viewer_bg.wasm");
let wasm = readFileSync(wasmPath);
if (release) {
  const [slim, names] = withoutNames(wasm);
  // Kept beside the page, for symbolized panics; never served.
  mkdirSync(join(folder, ".symbols"), { recursive: true });
  writeFileSync(join(folder, ".symbols", "viewer_names.bin"), names);
  wasm = slim;
  writeFileSync(wasmPath, wasm);
}

let page = readFileSync(join(folder, "index.html"), "utf8");
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const rename = (name, base, extension) => {
  const hashed = `${base}-${hash(readFileSync(join(folder, name)))}${extension}`;
  renameSync(join(folder, name), join(folder, hashed));
  page = page.replaceAll(`"${name}"`, `"${hashed}"`).replaceAll(`"./${name}"`, `"${hashed}"`);
  return hashed;
};
// The page may lie anywhere on a server: nothing in it is asked for from the root.
for (const name of readdirSync(folder)) page = page.replaceAll(`"/${name}"`, `"${name}"`);
if (release) {
  rename("viewer_bg.wasm", "viewer", ".wasm");
  rename("viewer.js", "viewer", ".js");
  rename("boot.js", "boot", ".js");
  rename("style.css", "style", ".css");
}
const squeeze = (bytes) => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});
const packed = release ? squeeze(wasm) : wasm;
page = page.replace('data-bytes="0"', `data-bytes="${wasm.length}"`).replace('data-packed="0"', `data-packed="${packed.length}"`);
// Trunk adds integrity attributes for files under their old names; same origin and hashed names make them idle.
page = page.replace(/ integrity="[^"]*"/g, "");
writeFileSync(join(folder, "index.html"), page);

let raw = 0, small = 0;
for (const name of readdirSync(folder)) {
  if (name.startsWith(".") || !/\.(html|js|css|svg|wasm)$/.test(name)) continue;
  const bytes = readFileSync(join(folder, name));
  raw += bytes.length;
  if (!release) continue;
  const brotli = name.endsWith(".wasm") ? packed : squeeze(bytes);
  writeFileSync(join(folder, `${name}.br`), brotli);
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  small += brotli.length;
}
console.log(release ? `page: ${(raw / 1e6).toFixed(2)} MB raw, ${(small / 1e6).toFixed(2)} MB as brotli` : `page: ${(raw / 1e6).toFixed(1)} MB, not compressed`);
