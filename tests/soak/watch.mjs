// What the soak looks at while it runs: memory of processes, clients without a picture, browsers, and a line through figures.
import { readFileSync, readdirSync } from "node:fs";
import { createConnection } from "node:net";
import { randomBytes } from "node:crypto";

/** Resident megabytes of a process, or null where the system does not say. */
export function rssMb(pid) {
  try {
    const found = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB/m);
    return found ? Number(found[1]) / 1024 : null;
  } catch {
    return null;
  }
}

/** Resident megabytes of all page processes that descend from this one: WebAssembly memory included, unlike the JS heap. */
export function renderersMb() {
  const parents = new Map();
  const pages = [];
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
      if (readFileSync(`/proc/${name}/cmdline`, "utf8").includes("--type=renderer")) pages.push(Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  const ours = (pid) => pid === process.pid || (parents.has(pid) && parents.get(pid) > 1 && ours(parents.get(pid)));
  return pages.filter(ours).reduce((sum, pid) => sum + (rssMb(pid) ?? 0), 0);
}

/** A client of `/stream` without a picture: takes every frame and counts. In place of a browser. */
export class Listener {
  /** Connects to `host:port` and says hello. */
  static open(port) {
    const listener = new Listener();
    const tcp = createConnection(port, "127.0.0.1");
    Object.assign(listener, { tcp, bytes: 0, frames: 0, lags: 0, closed: false });
    return new Promise((done, failed) => {
      tcp.once("error", failed);
      tcp.on("close", () => { listener.closed = true; });
      tcp.write(`GET /stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
        + `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: orrery.v1.bin\r\n\r\n`);
      let rest = Buffer.alloc(0);
      let open = false;
      tcp.on("data", (data) => {
        rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
        if (!open) {
          const end = rest.indexOf("\r\n\r\n");
          if (end < 0) return;
          if (!rest.subarray(0, end).toString().includes(" 101 ")) return failed(new Error("the gateway does not open its stream"));
          rest = rest.subarray(end + 4);
          open = true;
          listener.send(Buffer.concat([Buffer.from([0x4f, 1, 0x21, 0, 1, 1, 4]), Buffer.from("soak"), Buffer.from([0])]));
          done(listener);
        }
        rest = listener.take(rest);
      });
    });
  }

  /** Sends one message of at most 125 bytes: binary, or of the kind that `opcode` says. */
  send(data, opcode = 2) {
    const mask = randomBytes(4);
    this.tcp.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | data.length]), mask, data.map((byte, at) => byte ^ mask[at % 4])]));
  }

  /** Counts whole messages; answers what is left. */
  take(data) {
    for (;;) {
      if (data.length < 2) return data;
      let size = data[1] & 127;
      let head = 2;
      if (size === 126) {
        if (data.length < 4) return data;
        size = data.readUInt16BE(2);
        head = 4;
      } else if (size === 127) {
        if (data.length < 10) return data;
        size = Number(data.readBigUInt64BE(2));
        head = 10;
      }
      if (data.length < head + size) return data;
      const opcode = data[0] & 15;
      this.bytes += size;
      this.frames += 1;
      if (opcode === 2 && data[head + 2] === 0x07) this.lags += 1;
      // A ping: who answers none is taken for gone, and let go.
      if (opcode === 9) this.send(data.subarray(head, head + size), 10);
      data = data.subarray(head + size);
    }
  }

  close() {
    this.tcp.destroy();
  }
}

/** Slope of the least-squares line through points `[x, y]`, in units of y per unit of x; null for fewer than two. */
export function slope(points) {
  const n = points.length;
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  if (n < 2 || sxx === 0) return null;
  return points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / sxx;
}

/** The value that so many per cent do not exceed; null of nothing. */
export function percentile(numbers, percent) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)];
}
