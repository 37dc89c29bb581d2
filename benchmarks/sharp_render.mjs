// The plain code for six variants: one pipeline for each, all at once. Prints seconds, processor seconds and peak memory as JSON.
// Usage: node sharp_render.mjs DIRECTORY_WITH_NODE_MODULES PHOTO OUT
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [home, photo, out] = process.argv.slice(2);
const sharp = createRequire(join(resolve(home), "package.json"))("sharp");

const started = performance.now();
const buffer = readFileSync(photo);
const inside = (side) => sharp(buffer).rotate().resize(side, side, { fit: "inside", withoutEnlargement: true });
const variants = {
  "thumbnail.webp": sharp(buffer).rotate().resize(80, 80, { fit: "cover" }).webp({ quality: 70 }),
  "small.webp": inside(300).webp({ quality: 75 }),
  "medium.webp": inside(800).webp({ quality: 80 }),
  "large.webp": inside(1920).webp({ quality: 85 }),
  "medium.avif": inside(800).avif({ quality: 65 }),
  "large.avif": inside(1920).avif({ quality: 70 }),
};
await Promise.all(
  Object.entries(variants).map(async ([name, pipeline]) => writeFileSync(join(out, name), await pipeline.toBuffer())),
);
const seconds = (performance.now() - started) / 1000;
const versions = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, node ${process.version}`;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ seconds, cpu: (userCPUTime + systemCPUTime) / 1e6, peak: maxRSS * 1024, versions }));
