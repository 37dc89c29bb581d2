/** How one signs in: by a token, or where the application has its own page for it. */
import { ApiError } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { isSignedInElsewhere, signIn } from "../core/sign-in.js";
import { signal } from "../core/signal.js";
import { signInAddress, tokenIn } from "./tokens.js";

const t = await messages("sign-in");

export class SignInForm extends Element {
  static tag = "ig-sign-in-form";

  /** Whether the user was signed in before, so that the page has to stay. */
  isAgain = signal(false);
  fault = signal("");
  isBusy = signal(false);

  /** @param {AbortSignal} ended */
  connected(ended) {
    // Who has signed in in another window comes back to this one.
    const look = () => document.visibilityState === "visible" && session.state.value !== "user" && void isSignedInElsewhere();
    document.addEventListener("visibilitychange", look, { signal: ended });
    addEventListener("focus", look, { signal: ended });
  }

  render() {
    const { takesTokens, signInUrl } = session;
    return html`<div class="stack sign-in">
      ${takesTokens && this.#form()} ${signInUrl !== null && this.#elsewhere(signInUrl)}
      ${signInUrl === null && !takesTokens && html`<p>${t("elsewhere")}</p>`}
      ${!takesTokens &&
      html`<button class="button" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#look()}>${t("look")}</button>`}
      ${!takesTokens && this.fault.value && html`<p class="fault" role="alert">${this.fault.value}</p>`}
    </div>`;
  }

  /** @param {string} url */
  #elsewhere(url) {
    const isAgain = this.isAgain.value;
    return html`<a
      class="button ${session.takesTokens ? "" : "primary"}"
      href=${signInAddress(url, location.href)}
      target=${isAgain ? "_blank" : null}
      rel=${isAgain ? "noopener" : null}
      >${t("go")}</a
    >`;
  }

  #form() {
    const fault = this.fault.value;
    return html`<form class="stack" novalidate @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event)}>
      <label class="field">
        <span>${t("token")}</span>
        <textarea
          name="token"
          rows="3"
          required
          autofocus
          autocapitalize="off"
          autocomplete="off"
          spellcheck="false"
          dir="ltr"
          aria-invalid=${fault ? "true" : null}
          aria-describedby=${fault ? "sign-in-fault" : null}
        ></textarea>
        ${fault && html`<span class="fault" id="sign-in-fault" role="alert">${fault}</span>`}
      </label>
      <label class="check"><input type="checkbox" name="stays" />${t("stays")}</label>
      <div class="actions">
        <button class="button primary" ?disabled=${this.isBusy.value}>${t("submit")}</button>
      </div>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    const token = tokenIn(String(given.get("token") ?? ""));
    if (token === null) return this.#refuse(form, t("malformed"));
    this.isBusy.value = true;
    try {
      await signIn(token, { stays: given.has("stays") });
    } catch (error) {
      this.#refuse(form, error instanceof ApiError && error.status === 401 ? t("wrong") : sentence(error));
    } finally {
      this.isBusy.value = false;
    }
  }

  /** @param {HTMLFormElement} form @param {string} fault */
  #refuse(form, fault) {
    this.fault.value = fault;
    form.querySelector("textarea")?.focus();
  }

  async #look() {
    this.isBusy.value = true;
    this.fault.value = (await isSignedInElsewhere()) ? "" : t("not-yet");
    this.isBusy.value = false;
  }
}

define(SignInForm);
