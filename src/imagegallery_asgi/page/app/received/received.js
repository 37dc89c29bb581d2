/** What others share with one: galleries, pictures, a partner's library. */
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
import { icon } from "../parts/icon.js";
import { cover } from "../shares/cover.js";
import { failed } from "../parts/failed.js";
import { signInFirst, waiting } from "../shares/waits.js";
import { namedBy } from "../shares/state.js";
import { coverOf, thingsOf, titleOf } from "../shares/things.js";
import { leave } from "./leave.js";

/** @typedef {import("./leave.js").Received} Received */

const [t, ts] = await Promise.all([messages("received"), messages("shares"), style(import.meta.url, "../shares/shares.css")]);

const PAGE = 50;

export default class ReceivedShares extends Element {
  static tag = "ig-received";

  shares = signal(/** @type {Received[]} */ ([]));
  things = signal(/** @type {import("../shares/things.js").Things} */ ({ galleries: new Map(), images: new Map() }));
  state = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
  error = signal(/** @type {unknown} */ (null));
  cursor = signal(/** @type {string | null} */ (null));
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    for (const type of ["share.created", "share.changed", "share.revoked", "share.joined", "share.left"])
      changed.addEventListener(type, () => void this.#read(), { signal: ended });
    void this.#read();
  }

  /** @param {string | null} [cursor] */
  async #read(cursor = null) {
    const signal = this.#ended ?? undefined;
    try {
      const page = await api.get("/received-shares", { query: { limit: PAGE, cursor }, signal });
      const { galleries } = namedBy(page.data);
      const things = await thingsOf({ galleries, images: [] }, signal, { shared: "with-me" });
      const known = new Map([...(cursor ? this.things.value.galleries : []), ...things.galleries]);
      this.things.value = { galleries: known, images: new Map() };
      this.shares.value = cursor ? [...this.shares.value, ...page.data] : page.data;
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
    return html`<div class="view shares">
      <header class="view-head"><h1 tabindex="-1">${t("title")}</h1></header>
      ${state === "failed" ? failed(this.error.value, () => void this.#read()) : state === "loading" ? waiting() : this.#list()}
    </div>`;
  }

  #list() {
    if (this.shares.value.length === 0)
      return html`<ig-empty .icon=${"people"} .title=${t("empty.title")} .text=${t("empty.text")}></ig-empty>`;
    return html`<ul role="list" class="share-list">
        ${each(
          this.shares.value,
          (share) => share.id,
          (share) => this.#share(share),
        )}
      </ul>
      ${this.cursor.value
        ? html`<p class="more"><button class="button" type="button" @click=${() => void this.#read(this.cursor.value)}>${ts("more")}</button></p>`
        : null}`;
  }

  /** @param {Received} share */
  #share(share) {
    const things = this.things.value;
    const isLibrary = share.targets.some((one) => one.library);
    const title = isLibrary && share.owner_id ? t("library.of", { name: share.owner_id }) : titleOf(share.targets, things, ts);
    return html`<li class="share with-action">
      <a href=${link(`/shared-with-me/${share.id}`)}>
        ${cover(coverOf(share.targets, things), isLibrary ? "photos" : "album")}
        <span class="words">
          <span class="name" dir="auto">${title}</span>
          <span class="soft small" dir="auto">${share.owner_id ? t("from", { name: share.owner_id }) : t("from.link")}</span>
          ${share.note ? html`<span class="small note-line" dir="auto">${share.note}</span>` : null}
        </span>
        <span class="facts small soft">
          ${share.expires_at ? ts("until", { date: formatDate(share.expires_at, { dateStyle: "medium" }) }) : null}
        </span>
      </a>
      ${share.can_leave
        ? html`<button class="button quiet icon" type="button" aria-label=${t("leave.of", { name: title })} title=${t("leave")} @click=${() => void this.#leave(share, title)}>${icon("sign-out")}</button>`
        : null}
    </li>`;
  }

  /**
   * @param {Received} share
   * @param {string} title
   */
  async #leave(share, title) {
    if (await leave(share, title)) this.shares.value = this.shares.value.filter((one) => one !== share);
  }
}

define(ReceivedShares);
