/** A guest: the name that they give, and what they added under it, which they can take back. */
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { changed } from "../core/live.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { confirm, openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";

/** @typedef {import("../core/api.js").Api} Api */

const t = await messages("link");
/** How long news are gathered before the list is read again, in milliseconds. */
const GATHER = 500;

/**
 * Ask for the name under which pictures are added.
 * @param {Api} client
 * @param {{approval?: boolean, name?: string, pick?: () => void}} [options] `pick`: what goes on with the same click, as
 *   browsers open a picker only in the moment of one.
 * @returns {Promise<boolean>} Whether they gave one.
 */
export async function askName(client, { approval = false, name = "", pick } = {}) {
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) =>
      html`<ig-guest-name .client=${client} .name=${name} .approval=${approval} @named=${() => {
        close("named");
        pick?.();
      }} @dropped=${() => close("")}></ig-guest-name>`,
    { label: t("guest.title") },
  );
  return (await closed) === "named";
}

class GuestName extends Element {
  static tag = "ig-guest-name";

  client = signal(/** @type {Api | null} */ (null));
  name = signal("");
  approval = signal(false);
  #fault = signal("");

  render() {
    const fault = this.#fault.value;
    return html`<form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => void this.#submit(event)}>
      <h2>${t("guest.title")}</h2>
      <p class="soft">${t(this.approval.value ? "guest.approval" : "guest.text")}</p>
      <label class="field">
        <span>${t("guest.name")}</span>
        <input
          name="name"
          dir="auto"
          required
          maxlength="100"
          autocomplete="name"
          autofocus
          .value=${this.name.value}
          aria-invalid=${fault ? "true" : null}
          aria-describedby=${fault ? "guest-fault" : null}
        />
      </label>
      <p class="fault" id="guest-fault" role="alert" ?hidden=${!fault}>${fault}</p>
      <div class="actions">
        <button class="button" type="button" @click=${() => this.emit("dropped")}>${t("cancel")}</button>
        <button class="button primary">${t("guest.go")}</button>
      </div>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (this.querySelector("input"));
    try {
      await this.client.value?.post("/guests", { name: input.value });
      this.emit("named");
    } catch (error) {
      this.#fault.value = /** @type {any} */ (error).status === 422 ? t("guest.wrong") : sentence(error);
      input.focus();
    }
  }
}

/** What this guest has added. */
class GuestFiles extends Element {
  static tag = "ig-guest-files";

  client = signal(/** @type {Api | null} */ (null));
  name = signal("");
  files = signal(/** @type {any[]} */ ([]));
  #timer = 0;

  /** @param {AbortSignal} ended */
  connected(ended) {
    const soon = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#read(ended), GATHER);
    };
    changed.addEventListener("images-arrived", soon, { signal: ended });
    void this.#read(ended);
  }

  /** @param {AbortSignal} [ended] */
  async #read(ended) {
    try {
      const page = await this.client.value?.get("/guest-uploads/mine", { query: { limit: 100 }, signal: ended });
      this.files.value = page.data.filter((/** @type {any} */ each) => each.state !== "withdrawn");
      // What is being made ready has its picture in a moment.
      if (page.data.some((/** @type {any} */ each) => !each.image.src && each.image.processing_status !== "failed"))
        this.#timer = setTimeout(() => void this.#read(ended), 4 * GATHER);
    } catch {
      // Without a name there is nothing, and what was shown is true still.
    }
  }

  render() {
    const files = this.files.value;
    return html`<section class="own" aria-label=${t("own.title")} ?hidden=${files.length === 0}>
      <header class="row">
        <h2>${t("own.title")}</h2>
        <span class="soft small">${t("own.as", { name: this.name.value })}</span>
        <button class="button quiet" type="button" @click=${() => void this.#rename()}>${t("own.rename")}</button>
      </header>
      <ul role="list">
        ${each(
          files,
          (file) => file.image.id,
          (file) => html`<li>
            ${file.image.src
              ? html`<img src=${file.image.src} srcset=${file.image.srcSet || null} sizes="9rem" alt=${file.image.alt_text || file.image.filename} loading="lazy" />`
              : html`<span class="blank">${icon("clock")}</span>`}
            <span class="state ${file.state}">${t(`own.${file.state}`)}</span>
            <span class="seen-by-readers">${formatDate(file.arrived_at)}</span>
            <button
              class="button quiet icon"
              type="button"
              aria-label=${t("own.withdraw.of", { name: file.image.alt_text || file.image.filename })}
              title=${t("own.withdraw")}
              @click=${() => void this.#withdraw(file)}
            >
              ${icon("trash")}
            </button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  /** @param {any} file */
  async #withdraw(file) {
    const sure = await confirm({ title: t("withdraw.title"), text: t("withdraw.text"), yes: t("own.withdraw"), danger: true });
    if (!sure) return;
    try {
      await this.client.value?.delete(`/guest-uploads/mine/${file.image.id}`);
      this.files.value = this.files.value.filter((each) => each !== file);
      changed.dispatchEvent(new CustomEvent("images-gone", { detail: { ids: [file.image.id] } }));
      toast(t("withdrawn"));
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
  }

  async #rename() {
    if ((await askName(/** @type {Api} */ (this.client.value), { name: this.name.value })) === true) this.emit("renamed");
  }
}

define(GuestName);
define(GuestFiles);
