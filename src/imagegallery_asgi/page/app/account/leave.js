/** The way out: everything is closed at once, and erased after a time in which one can stay. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { openDialog } from "../parts/dialog.js";
import { Reading } from "../parts/reading.js";
import { toast } from "../parts/toast.js";

/** @typedef {{state: "requested" | "erasing" | "telling" | "erased", erase_at: string, requested_at: string}} Erasure */

const t = await messages("account");

class LeaveSection extends Element {
  static tag = "ig-leave";

  isBusy = signal(false);
  erasure = new Reading(async () => {
    try {
      return /** @type {{its: Erasure | null}} */ ({ its: (await api.get("/me/erase")).data });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return { its: null };
      throw error;
    }
  });

  connected() {
    void this.erasure.again();
  }

  render() {
    return html`<section class="leave" aria-labelledby="leave">
      <h2 id="leave">${t("leave.title")}</h2>
      ${this.erasure.shown(({ its }) => this.#state(its), 2)}
    </section>`;
  }

  /** @param {Erasure | null} its */
  #state(its) {
    if (its === null) {
      return html`<p class="soft">${t("leave.text")}</p>
        <button class="button danger" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#ask()}>${t("leave.button")}</button>`;
    }
    if (its.state !== "requested") return html`<p class="bad" role="status">${t("leave.erasing")}</p>`;
    return html`<p class="bad" role="status">${t("leave.requested", { time: formatDate(its.erase_at, { dateStyle: "full", timeStyle: "short" }) })}</p>
      <button class="button primary" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#change(() => api.delete("/me/erase"), t("leave.stayed"))}>${t("leave.stay")}</button>`;
  }

  /** Only who writes their own name means it. */
  async #ask() {
    const id = session.me.value?.id ?? "";
    const title = t("leave.sure");
    const { closed } = openDialog(
      (/** @type {(answer?: string) => void} */ close) => html`<form
        class="stack"
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const field = /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (event.target).elements.namedItem("name"));
          const isTheirs = field.value.trim() === id;
          field.setCustomValidity(isTheirs ? "" : t("leave.other-name"));
          if (isTheirs) close("yes");
          else field.reportValidity();
        }}
      >
        <h2>${title}</h2>
        <p>${t("leave.consequences")}</p>
        <label class="field">
          <span>${t("leave.name", { id })}</span>
          <input name="name" autocomplete="off" spellcheck="false" autofocus @input=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).setCustomValidity("")} />
        </label>
        <div class="actions">
          <button class="button" type="button" @click=${() => close()}>${t("cancel")}</button>
          <button class="button danger">${t("leave.button")}</button>
        </div>
      </form>`,
      { label: title },
    );
    if ((await closed) === "yes") await this.#change(() => api.post("/me/erase"), t("leave.begun"));
  }

  /**
   * @param {() => Promise<unknown>} change
   * @param {string} said
   */
  async #change(change, said) {
    this.isBusy.value = true;
    try {
      await change();
      toast(said);
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    } finally {
      this.isBusy.value = false;
      await this.erasure.again();
    }
  }
}

define(LeaveSection);
