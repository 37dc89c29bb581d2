/**
 * What others' uploaders weigh, minified by esbuild into one file, in bytes as gzip sends them:
 * `node bundle.mjs '{"client": "code", "all": "code"}'`, of which the latter imports all of the page's
 * own uploader; not counted is what other views have loaded before.
 */
import { build } from "esbuild";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const { client, all } = JSON.parse(process.argv[2]);
const UPPY = `import Uppy from "@uppy/core"; import Dashboard from "@uppy/dashboard"; import Tus from "@uppy/tus";
import GoldenRetriever from "@uppy/golden-retriever";
import "@uppy/core/css/style.min.css"; import "@uppy/dashboard/css/style.min.css";
new Uppy().use(Dashboard).use(Tus, { endpoint: "/" }).use(GoldenRetriever);`;

async function weigh(code, external = []) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: dirname(fileURLToPath(import.meta.url)) },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    outdir: "out",
    external,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}

console.log(
  JSON.stringify({
    "the page's, minified": await weigh(all, ["../core/*", "../parts/*"]),
    "its client alone, minified": await weigh(client),
    "Uppy: core, Dashboard, Tus, GoldenRetriever and styles, minified": await weigh(UPPY),
    "tus-js-client alone, minified": await weigh('import { Upload } from "tus-js-client"; console.log(Upload)'),
  }),
);
