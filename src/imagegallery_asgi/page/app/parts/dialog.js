/** Dialogs: one at a time above the page, closed by Escape, by its button or by a click beside it. */
import { html, render } from "../core/html.js";
import { messages } from "../core/messages.js";

const t = await messages("core");

/**
 * Open a dialog. Focus goes into it, and back to where it was.
 * @param {unknown | ((close: (answer?: string) => void) => unknown)} content A template, or what makes it.
 * @param {{label: string, kind?: string}} options
 * @returns {{close: (answer?: string) => void, closed: Promise<string>, element: HTMLDialogElement}}
 */
export function openDialog(content, { label, kind = "" }) {
  const element = document.createElement("dialog");
  element.className = `sheet ${kind}`;
  element.setAttribute("aria-label", label);
  const close = (/** @type {string} */ answer = "") => element.close(answer);
  const body = document.createElement("div");
  body.className = "content";
  element.append(body);
  render(typeof content === "function" ? content(close) : content, body);
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element) element.close("");
  });
  const closed = new Promise((/** @type {(answer: string) => void} */ resolve) => {
    element.addEventListener("close", () => {
      resolve(element.returnValue);
      element.remove();
    });
  });
  document.body.append(element);
  element.showModal();
  return { close, closed, element };
}

/**
 * Ask before something that cannot be taken back.
 * @param {{title: string, text?: string, yes: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, text = "", yes, danger = false }) {
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => html`
      <h2 dir="auto">${title}</h2>
      ${text && html`<p class="soft" dir="auto">${text}</p>`}
      <div class="actions">
        <button class="button" type="button" autofocus @click=${() => close("")}>${t("cancel")}</button>
        <button class="button ${danger ? "danger" : "primary"}" type="button" @click=${() => close("yes")}>${yes}</button>
      </div>
    `,
    { label: title },
  );
  return (await closed) === "yes";
}
