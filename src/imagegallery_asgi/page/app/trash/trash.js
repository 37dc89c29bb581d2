/** The trash: what is in it, how long it stays, and the ways out. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { batch, signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { changed } from "../changes/changes.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import { askAndDelete, trashActions } from "../selection/actions.js";
import "../selection/bar.js";
import { choose } from "../selection/gestures.js";
import { placeByKey, places } from "../selection/ranges.js";
import { selection } from "../selection/selection.js";
import { daysLeft } from "./days.js";

const t = await messages("trash");
await style(import.meta.url, "./trash.css");

const PAGE = 100;
/** So few days left are told apart. */
const SOON = 3;

export default class Trash extends Element {
  static tag = "ig-trash";

  images = signal(/** @type {any[]} */ ([]));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  cursor = signal(/** @type {string | null} */ (null));
  focused = signal(0);
  isEmptying = signal(false);
  #pass = 0;
  /** @type {Promise<void> | null} */
  #reading = null;
  /** @type {AbortSignal | undefined} */
  #ended;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    const on = { signal: ended };
    changed.addEventListener("trash-changed", this.#follow, on);
    changed.addEventListener("everything-changed", () => void this.#reload(), on);
    choose(this, { between: this.#between, all: this.#all }, ended);
    ended.addEventListener("abort", () => selection.clear());
    void this.#reload();
  }

  render() {
    const images = this.images.value;
    const state = this.state.value;
    return html`<div class="view">
        <header class="view-head">
          <div>
            <h1 tabindex="-1">${t("title")}</h1>
            <p class="soft">${t("text")}</p>
          </div>
          ${images.length > 0 &&
          html`<button class="button danger" type="button" ?disabled=${this.isEmptying.value} @click=${() => this.#empty()}>
            ${icon("trash")}${t("empty")}
          </button>`}
        </header>
        ${state === "failed" ? failed(this.error.value, () => this.#reload(), { title: t("failed") }) : state === "loading" ? loading() : images.length ? this.#list(images) : nothing()}
      </div>
      <ig-selection-bar .actions=${trashActions()} .all=${async () => selection.extend(await this.#all())}></ig-selection-bar>`;
  }

  /** @param {any[]} images */
  #list(images) {
    const now = Date.now();
    const focused = Math.min(this.focused.value, images.length - 1);
    return html`<ul class="trashed" role="list" @keydown=${this.#key} @focusin=${this.#focus}>
        ${each(
          images,
          (image) => image.id,
          (image, index) => this.#cell(image, index, index === focused, now),
        )}
      </ul>
      ${this.cursor.value !== null && html`<div class="more" ref=${(/** @type {HTMLElement} */ end) => this.#watch(end)}></div>`}`;
  }

  /**
   * @param {any} image
   * @param {number} index
   * @param {boolean} isFocused
   * @param {number} now
   */
  #cell(image, index, isFocused, now) {
    const isChosen = selection.has(image.id);
    const days = daysLeft(image.purge_at, now);
    const name = image.alt_text || image.filename;
    return html`<li class=${isChosen ? "chosen" : ""} data-id=${image.id} data-index=${index}>
      <button
        type="button"
        class="picture"
        tabindex=${isFocused ? "0" : "-1"}
        aria-pressed=${String(isChosen)}
        aria-label=${t("image", { name })}
        data-select
      >
        ${image.src
          ? html`<img src=${image.src} srcset=${image.srcSet} sizes="12rem" alt="" loading="lazy" decoding="async" />`
          : icon("image")}
        <span class="mark">${icon("check")}</span>
      </button>
      <p class="days small ${days <= SOON ? "soon" : "soft"}" title=${formatDate(image.purge_at)}>${t("days", { count: days })}</p>
    </li>`;
  }

  async #reload() {
    this.#pass += 1;
    this.#reading = null;
    await this.#read(true);
  }

  /** The next page, or the first. @param {boolean} [isFirst] */
  #read(isFirst = false) {
    this.#reading ??= this.#readPage(isFirst, this.#pass).finally(() => (this.#reading = null));
    return this.#reading;
  }

  /**
   * @param {boolean} isFirst
   * @param {number} pass
   */
  async #readPage(isFirst, pass) {
    try {
      const query = { trashed: true, limit: PAGE, cursor: isFirst ? null : this.cursor.value };
      const { data, pagination } = await api.get("/images", { query, signal: this.#ended });
      if (pass !== this.#pass) return;
      const known = isFirst ? [] : this.images.value;
      const ids = new Set(known.map(({ id }) => id));
      batch(() => {
        this.images.value = [...known, ...data.filter((/** @type {any} */ image) => !ids.has(image.id))];
        this.cursor.value = pagination.nextCursor;
        this.state.value = "ready";
      });
    } catch (error) {
      if (pass !== this.#pass || this.#ended?.aborted) return;
      if (!isFirst) throw error;
      this.error.value = error;
      this.state.value = "failed";
    }
  }

  /** @param {HTMLElement} end Read on when it comes near. */
  #watch(end) {
    const observer = new IntersectionObserver(
      async (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        await this.#read().catch((error) => toast(sentence(error), { kind: "error" }));
        observer.unobserve(end);
        if (end.isConnected) observer.observe(end);
      },
      { rootMargin: "800px" },
    );
    observer.observe(end);
    this.#ended?.addEventListener("abort", () => observer.disconnect());
  }

  #follow = (/** @type {Event} */ event) => {
    const { gone, arrived } = /** @type {CustomEvent} */ (event).detail;
    if (gone) {
      const left = new Set(gone);
      selection.leave(gone);
      this.images.value = this.images.value.filter(({ id }) => !left.has(id));
      if (!this.images.value.length && this.cursor.value !== null) void this.#reload();
    }
    // Where they come in, and until when they stay, the service says.
    if (arrived) void this.#reload();
  };

  #between = async (/** @type {string} */ from, /** @type {string} */ to) => {
    const ids = this.images.value.map(({ id }) => id);
    const [start, end] = [ids.indexOf(from), ids.indexOf(to)];
    return start < 0 || end < 0 ? [to] : places(start, end).map((at) => ids[at]);
  };

  /** The ids of all of it, read to its end. */
  #all = async () => {
    try {
      while (this.cursor.value !== null) await this.#read();
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
    return this.images.value.map(({ id }) => id);
  };

  #key = (/** @type {KeyboardEvent} */ event) => {
    const cells = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("li[data-index]")]);
    const at = cells.findIndex((cell) => cell.contains(document.activeElement));
    const top = cells[0]?.offsetTop;
    const columns = Math.max(1, cells.findIndex((cell) => cell.offsetTop !== top)) || cells.length;
    const { length: count } = cells;
    const next = placeByKey(event.key, at, { count, columns: columns > 0 ? columns : count, isRightToLeft: isRightToLeft() });
    if (next === null || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.focused.value = next;
    cells[next]?.querySelector("button")?.focus();
  };

  #focus = (/** @type {FocusEvent} */ event) => {
    const cell = /** @type {HTMLElement | null} */ (/** @type {globalThis.Element} */ (event.target).closest("li[data-index]"));
    if (cell) this.focused.value = Number(cell.dataset.index);
  };

  async #empty() {
    this.isEmptying.value = true;
    try {
      const ids = await this.#all();
      if (ids.length) await askAndDelete(ids);
    } finally {
      this.isEmptying.value = false;
    }
  }
}

const loading = () => html`<ul class="trashed" role="list" aria-busy="true" aria-label=${t("loading")}>
  ${Array.from({ length: 12 }, () => html`<li><span class="picture"></span></li>`)}
</ul>`;

const nothing = () => html`<ig-empty .icon=${"trash"} .title=${t("nothing.title")} .text=${t("nothing.text")}></ig-empty>`;

define(Trash);
