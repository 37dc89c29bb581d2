/** Pictures one after the other, on a screen that stays on. */
import { signal } from "../core/signal.js";

/** Seconds; WCAG 2.2 (2.2.2) wants it to be paused and stopped, which it is by a key and a button. */
export const INTERVALS = /** @type {const} */ ([3, 5, 10, 30]);

export class Slideshow {
  isOn = signal(false);
  isPaused = signal(false);
  interval = signal(/** @type {number} */ (5));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{release(): Promise<void>} | null} */
  #lock = null;

  /** @param {() => void} next Shows the next one, or the first after the last. */
  constructor(next) {
    this.next = next;
  }

  start() {
    this.isOn.value = true;
    this.isPaused.value = false;
    this.shown();
    void this.keepAwake();
  }

  stop() {
    this.isOn.value = false;
    clearTimeout(this.#timer);
    void this.#lock?.release();
    this.#lock = null;
  }

  pause() {
    this.isPaused.value = !this.isPaused.value;
    this.shown();
  }

  /** @param {number} seconds */
  every(seconds) {
    this.interval.value = seconds;
    this.shown();
  }

  /** A picture is there to be seen: the time until the next one begins. */
  shown() {
    clearTimeout(this.#timer);
    if (!this.isOn.value || this.isPaused.value) return;
    this.#timer = setTimeout(() => this.next(), this.interval.value * 1000);
  }

  /** The screen does not go dark, where the browser can; again when the page was hidden, which lets go of it. */
  async keepAwake() {
    if (!this.isOn.value || document.visibilityState !== "visible") return;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
      if (!this.isOn.value) void this.#lock.release();
    } catch {
      this.#lock = null; // no such lock here, or the battery is low
    }
  }
}
