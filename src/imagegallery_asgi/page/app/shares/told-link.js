/** The address of a link, which is told once: to copy, to hand on, and as a code for a camera. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

const SVG = "http://www.w3.org/2000/svg";
/** The quiet zone around a code, in modules. */
const QUIET = 4;

export class ToldLink extends Element {
  static tag = "ig-told-link";

  address = signal("");
  title = /** @type {any} */ (signal(""));
  /** Whether it can be looked at again later: by its name, and not by its token. */
  isKept = signal(false);
  /** Whether it opens in frames of other pages: without a password and without a limit. */
  isOpen = signal(false);
  #code = signal(/** @type {SVGElement | null} */ (null));

  async connected() {
    const { qrCode, qrPath } = await import("./qr.js");
    const modules = qrCode(this.address.value);
    if (modules) this.#code.value = drawn(qrPath(modules), modules.length, t("qr"));
  }

  render() {
    const address = this.address.value;
    return html`
      <div class="told">
        <div class="stack">
          <p class="soft">${t(this.isKept.value ? "told.named" : "told.once")}</p>
          <label class="field">
            <span>${t("address")}</span>
            <input readonly dir="ltr" .value=${address} @focus=${(/** @type {any} */ event) => event.target.select()} />
          </label>
          <div class="row">
            <button class="button primary" type="button" autofocus @click=${() => copy(address, t("copied"))}>${icon("copy")}${t("copy")}</button>
            ${"share" in navigator
              ? html`<button class="button" type="button" @click=${() => this.#handOn()}>${icon("share")}${t("hand.on")}</button>`
              : null}
            ${this.isOpen.value ? html`<button class="button quiet" type="button" @click=${() => void this.#embed()}>${t("embed.short")}</button>` : null}
            <a class="button quiet" href=${address} target="_blank" rel="noopener">${t("open")}</a>
          </div>
        </div>
        ${this.#code.value ? html`<div class="code">${this.#code.value}</div>` : null}
      </div>
    `;
  }

  async #embed() {
    const { openEmbedDialog } = await import("./embed-dialog.js");
    openEmbedDialog({ link: decodeURIComponent(this.address.value.split("/").at(-1) ?? "") }, this.title.value);
  }

  async #handOn() {
    // Somebody who closes the menu of the system has changed their mind, which is no fault.
    await navigator.share({ title: this.title.value, url: this.address.value }).catch(() => undefined);
  }
}

/**
 * Put a text into the clipboard, and say so; where there is none, it can be selected.
 * @param {string} text
 * @param {string} said
 */
export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast(t("copy.failed"), { kind: "error" });
  }
}

/**
 * @param {string} path
 * @param {number} size
 * @param {string} label
 */
function drawn(path, size, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${-QUIET} ${-QUIET} ${size + 2 * QUIET} ${size + 2 * QUIET}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.setAttribute("shape-rendering", "crispEdges");
  const modules = document.createElementNS(SVG, "path");
  modules.setAttribute("d", path);
  svg.append(modules);
  return svg;
}

define(ToldLink);
