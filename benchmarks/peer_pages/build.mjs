/**
 * Static pages of others' parts for the same gallery, each as its documentation shows it, minified and split by esbuild:
 * `node build.mjs '{"images": [...], "tus": "http://...", "out": "folder"}'`, with the images as lists of the API have
 * them, and the address that takes uploads by tus.
 */
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { images, tus, out } = JSON.parse(process.argv[2]);
const SIZES = "(max-width: 640px) 50vw, (max-width: 1024px) 33vw, 20vw";

const text = (value) =>
  String(value).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** A picture in rows as high as one another, with its sides, so that nothing jumps, and loaded when it comes near. */
function figure(image) {
  const large = image.variants.filter(({ format }) => format === "webp").at(-1);
  return `<a href="${large.url}" data-pswp-width="${large.width}" data-pswp-height="${large.height}"
    data-pswp-srcset="${text(image.srcSet)}" style="--ratio: ${image.width / image.height}"><img src="${image.src}"
    srcset="${text(image.srcSet)}" sizes="${SIZES}" width="${image.width}" height="${image.height}" loading="lazy"
    alt="${text(image.alt_text)}"></a>`;
}

const page = (title, name, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${name}.css">
<script type="module" src="${name}.js"></script>
<main>${body}</main>
</html>
`;

const STYLE = `body { margin: 1rem; font-family: system-ui, sans-serif; }
#gallery { display: flex; flex-wrap: wrap; gap: 4px; }
#gallery a { flex: var(--ratio) 1 calc(var(--ratio) * 12rem); }
#gallery img { display: block; inline-size: 100%; block-size: auto; }
`;

const PHOTOSWIPE = `import PhotoSwipeLightbox from "photoswipe/lightbox";
import "photoswipe/style.css";
import "./page.css";
new PhotoSwipeLightbox({ gallery: "#gallery", children: "a", pswpModule: () => import("photoswipe") }).init();
`;

const UPPY = `import Uppy from "@uppy/core";
import Dashboard from "@uppy/dashboard";
import Tus from "@uppy/tus";
import "@uppy/core/css/style.min.css";
import "@uppy/dashboard/css/style.min.css";
const uppy = new Uppy()
  .use(Dashboard, { inline: true, target: "#uppy", width: "100%" })
  .use(Tus, { endpoint: ${JSON.stringify(tus)} });
uppy.on("complete", ({ successful }) => (document.body.dataset.uploaded = successful.length));
`;

const work = join(dirname(fileURLToPath(import.meta.url)), "work");
for (const folder of [work, out]) await mkdir(folder, { recursive: true });
await writeFile(join(work, "page.css"), STYLE);
await writeFile(join(work, "photoswipe.js"), PHOTOSWIPE);
await writeFile(join(work, "uppy.js"), UPPY);
await build({
  entryPoints: [join(work, "photoswipe.js"), join(work, "uppy.js")],
  outdir: out,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  define: { "process.env.NODE_ENV": '"production"' },
});
const gallery = `<h1>Gallery</h1><div id="gallery">${images.map(figure).join("\n")}</div>`;
await writeFile(join(out, "photoswipe.html"), page("PhotoSwipe", "photoswipe", gallery));
await writeFile(join(out, "uppy.html"), page("Uppy", "uppy", '<h1>Upload</h1><div id="uppy"></div>'));
console.log(JSON.stringify({ out }));
