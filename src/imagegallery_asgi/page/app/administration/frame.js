/** What is around each view for administrators: the ways between them; and for all others that it is not for them. */
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { session } from "../core/session.js";
import { style } from "../core/styles.js";
import "../parts/empty.js";

const t = await messages("administration");
await Promise.all(["../account/account.css", "./administration.css"].map((path) => style(import.meta.url, path)));

const WAYS = /** @type {const} */ ({
  health: "/admin",
  jobs: "/admin/jobs",
  storage: "/admin/storage",
  policy: "/admin/policy",
  audit: "/admin/audit",
});

export const isAdministrator = () => session.me.value?.role === "admin";

/**
 * @param {keyof typeof WAYS} current
 * @param {() => unknown} draw
 * @param {unknown} [tools] Beside the heading.
 */
export function framed(current, draw, tools = null) {
  if (session.me.value === null) return html`<div class="view administration" aria-busy="true"></div>`;
  if (!isAdministrator()) {
    return html`<ig-empty
      .icon=${"lock"}
      .title=${t("refused.title")}
      .text=${t("refused.text")}
      .actions=${html`<a class="button" href=${link("/")}>${t("refused.way")}</a>`}
    ></ig-empty>`;
  }
  return html`<div class="view administration">
    <nav class="tabs" aria-label=${t("title")}>
      ${Object.entries(WAYS).map(
        ([name, path]) => html`<a href=${link(path)} aria-current=${name === current ? "page" : null}>${t(`way.${name}`)}</a>`,
      )}
    </nav>
    <header class="view-head">
      <h1 tabindex="-1">${t(`way.${current}`)}</h1>
      <div class="row">${tools}</div>
    </header>
    ${draw()}
  </div>`;
}

/**
 * A number that stands for itself.
 * @param {string} label
 * @param {string} value
 * @param {{note?: string | false, href?: string, kind?: string}} [options]
 */
export const figure = (label, value, { note = false, href, kind = "" } = {}) => html`<div class="figure ${kind}">
  <dt>${label}</dt>
  <dd>${href ? html`<a class="number" href=${href}>${value}</a>` : html`<span class="number">${value}</span>`}</dd>
  ${note && html`<dd class="soft small">${note}</dd>`}
</div>`;
