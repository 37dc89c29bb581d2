/** What is over the page while files are dragged: where they go. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import { shown } from "./names.js";
import { target } from "./target.js";

const t = await messages("upload");
await style(import.meta.url, "./upload.css");

class DropZone extends Element {
  static tag = "ig-drop-zone";

  /** @param {AbortSignal} ended */
  connected(ended) {
    const options = { signal: ended };
    addEventListener("dragleave", (event) => event.relatedTarget === null && this.remove(), options);
    for (const type of ["drop", "dragend", "pointermove", "keydown"]) addEventListener(type, () => this.remove(), options);
  }

  render() {
    const name = target.value?.name;
    return html`<div>
      ${icon("upload")}
      <p dir="auto">${name ? t("drop-into", { name: shown(name) }) : t("drop")}</p>
      <p class="soft small">${t("drop-kinds")}</p>
    </div>`;
  }
}

define(DropZone);

export function showDropZone() {
  if (document.querySelector("ig-drop-zone") === null) document.body.append(document.createElement("ig-drop-zone"));
}
