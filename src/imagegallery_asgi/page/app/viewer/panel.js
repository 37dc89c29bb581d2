/** All about an image, beside it: read, and for its owner written where it is read. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate, formatNumber } from "../core/formats.js";
import { html } from "../core/html.js";
import { changed, tell } from "../core/live.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { effect, signal, untracked } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import { camera, exposure, moment, pixels } from "./details.js";
import "./edit-field.js";
import { meanwhile, tagsOf } from "./edits.js";

/**
 * @typedef {import("./picture.js").Detail} Detail
 * @typedef {import("./edits.js").Value} Value
 */

const t = await messages("viewer");

/** How often an edit is sent again because somebody else changed other fields meanwhile. */
const TRIES = 4;
const STARS = /** @type {const} */ ([1, 2, 3, 4, 5]);
const LONGEST = { alt_text: 500, title: 200, description: 5000, tags: 5000 };

class ImagePanel extends Element {
  static tag = "ig-image-panel";

  image = signal(/** @type {Detail | null} */ (null));
  client = signal(api);
  isOwn = signal(false);
  galleries = signal(/** @type {{id: string, name: string}[]} */ ([]));
  /** The map has been loaded, which few images need. */
  hasMap = signal(false);

  /** The version of the image that was read last. @type {string | null} */
  #version = null;
  #id = "";
  #wasOwn = false;

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => {
      const [id, isOwn] = [this.image.value?.id ?? "", this.isOwn.value];
      untracked(() => this.#open(id, isOwn, ended));
    });
    ended.addEventListener("abort", stop);
    changed.addEventListener("gallery-changed", () => void this.#readGalleries(this.#id, ended), { signal: ended });
  }

  /**
   * @param {string} id
   * @param {boolean} isOwn
   * @param {AbortSignal} ended
   */
  #open(id, isOwn, ended) {
    if (id === this.#id && isOwn === this.#wasOwn) return;
    [this.#id, this.#wasOwn] = [id, isOwn];
    this.#version = null;
    this.galleries.value = [];
    if (isOwn) void this.#readGalleries(id, ended);
  }

  /**
   * @param {string} id
   * @param {AbortSignal} ended
   */
  async #readGalleries(id, ended) {
    if (!this.isOwn.value) return;
    try {
      const { data } = await api.get("/galleries", { query: { view: "own", contains: id, limit: 100 }, signal: ended });
      if (this.#id === id) this.galleries.value = data;
    } catch {
      // They are told when the panel opens again.
    }
  }

  // --- changes --------------------------------------------------------------------------------------------------

  /**
   * Send one field. Somebody else may have changed the image since it was read: `meanwhile` says what becomes of it.
   * @param {string} field
   * @param {Value} mine
   * @param {Value} before
   * @returns {Promise<{theirs: Value} | null>}
   */
  async #send(field, mine, before) {
    const id = this.#id;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const theirs = this.#version === null ? ((await this.#read(id))[field] ?? null) : before;
      const becomes = tried === 0 && this.#version !== null ? "again" : meanwhile(before, mine, theirs);
      if (becomes === "choose") return { theirs };
      if (becomes === "done") {
        this.#tell(id, { [field]: theirs });
        return null;
      }
      try {
        const response = await api.request(`/images/${id}`, {
          method: "PATCH",
          headers: { "Content-Type": "application/json", ...(this.#version && { "If-Match": this.#version }) },
          body: JSON.stringify({ [field]: mine }),
        });
        this.#version = response.headers.get("ETag");
        const { data } = await response.json();
        this.#tell(id, { [field]: data[field] });
        return null;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 412) throw error;
        this.#version = null;
      }
    }
    throw new ApiError(412, { code: "condition_failed" });
  }

  /** @param {string} id @returns {Promise<Record<string, Value>>} */
  async #read(id) {
    const response = await api.request(`/images/${id}`);
    this.#version = response.headers.get("ETag");
    return (await response.json()).data;
  }

  /**
   * @param {string} id
   * @param {Record<string, Value>} fields
   */
  #tell(id, fields) {
    tell("image-changed", { ids: [id], fields });
  }

  // --- what is seen ---------------------------------------------------------------------------------------------

  render() {
    const image = this.image.value;
    if (!image) return null;
    return html`<aside aria-label=${t("info")}>
      <header class="row">
        <h2>${t("info")}</h2>
        <button class="button quiet icon" type="button" aria-label=${t("info.close")} @click=${() => this.emit("close")}>${icon("close")}</button>
      </header>
      ${this.isOwn.value ? this.#words(image) : this.#readWords(image)}
      <dl class="facts">${this.#facts(image).map(([name, what]) => html`<div><dt>${t(name)}</dt><dd>${what}</dd></div>`)}</dl>
      ${this.#place(image)}
      ${this.galleries.value.length ? this.#galleryList() : null}
    </aside>`;
  }

  /** @param {Detail} image */
  #words(image) {
    return html`<div class="words">
      ${this.#edit(image, "title")} ${this.#edit(image, "description", { isLong: true })}
      ${this.#edit(image, "alt_text", { isLong: true, hint: t("alt_text.hint") })}
      ${this.#edit(image, "tags", { hint: t("tags.hint"), parse: tagsOf, write: joined })} ${this.#rating(image)}
    </div>`;
  }

  /**
   * @param {Detail} image
   * @param {"title" | "description" | "alt_text" | "tags"} field
   * @param {{isLong?: boolean, hint?: string, parse?: (text: string) => Value, write?: (value: Value) => string}} [how]
   */
  #edit(image, field, { isLong = false, hint = "", parse = trimmed, write = plain } = {}) {
    return html`<ig-edit-field
      .label=${t(field)}
      .hint=${hint}
      .isLong=${isLong}
      .longest=${LONGEST[field]}
      .parse=${parse}
      .write=${write}
      .value=${image[field] ?? ""}
      .send=${this.#sender(field)}
    ></ig-edit-field>`;
  }

  /** @type {Map<string, import("./edit-field.js").Send>} */
  #senders = new Map();

  /** @param {string} field One and the same each time, so that nothing is drawn anew for it. */
  #sender(field) {
    const known = this.#senders.get(field) ?? ((mine, before) => this.#send(field, mine, before));
    this.#senders.set(field, known);
    return known;
  }

  /** @param {Detail} image What its owner wrote for others; tags and rating are the owner's alone. */
  #readWords({ title, description, alt_text }) {
    const about = description || alt_text;
    return html`
      ${title ? html`<h3 dir="auto">${title}</h3>` : null} ${about ? html`<p class="about" dir="auto">${about}</p>` : null}
    `;
  }

  /** @param {Detail} image */
  #rating(image) {
    const rating = image.rating ?? 0;
    return html`<fieldset class="stars">
      <legend class="small soft">${t("rating")}</legend>
      ${STARS.map(
        (star) => html`<button class="button quiet icon" type="button" aria-pressed=${String(star === rating)} aria-label=${t("stars", { count: star })} @click=${() => this.#rate(image, star === rating ? null : star)}>${starOf(star <= rating)}</button>`,
      )}
      <span class="small fault" role="status">${this.ratingFault.value ? sentence(this.ratingFault.value) : ""}</span>
    </fieldset>`;
  }
  ratingFault = signal(/** @type {unknown} */ (null));

  /**
   * @param {Detail} image
   * @param {number | null} rating
   */
  async #rate(image, rating) {
    const before = image.rating ?? null;
    this.ratingFault.value = null;
    tell("image-changed", { ids: [image.id], fields: { rating } });
    try {
      const decide = await this.#send("rating", rating, before);
      if (decide) tell("image-changed", { ids: [image.id], fields: { rating: decide.theirs } });
    } catch (error) {
      tell("image-changed", { ids: [image.id], fields: { rating: before } });
      this.ratingFault.value = error;
    }
  }

  /** @param {Detail} image @returns {[string, unknown][]} What is known, in the order in which people ask. */
  #facts(image) {
    const { exif } = image;
    const from = image.taken_at_source && t(`source.${image.taken_at_source}`);
    const shot = exif ? exposure(exif, t) : [];
    const made = exif ? camera(exif) : "";
    /** @type {[string, unknown][]} */
    const facts = [
      ["filename", html`<bdi>${image.filename}</bdi>`],
      ["taken_at", html`${moment(image)}${from ? html`<span class="small soft">${from}</span>` : null}`],
      ["camera", made && html`<bdi>${made}</bdi>`],
      ["lens", exif?.lens && html`<bdi>${exif.lens}</bdi>`],
      ["exposure", shot.length > 0 && html`<bdi>${shot.join(" · ")}</bdi>`],
      ["altitude", (exif?.altitude ?? null) !== null && t("metres", { count: formatNumber(exif?.altitude ?? 0, { maximumFractionDigits: 0 }) })],
      ["size", pixels(image, t)],
      ["frames", image.frames > 1 && formatNumber(image.frames)],
      ["file", image.file_size > 0 && `${formatBytes(image.file_size)} · ${image.mime_type}`],
      ["uploaded", image.created_at && formatDate(image.created_at)],
      ["added_by", image.added_by && html`<bdi>${image.added_by.name}</bdi>`],
      ["note", image.is_truncated && t("truncated")],
    ];
    return facts.filter(([, what]) => what);
  }

  /** @param {Detail} image */
  #place({ latitude, longitude }) {
    if ((latitude ?? null) === null || (longitude ?? null) === null) return null;
    if (!this.hasMap.value) void import("./place.js").then(() => (this.hasMap.value = true));
    return html`<section><h3>${t("place.title")}</h3>${this.hasMap.value ? html`<ig-place .place=${this.#placeOf(latitude, longitude)}></ig-place>` : null}</section>`;
  }

  #lastPlace = { latitude: 0, longitude: 0 };
  /** The same object for the same place. @param {number | null} latitude @param {number | null} longitude */
  #placeOf(latitude, longitude) {
    const place = { latitude: latitude ?? 0, longitude: longitude ?? 0 };
    if (place.latitude !== this.#lastPlace.latitude || place.longitude !== this.#lastPlace.longitude) this.#lastPlace = place;
    return this.#lastPlace;
  }

  #galleryList() {
    return html`<section>
      <h3>${t("galleries")}</h3>
      <ul class="in-galleries" role="list">
        ${this.galleries.value.map(({ id, name }) => html`<li><a href=${link(`/galleries/${id}`)} dir="auto">${icon("album")}<span>${name}</span></a></li>`)}
      </ul>
    </section>`;
  }
}

/** @param {boolean} isFull */
const starOf = (isFull) => html`<span class="star ${isFull ? "is-full" : ""}">${icon("star")}</span>`;
const trimmed = (/** @type {string} */ text) => text.trim();
const plain = (/** @type {Value} */ value) => String(value ?? "");
const joined = (/** @type {Value} */ value) => /** @type {string[]} */ (value || []).join(", ");

define(ImagePanel);
