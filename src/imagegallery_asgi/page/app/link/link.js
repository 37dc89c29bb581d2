/** What a link shares, for who has it: its pictures, or what has to be done first, or why there is nothing more. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { formatDate } from "../core/formats.js";
import { changed } from "../core/live.js";
import { messages } from "../core/messages.js";
import { entitle, link, navigate } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { effect, signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { ListSource, TimelineSource, sourceOf } from "../grid/images.js";
import "../grid/grid.js";
import "../grid/timeline.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import "./entry.js";
import { known } from "./known.js";
import { endOf, pathOf, refusalOf, shownOf } from "./state.js";

/** @typedef {import("./state.js").Opened} Opened */
/** @typedef {import("../grid/images.js").ImageSource} ImageSource */

const t = await messages("link");
await style(import.meta.url, "./link.css");

/** @type {Record<string, keyof typeof import("../parts/icon.js").ICONS>} */
const ICONS = { ended: "clock", missing: "link", busy: "clock", offline: "wifi", failed: "error" };

export default class Link extends Element {
  static tag = "ig-link";

  params = signal(/** @type {Record<string, string>} */ ({}));
  opened = signal(/** @type {Opened | null} */ (null));
  failure = signal(/** @type {any} */ (null));
  hasOwn = signal(false);
  /** Shares that who is signed in has already; null while that is not known. */
  #had = signal(/** @type {string[] | null} */ (null));
  /** @type {AbortController | null} */
  #receiving = null;
  /** @type {AbortSignal | null} */
  #ended = null;
  #client = api;
  #source = signal(/** @type {ImageSource | null} */ (null));

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    const reread = () => void this.#open();
    changed.addEventListener("images-arrived", () => void this.#showOwn(), { signal: ended });
    // A tab that is shown again says what has become of the link meanwhile.
    document.addEventListener("visibilitychange", () => document.hidden || reread(), { signal: ended });
    addEventListener("online", reread, { signal: ended });
    ended.addEventListener("abort", effect(() => session.state.value === "user" && void this.#ask()));
    this.#receive(this.opened.value);
  }

  /** Called before it is shown: what the service has drawn is to be seen meanwhile, and what is typed there is kept. */
  async prepared() {
    this.#client = api.below(pathOf(this.params.value.link ?? ""));
    await this.#open();
    const field = document.querySelector("form[method=post] input[name=password]");
    this.#typed = field instanceof HTMLInputElement ? field.value : "";
    this.#told = field?.parentElement?.querySelector("[role=alert]")?.textContent ?? "";
  }
  #typed = "";
  #told = "";

  /** Ask what there is. The page that the service made has begun the visit: this counts as no other. */
  async #open() {
    try {
      const { data } = await this.#client.get("", { query: { begins: false }, signal: this.#ended ?? undefined });
      await this.#show(data);
    } catch (error) {
      if (this.#ended?.aborted) return;
      // What one looks at stays while the network is away.
      const isAway = error instanceof ApiError && error.status === 0 && this.opened.value;
      if (!isAway) this.#refuse(error);
    }
  }

  /** @param {Opened} opened */
  #title(opened) {
    const shown = shownOf(opened, this.params.value.gallery);
    return shown.kind === "gallery" ? shown.gallery.name : t("untitled");
  }

  /** The window has the name of what is shown, which may become another one. @param {string} title */
  #call(title) {
    if (this.#ended) entitle(title);
  }

  async #showOwn() {
    await import("./guest.js");
    this.hasOwn.value = true;
  }

  /** @param {unknown} error */
  #refuse(error) {
    this.opened.value = null;
    this.#source.value = null;
    this.failure.value = error;
    this.#call(t(`${refusalOf(/** @type {ApiError} */ (error))}.title`));
    this.#receive(null);
  }

  /** @param {Opened} opened */
  async #show(opened) {
    const before = this.opened.value;
    this.failure.value = null;
    this.opened.value = opened;
    this.#call(this.#title(opened));
    if (opened.guest_name) void this.#showOwn();
    if (!before || JSON.stringify(before) !== JSON.stringify(opened)) await this.#showSource(opened);
    this.#receive(opened);
  }

  /** @param {Opened} opened */
  async #showSource(opened) {
    const source = this.#sourceOf(opened);
    this.#source.value = source;
    await source?.open();
    const { error } = source ?? {};
    if (error?.value instanceof ApiError && refusalOf(error.value) !== "failed") void this.#open();
  }

  /** @param {Opened} opened */
  #sourceOf(opened) {
    const shown = shownOf(opened, this.params.value.gallery);
    const name = `${pathOf(this.params.value.link ?? "")} ${opened.id}`;
    if (shown.kind === "gallery") {
      const { id, image_count: total } = shown.gallery;
      return sourceOf(`${name} ${id} ${total}`, () => new ListSource(this.#client, `/galleries/${id}/images`, {}, { total }));
    }
    if (opened.library) return sourceOf(`${name} library`, () => new TimelineSource(this.#client));
    if (opened.images.length === 0) return null;
    return new ListSource(known(this.#client, opened.images), "", {}, { total: opened.images.length, isSingly: true });
  }

  /** What is dropped or pasted here goes to the gallery, once the guest has a name. @param {Opened | null} opened */
  #receive(opened) {
    if (!this.#ended) return;
    this.#receiving?.abort();
    this.#receiving = new AbortController();
    const shown = opened && shownOf(opened, this.params.value.gallery);
    const takes = opened?.takes_uploads && opened.guest_name && shown?.kind === "gallery";
    const place = takes && shown.kind === "gallery" ? { galleryId: shown.gallery.id, name: shown.gallery.name, api: this.#client } : null;
    const ended = AbortSignal.any([this.#receiving.signal, this.#ended]);
    void import("../upload/target.js").then(({ receiveFiles }) => ended.aborted || receiveFiles(place, ended));
  }

  render() {
    const opened = this.opened.value;
    if (this.failure.value) return html`<div class="view link">${this.#refused(this.failure.value)}</div>`;
    if (!opened) return undefined;
    const shown = shownOf(opened, this.params.value.gallery);
    const about = shown.kind === "gallery" ? shown.gallery.description : opened.note;
    const path = pathOf(this.params.value.link ?? "");
    return html`<div class="view link">
      <header class="view-head">
        <div class="words">
          ${this.params.value.gallery && opened.galleries.length + opened.images.length > 1
            ? html`<a class="back small soft" href=${link(path)}>${icon("previous")}${t("all")}</a>`
            : null}
          <h1 dir="auto" tabindex="-1">${this.#title(opened)}</h1>
          ${about ? html`<p class="about" dir="auto">${about}</p>` : null}
          ${shown.kind === "gallery" && opened.note ? html`<p class="note"><bdi>${opened.note}</bdi></p>` : null}
          <p class="soft small">${this.#facts(opened, shown)}</p>
        </div>
        <div class="row">
          ${opened.takes_uploads && shown.kind === "gallery"
            ? html`<button class="button primary" type="button" @click=${() => this.#add(shown.gallery)}>${icon("upload")}${t("add")}</button>`
            : null}
          ${this.#joining()}
        </div>
      </header>
      ${opened.takes_uploads && this.hasOwn.value
        ? html`<ig-guest-files .client=${this.#client} .name=${opened.guest_name ?? ""} @renamed=${() => void this.#open()}></ig-guest-files>`
        : null}
      ${shown.kind === "several" ? this.#galleries(opened) : null} ${this.#pictures(opened, shown)}
    </div>`;
  }

  /**
   * @param {Opened} opened
   * @param {import("./state.js").Shown} shown
   */
  #facts(opened, shown) {
    const count = shown.kind === "gallery" ? shown.gallery.image_count : (this.#source.value?.count.value ?? null);
    const facts = [
      count !== null && count > 0 ? t("count", { count }) : "",
      opened.download === "none" ? "" : t(`download.${opened.download}`),
      opened.expires_at ? t("until", { date: formatDate(opened.expires_at, { dateStyle: "long" }) }) : "",
    ];
    return facts.filter(Boolean).join(" · ");
  }

  /** @param {Opened} opened */
  #galleries({ galleries }) {
    if (galleries.length === 0) return null;
    return html`<ul role="list" class="linked-galleries">
      ${each(
        galleries,
        (gallery) => gallery.id,
        (gallery) => html`<li>
          <a href=${link(pathOf(this.params.value.link ?? "", gallery.id))}>
            ${gallery.cover?.src
              ? html`<img src=${gallery.cover.src} srcset=${gallery.cover.srcSet || null} sizes="(max-width: 40rem) 50vw, 20rem" alt="" loading="lazy" />`
              : html`<span class="blank">${icon("image")}</span>`}
            <span class="name" dir="auto">${gallery.name}</span>
            ${gallery.image_count === null ? null : html`<span class="soft small">${t("count", { count: gallery.image_count })}</span>`}
          </a>
        </li>`,
      )}
    </ul>`;
  }

  /**
   * @param {Opened} opened
   * @param {import("./state.js").Shown} shown
   */
  #pictures(opened, shown) {
    const source = this.#source.value;
    if (shown.kind === "none") return html`<ig-empty .icon=${"image"} .title=${t("empty")} .text=${t("missing.text")}></ig-empty>`;
    if (!source) return null;
    if (source.error.value)
      return failed(source.error.value, () => void source.retry(), { title: t("failed.title") });
    if (source.isReady.value && source.count.value === 0)
      return html`<ig-empty .icon=${"image"} .title=${t("empty")} .text=${opened.takes_uploads ? t("empty.add") : ""}></ig-empty>`;
    return source instanceof TimelineSource
      ? html`<ig-timeline .source=${source}></ig-timeline>`
      : html`<ig-grid .source=${source} .layout=${"masonry"}></ig-grid>`;
  }

  /** @param {any} error */
  #refused(error) {
    const refusal = refusalOf(error);
    if (refusal === "password" || refusal === "limited")
      return html`<ig-link-entry .client=${this.#client} .kind=${refusal} .typed=${this.#typed} .fault=${this.#told} @entered=${() => void this.#open()} @refused=${(/** @type {CustomEvent} */ event) => this.#refuse(event.detail)}></ig-link-entry>`;
    const again = html`<button class="button" type="button" @click=${() => void this.#open()}>${t("again")}</button>`;
    return html`<ig-empty
      .icon=${ICONS[refusal]}
      .title=${t(`${refusal}.title`)}
      .text=${refusal === "ended" ? t(`ended.${endOf(error)}`) : refusal === "failed" ? sentence(error) : t(`${refusal}.text`)}
      .actions=${refusal === "ended" || refusal === "missing" ? null : again}
    ></ig-empty>`;
  }

  // --- keeping it ----------------------------------------------------------------------------------------------------

  /** What who is signed in has already: of others, and of their own. */
  async #ask() {
    const pages = await Promise.all(
      ["/received-shares", "/shares"].map((path) => api.get(path, { query: { limit: 100 } }).catch(() => ({ data: [] }))),
    );
    this.#had.value = pages.flatMap((page) => page.data.map((/** @type {any} */ share) => share.id));
  }

  #joining() {
    const [opened, had] = [this.opened.value, this.#had.value];
    if (session.state.value !== "user" || !opened || had === null || had.includes(opened.id)) return null;
    return html`<button class="button" type="button" @click=${() => void this.#join()}>${icon("heart")}${t("join")}</button>`;
  }

  async #join() {
    try {
      const { data } = await this.#client.post("/join");
      this.#had.value = [...(this.#had.value ?? []), data.id];
      toast(t("joined"), { action: { label: t("joined.see"), run: () => navigate("/shared-with-me") } });
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
  }

  // --- adding to it --------------------------------------------------------------------------------------------------

  /** @param {import("./state.js").Gallery} gallery */
  async #add(gallery) {
    const opened = this.opened.value;
    if (!opened) return;
    const [{ pick }, guest] = await Promise.all([import("../upload/picker.js"), import("./guest.js")]);
    const to = { galleryId: gallery.id, name: gallery.name, api: this.#client };
    if (opened.guest_name) {
      pick("files", to);
      return;
    }
    if (!(await guest.askName(this.#client, { approval: opened.approval, pick: () => pick("files", to) }))) return;
    await this.#open();
  }
}

define(Link);
