/** What a view reads from the service, and how that goes: not yet, done, or failed. */
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { failed } from "./failed.js";

const t = await messages("core");

/** @template T */
export class Reading {
  value = signal(/** @type {T | null} */ (null));
  error = signal(/** @type {unknown} */ (null));
  isBusy = signal(false);
  #pass = 0;

  /** @param {() => Promise<T>} read */
  constructor(read) {
    this.read = read;
  }

  /** Read it, or again; what was read last stays until then, and counts where two overlap. */
  again = async () => {
    const pass = (this.#pass += 1);
    this.isBusy.value = true;
    try {
      const value = await this.read();
      if (pass !== this.#pass) return;
      this.value.value = value;
      this.error.value = null;
    } catch (error) {
      if (pass === this.#pass) this.error.value = error;
    } finally {
      if (pass === this.#pass) this.isBusy.value = false;
    }
  };

  /**
   * What is to be seen of it.
   * @param {(value: T) => unknown} draw
   * @param {number} [lines] How many it will be, about.
   */
  shown(draw, lines = 4) {
    const value = this.value.value;
    const error = this.error.value;
    if (value === null) return error === null ? waiting(lines) : failed(error, this.again);
    return html`${error !== null && html`<p class="fault" role="alert">${sentence(error)}</p>`}${draw(value)}`;
  }
}

/**
 * A list by cursor, read on by a button.
 * @template T
 */
export class Listing {
  items = signal(/** @type {T[]} */ ([]));
  cursor = signal(/** @type {string | null} */ (null));
  #first;

  /** @param {(cursor: string | null) => Promise<{data: T[], pagination: {nextCursor: string | null}}>} page */
  constructor(page) {
    this.page = page;
    this.#first = new Reading(async () => {
      const { data, pagination } = await page(null);
      this.items.value = data;
      this.cursor.value = pagination.nextCursor;
      return true;
    });
    this.#next = new Reading(async () => {
      const { data, pagination } = await page(this.cursor.value);
      this.items.value = [...this.items.value, ...data];
      this.cursor.value = pagination.nextCursor;
      return true;
    });
  }
  #next;

  /** Read its beginning, or again. */
  again = () => this.#first.again();

  /**
   * @param {(items: T[]) => unknown} draw
   * @param {number} [lines]
   */
  shown(draw, lines = 6) {
    return this.#first.shown(
      () => html`${draw(this.items.value)}
        ${this.#next.error.value !== null && html`<p class="fault" role="alert">${sentence(this.#next.error.value)}</p>`}
        ${this.cursor.value !== null &&
        html`<button class="button" type="button" ?disabled=${this.#next.isBusy.value} @click=${this.#next.again}>
          ${t("more")}
        </button>`}`,
      lines,
    );
  }
}

/** @param {number} lines */
const waiting = (lines) => html`<div class="waiting" role="status" aria-busy="true">
  <span class="seen-by-readers">${t("loading")}</span>
  ${Array.from({ length: lines }, () => html`<i></i>`)}
</div>`;
