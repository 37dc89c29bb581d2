/** Short notes at the edge of the page: what was done, with a way back, or what went wrong. */
import { each, html } from "../core/html.js";
import { Element, define } from "../core/element.js";
import { messages } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { icon } from "./icon.js";

/**
 * @typedef {{id: number, text: string, kind: "info" | "error", action: {label: string, run: () => unknown} | null}} Toast
 */

const t = await messages("core");
const SHOWN = 3;
/** Long enough to read it and to reach the button (WCAG 2.2, 2.2.1: it stays while one points at it). */
const MILLISECONDS = { info: 7000, error: 14000 };

const toasts = signal(/** @type {Toast[]} */ ([]));
let count = 0;

/**
 * @param {string} text
 * @param {{kind?: "info" | "error", action?: {label: string, run: () => unknown}}} [options]
 * @returns {() => void} Takes it away.
 */
export function toast(text, { kind = "info", action } = {}) {
  const id = (count += 1);
  toasts.value = [...toasts.value, { id, text, kind, action: action ?? null }].slice(-SHOWN);
  return () => dismiss(id);
}

/** @param {number} id */
function dismiss(id) {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

class Toasts extends Element {
  static tag = "ig-toasts";

  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.setAttribute("role", "status");
    this.setAttribute("aria-live", "polite");
    for (const type of ["pointerenter", "focusin"]) this.addEventListener(type, () => this.#hold(), { signal: ended });
    for (const type of ["pointerleave", "focusout"]) this.addEventListener(type, () => this.#time(), { signal: ended });
  }

  render() {
    this.#time(toasts.value);
    return html`${each(
      toasts.value,
      (one) => one.id,
      (one) => html`<div class="toast ${one.kind}">
        <span dir="auto">${one.text}</span>
        ${one.action &&
        html`<button class="button" type="button" @click=${() => this.#act(one)}>${one.action.label}</button>`}
        <button class="button icon" type="button" aria-label=${t("dismiss")} @click=${() => dismiss(one.id)}>
          ${icon("close")}
        </button>
      </div>`,
    )}`;
  }

  /** @param {Toast} one */
  #act(one) {
    dismiss(one.id);
    one.action?.run();
  }

  #hold() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** @param {Toast[]} shown */
  #time(shown = toasts.value) {
    for (const { id, kind } of shown)
      if (!this.#timers.has(id))
        this.#timers.set(id, setTimeout(() => (this.#timers.delete(id), dismiss(id)), MILLISECONDS[kind]));
  }
}

define(Toasts);
