/** One's shares, the newest first: what, with whom, how far, and how often it was opened. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { changed } from "../core/live.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import { icon } from "../parts/icon.js";
import { cover } from "./cover.js";
import { made } from "./made.js";
import { namedBy, stateOf } from "./state.js";
import { coverOf, thingsOf, titleOf } from "./things.js";
import { signInFirst, waiting } from "./waits.js";


/** @typedef {import("./terms.js").Share} Share */

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

const PAGE = 50;
const shareAll = async () => (await import("./share-dialog.js")).openShareDialog({ library: true });

export default class Shares extends Element {
  static tag = "ig-shares";

  query = signal(new URLSearchParams());
  shares = signal(/** @type {Share[]} */ ([]));
  things = signal(/** @type {import("./things.js").Things} */ ({ galleries: new Map(), images: new Map() }));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  cursor = signal(/** @type {string | null} */ (null));
  isReadingMore = signal(false);
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    made.addEventListener("made", () => void this.#read(), { signal: ended });
    for (const type of ["share.joined", "share.left", "share.revoked", "share.changed"])
      changed.addEventListener(type, () => void this.#read(), { signal: ended });
    void this.#read();
  }

  /** @param {string | null} [cursor] Without one it begins anew. */
  async #read(cursor = null) {
    try {
      const query = { limit: PAGE, cursor, with_revoked: true };
      const page = await api.get("/shares", { query, signal: this.#ended ?? undefined });
      const things = await thingsOf(namedBy(page.data), this.#ended ?? undefined);
      const before = cursor ? this.things.value : things;
      this.things.value = {
        galleries: new Map([...before.galleries, ...things.galleries]),
        images: new Map([...before.images, ...things.images]),
      };
      this.shares.value = cursor ? [...this.shares.value, ...page.data] : page.data;
      this.cursor.value = page.pagination.nextCursor ?? null;
      this.state.value = "ready";
    } catch (error) {
      if (this.#ended?.aborted) return;
      this.error.value = error;
      this.state.value = "failed";
    }
  }

  async #more() {
    this.isReadingMore.value = true;
    await this.#read(this.cursor.value);
    this.isReadingMore.value = false;
  }

  render() {
    const state = this.state.value;
    if (session.state.value === "visitor") return signInFirst();
    return html`<div class="view shares">
      <header class="view-head">
        <h1 tabindex="-1">${t("title")}</h1>
        <button class="button" type="button" @click=${() => void shareAll()}>${icon("people")}${t("library")}</button>
      </header>
      ${state === "failed" ? failed(this.error.value, () => void this.#read()) : state === "loading" ? waiting() : this.#list()}
    </div>`;
  }

  #list() {
    const shares = this.shares.value;
    if (shares.length === 0)
      return html`<ig-empty
        .icon=${"share"}
        .title=${t("empty.title")}
        .text=${t("empty.text")}
        .actions=${html`<a class="button primary" href=${link("/galleries")}>${t("empty.go")}</a>`}
      ></ig-empty>`;
    const now = Date.now();
    return html`<ul role="list" class="share-list">
        ${each(
          shares,
          (share) => share.id,
          (share) => this.#share(share, now),
        )}
      </ul>
      ${this.cursor.value
        ? html`<p class="more"><button class="button" type="button" ?disabled=${this.isReadingMore.value} @click=${() => void this.#more()}>${t("more")}</button></p>`
        : null}`;
  }

  /**
   * @param {Share} share
   * @param {number} now
   */
  #share(share, now) {
    const state = stateOf(share, now);
    const things = this.things.value;
    return html`<li class="share ${state}">
      <a href=${link(`/shares/${share.id}`)}>
        ${cover(coverOf(share.targets, things), share.targets.some((each) => each.library) ? "photos" : "album")}
        <span class="words">
          <span class="name" dir="auto">${titleOf(share.targets, things, t)}</span>
          <span class="soft small">${withWhom(share)}</span>
        </span>
        <span class="facts small">
          <span class="state ${state}">${t(`state.${state}`)}</span>
          ${share.has_link ? html`<span class="soft number">${share.views === 0 ? t("views.none") : t("views", { count: share.views })}</span>` : null}
          ${share.expires_at && state === "active"
            ? html`<span class="soft">${t("until", { date: formatDate(share.expires_at, { dateStyle: "medium" }) })}</span>`
            : null}
        </span>
        ${icon("next")}
      </a>
    </li>`;
  }
}

/** In words: by what, and for whom. @param {Share} share */
export function withWhom(share) {
  const parts = [];
  if (share.has_link) parts.push(share.has_password ? t("by.link.password") : t("by.link"));
  const names = share.recipients.map((one) => one.user ?? one.email ?? one.group ?? "");
  if (names.length > 0 && names.length <= 2) parts.push(names.map((name) => `\u2068${name}\u2069`).join(", "));
  else if (names.length > 0) parts.push(t("recipients", { count: names.length }));
  return parts.join(" · ");
}

define(Shares);
