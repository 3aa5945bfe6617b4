// Colours as people see them: CIEDE2000 (Sharma, Wu and Dalal 2005, k = 1), and reading pixels of a screenshot.
import { PNG } from "pngjs";

/** Status fills, as in docs/LOOK and crates/twin_health/src/palette.rs; kept apart on purpose, so that a slip shows. */
export const FILL = {
  unknown: [0x6b, 0x71, 0x7a],
  normal: [0xa5, 0xa9, 0xaf],
  maintenance: [0x42, 0x86, 0xea],
  out_of_specification: [0xfa, 0xf1, 0x36],
  function_check: [0xdf, 0x87, 0x16],
  failure: [0xc7, 0x1a, 0x48],
};
/** Frame and banner around what is not real. */
export const WHAT_IF = { dark: [0xcc, 0x79, 0xa7], light: [0xa2, 0x43, 0x7c] };

function lab([r, g, b]) {
  const linear = [r, g, b].map((byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const x = (0.4124564 * linear[0] + 0.3575761 * linear[1] + 0.1804375 * linear[2]) / 0.95047;
  const y = 0.2126729 * linear[0] + 0.7151522 * linear[1] + 0.072175 * linear[2];
  const z = (0.0193339 * linear[0] + 0.119192 * linear[1] + 0.9503041 * linear[2]) / 1.08883;
  const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
}

/** CIEDE2000 of two L*a*b* triples. */
export function deltaELab([l1, a1, b1], [l2, a2, b2]) {
  const rad = Math.PI / 180;
  const mean7 = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const g = 0.5 * (1 - Math.sqrt(mean7 / (mean7 + 25 ** 7)));
  const prime = (a, b) => {
    const ap = a * (1 + g);
    const c = Math.hypot(ap, b);
    return [c, c === 0 ? 0 : (Math.atan2(b, ap) / rad + 360) % 360];
  };
  const [c1, h1] = prime(a1, b1);
  const [c2, h2] = prime(a2, b2);
  let dh = h2 - h1;
  let h = h1 + h2;
  if (c1 * c2 === 0) dh = 0;
  else {
    if (dh > 180) dh -= 360;
    else if (dh < -180) dh += 360;
    if (Math.abs(h1 - h2) > 180) h += h < 360 ? 360 : -360;
    h /= 2;
  }
  const dl = l2 - l1;
  const dc = c2 - c1;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * rad);
  const l = (l1 + l2) / 2;
  const c = (c1 + c2) / 2;
  const t = 1 - 0.17 * Math.cos((h - 30) * rad) + 0.24 * Math.cos(2 * h * rad) + 0.32 * Math.cos((3 * h + 6) * rad) - 0.2 * Math.cos((4 * h - 63) * rad);
  const rc = 2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sc = 1 + 0.045 * c;
  const sh = 1 + 0.015 * c * t;
  const rt = -Math.sin(2 * 30 * Math.exp(-(((h - 275) / 25) ** 2)) * rad) * rc;
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dH / sh) ** 2 + rt * (dc / sc) * (dH / sh));
}

/** CIEDE2000 of two sRGB colours, bytes per channel. */
export const deltaE = (a, b) => deltaELab(lab(a), lab(b));

/** A screenshot whose pixels can be asked for. */
export class Picture {
  constructor(bytes) {
    const { width, height, data } = PNG.sync.read(bytes);
    Object.assign(this, { width, height, data });
  }

  at(x, y) {
    const start = (Math.min(this.height - 1, Math.max(0, Math.round(y))) * this.width + Math.min(this.width - 1, Math.max(0, Math.round(x)))) * 4;
    return [...this.data.subarray(start, start + 3)];
  }

  /** All pixels of a rectangle, `[left, top, right, bottom]`. */
  *pixels([left, top, right, bottom]) {
    for (let y = Math.ceil(top); y < bottom; y += 1) for (let x = Math.ceil(left); x < right; x += 1) yield this.at(x, y);
  }

  /** Share of a rectangle's pixels that look like `color`. */
  share(rect, color, tolerance) {
    let hits = 0;
    let all = 0;
    const known = new Map();
    for (const pixel of this.pixels(rect)) {
      const key = (pixel[0] << 16) | (pixel[1] << 8) | pixel[2];
      if (!known.has(key)) known.set(key, deltaE(pixel, color) <= tolerance);
      hits += known.get(key) ? 1 : 0;
      all += 1;
    }
    return all === 0 ? 0 : hits / all;
  }

  /** How many different colours a rectangle holds, each channel cut to 32 steps so that a gradient does not count as a picture. */
  variety(rect) {
    const seen = new Set();
    for (const [r, g, b] of this.pixels(rect)) seen.add(((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3));
    return seen.size;
  }

  /** Share of a rectangle's pixels that differ visibly from those of another picture. */
  changed(rect, other) {
    let hits = 0;
    let all = 0;
    const [left, top, right, bottom] = rect;
    for (let y = Math.ceil(top); y < bottom; y += 1) {
      for (let x = Math.ceil(left); x < right; x += 1) {
        hits += deltaE(this.at(x, y), other.at(x, y)) > 3 ? 1 : 0;
        all += 1;
      }
    }
    return all === 0 ? 0 : hits / all;
  }
}
