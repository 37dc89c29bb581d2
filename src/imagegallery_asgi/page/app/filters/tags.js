/** Which of one's tags: the choice of one, found by how it begins. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { openDialog } from "../parts/dialog.js";

/** @typedef {{id: string, name: string, image_count: number}} Tag */

const t = await messages("filters");
const SHOWN = 50;

/** @returns {Promise<string | null>} The name of a tag. */
export async function pickTag() {
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`<h2>${t("tag.title")}</h2>
      <ig-tag-choice @pick=${(/** @type {CustomEvent<string>} */ event) => close(event.detail)}></ig-tag-choice>
      <div class="actions"><button class="button" type="button" @click=${() => close()}>${t("cancel")}</button></div>`,
    { label: t("tag.title"), kind: "ig-tags" },
  );
  return (await closed) || null;
}

class TagChoice extends Element {
  static tag = "ig-tag-choice";

  tags = signal(/** @type {Tag[] | null} */ (null));
  failure = signal(/** @type {unknown} */ (null));
  #latest = new AbortController();

  /** @param {AbortSignal} ended */
  connected(ended) {
    ended.addEventListener("abort", () => this.#latest.abort());
    void this.#read("");
  }

  /** @param {string} prefix */
  async #read(prefix) {
    this.#latest.abort();
    const { signal: ended } = (this.#latest = new AbortController());
    try {
      const { data } = await api.get("/tags", { query: { prefix: prefix || null, limit: SHOWN }, signal: ended });
      this.tags.value = data;
      this.failure.value = null;
    } catch (error) {
      if (!ended.aborted) this.failure.value = error;
    }
  }

  render() {
    const tags = this.tags.value;
    const typed = (/** @type {Event} */ event) => void this.#read(/** @type {HTMLInputElement} */ (event.target).value.trim());
    return html`<label class="field"><span>${t("tag.begins")}</span><input type="search" dir="auto" maxlength="100" @input=${typed} /></label>
      <p class="soft small" role="status">${this.failure.value ? sentence(this.failure.value) : tags?.length === 0 ? t("tag.none") : null}</p>
      <div class="row">
        ${each(
          tags ?? [],
          (tag) => tag.id,
          (tag) => html`<button class="button" type="button" @click=${() => this.emit("pick", tag.name)}>
            <span dir="auto">${tag.name}</span> <span class="soft number">${tag.image_count}</span>
          </button>`,
        )}
      </div>`;
  }
}

define(TagChoice);
