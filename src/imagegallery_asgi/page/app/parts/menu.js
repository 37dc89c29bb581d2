/** A button with a menu (ARIA Authoring Practices, "Menu Button"): arrows move, Escape closes, letters search. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { signal } from "../core/signal.js";
import { icon } from "./icon.js";

/**
 * @typedef {{label: string, icon?: keyof typeof import("./icon.js").ICONS, run?: () => unknown, href?: string,
 *   danger?: boolean}} Item
 */

export class Menu extends Element {
  static tag = "ig-menu";

  /** @type {import("../core/signal.js").Signal<(Item | null | false)[]>} */
  items = signal(/** @type {(Item | null | false)[]} */ ([]));
  label = signal("");
  icon = signal(/** @type {keyof typeof import("./icon.js").ICONS} */ ("more"));
  /** Words on the button; without them it is an icon. */
  text = signal("");

  render() {
    const items = /** @type {Item[]} */ (this.items.value.filter(Boolean));
    return html`
      <button
        class="button quiet ${this.text.value ? "" : "icon"}"
        type="button"
        aria-haspopup="menu"
        aria-expanded="false"
        aria-label=${this.label.value || null}
        @click=${() => this.#toggle()}
        @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === "ArrowDown" && this.#toggle()}
      >
        ${icon(this.icon.value)}${this.text.value}
      </button>
      <div popover role="menu" aria-label=${this.label.value || this.text.value} @keydown=${this.#move} @toggle=${this.#told}>
        ${items.map((item) =>
          item.href
            ? html`<a role="menuitem" tabindex="-1" class=${item.danger ? "danger" : ""} href=${item.href} @click=${() => this.#close()}
                >${item.icon ? icon(item.icon) : null}<span dir="auto">${item.label}</span></a
              >`
            : html`<button role="menuitem" tabindex="-1" type="button" class=${item.danger ? "danger" : ""} @click=${() => this.#run(item)}>
                ${item.icon ? icon(item.icon) : null}<span dir="auto">${item.label}</span>
              </button>`,
        )}
      </div>
    `;
  }

  get #button() {
    return /** @type {HTMLElement} */ (this.querySelector("button"));
  }

  get #list() {
    return /** @type {HTMLElement} */ (this.querySelector("[popover]"));
  }

  get #entries() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("[role=menuitem]")]);
  }

  #toggle() {
    this.#list.togglePopover();
    if (!this.#list.matches(":popover-open")) return;
    this.#place();
    this.#entries[0]?.focus();
  }

  /** Below the button, or above where there is no room; within the window. */
  #place() {
    const button = this.#button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#list;
    const isRight = getComputedStyle(this).direction === "rtl" ? button.left + width > innerWidth - 8 : button.right - width > 8;
    const left = isRight ? button.right - width : button.left;
    const below = button.bottom + 4;
    const top = below + height < innerHeight - 8 ? below : Math.max(8, button.top - height - 4);
    this.#list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    this.#list.style.top = `${top}px`;
  }

  #told = (/** @type {Event} */ event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
    this.#button.setAttribute("aria-expanded", String(isOpen));
  };

  #close() {
    this.#list.hidePopover();
    this.#button.focus();
  }

  /** @param {Item} item */
  #run(item) {
    this.#close();
    item.run?.();
  }

  #move = (/** @type {Event} */ event) => {
    const { key } = /** @type {KeyboardEvent} */ (event);
    const entries = this.#entries;
    const index = entries.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const last = entries.length - 1;
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: index === last ? 0 : index + 1, ArrowUp: index <= 0 ? last : index - 1, Home: 0, End: last };
    const letter = key.length === 1 ? key.toLowerCase() : null;
    const found = letter === null ? -1 : entries.findIndex((one, at) => at > index && one.innerText.trim().toLowerCase().startsWith(letter));
    const next = steps[key] ?? (found >= 0 ? found : undefined);
    if (next !== undefined) {
      event.preventDefault();
      entries[next]?.focus();
    } else if (key === "Tab") this.#list.hidePopover();
  };
}

define(Menu);
