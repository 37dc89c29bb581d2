/** Add images of the library to a gallery: the library in a dialog, with what is there already left out of the choice. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { batch, signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { addToGallery } from "../changes/changes.js";
import { openDialog } from "../parts/dialog.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import "../parts/progress.js";
import { placeByKey, places, withRange } from "../selection/ranges.js";

const t = await messages("galleries");
await style(import.meta.url, "./add.css");

const PAGE = 100;

class AddFromLibrary extends Element {
  static tag = "ig-add-from-library";

  gallery = signal(/** @type {any} */ (null));
  images = signal(/** @type {{id: string, src: string | null, alt_text: string, filename: string}[]} */ ([]));
  there = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  chosen = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  state = signal(/** @type {"loading" | "more" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  focused = signal(0);
  done = /** @type {(ids: string[]) => void} */ (() => {});
  /** @type {string | null} */
  #cursor = null;
  /** @type {AbortSignal | undefined} */
  #ended;
  #isReading = false;
  #from = 0;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    void this.#read();
  }

  async #read() {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const query = { fields: "id,src,alt_text,filename", limit: PAGE, cursor: this.#cursor, is_archived: false };
      const { data, pagination } = await api.get("/images", { query, signal: this.#ended });
      const known = await this.#membersOf(data.map((/** @type {any} */ image) => image.id));
      this.#cursor = pagination.nextCursor;
      batch(() => {
        this.images.value = [...this.images.value, ...data];
        this.there.value = new Set([...this.there.value, ...known]);
        this.state.value = this.#cursor === null ? "ready" : "more";
      });
    } catch (error) {
      if (this.#ended?.aborted) return;
      this.error.value = error;
      this.state.value = "failed";
    } finally {
      this.#isReading = false;
    }
  }

  /** @param {string[]} ids */
  async #membersOf(ids) {
    if (!ids.length) return [];
    const query = { ids: ids.join(","), fields: "id", limit: PAGE };
    const { data } = await api.get(`/galleries/${this.gallery.value.id}/images`, { query, signal: this.#ended });
    return data.map((/** @type {any} */ image) => image.id);
  }

  render() {
    const state = this.state.value;
    const images = this.images.value;
    const count = this.chosen.value.size;
    return html`<header>
        <h2>${t("add.title")}</h2>
        <p class="soft small" dir="auto">${this.gallery.value.name}</p>
      </header>
      <div class="library" tabindex="-1">
        ${images.length
          ? html`<ul role="listbox" aria-multiselectable="true" aria-label=${t("add.title")} @keydown=${this.#key} @click=${this.#click}>
              ${each(
                images,
                (image) => image.id,
                (image, index) => this.#cell(image, index),
              )}
            </ul>`
          : null}
        ${state === "failed"
          ? failed(this.error.value, () => this.#again(), { title: t("failed.images") })
          : state === "ready"
            ? !images.length && html`<ig-empty .icon=${"photos"} .title=${t("add.nothing")} .text=${t("add.nothing.text")}></ig-empty>`
            : html`<div ref=${(/** @type {HTMLElement} */ end) => this.#watch(end)}><ig-progress .label=${t("loading")}></ig-progress></div>`}
      </div>
      <div class="actions">
        <button class="button" type="button" @click=${() => this.done([])}>${t("cancel")}</button>
        <button class="button primary" type="button" ?disabled=${!count} @click=${() => this.done(this.#inOrder())}>
          ${count ? t("add.done", { count }) : t("add")}
        </button>
      </div>`;
  }

  /**
   * @param {{id: string, src: string | null, alt_text: string, filename: string}} image
   * @param {number} index
   */
  #cell(image, index) {
    const isThere = this.there.value.has(image.id);
    const isChosen = this.chosen.value.has(image.id);
    return html`<li
      role="option"
      aria-selected=${String(isChosen)}
      aria-disabled=${isThere ? "true" : null}
      aria-label=${isThere ? t("add.there", { name: image.alt_text || image.filename }) : image.alt_text || image.filename}
      tabindex=${index === this.focused.value ? "0" : "-1"}
      data-index=${index}
    >
      ${image.src ? html`<img src=${image.src} alt="" loading="lazy" decoding="async" />` : icon("image")}
      ${isThere ? html`<span class="there small">${t("add.is_there")}</span>` : html`<span class="mark">${icon("check")}</span>`}
    </li>`;
  }

  /** As they are shown, the latest first. */
  #inOrder() {
    return this.images.value.map(({ id }) => id).filter((id) => this.chosen.value.has(id));
  }

  #again() {
    this.state.value = "loading";
    void this.#read();
  }

  /** @param {HTMLElement} end */
  #watch(end) {
    const observer = new IntersectionObserver(
      async (entries) => {
        if (!entries.some((entry) => entry.isIntersecting) || this.state.value !== "more") return;
        await this.#read();
        observer.unobserve(end);
        if (end.isConnected) observer.observe(end);
      },
      { root: this.querySelector(".library"), rootMargin: "600px" },
    );
    observer.observe(end);
    this.#ended?.addEventListener("abort", () => observer.disconnect());
  }

  #click = (/** @type {MouseEvent} */ event) => {
    const cell = event.target instanceof globalThis.Element ? event.target.closest("li") : null;
    if (cell) this.#choose(Number(cell.dataset.index), event.shiftKey);
  };

  #key = (/** @type {KeyboardEvent} */ event) => {
    const at = this.focused.value;
    const cells = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("li[data-index]")]);
    if (event.key === " " || event.key === "x") {
      event.preventDefault();
      return this.#choose(at, event.shiftKey);
    }
    const row = cells.findIndex((cell) => cell.offsetTop !== cells[0]?.offsetTop);
    const next = placeByKey(event.key, at, { count: cells.length, columns: row > 0 ? row : cells.length, isRightToLeft: isRightToLeft() });
    if (next === null) return;
    event.preventDefault();
    if (event.shiftKey) this.#choose(next, true);
    this.focused.value = next;
    cells[next]?.focus();
  };

  /**
   * @param {number} index
   * @param {boolean} isRange
   */
  #choose(index, isRange) {
    const ids = (isRange ? places(this.#from, index) : [index])
      .map((at) => this.images.value[at]?.id ?? "")
      .filter((id) => id && !this.there.value.has(id));
    if (!isRange) this.#from = index;
    this.focused.value = index;
    const [first] = ids;
    if (first === undefined) return;
    this.chosen.value = withRange(this.chosen.value, ids, isRange || !this.chosen.value.has(first));
  }
}

define(AddFromLibrary);

/** @param {{id: string, name: string}} gallery */
export async function addFromLibrary(gallery) {
  /** @type {string[]} */
  let ids = [];
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`<ig-add-from-library
      .gallery=${gallery}
      .done=${(/** @type {string[]} */ chosen) => {
        ids = chosen;
        close();
      }}
    ></ig-add-from-library>`,
    { label: t("add.title"), kind: "ig-add" },
  );
  await closed;
  return ids.length > 0 && (await addToGallery(ids, gallery.id, gallery.name));
}
