/** What a share lets others do, to be filled in: for a new one, and to change one. */
import { Element, define } from "../core/element.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import { NEW_TERMS, faultsOf, readRecipient } from "./terms.js";

/** @typedef {import("./terms.js").Terms} Terms */
/** @typedef {import("./terms.js").Recipient} Recipient */
/** @typedef {Event & {target: HTMLInputElement}} InputEvent */

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

/** In days; `datetime-local` for any other time. */
const LIFETIMES = [1, 7, 30, 365];
const KINDS = /** @type {const} */ (["email", "user", "group"]);

export class ShareForm extends Element {
  static tag = "ig-share-form";

  terms = signal(NEW_TERMS);
  /** Whether the share is there already: then its password can stay as it is. */
  isChange = signal(false);
  hadPassword = signal(false);
  /** Whether it has a gallery that others could add to. */
  hasGallery = signal(true);
  isLibrary = signal(false);
  /** What the service refused. */
  failure = signal("");
  /** The words on the button. */
  action = signal("");
  isBusy = signal(false);

  /** Faults are shown once somebody wanted to go on. */
  #wasSent = signal(false);
  #named = signal("");
  #kind = signal(/** @type {import("./terms.js").RecipientKind} */ ("email"));
  #expiredBefore = "";

  connected() {
    this.#expiredBefore = this.terms.value.expires;
  }

  /** @param {Partial<Terms>} changes */
  #set(changes) {
    this.terms.value = { ...this.terms.value, ...changes };
  }

  get #faults() {
    return faultsOf(this.terms.value, Date.now(), this.#expiredBefore);
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    this.#addRecipient();
    this.#wasSent.value = true;
    if (Object.keys(this.#faults).length === 0) {
      this.emit("filled", this.terms.value);
      return;
    }
    queueMicrotask(() => {
      const wrong = /** @type {HTMLElement | null} */ (this.querySelector("[aria-invalid=true]"));
      wrong?.closest("details")?.setAttribute("open", "");
      wrong?.focus();
    });
  }

  #addRecipient() {
    const read = readRecipient(this.#named.value);
    if (read === null) return;
    const recipient = { ...read, kind: this.#kind.value === "email" ? read.kind : this.#kind.value };
    const others = this.terms.value.recipients.filter((one) => one.kind !== recipient.kind || one.name !== recipient.name);
    this.#set({ recipients: [...others, recipient] });
    this.#named.value = "";
  }

  render() {
    const terms = this.terms.value;
    const isService = session.me.value?.guests_may_upload === false;
    return html`
      <form class="share-form stack" novalidate @submit=${(/** @type {Event} */ event) => this.#submit(event)}>
        ${this.isChange.value
          ? null
          : this.#choice("link", String(terms.link), ["true", "false"], (value) => this.#set({ link: value === "true" }))}
        ${this.#people()}
        ${this.hasGallery.value || terms.may !== "look"
          ? this.#choice("may", terms.may, ["look", "add", "edit"], (may) => this.#set({ may: /** @type {Terms["may"]} */ (may) }))
          : null}
        ${terms.may === "look" ? null : this.#guests(isService)}
        <div class="pair">
          ${this.#select("download", terms.download, ["none", "variant", "original"])}
          ${this.#select("metadata", terms.metadata, ["none", "basic", "all"])}
        </div>
        <details ?open=${this.isChange.value}>
          <summary>${t("limits")}</summary>
          <div class="stack">
            ${this.#expiry()} ${terms.link ? this.#ofLink() : null}
            ${this.isLibrary.value && !this.isChange.value ? this.#text("starts", { type: "datetime-local" }) : null}
          </div>
        </details>
        <label class="field">
          <span>${t("note")}</span>
          <textarea rows="2" maxlength="2000" dir="auto" .value=${terms.note} @input=${this.#typed("note")}></textarea>
        </label>
        ${this.failure.value ? html`<p class="fault" role="alert" dir="auto">${this.failure.value}</p>` : null}
        <div class="actions">
          <button class="button" type="button" @click=${() => this.emit("dropped")}>${t("cancel")}</button>
          <button class="button primary" ?disabled=${this.isBusy.value}>${this.action.value}</button>
        </div>
      </form>
    `;
  }

  /** @param {boolean} isService Whether the service takes nothing of guests. */
  #guests(isService) {
    const { link, approval } = this.terms.value;
    return html`<div class="stack within">
      ${isService && link ? html`<p class="small soft">${t("guests.off")}</p>` : null}
      <label class="check">
        <input type="checkbox" .checked=${approval} @change=${(/** @type {InputEvent} */ event) => this.#set({ approval: event.target.checked })} />
        <span>${t("approval")}</span>
      </label>
      <div class="pair">
        ${this.#text("guestImages", { inputmode: "numeric" })} ${this.#text("guestGigabytes", { inputmode: "decimal" })}
      </div>
    </div>`;
  }

  #people() {
    const { recipients, link } = this.terms.value;
    const fault = this.#fault("recipients");
    return html`<div class="field people">
      <label for="share-recipient">${t(link ? "people.too" : "people")}</label>
      <div class="row nowrap">
        <select
          aria-label=${t("kind")}
          @change=${(/** @type {any} */ event) => (this.#kind.value = event.target.value)}
        >
          ${KINDS.map((kind) => html`<option value=${kind} ?selected=${kind === this.#kind.value}>${t(`kind.${kind}`)}</option>`)}
        </select>
        <input
          id="share-recipient"
          dir="auto"
          autocomplete="off"
          maxlength="255"
          aria-invalid=${fault ? "true" : null}
          aria-describedby=${fault ? "fault-recipients" : null}
          placeholder=${t(`kind.${this.#kind.value}.example`)}
          .value=${this.#named.value}
          @input=${(/** @type {InputEvent} */ event) => (this.#named.value = event.target.value)}
          @keydown=${(/** @type {KeyboardEvent} */ event) => {
            if (event.key !== "Enter" || !this.#named.value.trim()) return;
            event.preventDefault();
            this.#addRecipient();
          }}
        />
        <button class="button" type="button" @click=${() => this.#addRecipient()}>${t("add")}</button>
      </div>
      ${fault}
      ${recipients.length > 0
        ? html`<ul role="list" class="recipients">
            ${each(
              recipients,
              (one) => `${one.kind} ${one.name}`,
              (one) => this.#recipient(one),
            )}
          </ul>`
        : null}
    </div>`;
  }

  /** @param {Recipient} one */
  #recipient(one) {
    const change = (/** @type {Partial<Recipient>} */ changes) =>
      this.#set({ recipients: this.terms.value.recipients.map((each) => (each === one ? { ...one, ...changes } : each)) });
    return html`<li class="row nowrap">
      ${icon(one.kind === "group" ? "people" : one.kind === "email" ? "send" : "user")}
      <span class="name" dir="auto">${one.name}</span>
      <select aria-label=${t("may.of", { name: one.name })} @change=${(/** @type {any} */ event) => change({ may: event.target.value || null })}>
        ${["", "look", "add", "edit"].map(
          (may) => html`<option value=${may} ?selected=${may === (one.may ?? "")}>${t(may ? `may.${may}` : "as.share")}</option>`,
        )}
      </select>
      <button
        class="button quiet icon"
        type="button"
        aria-label=${t("remove.of", { name: one.name })}
        @click=${() => this.#set({ recipients: this.terms.value.recipients.filter((each) => each !== one) })}
      >
        ${icon("close")}
      </button>
    </li>`;
  }

  #expiry() {
    const { expires } = this.terms.value;
    const fault = this.#fault("expires");
    return html`<div class="field">
      <label for="share-expires">${t("expires")}</label>
      <div class="row">
        <input
          id="share-expires"
          type="datetime-local"
          aria-invalid=${fault ? "true" : null}
          aria-describedby=${fault ? "fault-expires" : null}
          .value=${expires}
          @input=${this.#typed("expires")}
        />
        ${LIFETIMES.map(
          (days) => html`<button class="button quiet" type="button" @click=${() => this.#set({ expires: inDays(days) })}>${t("days", { count: days })}</button>`,
        )}
        ${expires ? html`<button class="button quiet" type="button" @click=${() => this.#set({ expires: "" })}>${t("never")}</button>` : null}
      </div>
      ${fault}
    </div>`;
  }

  #ofLink() {
    const { password } = this.terms.value;
    const keeps = this.isChange.value && password === null;
    return html`
      ${keeps
        ? html`<div class="row">
            <span class="grow">${t(this.hadPassword.value ? "password.is" : "password.none")}</span>
            <button class="button" type="button" @click=${() => this.#set({ password: "" })}>${t(this.hadPassword.value ? "password.change" : "password.add")}</button>
          </div>`
        : this.#text("password", { autocomplete: "new-password", maxlength: "256" }, this.isChange.value ? t("password.empty") : "")}
      <div class="pair">
        ${this.#text("maxViews", { inputmode: "numeric" })} ${this.#text("slug", { maxlength: "100" }, t("slug.hint"))}
      </div>
    `;
  }

  /**
   * @param {keyof Terms} name
   * @param {Record<string, string>} attributes
   * @param {string} [hint]
   */
  #text(name, { type = "text", inputmode = "text", autocomplete = "off", maxlength = "16" }, hint = "") {
    const fault = this.#fault(name);
    const described = [fault && `fault-${name}`, hint && `hint-${name}`].filter(Boolean).join(" ");
    return html`<div class="field">
      <label for=${`share-${name}`}>${t(name)}</label>
      <input
        id=${`share-${name}`}
        type=${type}
        inputmode=${inputmode}
        autocomplete=${autocomplete}
        maxlength=${maxlength}
        spellcheck="false"
        aria-invalid=${fault ? "true" : null}
        aria-describedby=${described || null}
        .value=${String(this.terms.value[name] ?? "")}
        @input=${this.#typed(name)}
      />
      ${hint ? html`<span class="small soft" id=${`hint-${name}`}>${hint}</span>` : null} ${fault}
    </div>`;
  }

  /** @param {keyof Terms} name */
  #typed(name) {
    return (/** @type {InputEvent} */ event) => this.#set({ [name]: event.target.value });
  }

  /** @param {keyof Terms} name */
  #fault(name) {
    const key = this.#wasSent.value && this.#faults[name];
    return key ? html`<span class="fault" id=${`fault-${name}`}>${t(key)}</span>` : null;
  }

  /**
   * @param {"download" | "metadata"} name
   * @param {string} value
   * @param {string[]} values
   */
  #select(name, value, values) {
    return html`<label class="field">
      <span>${t(name)}</span>
      <select @change=${this.#typed(name)}>
        ${values.map((each) => html`<option value=${each} ?selected=${each === value}>${t(`${name}.${each}`)}</option>`)}
      </select>
    </label>`;
  }

  /**
   * @param {string} name
   * @param {string} value
   * @param {string[]} values
   * @param {(value: string) => void} choose
   */
  #choice(name, value, values, choose) {
    return html`<fieldset class="choice">
      <legend class="seen-by-readers">${t(name)}</legend>
      ${values.map(
        (each) => html`<label>
          <input type="radio" name=${`share-${name}`} value=${each} .checked=${each === value} @change=${() => choose(each)} />
          <span>${t(`${name}.${each}`)}</span>
        </label>`,
      )}
    </fieldset>`;
  }
}

/** @param {number} days A time in that many days, as a field of a form has it. */
function inDays(days) {
  const time = new Date(Date.now() + days * 86_400_000);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

define(ShareForm);
