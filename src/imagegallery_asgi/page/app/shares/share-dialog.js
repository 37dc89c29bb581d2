/** Share galleries, images or the library: a form, then the link, which is told once. */
import { api } from "../core/api.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { Element, define } from "../core/element.js";
import { openDialog } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";
import { opensInFrames } from "./state.js";
import { MOST_TARGETS, NEW_TERMS, bodyOf } from "./terms.js";
import "./share-form.js";
import "./told-link.js";
import { made } from "./made.js";

/** @typedef {import("./terms.js").Target} Target */

const t = await messages("shares");

/**
 * @param {{galleries?: string[], images?: string[], library?: boolean, title?: string}} what `title`: what is shared, in
 *   words; its gallery's name.
 * @returns {Promise<void>} When the dialog is closed.
 */
export async function openShareDialog({ galleries = [], images = [], library = false, title = "" }) {
  /** @type {Target[]} */
  const targets = [
    ...galleries.map((id) => ({ gallery_id: id })),
    ...images.map((id) => ({ image_id: id })),
    ...(library ? [{ library: true }] : []),
  ];
  if (targets.length > MOST_TARGETS) {
    toast(t("too.many", { count: MOST_TARGETS }), { kind: "error" });
    return;
  }
  const named = title || (library ? t("thing.library") : galleries.length > 0 ? t("thing.galleries", { count: galleries.length }) : t("thing.images", { count: images.length }));
  const label = library && !title ? t("library") : t("share.title", { name: named });
  const dialog = openDialog(
    (/** @type {(answer?: string) => void} */ close) =>
      html`<ig-new-share .targets=${targets} .title=${label} .thing=${named} @finished=${() => close("")}></ig-new-share>`,
    { label, kind: "wide" },
  );
  await dialog.closed;
}

/** The inside of the dialog. */
class NewShare extends Element {
  static tag = "ig-new-share";

  targets = signal(/** @type {Target[]} */ ([]));
  title = /** @type {any} */ (signal(""));
  thing = signal("");
  #made = signal(/** @type {any} */ (null));
  #failure = signal("");
  #isBusy = signal(false);

  /** @param {import("./terms.js").Terms} terms */
  async #make(terms) {
    this.#isBusy.value = true;
    this.#failure.value = "";
    try {
      const { data } = await api.post("/shares", bodyOf(terms, this.targets.value));
      made.dispatchEvent(new CustomEvent("made", { detail: data }));
      if (data.url === null) {
        toast(t("made.for", { count: data.recipients.length }));
        this.emit("finished");
      } else this.#made.value = data;
    } catch (error) {
      this.#failure.value = sentence(error);
    }
    this.#isBusy.value = false;
  }

  render() {
    const targets = this.targets.value;
    const share = this.#made.value;
    if (share)
      return html`
        <h2 dir="auto">${t("made.title")}</h2>
        <ig-told-link .address=${location.origin + share.url} .title=${this.thing.value} .isKept=${share.slug !== null} .isOpen=${opensInFrames(share)}></ig-told-link>
        <div class="actions">
          <a class="button quiet" href=${link(`/shares/${share.id}`)} @click=${() => this.emit("finished")}>${t("see")}</a>
          <button class="button" type="button" @click=${() => this.emit("finished")}>${t("done")}</button>
        </div>
      `;
    return html`
      <h2 dir="auto">${this.title.value}</h2>
      <ig-share-form
        .terms=${NEW_TERMS}
        .hasGallery=${targets.some((each) => each.gallery_id)}
        .isLibrary=${targets.some((each) => each.library)}
        .action=${t("make")}
        .failure=${this.#failure.value}
        .isBusy=${this.#isBusy.value}
        @filled=${(/** @type {CustomEvent} */ event) => void this.#make(event.detail)}
        @dropped=${() => this.emit("finished")}
      ></ig-share-form>
    `;
  }
}


define(NewShare);
