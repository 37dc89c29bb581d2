/** What views of shares show in place of them: whom they are for, and rows that will be. */
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { navigate } from "../core/router.js";
import "../parts/empty.js";

const t = await messages("shares");

export const signInFirst = () => html`<ig-empty
  .icon=${"lock"}
  .title=${t("sign.in")}
  .text=${t("sign.in.text")}
  .actions=${html`<button class="button primary" type="button" @click=${() => navigate("/sign-in")}>${t("sign.in.go")}</button>`}
></ig-empty>`;

/** Rows that will be. */
export const waiting = () => html`<ul role="list" class="share-list waiting" aria-busy="true" aria-label=${t("loading")}>
  ${[0, 1, 2].map(() => html`<li class="share"><span class="thumb"></span><span class="words"><span class="bar"></span><span class="bar"></span></span></li>`)}
</ul>`;
