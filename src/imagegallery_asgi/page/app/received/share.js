/** One thing that somebody shares with one: its galleries, its pictures, or their library. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link, navigate } from "../core/router.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { ListSource, TimelineSource, sourceOf } from "../grid/images.js";
import "../grid/grid.js";
import "../grid/timeline.js";
import "../parts/empty.js";
import { icon } from "../parts/icon.js";
import { failed } from "../parts/failed.js";
import { waiting } from "../shares/waits.js";
import { namedBy } from "../shares/state.js";
import { thingsOf, titleOf } from "../shares/things.js";
import { known } from "../link/known.js";
import { leave } from "./leave.js";

/** @typedef {import("./leave.js").Received} Received */
/** @typedef {import("../grid/images.js").ImageSource} ImageSource */

const [t, ts, tl] = await Promise.all([messages("received"), messages("shares"), messages("link")]);
await Promise.all([style(import.meta.url, "../shares/shares.css"), style(import.meta.url, "../link/link.css")]);

export default class ReceivedShare extends Element {
  static tag = "ig-received-share";

  params = signal(/** @type {Record<string, string>} */ ({}));
  share = signal(/** @type {Received | null} */ (null));
  things = signal(/** @type {import("../shares/things.js").Things} */ ({ galleries: new Map(), images: new Map() }));
  source = signal(/** @type {ImageSource | null} */ (null));
  error = signal(/** @type {unknown} */ (null));
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    void this.#read();
  }

  async #read() {
    const signal = this.#ended ?? undefined;
    try {
      this.error.value = null;
      const { data } = await api.get(`/received-shares/${encodeURIComponent(this.params.value.share ?? "")}`, { signal });
      const { galleries, images } = namedBy([data]);
      this.things.value = await thingsOf({ galleries, images: [] }, signal, { shared: "with-me" });
      this.share.value = data;
      const source = data.targets.some((/** @type {any} */ one) => one.library) ? library(data.id) : await pictures(images, signal);
      this.source.value = source;
      await source?.open();
    } catch (error) {
      if (!this.#ended?.aborted) this.error.value = error;
    }
  }

  render() {
    if (this.error.value) return html`<div class="view shares">${failed(this.error.value, () => void this.#read())}</div>`;
    const share = this.share.value;
    if (!share) return html`<div class="view shares">${waiting()}</div>`;
    const galleries = [...this.things.value.galleries.values()];
    const source = this.source.value;
    const title = share.targets.some((one) => one.library) && share.owner_id ? t("library.of", { name: share.owner_id }) : titleOf(share.targets, this.things.value, ts);
    return html`<div class="view link">
      <header class="view-head">
        <div class="words">
          <a class="back small soft" href=${link("/shared-with-me")}>${icon("previous")}${t("title")}</a>
          <h1 dir="auto" tabindex="-1">${title}</h1>
          <p class="soft small" dir="auto">${share.owner_id ? t("from", { name: share.owner_id }) : t("from.link")}</p>
          ${share.note ? html`<p class="note"><bdi>${share.note}</bdi></p>` : null}
        </div>
        ${share.can_leave
          ? html`<button class="button" type="button" @click=${() => void this.#leave(share, title)}>${icon("sign-out")}${t("leave")}</button>`
          : html`<p class="soft small">${t("by.group")}</p>`}
      </header>
      ${galleries.length > 0
        ? html`<ul role="list" class="linked-galleries">
            ${each(
              galleries,
              (gallery) => gallery.id,
              (gallery) => html`<li>
                <a href=${link(`/galleries/${gallery.id}`)}>
                  ${gallery.cover?.src
                    ? html`<img src=${gallery.cover.src} srcset=${gallery.cover.srcSet || null} sizes="20rem" alt="" loading="lazy" />`
                    : html`<span class="blank">${icon("image")}</span>`}
                  <span class="name" dir="auto">${gallery.name}</span>
                  ${gallery.image_count === null ? null : html`<span class="soft small">${tl("count", { count: gallery.image_count })}</span>`}
                </a>
              </li>`,
            )}
          </ul>`
        : null}
      ${source ? this.#pictures(source) : galleries.length === 0 ? html`<ig-empty .icon=${"image"} .title=${tl("empty")}></ig-empty>` : null}
    </div>`;
  }

  /** @param {ImageSource} source */
  #pictures(source) {
    if (source.error.value) return failed(source.error.value, () => void source.retry());
    if (source.isReady.value && source.count.value === 0) return html`<ig-empty .icon=${"image"} .title=${tl("empty")}></ig-empty>`;
    return source instanceof TimelineSource
      ? html`<ig-timeline .source=${source}></ig-timeline>`
      : html`<ig-grid .source=${source} .layout=${"masonry"}></ig-grid>`;
  }

  /**
   * @param {Received} share
   * @param {string} title
   */
  async #leave(share, title) {
    if (await leave(share, title)) navigate("/shared-with-me", { replace: true });
  }
}

/** @param {string} share */
const library = (share) => sourceOf(`received ${share}`, () => new TimelineSource(api, { share }));

/**
 * Single pictures of another's, each of which is asked for by itself.
 * @param {string[]} ids
 * @param {AbortSignal} [signal]
 */
async function pictures(ids, signal) {
  if (ids.length === 0) return null;
  const found = await Promise.all(ids.map((id) => api.get(`/images/${id}`, { signal }).then(({ data }) => data, () => null)));
  const images = found.filter(Boolean);
  return new ListSource(known(api, images), "", {}, { total: images.length, isSingly: true });
}

define(ReceivedShare);
