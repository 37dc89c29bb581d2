/** One gallery: its images in the order that is wanted, and for its owner all that can be done with it. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { changed } from "../core/live.js";
import { messages } from "../core/messages.js";
import { ground, link, navigate } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { effect, signal, untracked } from "../core/signal.js";
import { style } from "../core/styles.js";
import { fromQuery, isEmpty, toParameters } from "../filters/address.js";
import { nothingFound } from "../filters/filters.js";
import "../grid/grid.js";
import { ListSource, sourceOf } from "../grid/images.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";
import "../parts/progress.js";
import { selection } from "../selection/selection.js";
import { receiveFiles } from "../upload/target.js";

const t = await messages("galleries");
await style(import.meta.url, "./gallery.css");

const ORDERS = /** @type {const} */ (["position", "taken_at", "created_at", "filename", "random"]);

export default class GalleryView extends Element {
  static tag = "ig-gallery";

  params = signal(/** @type {Record<string, string>} */ ({}));
  query = signal(new URLSearchParams());
  gallery = signal(/** @type {any} */ (null));
  error = signal(/** @type {unknown} */ (null));
  source = signal(/** @type {ListSource | null} */ (null));
  /** How many pass the filters, where there are some. */
  found = signal(/** @type {number | null} */ (null));
  canArrange = signal(false);
  /** What its owner can do with it and with images, which comes after them. */
  tools = signal(/** @type {any} */ (null));
  /** @type {AbortSignal | undefined} */
  #ended;
  #pass = 0;
  /** Of the list that is shown. */
  #name = "";

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    const on = { signal: ended };
    changed.addEventListener("gallery-changed", this.#follow, on);
    changed.addEventListener("everything-changed", () => void this.#read(), on);
    const stop = effect(() => this.#list(this.gallery.value?.id, this.query.value));
    ended.addEventListener("abort", () => {
      stop();
      selection.clear();
    });
    receiveFiles(() => (this.#isOwners ? { galleryId: this.gallery.value.id, name: this.gallery.value.name } : null), ended);
    void this.#read();
    void this.#load();
  }

  async #load() {
    const [{ galleryActions }, { menuOf }] = await Promise.all([
      import("../selection/actions.js"),
      import("./galleries.js"),
      import("../selection/bar.js"),
    ]);
    this.tools.value = { galleryActions, menuOf };
  }

  get #isOwners() {
    return this.gallery.value?.owner_id != null && session.me.value?.id === this.gallery.value.owner_id;
  }

  get #isArranging() {
    return this.#isOwners && this.query.value.get("arrange") === "yes";
  }

  async #read() {
    try {
      const { data } = await api.get(`/galleries/${this.params.value.id}`, { signal: this.#ended });
      this.error.value = null;
      this.gallery.value = data;
    } catch (error) {
      if (!this.#ended?.aborted) this.error.value = error;
    }
  }

  /**
   * The list that the address asks for.
   * @param {string | undefined} id
   * @param {URLSearchParams} query
   */
  #list(id, query) {
    if (!id) return;
    const filters = fromQuery(query);
    const order = orderOf(query);
    const asked = { ...toParameters(filters), order, ...(order === "random" ? { seed: seedOf(query) } : {}) };
    const name = query.get("arrange") === "yes" ? "arranging" : `gallery ${id} ${JSON.stringify(asked)}`;
    if (name === this.#name) return;
    const wasArranged = this.#name === "arranging";
    this.#name = name;
    selection.clear();
    if (name === "arranging") return void this.#prepare();
    const isAll = isEmpty(filters);
    untracked(() => {
      const total = isAll ? this.gallery.value.image_count : null;
      const source = sourceOf(name, () => new ListSource(api, `/galleries/${id}/images`, asked, { total }));
      if (wasArranged) void source.reload();
      this.source.value = source;
      void this.#count(id, asked, isAll);
    });
  }

  /**
   * @param {string} id
   * @param {Record<string, string | number | boolean>} asked
   * @param {boolean} isAll
   */
  async #count(id, asked, isAll) {
    const pass = (this.#pass += 1);
    this.found.value = null;
    if (isAll) return;
    try {
      const query = { ...asked, page: 1, limit: 1, fields: "id" };
      const { pagination } = await api.get(`/galleries/${id}/images`, { query, signal: this.#ended });
      if (pass === this.#pass) this.found.value = pagination.total;
    } catch {
      // The list itself says what is wrong.
    }
  }

  #follow = (/** @type {Event} */ event) => {
    const { id, change, fields, gone, arrived, isOwn } = /** @type {CustomEvent} */ (event).detail;
    const gallery = this.gallery.value;
    if (id !== gallery?.id) return;
    if (change === "deleted") {
      // Who deleted it goes on from here; others are told.
      if (!isOwn) this.error.value = new ApiError(404, {});
      else if (ground.value.path === `/galleries/${id}`) navigate("/galleries", { replace: true });
    } else if (fields) {
      this.gallery.value = { ...gallery, ...fields };
    } else if (gone || arrived) {
      const count = (gallery.image_count ?? 0) + (arrived?.length ?? 0) - (gone?.length ?? 0);
      this.gallery.value = { ...gallery, image_count: gallery.image_count === null ? null : Math.max(0, count) };
    } else {
      void this.#read();
    }
  };

  render() {
    if (this.error.value) return this.#failed(this.error.value);
    const gallery = this.gallery.value;
    const { galleryActions } = this.tools.value ?? {};
    if (!gallery) return html`<div class="view" aria-busy="true"><ig-progress .label=${t("loading")}></ig-progress></div>`;
    return html`<div class="view gallery">
        ${this.#head(gallery)} ${this.#isArranging
          ? this.canArrange.value && html`<ig-arrange .gallery=${gallery}></ig-arrange>`
          : this.#images(gallery)}
      </div>
      ${this.#isOwners &&
      !this.#isArranging &&
      galleryActions &&
      html`<ig-selection-bar
        .actions=${galleryActions(gallery, selection.count.value, () => this.#known())}
        .all=${async () => selection.extend((await this.source.value?.all()) ?? [])}
      ></ig-selection-bar>`}`;
  }

  /** The own order, as far as it was read; nothing where another one is shown. */
  #known() {
    const isOwn = orderOf(this.query.value) === "position" && isEmpty(fromQuery(this.query.value));
    return isOwn ? (this.source.value?.sections.flatMap(({ columns }) => columns?.id ?? []) ?? []) : [];
  }

  /** @param {any} gallery */
  #head(gallery) {
    const order = orderOf(this.query.value);
    const { menuOf } = this.tools.value ?? {};
    return html`<header class="view-head">
      <div class="about">
        <a class="back soft small" href=${link("/galleries")}>${icon("back")}${t("back")}</a>
        <h1 tabindex="-1" dir="auto">${gallery.name}</h1>
        ${gallery.description && html`<p class="description" dir="auto">${gallery.description}</p>`}
        <p class="soft small">
          ${gallery.image_count !== null && t("images", { count: gallery.image_count })}
          ${this.#isOwners && html` · ${t(`visibility.${gallery.visibility}`)}`}
        </p>
      </div>
      <div class="row">
        ${this.#isArranging
          ? html`<button class="button primary" type="button" @click=${() => this.#go({ arrange: null })}>${t("arrange.done")}</button>`
          : html`${this.#isOwners &&
              html`<button class="button primary" type="button" @click=${() => this.#add()}>${icon("add")}${t("add")}</button>`}
              ${this.#isOwners &&
              gallery.image_count > 1 &&
              html`<button class="button" type="button" @click=${() => this.#arrange()}>${icon("drag")}${t("arrange")}</button>`}
              <ig-menu
                .icon=${"down"}
                .text=${t(`order.${order}`)}
                .label=${`${t("order")}: ${t(`order.${order}`)}`}
                .items=${ORDERS.map((each) => ({ label: t(`order.${each}`), icon: each === order ? "check" : undefined, run: () => this.#sort(each) }))}
              ></ig-menu>
              ${this.#isOwners && menuOf && html`<ig-menu .label=${t("actions", { name: gallery.name })} .items=${menuOf(gallery)}></ig-menu>`}`}
      </div>
    </header>`;
  }

  /** @param {any} gallery */
  #images(gallery) {
    const filters = fromQuery(this.query.value);
    const isFiltered = !isEmpty(filters);
    if (gallery.image_count === 0 && !isFiltered) return this.#nothing();
    const source = this.source.value;
    const isEmptyList = source?.isReady.value && source.count.value === 0;
    return html`${(gallery.image_count ?? 2) > 1 &&
      html`<ig-filters
        .gallery=${{ id: gallery.id, name: gallery.name }}
        .count=${this.found.value}
        .isOwners=${this.#isOwners}
      ></ig-filters>`}
      ${source?.error.value
        ? failed(source.error.value, () => source.retry(), { title: t("failed.images") })
        : isEmptyList
          ? isFiltered
            ? nothingFound()
            : this.#nothing()
          : html`<ig-grid
              .source=${source}
              .layout=${"masonry"}
              .selectable=${this.#isOwners}
              .pathOf=${(/** @type {string} */ id) => `/galleries/${gallery.id}/images/${id}`}
            ></ig-grid>`}`;
  }

  #nothing() {
    return html`<ig-empty
      .icon=${"photos"}
      .title=${t("nothing.title")}
      .text=${t(this.#isOwners ? "nothing.text" : "nothing.visitor")}
      .actions=${this.#isOwners &&
      html`<ig-upload-button></ig-upload-button>
        <button class="button primary" type="button" @click=${() => this.#add()}>${icon("add")}${t("add")}</button>`}
    ></ig-empty>`;
  }

  /** @param {unknown} error */
  #failed(error) {
    const isGone = error instanceof ApiError && error.status === 404;
    return html`<ig-empty
      .icon=${isGone ? "album" : "error"}
      .title=${t(isGone ? "gone.title" : "failed")}
      .text=${isGone ? t("gone.text") : sentence(error)}
      .actions=${isGone
        ? html`<a class="button" href=${link("/galleries")}>${t("back")}</a>`
        : html`<button class="button" type="button" @click=${() => this.#again()}>${t("again")}</button>`}
    ></ig-empty>`;
  }

  #again() {
    this.error.value = null;
    void this.#read();
  }

  async #add() {
    const { addFromLibrary } = await import("./add.js");
    await addFromLibrary(this.gallery.value);
  }

  /** The view of the order is loaded when it is wanted. */
  async #prepare() {
    await import("./arrange.js");
    this.canArrange.value = true;
  }

  #arrange() {
    this.#go({ arrange: "yes", order: null });
  }

  /** @param {typeof ORDERS[number]} order */
  #sort(order) {
    const seed = order === "random" ? String(crypto.getRandomValues(new Uint32Array(1))[0]) : null;
    this.#go({ order: order === "position" ? null : order, seed });
  }

  /** @param {Record<string, string | null>} said What of the address is another. */
  #go(said) {
    const query = new URLSearchParams(this.query.value);
    for (const [name, value] of Object.entries(said)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    navigate(`/galleries/${this.params.value.id}${text && `?${text}`}`);
  }
}

/** @param {URLSearchParams} query */
function orderOf(query) {
  const order = /** @type {typeof ORDERS[number]} */ (query.get("order") ?? "position");
  return ORDERS.includes(order) ? order : "position";
}

/** @param {URLSearchParams} query */
function seedOf(query) {
  const seed = Number(query.get("seed"));
  return Number.isSafeInteger(seed) && seed >= 0 ? seed : 0;
}

define(GalleryView);
