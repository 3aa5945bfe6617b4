// What a team would write in a day: the same GLB in plain three.js, one Mesh per node, MeshStandardMaterial, recoloured
// once a second for the same twins. No post-processing, no shadows, no merging: the fair and usual starting point.
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

const COLORS = { unknown: 0x6b717a, maintenance: 0x4286ea, out_of_specification: 0xfaf136, function_check: 0xdf8716, failure: 0xc71a48 };

const renderer = new THREE.WebGLRenderer({ antialias: true });
renderer.setPixelRatio(1);
document.body.append(renderer.domElement);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0x14171c);
scene.add(new THREE.HemisphereLight(0xd6dde6, 0x5a5e63, 1.6));
const key = new THREE.DirectionalLight(0xffffff, 1.6);
key.position.set(0.45, 0.78, 0.35);
scene.add(key);
const camera = new THREE.PerspectiveCamera((0.72 * 180) / Math.PI, 1, 0.1, 10_000);

const parts = new Map();
const { scene: hall } = await new GLTFLoader().loadAsync("/hall.glb");
scene.add(hall);
hall.updateMatrixWorld(true);

/** Meshes by twin: a node whose name is a twin's id owns everything below it. */
function bind(ids) {
  parts.clear();
  const wanted = new Set(ids);
  const walk = (object, twin) => {
    const name = object.userData.name ?? object.name;
    const own = wanted.has(name) ? name : twin;
    if (object.isMesh && own) {
      if (!parts.has(own)) parts.set(own, []);
      object.userData.own ??= object.material;
      parts.get(own).push(object);
    }
    for (const child of object.children) walk(child, own);
  };
  walk(hall, null);
  return parts.size;
}

/** Gives every part of a twin its status colour; materials are shared per colour, as a sensible page would. */
const tinted = new Map();
function recolor(statuses) {
  for (const [twin, meshes] of parts) {
    const color = COLORS[statuses[twin]];
    for (const mesh of meshes) {
      if (color === undefined) { mesh.material = mesh.userData.own; continue; }
      if (!tinted.has(color)) tinted.set(color, new THREE.MeshStandardMaterial({ color, roughness: 0.7, metalness: 0 }));
      mesh.material = tinted.get(color);
    }
  }
}

/**
 * Draws `seconds` long with the camera going round; answers the time between frames in milliseconds. The browser holds
 * animation frames back while pictures wait, so over seconds this is the whole time of a frame, as in Orrery's figure.
 */
function measure({ width, height, seconds, pose, statuses }) {
  renderer.setSize(width, height);
  camera.aspect = width / height;
  camera.updateProjectionMatrix();
  const times = [];
  let last = null, recolored = -1, start = null;
  return new Promise((done) => {
    const draw = (now) => {
      start ??= now;
      if (last !== null) times.push(now - last);
      last = now;
      const t = (now - start) / 1000;
      if (Math.floor(t) !== recolored) {
        recolored = Math.floor(t);
        recolor(statuses[recolored % statuses.length]);
      }
      const [x, y, z, yaw, pitch, distance] = pose;
      const turn = yaw + t * 0.05;
      camera.position.set(x + Math.sin(turn) * Math.cos(pitch) * distance, y + Math.sin(pitch) * distance, z + Math.cos(turn) * Math.cos(pitch) * distance);
      camera.lookAt(x, y, z);
      renderer.render(scene, camera);
      if (t < seconds) requestAnimationFrame(draw); else done({ times, calls: renderer.info.render.calls, triangles: renderer.info.render.triangles });
    };
    requestAnimationFrame(draw);
  });
}

/** Draws the hall once and waits for its pixels; milliseconds since the page was asked for. */
function show(width, height, pose) {
  renderer.setSize(width, height);
  camera.aspect = width / height;
  camera.updateProjectionMatrix();
  const [x, y, z, yaw, pitch, distance] = pose;
  camera.position.set(x + distance * Math.cos(pitch) * Math.sin(yaw), y + distance * Math.sin(pitch), z + distance * Math.cos(pitch) * Math.cos(yaw));
  camera.lookAt(x, y, z);
  renderer.render(scene, camera);
  const gl = renderer.getContext();
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now();
}

window.peer = { bind, show, measure, revision: THREE.REVISION };
