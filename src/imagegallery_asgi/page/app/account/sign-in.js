/** The view of who has not signed in: alone at its own address, and in place of a view that is for users. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { navigate, place } from "../core/router.js";
import { session } from "../core/session.js";
import { effect, signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import "./sign-in-form.js";
import { nextPath } from "./tokens.js";

const t = await messages("sign-in");
await style(import.meta.url, "./account.css");

export default class SignIn extends Element {
  static tag = "ig-sign-in";

  query = signal(new URLSearchParams());

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => {
      if (session.state.value === "user" && place.value.path === "/sign-in")
        navigate(nextPath(this.query.value.get("next")), { replace: true });
    });
    ended.addEventListener("abort", stop);
  }

  render() {
    return html`<div class="view sign-in-view">
      <h1>${t("title")}</h1>
      <p class="soft">${t(session.takesTokens ? "text.token" : "text.host")}</p>
      <ig-sign-in-form></ig-sign-in-form>
    </div>`;
  }
}

define(SignIn);
