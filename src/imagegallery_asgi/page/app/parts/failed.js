/** What a view shows in place of what could not be read: why, and a way to try again. */
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import "./empty.js";

const t = await messages("core");

/**
 * @param {unknown} error
 * @param {() => unknown} again
 * @param {{title?: string, level?: number}} [words] `title`: what it was; `level` of this heading.
 */
export const failed = (error, again, { title = t("error.title"), level = 2 } = {}) => html`<ig-empty
  .icon=${"error"}
  .level=${level}
  .title=${title}
  .text=${sentence(error)}
  .actions=${html`<button class="button" type="button" @click=${again}>${t("retry")}</button>`}
></ig-empty>`;
