/** How another page shows a public gallery or a link: a frame, with a look at it, and the address of its feed. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { embedAddress, embedCode } from "./embed.js";
import { copy } from "./told-link.js";

/** @typedef {{gallery: string} | {link: string}} Thing */

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

const SIZES = /** @type {const} */ ([[480, 360], [800, 600], [1200, 800]]);

/**
 * @param {Thing} thing A gallery that everybody may see, or a link without password and limit.
 * @param {string} name
 */
export function openEmbedDialog(thing, name) {
  const label = t("embed.title", { name });
  openDialog(
    (/** @type {(answer?: string) => void} */ close) =>
      html`<h2 dir="auto">${label}</h2>
        <ig-embed .thing=${thing} .name=${name}></ig-embed>
        <div class="actions"><button class="button" type="button" @click=${() => close("")}>${t("done")}</button></div>`,
    { label, kind: "wide" },
  );
}

class Embed extends Element {
  static tag = "ig-embed";

  thing = signal(/** @type {Thing | null} */ (null));
  name = signal("");
  #size = signal(1);

  render() {
    const thing = this.thing.value;
    if (!thing) return undefined;
    const origin = location.origin + session.root;
    const [width, height] = SIZES[this.#size.value] ?? SIZES[1];
    const address = embedAddress(origin, thing);
    const code = embedCode({ address, title: this.name.value, width, height });
    return html`<div class="stack">
      <label class="field">
        <span>${t("embed.size")}</span>
        <select @change=${(/** @type {any} */ event) => (this.#size.value = Number(event.target.value))}>
          ${SIZES.map(([wide, high], at) => html`<option value=${at} ?selected=${at === this.#size.value}>${`${wide} × ${high}`}</option>`)}
        </select>
      </label>
      <label class="field">
        <span>${t("embed.code")}</span>
        <textarea class="code" readonly rows="4" dir="ltr" spellcheck="false" .value=${code} @focus=${(/** @type {any} */ event) => event.target.select()}></textarea>
      </label>
      <div class="row">
        <button class="button primary" type="button" autofocus @click=${() => copy(code, t("copied"))}>${icon("copy")}${t("copy")}</button>
      </div>
      <figure class="preview">
        <figcaption class="small soft">${t("embed.preview")}</figcaption>
        <iframe src=${address} title=${this.name.value} loading="lazy" style=${{ "aspect-ratio": `${width} / ${height}` }}></iframe>
      </figure>
      ${"gallery" in thing ? this.#feed(`${origin}/api/v1/galleries/${thing.gallery}/feed.atom`) : null}
    </div>`;
  }

  /** @param {string} address */
  #feed(address) {
    return html`<div class="field">
      <label for="feed-address">${t("embed.feed")}</label>
      <div class="row nowrap">
        <input id="feed-address" readonly dir="ltr" .value=${address} @focus=${(/** @type {any} */ event) => event.target.select()} />
        <button class="button icon" type="button" aria-label=${t("copy")} @click=${() => copy(address, t("copied"))}>${icon("copy")}</button>
      </div>
    </div>`;
  }
}

define(Embed);
