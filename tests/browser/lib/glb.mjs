// A GLB of plain cubes, made here so that the suite owns a scene whose every pixel it can predict.

/** Eight corners would share normals; faces are flat, so each has its own four. */
const FACES = [
  { n: [1, 0, 0], u: [0, 1, 0], v: [0, 0, 1] },
  { n: [-1, 0, 0], u: [0, 0, 1], v: [0, 1, 0] },
  { n: [0, 1, 0], u: [0, 0, 1], v: [1, 0, 0] },
  { n: [0, -1, 0], u: [1, 0, 0], v: [0, 0, 1] },
  { n: [0, 0, 1], u: [1, 0, 0], v: [0, 1, 0] },
  { n: [0, 0, -1], u: [0, 1, 0], v: [1, 0, 0] },
];

function cube() {
  const positions = [], normals = [], indices = [];
  for (const { n, u, v } of FACES) {
    const first = positions.length / 3;
    for (const [a, b] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
      for (let axis = 0; axis < 3; axis += 1) {
        positions.push(n[axis] + a * u[axis] + b * v[axis]);
        normals.push(n[axis]);
      }
    }
    indices.push(first, first + 1, first + 2, first, first + 2, first + 3);
  }
  return { positions, normals, indices };
}

/** Bytes of a GLB with one cube, two metres wide, per `{ name, at: [x, y, z] }`. */
export function cubesGlb(nodes) {
  const { positions, normals, indices } = cube();
  const views = [new Float32Array(positions), new Float32Array(normals), new Uint16Array(indices)].map((a) => Buffer.from(a.buffer));
  const binary = Buffer.concat(views);
  let offset = 0;
  const bufferViews = views.map((view, at) => {
    const described = { buffer: 0, byteOffset: offset, byteLength: view.length, target: at === 2 ? 34963 : 34962 };
    offset += view.length;
    return described;
  });
  const json = {
    asset: { version: "2.0", generator: "orrery browser suite" },
    scene: 0,
    scenes: [{ nodes: nodes.map((_, at) => at) }],
    nodes: nodes.map(({ name, at }) => ({ name, mesh: 0, translation: at })),
    meshes: [{ primitives: [{ attributes: { POSITION: 0, NORMAL: 1 }, indices: 2, material: 0 }] }],
    materials: [{ name: "plain", pbrMetallicRoughness: { baseColorFactor: [0.62, 0.64, 0.67, 1], metallicFactor: 0, roughnessFactor: 0.9 } }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 24, type: "VEC3", min: [-1, -1, -1], max: [1, 1, 1] },
      { bufferView: 1, componentType: 5126, count: 24, type: "VEC3" },
      { bufferView: 2, componentType: 5123, count: 36, type: "SCALAR" },
    ],
    bufferViews,
    buffers: [{ byteLength: binary.length }],
  };
  const chunk = (type, bytes, fill) => {
    const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4, fill)]);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(padded.length, 0);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, padded]);
  };
  const body = Buffer.concat([chunk("JSON", Buffer.from(JSON.stringify(json)), 0x20), chunk("BIN\0", binary, 0)]);
  const head = Buffer.alloc(12);
  head.write("glTF", 0, "latin1");
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12 + body.length, 8);
  return Buffer.concat([head, body]);
}
