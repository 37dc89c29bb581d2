/** How far something is. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { signal } from "../core/signal.js";

export class Progress extends Element {
  static tag = "ig-progress";

  /** From 0 to 1; null where it is not known. */
  value = signal(/** @type {number | null} */ (null));
  label = signal("");

  render() {
    const value = this.value.value;
    this.setAttribute("role", "progressbar");
    this.setAttribute("aria-label", this.label.value);
    this.classList.toggle("unknown", value === null);
    if (value === null) this.removeAttribute("aria-valuenow");
    else this.setAttribute("aria-valuenow", String(Math.round(value * 100)));
    return html`<div style=${{ scale: value === null ? null : `${value} 1` }}></div>`;
  }
}

define(Progress);
