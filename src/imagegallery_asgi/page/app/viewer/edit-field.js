/**
 * A text of an image, edited where it is read: it is sent when the person leaves it. What others wrote meanwhile is
 * shown, and the person decides which of the two stays.
 */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { same } from "./edits.js";

/**
 * @typedef {import("./edits.js").Value} Value
 * @typedef {(mine: Value, before: Value) => Promise<{theirs: Value} | null>} Send Answers what others wrote, where that
 *   has to be decided.
 */

const t = await messages("viewer");

class EditField extends Element {
  static tag = "ig-edit-field";

  label = signal("");
  hint = signal("");
  value = signal(/** @type {Value} */ (""));
  isLong = signal(false);
  longest = signal(1000);
  /** Reads a value out of the text of the field, and writes it. */
  parse = signal(/** @type {(text: string) => Value} */ ((text) => text));
  write = signal(/** @type {(value: Value) => string} */ ((value) => String(value ?? "")));
  send = signal(/** @type {Send} */ (async () => null));

  state = signal(/** @type {"" | "sending" | "sent"} */ (""));
  error = signal(/** @type {unknown} */ (null));
  conflict = signal(/** @type {{mine: Value, theirs: Value} | null} */ (null));
  /** What the person wrote and the service does not have. */
  #draft = signal(/** @type {string | null} */ (null));
  /** What the person began with: what is shown may be another's by now. */
  #before = /** @type {Value} */ ("");
  #id = `edit-${(count += 1)}`;

  render() {
    const text = this.#draft.value ?? this.write.value(this.value.value);
    const said = `${this.#id}-said`;
    const told = this.error.value ? sentence(this.error.value) : this.state.value ? t(this.state.value) : this.hint.value;
    const shared = { label: this.label.value, text, said };
    return html`<div class="field">
      <label for=${this.#id}>${this.label.value}</label>
      ${this.isLong.value ? this.#area(shared) : this.#line(shared)}
      <p id=${said} class="small ${this.error.value ? "fault" : "soft"}" role="status">${told}</p>
      ${this.error.value ? html`<p class="row"><button class="button" type="button" @click=${() => this.#save()}>${t("again")}</button></p>` : null}
      ${this.conflict.value ? this.#choice(this.conflict.value) : null}
    </div>`;
  }

  /** @param {{text: string, said: string}} field */
  #line({ text, said }) {
    return html`<input id=${this.#id} dir="auto" autocomplete="off" maxlength=${this.longest.value} .value=${text} aria-describedby=${said} aria-invalid=${this.error.value ? "true" : null} @input=${this.#wrote} @change=${this.#save} @keydown=${this.#key}>`;
  }

  /** @param {{text: string, said: string}} field */
  #area({ text, said }) {
    return html`<textarea id=${this.#id} dir="auto" rows="2" maxlength=${this.longest.value} .value=${text} aria-describedby=${said} aria-invalid=${this.error.value ? "true" : null} @input=${this.#wrote} @change=${this.#save} @keydown=${this.#key}></textarea>`;
  }

  /** @param {{mine: Value, theirs: Value}} conflict */
  #choice({ mine, theirs }) {
    const words = this.write.value(theirs);
    return html`<div class="conflict" role="alert">
      <p>${t("conflict")}</p>
      <blockquote dir="auto">${words || t("conflict.empty")}</blockquote>
      <p class="row">
        <button class="button primary" type="button" @click=${() => this.#keep(mine, theirs)}>${t("conflict.mine")}</button>
        <button class="button" type="button" @click=${() => this.#take(theirs)}>${t("conflict.theirs")}</button>
      </p>
    </div>`;
  }

  #wrote = (/** @type {Event} */ event) => {
    if (this.#draft.value === null) this.#before = this.value.value;
    this.#draft.value = /** @type {HTMLInputElement} */ (event.target).value;
    this.state.value = "";
  };

  #save = () => {
    const draft = this.#draft.value;
    if (draft === null || this.state.value === "sending") return;
    const mine = this.parse.value(draft);
    if (same(mine, this.value.value)) this.#settle();
    else void this.#sendIt(mine, this.#before);
  };

  /** Escape takes back what was written; Enter in a line is a change, as browsers have it. */
  #key = (/** @type {Event} */ event) => {
    const { key, target, isComposing } = /** @type {KeyboardEvent} */ (event);
    const field = /** @type {HTMLElement} */ (target);
    if (isComposing || key !== "Escape") return;
    event.stopPropagation();
    this.#settle();
    field.blur();
  };

  /**
   * @param {Value} mine
   * @param {Value} before
   */
  async #sendIt(mine, before) {
    this.error.value = this.conflict.value = null;
    this.state.value = "sending";
    try {
      const decide = await this.send.value(mine, before);
      if (decide) {
        this.state.value = "";
        this.conflict.value = { mine, theirs: decide.theirs };
        return;
      }
      this.#settle();
      this.state.value = "sent";
    } catch (error) {
      this.state.value = "";
      this.error.value = error;
    }
  }

  /**
   * @param {Value} mine
   * @param {Value} theirs
   */
  #keep(mine, theirs) {
    void this.#sendIt(mine, theirs);
  }

  /** @param {Value} theirs */
  #take(theirs) {
    this.value.value = theirs;
    this.#settle();
  }

  /** What is shown is what the service has. */
  #settle() {
    this.#draft.value = null;
    this.state.value = "";
    this.error.value = this.conflict.value = null;
  }
}

let count = 0;

define(EditField);
