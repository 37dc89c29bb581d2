/** From which day to which: a small editor. */
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { openDialog } from "../parts/dialog.js";

const t = await messages("filters");

/**
 * @param {{from?: string, to?: string}} said
 * @returns {Promise<{from?: string, to?: string} | null>} null: they leave it as it is.
 */
export async function chooseDates({ from = "", to = "" }) {
  const year = new Date().getFullYear();
  /** @type {{from?: string, to?: string} | null} */
  let chosen = null;
  const { closed } = openDialog(
    (/** @type {(answer?: string) => void} */ close) => {
      const take = (/** @type {string} */ first, /** @type {string} */ last) => {
        chosen = { ...(first ? { from: first } : {}), ...(last ? { to: last } : {}) };
        close("chosen");
      };
      return html`<form
        class="stack"
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          const said = new FormData(/** @type {HTMLFormElement} */ (event.target));
          take(String(said.get("from")), String(said.get("to")));
        }}
      >
        <h2>${t("dates.title")}</h2>
        <div class="row">
          ${[year, year - 1, year - 2].map(
            (each) =>
              html`<button class="button" type="button" @click=${() => take(`${each}-01-01`, `${each}-12-31`)}>${String(each)}</button>`,
          )}
        </div>
        <div class="dates">
          <label class="field"><span>${t("dates.first")}</span><input type="date" name="from" value=${from} /></label>
          <label class="field"><span>${t("dates.last")}</span><input type="date" name="to" value=${to} /></label>
        </div>
        <div class="actions">
          <button class="button" type="button" @click=${() => close()}>${t("cancel")}</button>
          <button class="button primary" type="submit">${t("apply")}</button>
        </div>
      </form>`;
    },
    { label: t("dates.title"), kind: "ig-dates" },
  );
  await closed;
  return chosen;
}
