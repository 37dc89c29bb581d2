/** What can be done with the chosen images: a bar above the page while there are some. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";
import { selection } from "./selection.js";

const t = await messages("selection");
await style(import.meta.url, "./bar.css");

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {keyof typeof import("../parts/icon.js").ICONS} icon
 * @property {(ids: string[]) => unknown} run
 * @property {boolean} [danger]
 * @property {boolean} [first] On the bar itself; the others are in its menu.
 * @property {boolean} [stays] The choice stays after it.
 */

export class SelectionBar extends Element {
  static tag = "ig-selection-bar";

  actions = signal(/** @type {Action[]} */ ([]));
  /** Chooses all there are; left out where that cannot be. */
  all = signal(/** @type {(() => unknown) | null} */ (null));

  render() {
    const count = selection.count.value;
    this.hidden = count === 0;
    document.documentElement.classList.toggle("is-choosing", count > 0);
    if (!count) return html``;
    const actions = this.actions.value;
    return html`<div class="bar" role="toolbar" aria-label=${t("bar")}>
      <button class="button quiet icon" type="button" aria-label=${t("clear")} title=${t("clear")} @click=${() => selection.clear()}>
        ${icon("close")}
      </button>
      <strong class="number" role="status">${t("chosen", { count })}</strong>
      ${this.all.value && html`<button class="button quiet" type="button" @click=${this.all.value}>${t("all")}</button>`}
      <span class="gap"></span>
      ${actions
        .filter((action) => action.first)
        .map(
          (action) =>
            html`<button
              class="button quiet ${action.danger ? "danger" : ""}"
              type="button"
              title=${action.label}
              aria-label=${action.label}
              @click=${() => this.#run(action)}
            >
              ${icon(action.icon)}<span class="words">${action.label}</span>
            </button>`,
        )}
      ${actions.some((action) => !action.first) &&
      html`<ig-menu
        .label=${t("more")}
        .items=${actions.filter((action) => !action.first).map((action) => ({ ...action, run: () => this.#run(action) }))}
      ></ig-menu>`}
    </div>`;
  }

  /** @param {Action} action */
  #run(action) {
    const ids = [...selection.chosen.value];
    if (!action.stays) selection.clear();
    action.run(ids);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.documentElement.classList.remove("is-choosing");
  }
}

define(SelectionBar);
