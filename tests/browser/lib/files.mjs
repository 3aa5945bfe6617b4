// A web server that knows nothing of Orrery: files below a path, and ranges of them. What any host of static pages does.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json", ".wasm": "application/wasm", ".gz": "application/gzip" };

export class Files {
  /** Hands `folder` out below `/PREFIX/`. */
  static serve(folder, prefix) {
    const files = new Files();
    files.asked = [];
    files.server = createServer((request, response) => files.answer(folder, `/${prefix}`, request, response));
    return new Promise((done) => files.server.listen(0, "127.0.0.1", () => {
      files.url = `http://127.0.0.1:${files.server.address().port}/${prefix}`;
      done(files);
    }));
  }

  answer(folder, prefix, request, response) {
    const { pathname } = new URL(request.url, "http://files");
    this.asked.push(`${request.method} ${pathname}`);
    if (pathname === prefix) {
      response.writeHead(301, { Location: `${prefix}/` }).end();
      return;
    }
    const path = normalize(join(folder, decodeURIComponent(pathname.slice(prefix.length)) || sep));
    const file = path.endsWith(sep) ? join(path, "index.html") : path;
    const size = pathname.startsWith(`${prefix}/`) && file.startsWith(folder) ? statSync(file, { throwIfNoEntry: false }) : undefined;
    if (request.method !== "GET" || !size?.isFile()) {
      response.writeHead(request.method === "GET" ? 404 : 405).end();
      return;
    }
    const head = { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Accept-Ranges": "bytes" };
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const range = first === undefined ? {} : { start: Number(first), end: last ? Math.min(Number(last), size.size - 1) : size.size - 1 };
    if (first !== undefined) head["Content-Range"] = `bytes ${range.start}-${range.end}/${size.size}`;
    response.writeHead(first === undefined ? 200 : 206, { ...head, "Content-Length": first === undefined ? size.size : range.end - range.start + 1 });
    createReadStream(file, range).pipe(response);
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}
