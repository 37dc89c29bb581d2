/** The small picture that stands for what is shared. */
import { html } from "../core/html.js";
import { icon } from "../parts/icon.js";

/**
 * @param {any} image A summary, or nothing.
 * @param {keyof typeof import("../parts/icon.js").ICONS} [otherwise]
 */
export const cover = (image, otherwise = "image") =>
  image?.src
    ? html`<img class="thumb" src=${image.src} srcset=${image.srcSet || null} sizes="5rem" alt="" loading="lazy" />`
    : html`<span class="thumb blank">${icon(otherwise)}</span>`;
