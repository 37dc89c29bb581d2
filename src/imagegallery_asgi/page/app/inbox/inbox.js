/** The owner's inbox: what others added to one's galleries by shares, and waits to be let in. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatAgo, formatBytes } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { changed, tell } from "../core/live.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { startSession } from "../core/sign-in.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { confirm } from "../parts/dialog.js";
import "../parts/empty.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import { failed } from "../parts/failed.js";
import { signInFirst } from "../shares/waits.js";
import { thingsOf } from "../shares/things.js";
import { grouped } from "./groups.js";

/** @typedef {import("./groups.js").Contribution} Contribution */

const t = await messages("inbox");
await style(import.meta.url, "./inbox.css");

const PAGE = 100;

export default class Inbox extends Element {
  static tag = "ig-inbox";

  waiting = signal(/** @type {Contribution[]} */ ([]));
  galleries = signal(/** @type {Map<string, any>} */ (new Map()));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  cursor = signal(/** @type {string | null} */ (null));
  busy = signal(/** @type {Set<string>} */ (new Set()));
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    for (const type of ["guest.uploaded", "guest.withdrew", "image.ready", "everything-changed"])
      changed.addEventListener(type, () => void this.#read(), { signal: ended });
    void this.#read();
  }

  /** @param {string | null} [cursor] */
  async #read(cursor = null) {
    const signal = this.#ended ?? undefined;
    try {
      const page = await api.get("/guest-uploads", { query: { limit: PAGE, cursor }, signal });
      const ids = [...new Set(page.data.flatMap((/** @type {Contribution} */ one) => one.gallery_id ?? []))];
      const { galleries } = await thingsOf({ galleries: /** @type {string[]} */ (ids), images: [] }, signal);
      this.galleries.value = new Map([...this.galleries.value, ...galleries]);
      this.waiting.value = cursor ? [...this.waiting.value, ...page.data] : page.data;
      this.cursor.value = page.pagination.nextCursor ?? null;
      this.state.value = "ready";
    } catch (error) {
      if (this.#ended?.aborted) return;
      this.error.value = error;
      this.state.value = "failed";
    }
  }

  render() {
    if (session.state.value === "visitor") return signInFirst();
    const state = this.state.value;
    const count = this.waiting.value.length;
    return html`<div class="view inbox">
      <header class="view-head">
        <h1 tabindex="-1">${t("title")}</h1>
        ${count > 1 ? this.#all(count) : null}
      </header>
      ${state === "failed"
        ? failed(this.error.value, () => void this.#read())
        : state === "loading"
          ? html`<ul role="list" class="waiting-images" aria-busy="true" aria-label=${t("loading")}>
              ${[0, 1, 2, 3].map(() => html`<li><span class="blank picture"></span></li>`)}
            </ul>`
          : this.#groups()}
    </div>`;
  }

  /** @param {number} count */
  #all(count) {
    const hasMore = this.cursor.value !== null;
    return html`<div class="row">
      <button class="button primary" type="button" @click=${() => void this.#decide("approve", this.waiting.value, true)}>
        ${icon("check")}${hasMore ? t("approve.all") : t("approve.count", { count })}
      </button>
      <button class="button danger" type="button" @click=${() => void this.#rejectAll(this.waiting.value, true)}>${t("reject.all")}</button>
    </div>`;
  }

  #groups() {
    const groups = grouped(this.waiting.value);
    if (groups.length === 0)
      return html`<ig-empty .icon=${"inbox"} .title=${t("empty.title")} .text=${t("empty.text")}></ig-empty>`;
    const now = Date.now();
    return html`${each(
        groups,
        (group) => group.key,
        (group) => this.#group(group, now),
      )}
      ${this.cursor.value
        ? html`<p class="more"><button class="button" type="button" @click=${() => void this.#read(this.cursor.value)}>${t("more")}</button></p>`
        : null}`;
  }

  /**
   * @param {import("./groups.js").Group} group
   * @param {number} now
   */
  #group(group, now) {
    const gallery = group.gallery === null ? null : this.galleries.value.get(group.gallery);
    return html`<section class="group">
      <header>
        <div>
          <h2 dir="auto">${group.name}</h2>
          <p class="soft small">
            ${t(`by.${group.kind}`)} · ${formatAgo(group.latest, now)}
            ${gallery ? html` · <a href=${link(`/galleries/${gallery.id}`)} dir="auto">${gallery.name}</a>` : group.gallery === null ? ` · ${t("no.gallery")}` : null}
            ${group.share ? html` · <a href=${link(`/shares/${group.share}`)}>${t("share")}</a>` : null}
          </p>
        </div>
        ${group.all.length > 1
          ? html`<div class="row">
              <button class="button" type="button" @click=${() => void this.#decide("approve", group.all)}>${icon("check")}${t("approve.count", { count: group.all.length })}</button>
              <button class="button quiet" type="button" @click=${() => void this.#rejectAll(group.all)}>${t("reject")}</button>
            </div>`
          : null}
      </header>
      <ul role="list" class="waiting-images">
        ${each(
          group.all,
          (one) => one.image.id,
          (one) => this.#one(one),
        )}
      </ul>
    </section>`;
  }

  /** @param {Contribution} one */
  #one(one) {
    const { image } = one;
    const name = image.alt_text || image.filename;
    const isBusy = this.busy.value.has(image.id);
    return html`<li>
      <a href=${link(`/images/${image.id}`)} class="picture">
        ${image.src
          ? html`<img src=${image.src} srcset=${image.srcSet || null} sizes="(max-width: 40rem) 50vw, 16rem" alt=${name} loading="lazy" />`
          : html`<span class="blank">${icon(image.processing_status === "failed" ? "error" : "clock")}<span class="seen-by-readers">${name}</span></span>`}
      </a>
      <span class="soft small" dir="auto" title=${image.filename}>${formatBytes(one.size)}</span>
      <button class="button primary icon" type="button" ?disabled=${isBusy} aria-label=${t("approve.of", { name })} title=${t("approve")} @click=${() => void this.#decide("approve", [one])}>
        ${icon("check")}
      </button>
      <button class="button icon" type="button" ?disabled=${isBusy} aria-label=${t("reject.of", { name })} title=${t("reject")} @click=${() => void this.#rejectAll([one])}>
        ${icon("close")}
      </button>
    </li>`;
  }

  /**
   * What is rejected is gone for good: it is asked first.
   * @param {Contribution[]} some
   * @param {boolean} [all]
   */
  async #rejectAll(some, all = false) {
    const isAll = all && this.cursor.value !== null;
    const title = isAll ? t("reject.title.all") : t("reject.title", { count: some.length });
    if (await confirm({ title, text: t("reject.text"), yes: t("reject"), danger: true })) await this.#decide("reject", some, all);
  }

  /**
   * @param {"approve" | "reject"} verdict
   * @param {Contribution[]} some
   * @param {boolean} [all] Also those that are not shown.
   */
  async #decide(verdict, some, all = false) {
    const ids = some.map((one) => one.image.id);
    this.busy.value = new Set([...this.busy.value, ...ids]);
    try {
      const body = all && this.cursor.value !== null ? { all: true } : { image_ids: ids };
      const { data } = await api.post(`/guest-uploads/${verdict}`, body);
      const done = new Set(data.done);
      const galleries = new Set(some.filter((one) => done.has(one.image.id)).map((one) => one.gallery_id));
      this.waiting.value = this.waiting.value.filter((one) => !done.has(one.image.id));
      if (verdict === "approve") {
        tell("images-arrived", { ids: data.done });
        for (const id of galleries) if (id) tell("gallery-changed", { id, change: "images", arrived: data.done });
      }
      toast(t(`done.${verdict}`, { count: data.done.length }));
      if (data.left.length > 0) toast(t("left", { count: data.left.length }), { kind: "error" });
      if (data.has_more || (this.waiting.value.length === 0 && this.cursor.value)) await this.#read();
      void startSession(); // how many wait is told beside the way to this view
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
    this.busy.value = new Set([...this.busy.value].filter((id) => !ids.includes(id)));
  }
}

define(Inbox);
