/** Choose one of one's galleries, or make one for it. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import "../parts/progress.js";
import { createGallery } from "../changes/galleries.js";
import { cover } from "./galleries.js";

const t = await messages("galleries");
await style(import.meta.url, "./galleries.css");

/** More than fit a window; the others are found by name. */
const SHOWN = 60;

class GalleryPicker extends Element {
  static tag = "ig-gallery-picker";

  title = /** @type {any} */ (signal(""));
  none = signal("");
  canMake = signal(false);
  galleries = signal(/** @type {any[]} */ ([]));
  isWhole = signal(false);
  wanted = signal("");
  fault = signal("");
  done = /** @type {(picked: any) => void} */ (() => {});

  /** @param {AbortSignal} ended */
  connected(ended) {
    void this.#read(ended);
  }

  /** @param {AbortSignal} ended */
  async #read(ended) {
    try {
      for await (const { data } of api.pages("/galleries", { view: "own", limit: 100 }, { signal: ended })) {
        this.galleries.value = [...this.galleries.value, ...data];
      }
      this.isWhole.value = true;
    } catch (error) {
      if (!ended.aborted) this.fault.value = sentence(error);
    }
  }

  render() {
    const wanted = this.wanted.value.trim();
    const key = wanted.toLocaleLowerCase();
    const found = this.galleries.value.filter((gallery) => gallery.name.toLocaleLowerCase().includes(key)).slice(0, SHOWN);
    const isNew = wanted !== "" && !found.some((gallery) => gallery.name === wanted);
    return html`<h2>${this.title.value}</h2>
      <label class="field">
        <span>${t(this.canMake.value ? "pick.find_or_make" : "pick.find")}</span>
        <input
          type="search"
          dir="auto"
          autocomplete="off"
          maxlength="255"
          autofocus
          @input=${(/** @type {Event} */ event) => (this.wanted.value = /** @type {HTMLInputElement} */ (event.target).value)}
        />
      </label>
      ${this.fault.value && html`<p class="fault" role="alert">${this.fault.value}</p>`}
      <ul class="gallery-rows" role="list">
        ${this.none.value &&
        !wanted &&
        html`<li>
          <button type="button" @click=${() => this.done("none")}>
            <span class="cover none">${icon("image")}</span><span class="name">${this.none.value}</span>
          </button>
        </li>`}
        ${this.canMake.value &&
        isNew &&
        html`<li>
          <button type="button" @click=${() => this.#make(wanted)}>
            <span class="cover none">${icon("add")}</span><span class="name">${t("pick.make", { name: wanted })}</span>
          </button>
        </li>`}
        ${each(
          found,
          (gallery) => gallery.id,
          (gallery) => html`<li>
            <button type="button" @click=${() => this.done(gallery)}>
              ${cover(gallery)}
              <span class="name"><bdi>${gallery.name}</bdi></span>
              <span class="soft small">${t("images", { count: gallery.image_count ?? 0 })}</span>
            </button>
          </li>`,
        )}
      </ul>
      ${!this.isWhole.value && !this.fault.value && html`<ig-progress .label=${t("loading")}></ig-progress>`}
      ${this.isWhole.value && !found.length && !(this.canMake.value && isNew) && html`<p class="soft">${t("pick.nothing")}</p>`}
      <div class="actions"><button class="button" type="button" @click=${() => this.done(null)}>${t("cancel")}</button></div>`;
  }

  /** @param {string} name */
  async #make(name) {
    try {
      this.done(await createGallery({ name }));
    } catch (error) {
      this.fault.value = sentence(error);
    }
  }
}

define(GalleryPicker);

/**
 * @param {{title: string, none?: string, canMake?: boolean}} options `none`: words for no gallery, where that can be
 *   chosen.
 * @returns {Promise<any>} A gallery; "none"; null: they left it.
 */
export async function pickGallery({ title, none = "", canMake = false }) {
  let picked = null;
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`<ig-gallery-picker
      class="stack"
      .title=${title}
      .none=${none}
      .canMake=${canMake}
      .done=${(/** @type {any} */ gallery) => {
        picked = gallery;
        close();
      }}
    ></ig-gallery-picker>`,
    { label: title, kind: "ig-pick" },
  );
  await closed;
  return picked;
}
