/** Who has access to a gallery, and by what, in words. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { mayOf } from "./terms.js";

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

/** @type {Record<string, keyof typeof import("../parts/icon.js").ICONS>} */
const ICONS = { owner: "user", everybody: "people", link: "link", user: "user", email: "send", group: "people" };

/**
 * @param {string} galleryId
 * @param {string} name
 */
export function openAccessDialog(galleryId, name) {
  const label = t("access.title", { name });
  openDialog(
    (/** @type {(answer?: string) => void} */ close) =>
      html`<h2 dir="auto">${label}</h2>
        <ig-access .gallery=${galleryId} @click=${(/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).closest("a") && close("")}></ig-access>
        <div class="actions"><button class="button" type="button" autofocus @click=${() => close("")}>${t("done")}</button></div>`,
    { label, kind: "wide" },
  );
}

class Access extends Element {
  static tag = "ig-access";

  gallery = signal("");
  #report = signal(/** @type {any} */ (null));
  #error = signal(/** @type {unknown} */ (null));

  /** @param {AbortSignal} ended */
  async connected(ended) {
    try {
      const { data } = await api.get(`/galleries/${this.gallery.value}/access`, { signal: ended });
      this.#report.value = data;
    } catch (error) {
      if (!ended.aborted) this.#error.value = error;
    }
  }

  render() {
    if (this.#error.value) return html`<p class="fault" role="alert">${sentence(this.#error.value)}</p>`;
    const report = this.#report.value;
    if (!report) return html`<p class="soft">${t("loading")}</p>`;
    return html`<ul role="list" class="holders">
        ${report.holders.map((/** @type {any} */ holder) => this.#holder(holder))}
      </ul>
      ${report.is_whole ? null : html`<p class="soft small">${t("access.part")}</p>`}`;
  }

  /** @param {any} holder */
  #holder(holder) {
    const { kind, name, grants } = holder;
    return html`<li>
      ${icon(ICONS[kind] ?? "user")}
      <div>
        <p><b dir="auto">${t(`holder.${kind}`, { name: name ?? "" })}</b></p>
        <p class="small">${allowed(holder)}</p>
        ${grants.map((/** @type {any} */ grant) => html`<p class="small soft">${because(grant)} <a href=${link(`/shares/${grant.share_id}`)}>${t("see")}</a></p>`)}
        ${grants.length === 0 && kind === "everybody" ? html`<p class="small soft">${t("because.visible")}</p>` : null}
      </div>
    </li>`;
  }
}

/** What a holder may do, as a sentence. @param {any} holder */
function allowed({ kind, permissions, download, metadata }) {
  if (kind === "owner") return t("may.all");
  return [t(`may.${mayOf(permissions)}`), t(`download.${download}`), t(`metadata.${metadata}`)].join(" · ");
}

/** Why they may. @param {any} grant */
function because(grant) {
  const parts = [t(`because.${grant.reached_by}`)];
  if (grant.has_password) parts.push(t("by.password"));
  if (grant.joined_at) parts.push(t("since.date", { date: formatDate(grant.joined_at, { dateStyle: "medium" }) }));
  if (grant.expires_at) parts.push(t("until", { date: formatDate(grant.expires_at, { dateStyle: "medium" }) }));
  return `${parts.join(", ")}.`;
}

define(Access);
