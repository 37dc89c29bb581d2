/** A small picture of a file that is under way: only where the browser makes one cheaply. */
import { html } from "../core/html.js";

const SIZE = 80;
const LARGEST = 12_000_000; // bytes
const KINDS = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"]);
/** @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * @param {import("./queue.js").Item} item
 * @param {(id: string) => Promise<File | undefined>} fileOf
 */
export function thumbnail(item, fileOf) {
  const isCheap = item.size <= LARGEST && KINDS.has(item.type) && item.state !== "refused";
  return html`<canvas
    width=${SIZE}
    height=${SIZE}
    aria-hidden="true"
    ref=${(/** @type {HTMLCanvasElement} */ canvas) => {
      if (isCheap) last = last.then(() => draw(canvas, item.id, fileOf)).catch(() => {}); // one at a time
    }}
  ></canvas>`;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} id
 * @param {(id: string) => Promise<File | undefined>} fileOf
 */
async function draw(canvas, id, fileOf) {
  if (!canvas.isConnected) return;
  const file = await fileOf(id);
  if (file === undefined) return;
  const picture = await createImageBitmap(file, { resizeHeight: SIZE, resizeQuality: "low" });
  canvas.getContext("2d")?.drawImage(picture, (SIZE - picture.width) / 2, 0);
  canvas.classList.add("drawn");
  picture.close();
}
