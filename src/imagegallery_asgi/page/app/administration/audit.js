/** Who did what, in the whole service: by act, by who did it, by what it was done to, and by day. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { navigate } from "../core/router.js";
import { session } from "../core/session.js";
import { effect, signal } from "../core/signal.js";
import { ACTS, askedBy } from "../account/audit-words.js";
import { entriesOf } from "../account/entries.js";
import { Listing } from "../parts/reading.js";
import { framed, isAdministrator } from "./frame.js";

/** @typedef {import("../account/audit-words.js").Entry} Entry */

const t = await messages("administration");
const ta = await messages("audit");

export default class AuditView extends Element {
  static tag = "ig-admin-audit";

  query = signal(new URLSearchParams());
  entries = /** @type {Listing<Entry>} */ (
    new Listing((cursor) => api.get("/admin/audit", { query: { ...askedBy(this.query.value), limit: 50, cursor } }))
  );

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => {
      void this.query.value;
      if (isAdministrator()) void this.entries.again();
    });
    ended.addEventListener("abort", stop);
  }

  render() {
    return framed("audit", () => html`${this.#filters()}
      <div class="audit">
        ${this.entries.shown((entries) =>
          entries.length === 0
            ? html`<p class="soft">${t("audit.none")}</p>`
            : entriesOf(entries, { userId: session.me.value?.id ?? null, isWhole: true }),
        )}
      </div>`);
  }

  #filters() {
    const query = this.query.value;
    const act = query.get("act") ?? "";
    const kind = ["gallery", "share"].find((each) => query.has(each)) ?? "image";
    const isAny = [...query.values()].some(Boolean);
    return html`<form class="filters" role="search" aria-label=${t("audit.filters")} @submit=${(/** @type {Event} */ event) => this.#choose(event)} @change=${(/** @type {Event} */ event) => this.#choose(event)}>
      <label class="field"><span>${t("audit.act")}</span>
        <select name="act">
          <option value="" ?selected=${act === ""}>${t("audit.every-act")}</option>
          ${ACTS.map((each) => html`<option value=${each} ?selected=${act === each}>${ta(`act.${each}`)}</option>`)}
        </select>
      </label>
      <label class="field"><span>${t("audit.actor")}</span><input name="actor" autocomplete="off" spellcheck="false" .value=${query.get("actor") ?? ""} /></label>
      <label class="field"><span>${t("audit.owner")}</span><input name="owner" autocomplete="off" spellcheck="false" .value=${query.get("owner") ?? ""} /></label>
      <label class="field"><span>${t("audit.thing")}</span>
        <select name="kind">
          ${["image", "gallery", "share"].map((each) => html`<option value=${each} ?selected=${each === kind}>${ta(`thing.${each}`)}</option>`)}
        </select>
      </label>
      <label class="field"><span>${t("audit.thing-id")}</span><input name="thing" autocomplete="off" spellcheck="false" dir="ltr" .value=${query.get("image") ?? query.get("gallery") ?? query.get("share") ?? ""} /></label>
      <label class="field"><span>${t("audit.since")}</span><input type="date" name="since" .value=${query.get("since") ?? ""} /></label>
      <label class="field"><span>${t("audit.until")}</span><input type="date" name="until" .value=${query.get("until") ?? ""} /></label>
      <div class="row">
        <button class="button">${t("audit.show")}</button>
        ${isAny && html`<button class="button quiet" type="button" @click=${() => navigate("/admin/audit")}>${t("audit.clear")}</button>`}
      </div>
    </form>`;
  }

  /** @param {Event} event */
  #choose(event) {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const textOf = (/** @type {string} */ name) => String(given.get(name) ?? "").trim();
    const query = new URLSearchParams();
    for (const name of ["act", "actor", "owner", "since", "until"]) if (textOf(name)) query.set(name, textOf(name));
    if (textOf("thing")) query.set(textOf("kind"), textOf("thing"));
    const text = query.toString();
    if (text !== this.query.value.toString()) navigate(`/admin/audit${text && `?${text}`}`, { replace: event.type === "change" });
  }
}

define(AuditView);
