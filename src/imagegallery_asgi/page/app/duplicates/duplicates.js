/** Images that look alike, side by side: keep one, or both. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate, formatNumber } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { changed, change, trash } from "../changes/changes.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import { useKeys } from "../shortcuts/keys.js";
import { better, pairsOf, without } from "./pairs.js";

const t = await messages("duplicates");
await style(import.meta.url, "./duplicates.css");

const PAGE = 20;

/** @typedef {import("./pairs.js").Pair} Pair */

export default class Duplicates extends Element {
  static tag = "ig-duplicates";

  pairs = signal(/** @type {Pair[]} */ ([]));
  /** Which of them is shown. */
  at = signal(0);
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  /** What is known of both that are shown. */
  shown = signal(/** @type {{pair: Pair, sides: [any, any]} | null} */ (null));
  /** @type {string | null | undefined} undefined: nothing was read yet */
  #cursor = undefined;
  /** @type {AbortSignal | undefined} */
  #ended;
  #pass = 0;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    const on = { signal: ended };
    changed.addEventListener("images-gone", this.#lose, on);
    changed.addEventListener("images-arrived", () => this.state.value === "ready" && void this.#restart(), on);
    changed.addEventListener("everything-changed", () => void this.#restart(), on);
    useKeys(t("title"), this.#keys(), ended);
    void this.#restart();
  }

  render() {
    const state = this.state.value;
    return html`<div class="view">
      <header class="view-head">
        <div>
          <h1 tabindex="-1">${t("title")}</h1>
          <p class="soft">${t("text")}</p>
        </div>
      </header>
      ${state === "failed" ? failed(this.error.value, () => this.#restart(), { title: t("failed") }) : state === "loading" ? loading() : this.#pair()}
    </div>`;
  }

  #pair() {
    const shown = this.shown.value;
    if (!this.pairs.value.length) {
      return html`<ig-empty .icon=${"duplicate"} .title=${t("nothing.title")} .text=${t("nothing.text")}></ig-empty>`;
    }
    if (!shown) return loading();
    const { pair, sides } = shown;
    return html`<p class="likeness" role="status">
        ${pair.isExact ? t("exact") : t("alike", { percent: formatNumber((64 - pair.distance) / 64, { style: "percent" }) })}
      </p>
      <div class="sides">${this.#side(sides, 0)}${this.#side(sides, 1)}</div>
      ${differences(sides)}
      <div class="row choices">
        <button class="button" type="button" @click=${() => this.#keepBoth()}>${t("both")}<kbd>B</kbd></button>
        <button class="button quiet" type="button" @click=${() => this.#go(1)}>${t("later")}<kbd>N</kbd></button>
        ${this.at.value > 0 && html`<button class="button quiet" type="button" @click=${() => this.#go(-1)}>${t("before")}</button>`}
      </div>`;
  }

  /**
   * @param {[any, any]} sides
   * @param {0 | 1} at
   */
  #side(sides, at) {
    const image = sides[at];
    return html`<figure>
      <a href=${link(`/images/${image.id}`)} class="picture">
        ${image.src
          ? html`<img src=${image.src} srcset=${image.srcSet} sizes="50vw" alt=${image.alt_text || image.filename} width=${image.width} height=${image.height} />`
          : html`${icon("image")}<span class="seen-by-readers">${image.filename}</span>`}
      </a>
      <figcaption>
        <span class="name" dir="auto">${image.filename}</span>
        <button class="button primary" type="button" aria-label=${t("keep.label", { name: image.filename })} @click=${() => this.#keep(at)}>
          ${t("keep")}<kbd>${at + 1}</kbd>
        </button>
      </figcaption>
    </figure>`;
  }

  /** From the start: what came or came back may have pairs. */
  async #restart() {
    this.#cursor = undefined;
    this.pairs.value = [];
    this.at.value = 0;
    await this.#show();
  }

  /** Show the pair that is next; read on where it is not known yet. */
  async #show() {
    const pass = (this.#pass += 1);
    const isOld = () => pass !== this.#pass || this.#ended?.aborted;
    try {
      while (this.at.value >= this.pairs.value.length && this.#cursor !== null) {
        const query = { limit: PAGE, cursor: this.#cursor };
        const { data, pagination } = await api.get("/images/duplicates", { query, signal: this.#ended });
        if (isOld()) return;
        this.#cursor = pagination.nextCursor;
        this.pairs.value = [...this.pairs.value, ...pairsOf(data)];
      }
      // After the last one come those that were left for later.
      if (this.at.value >= this.pairs.value.length) this.at.value = 0;
      const pair = this.pairs.value[this.at.value];
      if (pair) {
        const sides = await Promise.all([read(pair.one, this.#ended), read(pair.other, this.#ended)]);
        if (isOld()) return;
        const lost = [pair.one, pair.other].filter((_, at) => sides[at] === null);
        if (lost.length) {
          this.pairs.value = without(this.pairs.value, new Set(lost));
          return void this.#show();
        }
        this.shown.value = { pair, sides: /** @type {[any, any]} */ (sides) };
      } else {
        this.shown.value = null;
      }
      this.state.value = "ready";
    } catch (error) {
      if (isOld()) return;
      this.error.value = error;
      this.state.value = "failed";
    }
  }

  /** @param {number} step */
  #go(step) {
    this.at.value = Math.max(0, this.at.value + step);
    void this.#show();
  }

  /** @param {0 | 1} at */
  #keep(at) {
    const shown = this.shown.value;
    if (shown) void trash([shown.sides[at === 0 ? 1 : 0].id]);
  }

  #keepBoth() {
    const pair = this.shown.value?.pair;
    if (!pair) return;
    const [pairs, at] = [this.pairs.value, this.at.value];
    void change({
      apply: () => {
        this.pairs.value = pairs.filter((each) => each !== pair);
        void this.#show();
      },
      undo: () => {
        this.pairs.value = pairs;
        this.at.value = at;
        void this.#show();
      },
      send: () => api.post("/images/duplicates/dismiss", { image_ids: [pair.one, pair.other] }),
      said: t("both.done"),
    });
  }

  #lose = (/** @type {Event} */ event) => {
    const gone = new Set(/** @type {CustomEvent} */ (event).detail.ids);
    const left = without(this.pairs.value, gone);
    if (left.length === this.pairs.value.length) return;
    const here = this.pairs.value.slice(0, this.at.value);
    this.at.value = without(here, gone).length;
    this.pairs.value = left;
    void this.#show();
  };

  #keys() {
    const here = (/** @type {() => void} */ run) => () => void (this.state.value === "ready" && this.shown.value && run());
    return [
      { keys: ["1"], says: t("keys.first"), run: here(() => this.#keep(0)) },
      { keys: ["2"], says: t("keys.second"), run: here(() => this.#keep(1)) },
      { keys: ["b"], says: t("both"), run: here(() => this.#keepBoth()) },
      { keys: ["n"], says: t("later"), run: here(() => this.#go(1)) },
    ];
  }
}

/**
 * @param {string} id
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<any>} null: it is gone.
 */
async function read(id, signal) {
  try {
    const [{ data: image }, { data: galleries }] = await Promise.all([
      api.get(`/images/${id}`, { signal }),
      api.get("/galleries", { query: { contains: id, limit: 20 }, signal }),
    ]);
    return { ...image, galleries };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @param {[any, any]} sides What tells them apart; what is equal is quiet. */
function differences(sides) {
  const of = (/** @type {(image: any) => any} */ say) => /** @type {[any, any]} */ (sides.map(say));
  const pixels = of(({ width, height }) => width * height);
  const sizes = of(({ file_size: size }) => size);
  const rows = [
    { name: t("pixels"), values: of(({ width, height }) => t("pixels.value", { width, height })), best: better(...pixels) },
    { name: t("size"), values: sizes.map(formatBytes), best: better(...sizes) },
    { name: t("type"), values: of(({ mime_type: type }) => type.replace("image/", "").toUpperCase()), best: null },
    { name: t("taken"), values: of(({ taken_at: at }) => formatDate(at)), best: null },
    { name: t("added"), values: of(({ created_at: at }) => formatDate(at)), best: null },
    { name: t("name"), values: of(({ filename }) => filename), best: null },
    { name: t("favourite"), values: of(({ is_favorite: is }) => t(is ? "yes" : "no")), best: better(...of((image) => Number(image.is_favorite))) },
    { name: t("galleries"), values: of((image) => image.galleries.map((/** @type {any} */ each) => each.name).join(", ") || t("none")), best: null },
  ];
  return html`<table class="differences small">
    <caption class="seen-by-readers">${t("differences")}</caption>
    <tbody>
      ${rows.map(({ name, values: [one, other], best }) => {
        const kind = (/** @type {number} */ at) => (one === other ? "same" : best === at ? "best" : "");
        return html`<tr>
          <td class=${kind(0)}><bdi>${one}</bdi></td>
          <th scope="row">${name}</th>
          <td class=${kind(1)}><bdi>${other}</bdi></td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

const loading = () => html`<div class="sides" role="group" aria-busy="true" aria-label=${t("loading")}>
  <figure><span class="picture"></span></figure>
  <figure><span class="picture"></span></figure>
</div>`;

define(Duplicates);
