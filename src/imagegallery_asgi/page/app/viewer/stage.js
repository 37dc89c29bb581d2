/**
 * The stage: an image as large as fits, between those beside it, moved by fingers, mouse and wheel. What follows a
 * finger is written to the styles at once; nothing is drawn anew for it.
 */
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { isRightToLeft } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { axisOf, isDouble, resisted, swipe, velocityOf } from "./gestures.js";
import { sizesFor } from "./picture.js";
import { WHOLE, closer, distance, fit, limit, middle, panned, settled, STEP, wheelFactor, zoomed } from "./zoom.js";

/**
 * @typedef {import("./picture.js").Summary} Summary
 * @typedef {import("./gestures.js").Sample} Sample
 * @typedef {import("./zoom.js").View} View
 * @typedef {import("./zoom.js").Point} Point
 */

/** How long a tap waits to see whether another one follows, in milliseconds. */
const TAP = 300;
/** A finger or a mouse button that is down. @typedef {{start: Sample, last: Sample}} Held */

export class Stage extends Element {
  static tag = "ig-stage";

  earlier = signal(/** @type {Summary | null} */ (null));
  current = signal(/** @type {Summary | null} */ (null));
  later = signal(/** @type {Summary | null} */ (null));
  /** What is shown in place of an image that has no picture. */
  instead = /** @type {import("../core/signal.js").Signal<(image: Summary) => unknown>} */ (signal(() => null));
  /** Images whose files could not be loaded. */
  broken = signal(/** @type {Set<string>} */ (new Set()));
  /** Animations stand still. */
  isStill = signal(false);
  /** How large it is shown: 1 is the whole. */
  scale = signal(1);
  size = signal({ width: innerWidth, height: innerHeight });

  /** @type {View} */
  #view = WHOLE;
  /** The image that `#view` is of. */
  #id = "";
  /** @type {Map<number, Held>} */
  #held = new Map();
  /** @type {Sample[]} */
  #samples = [];
  /** @type {"across" | "down" | "pan" | "pinch" | null} */
  #move = null;
  /** @type {{time: number, x: number, y: number} | null} */
  #tap = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #tapTimer;

  /** @param {AbortSignal} ended */
  connected(ended) {
    const sized = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      this.size.value = { width, height };
      this.#show(settled(this.#view, this.#fitted, this.size.value, this.#most));
    });
    sized.observe(this);
    ended.addEventListener("abort", () => (sized.disconnect(), clearTimeout(this.#tapTimer)));
    const on = { signal: ended };
    this.addEventListener("pointerdown", this.#down, on);
    this.addEventListener("pointermove", this.#moved, on);
    for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) this.addEventListener(type, this.#up, on);
    this.addEventListener("wheel", this.#wheel, { signal: ended, passive: false });
    this.addEventListener("dragstart", (event) => event.preventDefault(), on);
  }

  render() {
    const [earlier, current, later] = [this.earlier.value, this.current.value, this.later.value];
    if (current && current.id !== this.#id) {
      this.#id = current.id;
      this.#show(WHOLE);
      this.#shift(0, 0);
    }
    const steps = /** @type {[Summary | null, number][]} */ ([[earlier, -1], [current, 0], [later, 1]]);
    const slides = steps.filter(([image]) => image !== null);
    return html`<div class="track">
      ${each(
        slides,
        ([image]) => image?.id,
        ([image, step]) => this.#slide(/** @type {Summary} */ (image), step),
      )}
    </div>`;
  }

  /**
   * @param {Summary} image
   * @param {number} step
   */
  #slide(image, step) {
    const isShown = image.src !== null && !this.broken.value.has(image.id);
    return html`<div class="slide" data-step=${step} aria-hidden=${step !== 0 || null} ?inert=${step !== 0} style=${{ "--step": step * (isRightToLeft() ? -1 : 1) }}>
      ${isShown ? this.#picture(image, step) : step === 0 ? this.instead.value(image) : null}
    </div>`;
  }

  /**
   * @param {Summary} image
   * @param {number} step
   */
  #picture(image, step) {
    const { width, height } = fit(image, this.size.value);
    const sizes = sizesFor(width * (step === 0 ? this.scale.value : 1));
    const preview = /^\S+/.exec(image.srcSet)?.[0];
    const isStill = this.isStill.value && image.frames > 1;
    return html`<div class="frame" style=${{ width: `${width}px`, height: `${height}px`, "background-image": preview ? `url(${JSON.stringify(preview)})` : null }}>
      <picture>
        ${image.sources.map(({ type, srcSet }) => html`<source type=${type} srcset=${srcSet} sizes=${sizes}>`)}
        <img
          alt=${image.alt_text || image.filename}
          width=${image.width}
          height=${image.height}
          decoding="async"
          draggable="false"
          fetchpriority=${step === 0 ? "high" : "low"}
          sizes=${sizes}
          srcset=${image.srcSet || null}
          src=${image.src}
          ?hidden=${isStill}
          @load=${(/** @type {Event} */ event) => this.#loaded(image, event)}
          @error=${() => this.emit("broken", image)}
        >
      </picture>
      ${isStill ? html`<canvas ref=${this.#draw} role="img" aria-label=${image.alt_text || image.filename} width=${image.width} height=${image.height}></canvas>` : null}
    </div>`;
  }

  /**
   * Decode it before it is seen; what is see-through has nothing behind it any more.
   * @param {Summary} image
   * @param {Event} event
   */
  #loaded(image, event) {
    const element = /** @type {HTMLImageElement} */ (event.target);
    const frame = /** @type {HTMLElement} */ (element.closest(".frame"));
    element.decode().then(
      () => {
        frame?.classList.add("is-there");
        if (image.id === this.current.value?.id) this.emit("there", image);
        draw(frame?.querySelector("canvas"), element);
      },
      () => {}, // it has gone meanwhile
    );
  }

  /** Draw what stands still, when it is in its frame. @param {HTMLCanvasElement} canvas */
  #draw = (canvas) => queueMicrotask(() => draw(canvas, canvas.closest(".frame")?.querySelector("img")));

  /** The picture that is seen. */
  get picture() {
    return /** @type {HTMLElement | null} */ (this.querySelector('.slide[data-step="0"] .frame'));
  }

  get #fitted() {
    const image = this.current.value;
    return image ? fit(image, this.size.value) : this.size.value;
  }

  get #most() {
    const image = this.current.value;
    return image ? limit(image, this.#fitted) : 1;
  }

  // --- what keys and buttons do ---------------------------------------------------------------------------------

  /** @param {1 | -1} direction */
  zoom(direction) {
    this.#settle(zoomed(this.#view, this.#view.scale * (direction === 1 ? STEP : 1 / STEP)));
  }

  whole() {
    this.#settle(WHOLE);
  }

  get isZoomed() {
    return this.#view.scale > 1.001;
  }

  /**
   * Look at another part of what is larger than the stage.
   * @param {number} x -1, 0 or 1, as an arrow points.
   * @param {number} y
   */
  pan(x, y) {
    const { width, height } = this.size.value;
    this.#settle(panned(this.#view, (-x * width) / 5, (-y * height) / 5));
  }

  // --- what is written to the document --------------------------------------------------------------------------

  /** @param {View} view */
  #show(view) {
    this.#view = view;
    const { scale, x, y } = view;
    this.style.setProperty("--zoom", String(scale));
    this.style.setProperty("--x", `${x}px`);
    this.style.setProperty("--y", `${y}px`);
    this.classList.toggle("is-zoomed", this.isZoomed);
    this.scale.value = Math.ceil(scale * 4) / 4; // a larger file is asked for in steps
  }

  /** @param {View} view Where it comes to rest, softly. */
  #settle(view) {
    this.#softly();
    this.#show(settled(view, this.#fitted, this.size.value, this.#most));
  }

  /**
   * @param {number} x How far all slides are to the right.
   * @param {number} y How far this one is down.
   */
  #shift(x, y) {
    this.style.setProperty("--across", `${x}px`);
    this.style.setProperty("--down", `${y}px`);
    this.style.setProperty("--left", String(Math.max(0.35, 1 - Math.abs(y) / this.size.value.height)));
  }

  #softly() {
    this.classList.add("is-soft");
  }

  // --- fingers, mouse and wheel ---------------------------------------------------------------------------------

  /** @param {{clientX: number, clientY: number}} event @returns {Point} */
  #pointOf({ clientX, clientY }) {
    const box = this.getBoundingClientRect();
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
  }

  #down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0 || (event.target instanceof globalThis.Element && event.target.closest("button, a"))) return;
    const sample = { ...this.#pointOf(event), time: event.timeStamp };
    this.#held.set(event.pointerId, { start: sample, last: sample });
    this.#samples = [sample];
    this.classList.remove("is-soft");
    try {
      this.setPointerCapture(event.pointerId);
    } catch {
      // it is up already
    }
    if (this.#held.size === 2) {
      this.#move = "pinch";
      this.#shift(0, 0);
    }
  };

  #moved = (/** @type {PointerEvent} */ event) => {
    const held = this.#held.get(event.pointerId);
    if (!held) return;
    const sample = { ...this.#pointOf(event), time: event.timeStamp };
    const before = held.last;
    const pinchedBefore = this.#pinch();
    held.last = sample;
    if (this.#move === "pinch") {
      const pinched = this.#pinch();
      if (pinchedBefore && pinched) this.#stretch(pinchedBefore, pinched);
      return;
    }
    this.#samples = [...this.#samples.slice(-12), sample];
    const [dx, dy] = [sample.x - held.start.x, sample.y - held.start.y];
    this.#move ??= this.#kindOf(dx, dy);
    if (this.#move === "pan") this.#show(panned(this.#view, sample.x - before.x, sample.y - before.y));
    else if (this.#move === "across") this.#shift(this.#isEnd(dx) ? resisted(dx, this.size.value.width) : dx, 0);
    else if (this.#move === "down") this.#shift(0, dy < 0 ? resisted(dy, this.size.value.height) : dy);
  };

  /**
   * @param {number} dx
   * @param {number} dy
   */
  #kindOf(dx, dy) {
    const axis = axisOf(dx, dy);
    return axis && this.isZoomed ? "pan" : axis;
  }

  /** Whether nothing is where a move to this side goes. @param {number} dx */
  #isEnd(dx) {
    return (dx < 0) === isRightToLeft() ? this.earlier.value === null : this.later.value === null;
  }

  /** @returns {{way: number, point: Point} | null} */
  #pinch() {
    const [a, b] = [...this.#held.values()].map(({ last }) => last);
    return a && b ? { way: Math.max(1, distance(a, b)), point: middle(a, b) } : null;
  }

  /**
   * @param {{way: number, point: Point}} before
   * @param {{way: number, point: Point}} now
   */
  #stretch(before, now) {
    const moved = panned(this.#view, now.point.x - before.point.x, now.point.y - before.point.y);
    const scale = Math.min(Math.max((moved.scale * now.way) / before.way, 0.6), this.#most * 1.2);
    this.#show(zoomed(moved, scale, now.point));
  }

  #up = (/** @type {PointerEvent} */ event) => {
    const held = this.#held.get(event.pointerId);
    if (!held) return;
    this.#held.delete(event.pointerId);
    const move = this.#move;
    if (move === "pinch") {
      // The finger that stays may go on to move the picture.
      for (const [id, { last }] of this.#held) this.#held.set(id, { start: last, last });
      if (this.#held.size > 0) return;
    }
    this.#move = null;
    if (event.type === "pointercancel") this.#back();
    else if (move === null) this.#tapped(held.last, event.pointerType);
    else if (move === "pan" || move === "pinch") this.#settle(this.#view);
    else this.#swiped(move, held);
  };

  #back() {
    this.#softly();
    this.#shift(0, 0);
    this.#settle(this.#view);
  }

  /**
   * @param {"across" | "down"} axis
   * @param {Held} held
   */
  #swiped(axis, { start, last }) {
    const move = { axis, dx: last.x - start.x, dy: last.y - start.y, velocity: velocityOf(this.#samples) };
    const what = swipe(move, this.size.value, isRightToLeft());
    const beyond = what === "next" ? this.later.value : what === "previous" ? this.earlier.value : null;
    if (what === "close") this.emit("close");
    else if (what === "stay" || beyond === null) this.#back();
    else this.#turn(what);
  }

  /** The slides go on to the one beside, and then it is the current one. @param {"next" | "previous"} what */
  async #turn(what) {
    const toTheLeft = (what === "next") !== isRightToLeft();
    this.#softly();
    this.#shift(toTheLeft ? -this.size.value.width : this.size.value.width, 0);
    const track = this.querySelector(".track");
    await Promise.allSettled((track?.getAnimations() ?? []).map((each) => each.finished));
    this.classList.remove("is-soft");
    this.emit(what);
  }

  /**
   * A second tap soon after shows it closer, or whole again; a single one is told a moment later. A mouse shows and
   * hides nothing.
   * @param {Sample} tap
   * @param {string} kind
   */
  #tapped(tap, kind) {
    clearTimeout(this.#tapTimer);
    if (isDouble(this.#tap, tap)) {
      this.#tap = null;
      this.#softly();
      const image = this.current.value;
      if (!image) return;
      this.#settle(this.isZoomed ? WHOLE : zoomed(this.#view, closer(image, this.#fitted), tap));
      return;
    }
    this.#tap = tap;
    if (kind !== "mouse") this.#tapTimer = setTimeout(() => this.emit("tap"), TAP);
  }

  #wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    this.classList.remove("is-soft");
    const factor = wheelFactor(event.deltaY, event.deltaMode, event.ctrlKey);
    const view = zoomed(this.#view, Math.min(Math.max(this.#view.scale * factor, 1), this.#most), this.#pointOf(event));
    this.#show(settled(view, this.#fitted, this.size.value, this.#most));
  };
}

/**
 * The first frame of an animation, in place of what moves.
 * @param {HTMLCanvasElement | null | undefined} canvas
 * @param {HTMLImageElement | null | undefined} element
 */
function draw(canvas, element) {
  if (canvas && element?.complete) canvas.getContext("2d")?.drawImage(element, 0, 0, canvas.width, canvas.height);
}

define(Stage);
