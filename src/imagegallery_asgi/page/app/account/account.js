/** One's own account: room, language and look, everything to take along, and the way out. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatNumber, formatPercent } from "../core/formats.js";
import { html } from "../core/html.js";
import { LANGUAGES, language, messages, setLanguage } from "../core/messages.js";
import { navigate } from "../core/router.js";
import { session } from "../core/session.js";
import { signOut, startSession } from "../core/sign-in.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import { Listing } from "../parts/reading.js";
import { entriesOf } from "./entries.js";
import "./export.js";
import "./leave.js";
import { THEMES, setTheme, theme } from "./theme.js";

/** @typedef {import("../core/api.js").Me} Me */

const t = await messages("account");
await style(import.meta.url, "./account.css");

/** From this part of the room on it is said that there is little left. */
const LITTLE = 0.9;

export default class Account extends Element {
  static tag = "ig-account";

  entries = /** @type {Listing<import("./audit-words.js").Entry>} */ (
    new Listing((cursor) => api.get("/audit", { query: { limit: 10, cursor } }))
  );

  connected() {
    void startSession();
    void this.entries.again();
  }

  render() {
    const me = session.me.value;
    if (me === null) return html`<div class="view" aria-busy="true"></div>`;
    return html`<div class="view account">
      <header class="view-head">
        <h1 tabindex="-1">${t("title")}</h1>
        ${session.token !== null &&
        html`<button class="button" type="button" @click=${() => leave()}>${icon("sign-out")}${t("sign-out")}</button>`}
      </header>
      <p class="who"><span dir="auto">${me.id}</span>${me.role && me.role !== "member" && html` <span class="role">${t(`role.${me.role}`)}</span>`}</p>
      ${room(me)} ${looks()}
      <ig-export></ig-export>
      <section aria-labelledby="done">
        <h2 id="done">${t("audit.title")}</h2>
        <p class="soft">${t("audit.text")}</p>
        <div class="audit">
          ${this.entries.shown((entries) =>
            entries.length === 0 ? html`<p class="soft">${t("audit.none")}</p>` : entriesOf(entries, { userId: me.id }),
          )}
        </div>
      </section>
      <ig-leave></ig-leave>
    </div>`;
  }
}

async function leave() {
  await signOut();
  navigate("/");
}

/** @param {Me} me */
function room(me) {
  const { storage_used: used, storage_limit: limit, storage_reserved: reserved } = me;
  const share = limit === null ? null : limit === 0 ? 1 : Math.min(used / limit, 1);
  const isLittle = share !== null && share >= LITTLE;
  return html`<section aria-labelledby="room">
    <h2 id="room">${t("room.title")}</h2>
    <p class="amount"><span class="number">${formatBytes(used)}</span> <span class="soft">${limit === null ? t("room.no-limit") : t("room.of", { bytes: formatBytes(limit) })}</span></p>
    ${share !== null &&
    html`<div
      class="meter ${isLittle ? "little" : ""}"
      role="meter"
      aria-label=${t("room.title")}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(share * 100)}
      aria-valuetext=${formatPercent(share)}
    >
      <i style=${{ "inline-size": `${share * 100}%` }}></i>
      <i class="reserved" style=${{ "inline-size": `${Math.min(reserved / Math.max(limit ?? 1, 1), 1 - share) * 100}%` }}></i>
    </div>`}
    ${isLittle && html`<p class="bad" role="status">${t("room.little", { bytes: formatBytes(Math.max((limit ?? 0) - used, 0)) })}</p>`}
    ${me.open_uploads > 0 &&
    html`<p class="soft small">${t("room.uploads", { count: me.open_uploads, max: formatNumber(me.max_open_uploads), bytes: formatBytes(reserved) })}</p>`}
  </section>`;
}

const looks = () => html`<section aria-labelledby="looks">
  <h2 id="looks">${t("looks.title")}</h2>
  <div class="looks">
    <label class="field"
      ><span>${t("looks.language")}</span>
      <select @change=${(/** @type {Event} */ event) => setLanguage(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${LANGUAGES.map((each) => html`<option value=${each} lang=${each} ?selected=${each === language()}>${nameOf(each)}</option>`)}
      </select>
    </label>
    <fieldset class="themes">
      <legend>${t("looks.theme")}</legend>
      <div class="segments">
        ${THEMES.map(
          (each) => html`<label><input type="radio" name="theme" value=${each} .checked=${each === theme.value} @change=${() => setTheme(each)} /><span>${t(`theme.${each}`)}</span></label>`,
        )}
      </div>
    </fieldset>
  </div>
</section>`;

/** @param {string} tongue A language, as those call it who speak it. */
const nameOf = (tongue) => new Intl.DisplayNames([tongue], { type: "language" }).of(tongue) ?? tongue;

define(Account);
