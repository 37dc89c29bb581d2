/** The library: all images of the one that looks, by months. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { session } from "../core/session.js";
import { computed, signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { fromQuery, isEmpty, toParameters } from "../filters/address.js";
import { nothingFound } from "../filters/filters.js";
import { ListSource, TimelineSource, sourceOf } from "../grid/images.js";
import "../grid/timeline.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import "../parts/menu.js";

const t = await messages("library");
await style(import.meta.url, "./library.css");

const KEPT = "imagegallery.library";
/** @typedef {{layout: "rows" | "squares", isOldestFirst: boolean}} Look */

/** How this browser showed it last. @returns {Look} */
function keptLook() {
  try {
    return { layout: "rows", isOldestFirst: false, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return { layout: "rows", isOldestFirst: false };
  }
}

export default class Library extends Element {
  static tag = "ig-library";

  query = signal(new URLSearchParams());
  look = signal(keptLook());
  /** What can be done with images, which comes after them. */
  tools = signal(/** @type {{actions: any, selection: any} | null} */ (null));

  source = computed(() => {
    if (session.me.value === null) return null;
    const filters = fromQuery(this.query.value);
    const query = toParameters(filters);
    const { isOldestFirst } = this.look.value;
    const name = `library ${session.me.value.id} ${JSON.stringify(query)} ${isOldestFirst}`;
    return filters.loose
      ? sourceOf(name, () => new ListSource(api, "/images", query, { isSingly: true }))
      : sourceOf(name, () => new TimelineSource(api, query, { isOldestFirst }));
  });

  connected() {
    void this.#load();
  }

  /** What one does with images comes when they are on their way. */
  async #load() {
    const [actions, { selection }] = await Promise.all([
      import("../selection/actions.js"),
      import("../selection/selection.js"),
      import("../selection/bar.js"),
    ]);
    this.tools.value = { actions, selection };
  }

  /** @param {Partial<Look>} change */
  #show(change) {
    this.look.value = { ...this.look.value, ...change };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.look.value));
    } catch {
      // It is so until the page is left.
    }
  }

  render() {
    if (session.state.value === "offline") return offline();
    const source = this.source.value;
    const filters = fromQuery(this.query.value);
    const count = source?.count.value ?? null;
    return html`<div class="library">
      <header>
        <h1>${t("title")}</h1>
        <ig-filters .count=${count}></ig-filters>
        <div class="tools">${this.#switches(count)}</div>
      </header>
      ${source && this.#body(source, filters)} ${this.#bar(filters, source)}
    </div>`;
  }

  /** @param {number | null} count */
  #switches(count) {
    const { layout, isOldestFirst } = this.look.value;
    return html`
      <span class="soft small number" role="status">${count !== null && count > 0 && t("count", { count })}</span>
      <ig-menu
        .icon=${layout === "rows" ? "rows" : "grid"}
        .label=${t("look")}
        .items=${[
          { label: t("rows"), icon: layout === "rows" ? "check" : "rows", run: () => this.#show({ layout: "rows" }) },
          { label: t("squares"), icon: layout === "squares" ? "check" : "grid", run: () => this.#show({ layout: "squares" }) },
          {
            label: t(isOldestFirst ? "newest_first" : "oldest_first"),
            icon: isOldestFirst ? "down" : "up",
            run: () => this.#show({ isOldestFirst: !isOldestFirst }),
          },
        ]}
      ></ig-menu>
    `;
  }

  /**
   * @param {import("../grid/images.js").ImageSource} source
   * @param {import("../filters/address.js").Filters} filters
   */
  #body(source, filters) {
    if (source.error.value) return failed(source.error.value, () => source.retry(), { title: t("failed") });
    const isEmptyNow = source.isReady.value && source.count.value === 0;
    // It follows what happens, also while there is nothing in it.
    return html`
      <ig-timeline .source=${source} .layout=${this.look.value.layout} .selectable=${true}></ig-timeline>
      ${isEmptyNow && (isEmpty(filters) ? empty() : nothingFound())}
    `;
  }

  /**
   * @param {import("../filters/address.js").Filters} filters
   * @param {import("../grid/images.js").ImageSource | null} source
   */
  #bar(filters, source) {
    if (!this.tools.value || !source) return null;
    const { actions, selection } = this.tools.value;
    return html`<ig-selection-bar
      .actions=${actions.libraryActions({ isArchive: filters.archived })}
      .all=${async () => selection.extend(await source.all())}
    ></ig-selection-bar>`;
  }
}

const empty = () => html`<ig-empty
  .icon=${"photos"}
  .title=${t("empty.title")}
  .text=${t("empty.text")}
  .actions=${html`<ig-upload-button></ig-upload-button>`}
></ig-empty>`;

const offline = () => html`<ig-empty
  .icon=${"wifi"}
  .title=${t("offline.title")}
  .text=${t("offline.text")}
  .actions=${html`<button class="button" type="button" @click=${() => location.reload()}>${t("retry")}</button>`}
></ig-empty>`;

define(Library);
