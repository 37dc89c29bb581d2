/**
 * What an uploader weighs, in bytes as gzip sends them: the page's own as it is shipped and as esbuild minifies it, beside
 * Uppy with what it needs for the same (a panel, tus, a queue that outlives the page) and tus-js-client alone.
 *
 * `npm install && node measure.mjs` in this folder, or in a copy of it: `node measure.mjs FOLDER_OF_THE_PAGE'S_APP`.
 */
import { build } from "esbuild";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const app = process.argv[2] ?? new URL("../../src/imagegallery_asgi/page/app", import.meta.url).pathname;
const size = (/** @type {Uint8Array | string} */ data) => gzipSync(data, { level: 9 }).length;

/** Minified into one file; `external` is not counted. */
async function bundled(code, external = []) {
  const made = await build({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    outdir: "out",
    external,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return made.outputFiles.reduce((sum, file) => sum + size(file.contents), 0);
}

/** Files as they are shipped, each by itself. */
async function shipped(folder, names) {
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.reduce((sum, file) => sum + size(file), 0);
}

const folder = join(app, "upload");
const names = (await readdir(folder)).filter((name) => name.endsWith(".js"));
const first = ["entry.js", "button.js", "target.js"];
const entry = names.map((name) => `import ${JSON.stringify(join(folder, name))}`).join("\n");
const client = `export { carry } from ${JSON.stringify(join(folder, "protocol.js"))}; export { request } from ${JSON.stringify(join(folder, "request.js"))}`;
const uppy = `import Uppy from "@uppy/core"; import Dashboard from "@uppy/dashboard"; import Tus from "@uppy/tus";
import GoldenRetriever from "@uppy/golden-retriever"; import "@uppy/core/css/style.min.css"; import "@uppy/dashboard/css/style.min.css";
new Uppy().use(Dashboard).use(Tus, { endpoint: "/" }).use(GoldenRetriever);`;

console.table({
  "ours: all of upload/, as shipped": await shipped(folder, [...names, "upload.css"]),
  "ours: of it at the first view": await shipped(folder, first),
  "ours: the same minified, without the page's core": await bundled(entry, ["../core/*", "../parts/*"]),
  "ours: client alone, as shipped": await shipped(folder, ["protocol.js", "request.js"]),
  "ours: client alone, minified": await bundled(client),
  "Uppy: core, Dashboard, Tus, GoldenRetriever, styles": await bundled(uppy),
  "tus-js-client alone": await bundled('import { Upload } from "tus-js-client"; console.log(Upload)'),
});
