// Serves the peer's page, with three.js and the model of the hall beside it.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { ROOT } from "../lib/server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const three = join(here, "../node_modules/three");
const TYPES = { ".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript", ".glb": "model/gltf-binary" };

function fileOf(path) {
  if (path === "/") return join(here, "page.html");
  if (path === "/peer.mjs") return join(here, "peer.mjs");
  if (path === "/hall.glb") return join(ROOT, "assets/sites/bottling/hall.glb");
  return path.startsWith("/three/") ? join(three, path.slice(7)) : null;
}

/** Its address, and how to end it. Files travel packed, as any server would send them, and may be kept for an hour. */
export async function servePeer() {
  const packed = new Map();
  const server = createServer((request, response) => {
    const file = fileOf(normalize(new URL(request.url, "http://x").pathname));
    try {
      if (!packed.has(file)) packed.set(file, gzipSync(readFileSync(file)));
      const head = { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Encoding": "gzip", "Cache-Control": "max-age=3600" };
      response.writeHead(200, head).end(packed.get(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
