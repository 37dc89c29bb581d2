/** The viewer: one image on the whole screen, over the view that it was opened from. */
import { api, pause } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { changed } from "../core/live.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { ground, navigate, place } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { effect, signal, untracked } from "../core/signal.js";
import { style } from "../core/styles.js";
import { favourite, trash } from "../changes/changes.js";
import { shown } from "../grid/images.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";
import { toast } from "../parts/toast.js";
import { useKeys } from "../shortcuts/keys.js";
import { download, mayDownload } from "./download.js";
import { beside, endOf } from "./neighbours.js";
import { addressOf, grow, opened } from "./open.js";
import { lifetime, stateOf } from "./picture.js";
import { INTERVALS, Slideshow } from "./slideshow.js";
import "./stage.js";

/**
 * @typedef {import("./picture.js").Detail} Detail
 * @typedef {import("./picture.js").Summary} Summary
 * @typedef {import("./stage.js").Stage} Stage
 */

const [t, tShell] = await Promise.all([messages("viewer"), messages("shell"), style(import.meta.url, "./viewer.css")]);
const brand = tShell("brand");

/** New addresses are asked for when those of an image end this soon, in milliseconds. */
const MARGIN = 30_000;
/** How often one looks for the picture of an image that is being made ready, in seconds. */
const AGAIN = 4;
/** An arrow that is held down goes on no faster, in milliseconds: browsers refuse more addresses in a row. */
const HELD = 200;

export default class Viewer extends Element {
  static tag = "ig-viewer";

  params = signal(/** @type {Record<string, string>} */ ({}));
  /** What is shown: what lists know of it, and soon all. */
  image = signal(/** @type {Summary | null} */ (null));
  earlier = signal(/** @type {Summary | null} */ (null));
  later = signal(/** @type {Summary | null} */ (null));
  index = signal(/** @type {number | null} */ (null));
  failure = signal(/** @type {unknown} */ (null));
  broken = signal(/** @type {Set<string>} */ (new Set()));
  hasPanel = signal(false);
  /** The buttons are hidden: the picture alone is there. */
  isBare = signal(false);
  isStill = signal(matchMedia("(prefers-reduced-motion: reduce)").matches);
  canDownload = signal(false);
  said = signal("");
  slideshow = new Slideshow(() => this.#wrap());

  /** The API that it is read from: one's own, or below a link. */
  #api = api;
  /** Ends what was asked for an image when another one is shown. */
  #asked = new AbortController();
  /** Images whose addresses were asked for anew because they failed. @type {Set<string>} */
  #renewed = new Set();
  /** @type {HTMLElement | null} */
  #focusedBefore = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#focusedBefore = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.setAttribute("role", "dialog");
    this.setAttribute("aria-modal", "true");
    this.setAttribute("aria-label", t("label"));
    this.tabIndex = -1;
    document.documentElement.classList.add("has-viewer");
    const releases = [
      effect(() => this.#follow(this.params.value)),
      // The view below an address that was opened by itself comes later.
      effect(() => void (shown.value && untracked(() => this.#lookBeside(this.#asked.signal)))),
    ];
    ended.addEventListener("abort", () => this.#closed(releases));
    const on = { signal: ended };
    useKeys(t("keys"), this.#keys(), ended);
    changed.addEventListener("image-changed", (event) => this.#heard(/** @type {CustomEvent} */ (event).detail), on);
    changed.addEventListener("images-gone", (event) => void this.#gone(/** @type {CustomEvent} */ (event).detail.ids), on);
    changed.addEventListener("everything-changed", () => void this.#read(), on);
    document.addEventListener("visibilitychange", () => void this.slideshow.keepAwake(), on);
    this.focus({ preventScroll: true });
  }

  /** @param {(() => void)[]} releases */
  #closed(releases) {
    document.documentElement.classList.remove("has-viewer");
    this.#asked.abort();
    opened.source = null; // who comes back by the way of the browser finds the list of the view below
    this.slideshow.stop();
    for (const release of releases) release();
    if (document.fullscreenElement) void document.exitFullscreen();
    const cell = this.image.value && cellOf(this.image.value.id);
    const last = cell?.querySelector("a, button") ?? this.#focusedBefore;
    if (last instanceof HTMLElement) last.focus({ preventScroll: true });
    const below = document.querySelector("main :is(h1, h2)")?.textContent?.trim();
    document.title = below ? `${below} · ${brand}` : brand;
  }

  // --- which image ----------------------------------------------------------------------------------------------

  /** The list of the view below. */
  get #list() {
    return opened.source ?? shown.value;
  }

  /** @param {Record<string, string>} params */
  #follow(params) {
    untracked(() => this.#open(params));
  }

  /** @param {Record<string, string>} params */
  #open(params) {
    const id = params.id ?? "";
    if (!id || id === this.image.value?.id) return;
    this.#api = params.link ? api.below(`/s/${encodeURIComponent(params.link)}`) : api;
    const [earlier, image, later] = [this.earlier.value, this.image.value, this.later.value];
    this.image.value = [earlier, later, opened.summary].find((each) => each?.id === id) ?? null;
    this.earlier.value = later?.id === id ? image : null;
    this.later.value = earlier?.id === id ? image : null;
    this.index.value = this.failure.value = null;
    this.#renewed.delete(id);
    this.#forget(id);
    this.slideshow.shown();
    void this.#read(id);
  }

  /** Read all about the image, and what lies beside it. @param {string | undefined} id */
  async #read(id = this.params.value.id) {
    this.#asked.abort();
    const { signal: ended } = (this.#asked = new AbortController());
    const looked = this.image.value && this.#lookBeside(ended);
    try {
      const { data } = await this.#api.get(`/images/${encodeURIComponent(id ?? "")}`, { signal: ended });
      if (ended.aborted) return;
      this.image.value = data;
      this.#forget(data.id);
      this.#tell(data);
      this.canDownload.value = await mayDownload(data, this.params.value.link ?? null);
    } catch (error) {
      if (!ended.aborted) this.failure.value = error;
      return;
    }
    await (looked ?? this.#lookBeside(ended));
    if (this.image.value && stateOf(this.image.value) === "processing") await this.#lookAgain(ended);
  }

  /** What is made ready is told to who is signed in; others look again. @param {AbortSignal} ended */
  async #lookAgain(ended) {
    await pause(AGAIN, ended).then(
      () => this.#read(),
      () => {}, // another one is shown
    );
  }

  /** @param {AbortSignal} ended */
  async #lookBeside(ended) {
    const [list, image] = [this.#list, this.image.value];
    if (!list || !image) return;
    try {
      const found = await beside(list, image);
      if (ended.aborted) return;
      this.index.value = found?.index ?? null;
      const summaries = await Promise.all([found?.before, found?.after].map((id) => (id ? list.summary(id) : null)));
      if (ended.aborted) return;
      [this.earlier.value, this.later.value] = /** @type {[Summary | null, Summary | null]} */ (summaries);
      this.#tell(image);
    } catch {
      // There is no way on by now, and the image is there all the same.
    }
  }

  /** Say what is seen, to who does not see it. @param {Summary} image */
  #tell(image) {
    const [index, count] = [this.index.value, this.#list?.count.value ?? null];
    const name = image.alt_text || image.filename;
    document.title = `${image.filename} · ${brand}`;
    this.said.value = index !== null && count !== null ? t("said", { name, number: index + 1, count }) : name;
  }

  /** @param {string} id */
  #forget(id) {
    if (!this.broken.value.has(id)) return;
    this.broken.value = new Set([...this.broken.value].filter((each) => each !== id));
  }

  /** @param {string | null | undefined} id */
  #goTo(id) {
    if (!id) return;
    const { link: token, gallery } = this.params.value;
    const below = `${token ? `/s/${token}` : ""}${gallery ? `/galleries/${gallery}` : ""}`;
    navigate(addressOf(id, below), { replace: true, state: { opened: this.#wasOpened } });
  }

  next = () => this.#goTo(this.later.value?.id);
  previous = () => this.#goTo(this.earlier.value?.id);

  /** Whether back leads to the view below: not where its address was opened by itself. */
  get #wasOpened() {
    const { opened: was, ground: below } = place.value.state;
    return was ?? below !== undefined;
  }

  /** @param {-1 | 1} end */
  async #toEnd(end) {
    const list = this.#list;
    if (list) this.#goTo(await endOf(list, end).catch(() => null));
  }

  /** The slideshow goes on, and begins again after the last one. */
  #wrap() {
    if (this.later.value) this.next();
    else if (this.earlier.value) void this.#toEnd(-1);
    else this.slideshow.shown();
  }

  // --- what happens elsewhere -----------------------------------------------------------------------------------

  /** @param {{ids: string[], fields?: Record<string, unknown>}} news */
  #heard({ ids, fields }) {
    const image = this.image.value;
    if (!image || !ids.includes(image.id)) return;
    if (fields) this.image.value = { ...image, ...fields };
    else void this.#read();
  }

  /** @param {string[]} ids */
  async #gone(ids) {
    const image = this.image.value;
    if (!image || !ids.includes(image.id)) return;
    const on = [this.later.value, this.earlier.value].find((each) => each && !ids.includes(each.id));
    opened.summary = null;
    if (on) this.#goTo(on.id);
    else this.close();
  }

  /** The files of an image could not be loaded: perhaps their addresses have ended. @param {Summary} image */
  async #couldNotLoad(image) {
    const isNew = !this.#renewed.has(image.id) || lifetime(image, Date.now()) < MARGIN;
    this.#renewed.add(image.id);
    if (isNew && image.id === this.image.value?.id) {
      await this.#read();
      const now = this.image.value;
      if (now?.id !== image.id || now.src !== image.src) return; // it is asked for by its new address
    }
    this.broken.value = new Set([...this.broken.value, image.id]);
  }

  // --- what one does --------------------------------------------------------------------------------------------

  /** Whether it is one's own, of which one alone is told what it can be seen by. */
  get #isOwn() {
    const image = /** @type {Partial<Detail> | null} */ (this.image.value);
    return session.state.value === "user" && !this.params.value.link && (image?.visibility ?? null) !== null;
  }

  get #stage() {
    return /** @type {Stage} */ (/** @type {unknown} */ (this.querySelector("ig-stage")));
  }

  close = () => {
    const id = this.image.value?.id;
    const leave = () => {
      if (this.#wasOpened) history.back();
      else navigate(addressOfGround(), { replace: true });
    };
    const cell = id ? cellOf(id) : null;
    const picture = cell && isSeen(cell) && !this.#stage.isZoomed ? this.#stage.picture : null;
    void grow(picture, () => left(leave), () => (id ? cellOf(id) : null));
  };

  #favourite = () => {
    const image = this.image.value;
    if (image && this.#isOwn) void favourite([image.id], !image.is_favorite);
  };

  #trash = () => {
    const image = this.image.value;
    if (image && this.#isOwn) void trash([image.id]);
  };

  #download = () => {
    const image = this.image.value;
    if (image && this.canDownload.value) void download(this.#api, image);
  };

  async #add() {
    const image = this.image.value;
    if (!image || !this.#isOwn) return;
    const [{ pickGallery }, { addToGallery }] = await Promise.all([import("../galleries/pick.js"), import("../changes/changes.js")]);
    const gallery = await pickGallery({ title: t("add"), canMake: true });
    if (gallery) await addToGallery([image.id], gallery.id, gallery.name);
  }

  async #share() {
    const image = this.image.value;
    if (image && this.#isOwn) await (await import("../shares/share-dialog.js")).openShareDialog({ images: [image.id] });
  }

  #panel = async () => {
    if (!this.hasPanel.value) await import("./panel.js");
    this.hasPanel.value = !this.hasPanel.value;
  };

  #slides = () => {
    if (this.slideshow.isOn.value) {
      this.slideshow.stop();
      this.isBare.value = false;
      return;
    }
    this.hasPanel.value = false;
    this.isBare.value = true;
    this.slideshow.start();
  };

  async #retry() {
    const image = this.image.value;
    if (!image) return;
    try {
      if (stateOf(image) === "failed") this.image.value = (await api.post(`/images/${image.id}/retry`)).data;
      else {
        this.#renewed.delete(image.id);
        this.#forget(image.id);
        await this.#read();
      }
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
  }

  #wholeScreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void document.documentElement.requestFullscreen().catch(() => {});
  };

  #wentAt = 0;

  /** Arrows go to the images beside, or look around in one that is larger than the screen. @param {KeyboardEvent} event */
  #arrow = ({ key, repeat, timeStamp }) => {
    if (repeat && !this.#stage.isZoomed && timeStamp - this.#wentAt < HELD) return;
    this.#wentAt = timeStamp;
    const x = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const y = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (this.#stage.isZoomed) this.#stage.pan(x, y);
    else if (x) (x === 1) === isRightToLeft() ? this.previous() : this.next();
  };

  /** @returns {import("../shortcuts/keys.js").Shortcut[]} */
  #keys() {
    const { slideshow } = this;
    const owners = [
      { keys: ["f"], says: t("key.favourite"), run: this.#favourite },
      { keys: ["a"], says: t("add"), run: () => this.#add() },
      { keys: ["Delete"], says: t("trash"), run: this.#trash },
    ];
    return [
      { keys: ["ArrowLeft", "ArrowRight"], says: t("key.beside"), run: this.#arrow },
      { keys: ["ArrowUp", "ArrowDown"], says: t("key.around"), run: this.#arrow },
      { keys: ["PageDown"], says: t("next"), run: this.next },
      { keys: ["PageUp"], says: t("previous"), run: this.previous },
      { keys: ["Home"], says: t("key.first"), run: () => this.#toEnd(-1) },
      { keys: ["End"], says: t("key.last"), run: () => this.#toEnd(1) },
      { keys: ["+", "="], says: t("zoom.in"), run: () => this.#stage.zoom(1) },
      { keys: ["-"], says: t("zoom.out"), run: () => this.#stage.zoom(-1) },
      { keys: ["0"], says: t("zoom.whole"), run: () => this.#stage.whole() },
      { keys: ["i"], says: t("info"), run: this.#panel },
      { keys: ["d"], says: t("download"), run: this.#download },
      { keys: ["s"], says: t("slideshow"), run: this.#slides },
      { keys: [" "], says: t("key.pause"), run: (event) => this.#space(event, slideshow) },
      { keys: ["w"], says: t("screen"), run: this.#wholeScreen },
      ...(this.params.value.link ? [] : owners),
      { keys: ["Escape"], says: t("close"), run: () => (slideshow.isOn.value ? this.#slides() : this.close()) },
    ];
  }

  /**
   * Space presses the button that has the focus; else it pauses, or goes on.
   * @param {KeyboardEvent} event
   * @param {Slideshow} slideshow
   */
  #space({ target }, slideshow) {
    if (target instanceof HTMLElement && target.matches("button, a")) target.click();
    else if (slideshow.isOn.value) slideshow.pause();
    else this.next();
  }

  // --- what is seen ---------------------------------------------------------------------------------------------

  render() {
    const image = this.image.value;
    this.classList.toggle("is-bare", this.isBare.value);
    return html`
      ${this.#bar(image)}
      <div class="stage-and-ways">
        <ig-stage
          .earlier=${this.earlier.value}
          .current=${image}
          .later=${this.later.value}
          .broken=${this.broken.value}
          .isStill=${this.isStill.value}
          .instead=${this.#instead}
          @next=${this.next}
          @previous=${this.previous}
          @close=${this.close}
          @tap=${() => (this.isBare.value = !this.isBare.value)}
          @broken=${(/** @type {CustomEvent} */ event) => void this.#couldNotLoad(event.detail)}
          @there=${() => this.slideshow.shown()}
        ></ig-stage>
        ${image === null ? this.#waiting() : null}
        ${this.#way("previous", this.earlier.value, this.previous)} ${this.#way("next", this.later.value, this.next)}
        ${this.slideshow.isOn.value ? this.#player() : null}
      </div>
      ${this.hasPanel.value && image ? html`<ig-image-panel .image=${image} .client=${this.#api} .isOwn=${this.#isOwn} @close=${this.#panel}></ig-image-panel>` : null}
      <p class="seen-by-readers" role="status" aria-live="polite">${this.said.value}</p>
    `;
  }

  /** @param {Summary | null} image */
  #bar(image) {
    const isOwn = this.#isOwn;
    const [index, count] = [this.index.value, this.#list?.count.value ?? null];
    return html`<header class="viewer-bar">
      ${this.#button("close", "close", this.close)}
      <div class="what">
        <h1 class="name" dir="auto">${/** @type {Partial<Detail> | null} */ (image)?.title || image?.filename || t("label")}</h1>
        ${index !== null && count ? html`<span class="number soft">${t("place", { number: index + 1, count })}</span>` : null}
      </div>
      <div class="tools">
        ${image && (image.frames ?? 1) > 1 ? this.#button(this.isStill.value ? "play" : "pause", this.isStill.value ? "play" : "still", () => (this.isStill.value = !this.isStill.value)) : null}
        ${isOwn && image ? html`<button class="button quiet icon ${image.is_favorite ? "is-on" : ""}" type="button" aria-pressed=${String(image.is_favorite)} aria-label=${t("favourite")} title=${t("favourite")} @click=${this.#favourite}>${icon("heart")}</button>` : null}
        ${this.canDownload.value ? this.#button("download", "download", this.#download) : null}
        <button class="button quiet icon" type="button" ?hidden=${!image} aria-expanded=${String(this.hasPanel.value)} aria-label=${t("info")} title=${t("info")} @click=${this.#panel}>${icon("info")}</button>
        <ig-menu
          ?hidden=${!image}
          .label=${t("more")}
          .items=${[
            { label: t("slideshow"), icon: "play", run: this.#slides },
            document.fullscreenEnabled && { label: t("screen"), icon: "image", run: this.#wholeScreen },
            { label: t("zoom.in"), icon: "zoom-in", run: () => this.#stage.zoom(1) },
            { label: t("zoom.whole"), icon: "zoom-out", run: () => this.#stage.whole() },
            isOwn && { label: t("add"), icon: "album", run: () => this.#add() },
            isOwn && { label: t("share"), icon: "share", run: () => this.#share() },
            isOwn && { label: t("trash"), icon: "trash", danger: true, run: this.#trash },
          ]}
        ></ig-menu>
      </div>
    </header>`;
  }

  /**
   * @param {keyof typeof import("../parts/icon.js").ICONS} name
   * @param {string} says
   * @param {() => unknown} run
   */
  #button(name, says, run) {
    return html`<button class="button quiet icon" type="button" aria-label=${t(says)} title=${t(says)} @click=${run}>${icon(name)}</button>`;
  }

  /**
   * @param {"next" | "previous"} name
   * @param {Summary | null} beyond
   * @param {() => unknown} run
   */
  #way(name, beyond, run) {
    return html`<button class="button quiet icon way ${name}" type="button" ?hidden=${beyond === null} aria-label=${t(name)} title=${t(name)} @click=${run}>${icon(name)}</button>`;
  }

  #player() {
    const { slideshow } = this;
    const isPaused = slideshow.isPaused.value;
    return html`<div class="player" role="group" aria-label=${t("slideshow")}>
      ${this.#button(isPaused ? "play" : "pause", isPaused ? "go_on" : "pause", () => slideshow.pause())}
      <label class="row">
        <span class="seen-by-readers">${t("interval")}</span>
        <select class="button quiet" @change=${(/** @type {Event} */ event) => slideshow.every(Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
          ${INTERVALS.map((seconds) => html`<option value=${seconds} ?selected=${seconds === slideshow.interval.value}>${t("seconds.each", { count: seconds })}</option>`)}
        </select>
      </label>
      ${this.#button("close", "stop", this.#slides)}
    </div>`;
  }

  #waiting() {
    const error = this.failure.value;
    if (error === null) return html`<p class="waiting" role="status"><span class="seen-by-readers">${t("loading")}</span></p>`;
    return html`<div class="instead" role="alert">
      ${icon("error")}
      <h2>${t("failed.title")}</h2>
      <p>${sentence(error)}</p>
      <p class="row">
        <button class="button" type="button" @click=${() => this.#again()}>${t("again")}</button>
        <button class="button" type="button" @click=${this.close}>${t("close")}</button>
      </p>
    </div>`;
  }

  #again() {
    this.failure.value = null;
    void this.#read();
  }

  /** What is seen of an image without a picture. */
  #instead = (/** @type {Summary} */ image) => {
    const state = stateOf(image) === "shown" ? "broken" : stateOf(image);
    const why = /** @type {Partial<Detail>} */ (image).failure?.message;
    const canRetry = state === "broken" || (state === "failed" && this.#isOwn);
    return html`<div class="instead ${state}">
      ${icon(state === "processing" ? "clock" : "error")}
      <h2>${t(`${state}.title`)}</h2>
      <p dir="auto">${why ?? t(`${state}.text`)}</p>
      ${canRetry ? html`<button class="button" type="button" @click=${() => this.#retry()}>${t("again")}</button>` : null}
    </div>`;
  };
}

/** The address of the view below. */
const addressOfGround = () => {
  const text = ground.value.query.toString();
  return ground.value.path + (text && `?${text}`);
};

/**
 * The cell of an image in the view below.
 * @param {string} id
 * @returns {HTMLElement | null}
 */
const cellOf = (id) => document.querySelector(`main [data-id="${CSS.escape(id)}"]`);

/** @param {HTMLElement} element */
function isSeen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

/** Leave the viewer, and wait until the place is another one. @param {() => void} leave @returns {Promise<void>} */
function left(leave) {
  const here = place.value;
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (place.value === here) return;
      queueMicrotask(() => stop());
      resolve();
    });
    leave();
  });
}

define(Viewer);
