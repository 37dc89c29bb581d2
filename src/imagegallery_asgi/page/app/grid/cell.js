/** One picture of a grid: made once, and used again for others that scroll by. */
import { formatDate } from "../core/formats.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { colour, isBlurHash, pixels } from "./blurhash.js";

/** @typedef {import("./pictures.js").Summary} Summary */

/**
 * @typedef {{id: string, ratio: number, blurhash: string | null, taken_at: string}} Item
 * @typedef {{x: number, y: number, width: number, height: number}} Box `x` goes in the direction of reading.
 */

const t = await messages("grid");
/** The size of a placeholder, in pixels: it is only blurs. */
const BLUR = [16, 12];

export class Cell {
  id = "";
  #place = "";
  /** @type {Summary | undefined} */
  #shown = undefined;
  #hash = "";
  #tries = 0;
  #width = 0;
  /** Where it is on the plane. */
  top = 0;

  constructor() {
    this.element = document.createElement("div");
    this.element.className = "cell";
    this.link = document.createElement("a");
    this.image = document.createElement("img");
    this.image.decoding = "async";
    this.image.draggable = false;
    this.image.onload = () => void this.#loaded();
    this.image.onerror = () => this.#failed();
    this.link.append(this.image);
    this.element.append(this.link);
    /** @type {HTMLButtonElement | null} */
    this.mark = null;
    /** @type {HTMLCanvasElement | null} */
    this.canvas = null;
    /** Called when the picture cannot be fetched, which may have had its time. @type {(id: string) => void} */
    this.onfailed = () => {};
  }

  /**
   * Be the cell of an image.
   * @param {Item} item
   * @param {string} path Where it leads.
   * @param {boolean} isSelectable
   */
  take(item, path, isSelectable) {
    this.id = item.id;
    this.item = item;
    this.element.dataset.id = item.id;
    this.element.className = "cell";
    this.element.style.background = colour(item.blurhash) ?? "";
    this.link.href = link(path);
    this.#shown = undefined;
    this.#tries = 0;
    this.#place = "";
    for (const name of ["src", "srcset"]) this.image.removeAttribute(name);
    this.image.alt = this.#name(undefined);
    this.#hash = isBlurHash(item.blurhash) ? /** @type {string} */ (item.blurhash) : "";
    if (!this.#hash) this.#drop();
    this.#markable(isSelectable);
  }

  /**
   * @param {Box} box
   * @param {number} origin What of `y` is the upper edge of the plane.
   */
  put({ x, y, width, height }, origin) {
    const { style } = this.element;
    const top = (y - origin).toFixed(2);
    const place = `${x} ${top} ${width} ${height}`;
    if (place === this.#place) return;
    this.#place = place;
    style.insetInlineStart = `${x}px`;
    style.insetBlockStart = `${top}px`;
    style.inlineSize = `${width}px`;
    style.blockSize = `${height}px`;
    this.top = y - origin;
    this.#width = width;
  }

  /** @param {Summary | undefined} summary What is known of it by now. */
  show(summary) {
    if (!summary || summary === this.#shown) return;
    this.#shown = summary;
    const { image, element } = this;
    image.alt = this.#name(summary);
    element.classList.toggle("favourite", summary.is_favorite);
    element.dataset.state = summary.src ? "" : summary.processing_status;
    this.link.title = summary.src ? "" : t(summary.processing_status === "failed" ? "failed" : "processing");
    if (!summary.src || image.getAttribute("src") === summary.src) return;
    image.sizes = `${Math.ceil(this.#width)}px`;
    image.srcset = summary.srcSet;
    image.src = summary.src;
  }

  /** @param {Summary | undefined} summary */
  #name(summary) {
    const date = formatDate(summary?.taken_at ?? this.item?.taken_at ?? "", { dateStyle: "long" });
    return summary?.alt_text || t("image", { date });
  }

  /** Draw the placeholder, if the picture is still to come. */
  blur() {
    if (!this.#hash || this.element.classList.contains("loaded")) return;
    const [width, height] = /** @type {[number, number]} */ (BLUR);
    if (!this.canvas) {
      this.canvas = document.createElement("canvas");
      [this.canvas.width, this.canvas.height] = [width, height];
      this.link.prepend(this.canvas);
    }
    this.canvas.getContext("2d")?.putImageData(new ImageData(pixels(this.#hash, width, height), width, height), 0, 0);
    this.#hash = "";
  }

  #drop() {
    this.canvas?.remove();
    this.canvas = null;
  }

  async #loaded() {
    const { src } = this.image;
    // What has come is not painted before it is decoded: until then the placeholder stays.
    await this.image.decode().catch(() => {});
    if (this.image.src !== src) return;
    this.element.classList.add("loaded");
    this.element.classList.remove("broken");
    this.#hash = "";
    // Below what is opaque nothing has to be kept; and what is transparent has paper below it.
    this.element.style.background = "";
    setTimeout(() => this.element.classList.contains("loaded") && this.#drop(), 300);
  }

  #failed() {
    if (!this.image.hasAttribute("src")) return;
    this.#tries += 1;
    if (this.#tries > 1) {
      this.element.classList.add("broken");
      return;
    }
    this.#shown = undefined;
    this.image.removeAttribute("src");
    this.image.removeAttribute("srcset");
    this.onfailed(this.id);
  }

  /** @param {boolean} isSelectable */
  #markable(isSelectable) {
    if (isSelectable === (this.mark !== null)) return;
    this.mark?.remove();
    this.mark = null;
    if (!isSelectable) return;
    this.mark = document.createElement("button");
    this.mark.type = "button";
    this.mark.className = "mark";
    this.mark.dataset.select = "";
    this.mark.setAttribute("role", "checkbox");
    this.mark.setAttribute("aria-label", t("choose"));
    this.element.append(this.mark);
  }

  /** @param {boolean} isChosen */
  choose(isChosen) {
    this.element.classList.toggle("chosen", isChosen);
    this.mark?.setAttribute("aria-checked", String(isChosen));
  }

  /** @param {boolean} isCurrent Whether the keys of the grid begin here. */
  reach(isCurrent) {
    const index = isCurrent ? 0 : -1;
    if (this.link.tabIndex !== index) this.link.tabIndex = index;
    if (this.mark && this.mark.tabIndex !== index) this.mark.tabIndex = index;
  }
}
