/** Signing in again where one was signed in: over the view, which stays as it is, as do the uploads. */
import { isSignedInElsewhere } from "../core/sign-in.js";
import { session } from "../core/session.js";
import { effect } from "../core/signal.js";
import { openDialog } from "../parts/dialog.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import "./sign-in-form.js";

const t = await messages("sign-in");

/** @type {Promise<boolean> | null} */
let asked = null;

/**
 * Ask once, however many requests wait for it.
 * @returns {Promise<boolean>} Whether the user has signed in.
 */
export function signInAgain() {
  asked ??= ask().finally(() => (asked = null));
  return asked;
}

async function ask() {
  session.state.value = "ended";
  // Another window may have done so meanwhile.
  if (await isSignedInElsewhere()) return true;
  const { close, closed } = openDialog(
    html`<h2>${t("again.title")}</h2>
      <p class="soft">${t("again.text")}</p>
      <ig-sign-in-form .isAgain=${true}></ig-sign-in-form>`,
    { label: t("again.title") },
  );
  const stop = effect(() => {
    if (isIn()) queueMicrotask(() => close("in"));
  });
  await closed;
  stop();
  return isIn();
}

const isIn = () => session.state.value === "user";
