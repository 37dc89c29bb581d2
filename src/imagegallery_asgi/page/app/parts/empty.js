/** A view that has nothing to show: why, and what to do. Errors and being offline are such states, too. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { signal } from "../core/signal.js";
import { icon } from "./icon.js";

export class Empty extends Element {
  static tag = "ig-empty";

  icon = signal(/** @type {keyof typeof import("./icon.js").ICONS} */ ("image"));
  title = /** @type {any} */ (signal(""));
  /** Of its heading: 1 where it is the whole view. */
  level = signal(2);
  text = signal("");
  /** Buttons and links. */
  actions = signal(/** @type {unknown} */ (null));

  render() {
    return html`
      ${icon(this.icon.value)}
      <h2 aria-level=${this.level.value}>${this.title.value}</h2>
      <p dir="auto">${this.text.value}</p>
      ${this.actions.value}
    `;
  }
}

define(Empty);
