/** Components: elements of the document that draw themselves, and again when a signal has changed that they read. */
import { render } from "./html.js";
import { Reader, untracked } from "./signal.js";

const Base = globalThis.HTMLElement ?? class {};

/**
 * What every component extends. Its inputs and its state are signals in class fields; what it shows is what `render`
 * answers, in the element itself: there is no shadow, so that styles, labels and search work as on any page.
 */
export class Element extends Base {
  /** The name of the element. */
  static tag = "";

  /** @type {AbortController | null} */
  #life = null;
  #isOutdated = false;
  #reader = new Reader(() => {
    if (this.#isOutdated) return;
    this.#isOutdated = true;
    queueMicrotask(() => this.#update());
  });

  /**
   * What is to be seen.
   * @returns {unknown}
   */
  render() {
    return undefined;
  }

  /**
   * Called when it comes into the document.
   * @param {AbortSignal} ended Of its leaving: listeners and requests end with it.
   */
  connected(ended) {
    void ended;
  }

  connectedCallback() {
    if (this.#life) return; // it was moved
    this.#life = new AbortController();
    const { signal } = this.#life;
    untracked(() => this.connected(signal));
    this.#isOutdated = true;
    this.#update();
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#life?.abort();
      this.#life = null;
      this.#reader.forget();
    });
  }

  #update() {
    if (!this.#isOutdated || !this.#life) return;
    this.#isOutdated = false;
    const shown = this.#reader.run(() => this.render());
    if (shown !== undefined) untracked(() => render(shown, this));
  }

  /**
   * Tell elements above of something that happened here.
   * @param {string} name
   * @param {unknown} [detail]
   * @returns {boolean} False if one of them prevented what follows.
   */
  emit(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, cancelable: true }));
  }
}

/** @param {typeof Element} component Becomes the element of its `tag`. */
export function define(component) {
  customElements.define(component.tag, component);
}
