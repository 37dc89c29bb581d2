/** The galleries: their covers, the newest first. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { changed } from "../core/live.js";
import { messages } from "../core/messages.js";
import { link, navigate } from "../core/router.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";

const t = await messages("galleries");
await style(import.meta.url, "./galleries.css");

const PAGE = 48;
/** @type {Record<string, keyof typeof import("../parts/icon.js").ICONS>} */
export const VISIBILITY_ICONS = { private: "lock", unlisted: "link", public: "people" };

export default class Galleries extends Element {
  static tag = "ig-galleries";

  galleries = signal(/** @type {any[]} */ ([]));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  cursor = signal(/** @type {string | null} */ (null));
  #isReading = false;
  #pass = 0;
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    changed.addEventListener("gallery-changed", this.#follow, { signal: ended });
    changed.addEventListener("everything-changed", () => this.#reload(), { signal: ended });
    changed.addEventListener("image-changed", this.#look, { signal: ended });
    this.#reload();
  }

  get #isUser() {
    return session.state.value === "user";
  }

  render() {
    const state = this.state.value;
    return html`<div class="view">
      <header class="view-head">
        <h1 tabindex="-1">${t("title")}</h1>
        ${this.#isUser &&
        html`<button class="button primary" type="button" @click=${() => this.#make()}>${icon("add")}${t("new")}</button>`}
      </header>
      ${state === "failed" ? failed(this.error.value, () => this.#reload(), { title: t("failed") }) : state === "loading" ? loading() : this.#list()}
    </div>`;
  }

  #list() {
    const galleries = this.galleries.value;
    if (!galleries.length) {
      return html`<ig-empty
        .icon=${"album"}
        .title=${t("empty.title")}
        .text=${t(this.#isUser ? "empty.text" : "empty.visitor")}
        .actions=${this.#isUser &&
        html`<button class="button primary" type="button" @click=${() => this.#make()}>${icon("add")}${t("new")}</button>`}
      ></ig-empty>`;
    }
    return html`<ul class="gallery-cards" role="list">
        ${each(galleries, (gallery) => gallery.id, (gallery) => this.#card(gallery))}
      </ul>
      ${this.cursor.value !== null && html`<div class="more" ref=${(/** @type {HTMLElement} */ end) => this.#watch(end)}></div>`}`;
  }

  /** @param {any} gallery */
  #card(gallery) {
    return html`<li class="gallery-card">
      <a href=${link(`/galleries/${gallery.id}`)}>
        ${cover(gallery)}
        <span class="name"><bdi>${gallery.name}</bdi></span>
        <span class="soft small">
          ${gallery.image_count !== null && t("images", { count: gallery.image_count })}
          ${gallery.owner_id !== null && gallery.visibility !== "private" && html` · ${t(`visibility.${gallery.visibility}`)}`}
        </span>
      </a>
      ${gallery.owner_id !== null &&
      this.#isUser &&
      html`<ig-menu .label=${t("actions", { name: gallery.name })} .items=${menuOf(gallery)}></ig-menu>`}
    </li>`;
  }

  async #make() {
    const { editGallery } = await import("./edit.js");
    const gallery = await editGallery(null);
    if (gallery) navigate(`/galleries/${gallery.id}`);
  }

  async #reload() {
    this.#pass += 1;
    this.#isReading = false;
    this.cursor.value = null;
    await this.#read(true);
  }

  /** @param {boolean} isFirst */
  async #read(isFirst) {
    if (this.#isReading) return;
    this.#isReading = true;
    const pass = this.#pass;
    try {
      const query = { limit: PAGE, cursor: isFirst ? null : this.cursor.value };
      const { data, pagination } = await api.get("/galleries", { query, signal: this.#ended ?? undefined });
      if (pass !== this.#pass) return;
      const known = isFirst ? [] : this.galleries.value;
      const ids = new Set(known.map((gallery) => gallery.id));
      this.galleries.value = [...known, ...data.filter((/** @type {any} */ gallery) => !ids.has(gallery.id))];
      this.cursor.value = pagination.nextCursor;
      this.state.value = "ready";
    } catch (error) {
      if (pass !== this.#pass || this.#ended?.aborted) return;
      this.error.value = error;
      if (isFirst) this.state.value = "failed";
    } finally {
      if (pass === this.#pass) this.#isReading = false;
    }
  }

  /** @param {HTMLElement} end Read on when it comes near. */
  #watch(end) {
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && void this.#read(false).then(() => again()),
      { rootMargin: "800px" },
    );
    const again = () => {
      observer.unobserve(end);
      if (end.isConnected) observer.observe(end);
    };
    observer.observe(end);
    this.#ended?.addEventListener("abort", () => observer.disconnect());
  }

  #follow = async (/** @type {Event} */ event) => {
    const { id, change, fields } = /** @type {CustomEvent} */ (event).detail;
    if (change === "deleted") {
      this.galleries.value = this.galleries.value.filter((gallery) => gallery.id !== id);
      return;
    }
    const gallery = fields ?? (await this.#one(id));
    if (!gallery) return;
    const known = this.galleries.value;
    if (known.some((one) => one.id === id)) {
      this.galleries.value = known.map((one) => (one.id === id ? { ...one, ...gallery } : one));
    } else if (change === "created" && this.#isUser) {
      const at = known.findIndex((one) => one.created_at < gallery.created_at);
      this.galleries.value = known.toSpliced(at < 0 ? known.length : at, 0, gallery);
    }
  };

  /** A cover that was still in the works may be there. */
  #look = (/** @type {Event} */ event) => {
    const { ids } = /** @type {CustomEvent} */ (event).detail;
    for (const gallery of this.galleries.value)
      if (gallery.cover && ids.includes(gallery.cover.id)) void this.#again(gallery.id);
  };

  /** @param {string} id */
  async #again(id) {
    const now = await this.#one(id);
    if (now) this.galleries.value = this.galleries.value.map((one) => (one.id === id ? { ...one, ...now } : one));
  }

  /** @param {string} id */
  async #one(id) {
    try {
      return (await api.get(`/galleries/${id}`, { signal: this.#ended ?? undefined })).data;
    } catch {
      return null; // it will be read with the list
    }
  }
}

/** @param {any} gallery */
export function menuOf(gallery) {
  return [
    {
      label: t("share"),
      icon: /** @type {const} */ ("share"),
      run: async () => (await import("../shares/share-dialog.js")).openShareDialog({ galleries: [gallery.id], title: gallery.name }),
    },
    {
      label: t("access"),
      icon: /** @type {const} */ ("people"),
      run: async () => (await import("../shares/access-dialog.js")).openAccessDialog(gallery.id, gallery.name),
    },
    gallery.visibility !== "private" && {
      label: t("embed"),
      icon: /** @type {const} */ ("grid"),
      run: async () => (await import("../shares/embed-dialog.js")).openEmbedDialog({ gallery: gallery.id }, gallery.name),
    },
    { label: t("edit"), icon: /** @type {const} */ ("edit"), run: async () => (await import("./edit.js")).editGallery(gallery.id) },
    {
      label: t("delete"),
      icon: /** @type {const} */ ("trash"),
      danger: true,
      run: async () => (await import("./edit.js")).removeGallery(gallery),
    },
  ];
}

/** @param {any} gallery Its picture, or that there is none. */
export function cover({ cover: image }) {
  if (!image?.src) return html`<span class="cover none">${icon("album")}</span>`;
  return html`<span class="cover">
    <img
      src=${image.src}
      srcset=${image.srcSet}
      sizes="(max-width: 640px) 45vw, 20rem"
      alt=""
      loading="lazy"
      decoding="async"
      width=${image.width}
      height=${image.height}
    />
  </span>`;
}

const loading = () => html`<ul class="gallery-cards" role="list" aria-busy="true" aria-label=${t("loading")}>
  ${Array.from({ length: 8 }, () => html`<li class="gallery-card waits"><span class="cover"></span><span class="name"></span></li>`)}
</ul>`;

define(Galleries);
