/** Make a gallery, change what it says, and delete it. */
import { ApiError } from "../core/api.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { Element, define } from "../core/element.js";
import { openDialog } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";
import { createGallery, deleteGallery, readGallery, updateGallery } from "../changes/galleries.js";

const t = await messages("galleries");
const VISIBILITIES = ["private", "unlisted", "public"];
/** What the form has of a gallery. */
const FIELDS = /** @type {const} */ (["name", "description", "visibility"]);

class GalleryForm extends Element {
  static tag = "ig-gallery-form";

  /** What is being changed; null: a new one. */
  gallery = signal(/** @type {any} */ (null));
  version = signal(/** @type {string | null} */ (null));
  fault = signal("");
  isSending = signal(false);
  done = /** @type {(gallery: any) => void} */ (() => {});

  render() {
    const gallery = this.gallery.value;
    return html`<form class="stack" @submit=${this.#submit}>
      <h2>${gallery ? t("edit") : t("new")}</h2>
      <label class="field">
        <span>${t("name")}</span>
        <input name="name" dir="auto" required maxlength="255" autocomplete="off" value=${gallery?.name ?? ""} autofocus />
      </label>
      <label class="field">
        <span>${t("description")}</span>
        <textarea name="description" dir="auto" rows="3" maxlength="10000" .value=${gallery?.description ?? ""}></textarea>
      </label>
      <fieldset class="choices">
        <legend>${t("visibility")}</legend>
        ${VISIBILITIES.map(
          (each) =>
            html`<label class="choice">
              <input type="radio" name="visibility" value=${each} .checked=${each === (gallery?.visibility ?? "private")} />
              <span><strong>${t(`visibility.${each}`)}</strong><span class="soft small">${t(`visibility.${each}.text`)}</span></span>
            </label>`,
        )}
      </fieldset>
      ${this.fault.value && html`<p class="fault" role="alert">${this.fault.value}</p>`}
      <div class="actions">
        <button class="button" type="button" @click=${() => this.done(null)}>${t("cancel")}</button>
        <button class="button primary" type="submit" ?disabled=${this.isSending.value}>${gallery ? t("save") : t("make")}</button>
      </div>
    </form>`;
  }

  #submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const said = Object.fromEntries(FIELDS.map((name) => [name, String(form.get(name)).trim()]));
    this.isSending.value = true;
    this.fault.value = "";
    try {
      this.done(await this.#send(said));
    } catch (error) {
      this.fault.value = faultOf(error);
    } finally {
      this.isSending.value = false;
    }
  };

  /** @param {Record<string, string>} said */
  async #send(said) {
    const gallery = this.gallery.value;
    if (!gallery) return createGallery(/** @type {any} */ (said));
    const fields = Object.fromEntries(Object.entries(said).filter(([name, value]) => value !== gallery[name]));
    if (!Object.keys(fields).length) return gallery;
    try {
      return await updateGallery(gallery.id, fields, this.version.value);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      return this.#meet(gallery, fields);
    }
  }

  /**
   * Somebody has changed the gallery meanwhile. If that is nothing that is said here, it does no harm.
   *
   * @param {any} before
   * @param {Record<string, string>} fields
   */
  async #meet(before, fields) {
    const { gallery: now, version } = await readGallery(before.id);
    this.version.value = version;
    const differs = Object.keys(fields).filter((name) => now[name] !== before[name]);
    if (!differs.length) return updateGallery(before.id, fields, version);
    this.gallery.value = { ...before, ...Object.fromEntries(differs.map((name) => [name, now[name]])) };
    const values = differs.map((name) => t("conflict.now", { field: t(name), value: shown(name, now[name]) })).join(" ");
    throw new Conflict(t("conflict", { values }));
  }
}

/** @param {string} name @param {string} value */
const shown = (name, value) => (name === "visibility" ? t(`visibility.${value}`) : value);

class Conflict extends Error {}

/** @param {unknown} error */
function faultOf(error) {
  if (error instanceof Conflict) return error.message;
  const faults = error instanceof ApiError ? /** @type {any} */ (error.problem).faults ?? [] : [];
  if (!faults.length) return sentence(error);
  return faults.map((/** @type {any} */ fault) => t("fault", { field: t(fault.path.at(-1)), fault: fault.message })).join(" ");
}

define(GalleryForm);

/**
 * @param {string | null} id Of the gallery; null makes a new one.
 * @returns {Promise<any>} The gallery as it is then; null: they left it.
 */
export async function editGallery(id) {
  let read = { gallery: null, version: /** @type {string | null} */ (null) };
  try {
    if (id !== null) read = await readGallery(id);
  } catch (error) {
    toast(sentence(error), { kind: "error" });
    return null;
  }
  let made = null;
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`<ig-gallery-form
      .gallery=${read.gallery}
      .version=${read.version}
      .done=${(/** @type {any} */ gallery) => {
        made = gallery;
        close();
      }}
    ></ig-gallery-form>`,
    { label: t(id === null ? "new" : "edit"), kind: "ig-gallery-edit" },
  );
  await closed;
  return made;
}

/**
 * Ask what becomes of the images, and delete the gallery.
 *
 * @param {{id: string, name: string, image_count: number | null}} gallery
 * @returns {Promise<boolean>} Whether it was deleted.
 */
export async function removeGallery(gallery) {
  let withImages = false;
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`<form
      class="stack"
      @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        withImages = new FormData(/** @type {HTMLFormElement} */ (event.target)).get("images") === "trash";
        close("yes");
      }}
    >
      <h2>${t("delete.title", { name: gallery.name })}</h2>
      <p class="soft">${t("delete.text")}</p>
      ${gallery.image_count !== 0 &&
      html`<fieldset class="choices">
        <legend>${t("delete.images", { count: gallery.image_count ?? 0 })}</legend>
        <label class="choice"><input type="radio" name="images" value="keep" .checked=${true} />
          <span><strong>${t("delete.keep")}</strong><span class="soft small">${t("delete.keep.text")}</span></span></label>
        <label class="choice"><input type="radio" name="images" value="trash" />
          <span><strong>${t("delete.trash")}</strong><span class="soft small">${t("delete.trash.text")}</span></span></label>
      </fieldset>`}
      <div class="actions">
        <button class="button" type="button" autofocus @click=${() => close()}>${t("cancel")}</button>
        <button class="button danger" type="submit">${t("delete")}</button>
      </div>
    </form>`,
    { label: t("delete.title", { name: gallery.name }), kind: "ig-gallery-edit" },
  );
  return (await closed) === "yes" && deleteGallery(gallery, { withImages });
}
