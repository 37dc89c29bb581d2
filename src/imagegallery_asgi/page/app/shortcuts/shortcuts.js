/** The dialog of all keys that do something now. */
import { each, html } from "../core/html.js";
import { Element, define } from "../core/element.js";
import { messages } from "../core/messages.js";
import { style } from "../core/styles.js";
import { openDialog } from "../parts/dialog.js";
import { groups, keysAreOn, turnKeys } from "./keys.js";

const [t] = await Promise.all([messages("shortcuts"), style(import.meta.url, "./shortcuts.css")]);

/** Names of keys that have no sign of their own. */
const NAMED = /** @type {const} */ (["Ctrl", "Alt", "Shift", "Enter", "Escape", "Delete", "Home", "End", "PageUp", "PageDown", "Space"]);
const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

class Shortcuts extends Element {
  static tag = "ig-shortcuts";

  render() {
    return html`
      ${each(
        groups.value,
        (group) => group,
        (group) => html`<section>
          <h3>${group.title}</h3>
          <dl>
            ${group.shortcuts.map(
              ({ keys, says }) => html`<div>
                <dt>${keys.map((name) => html`<span class="keys">${name.split("+").map(cap)}</span>`)}</dt>
                <dd>${says}</dd>
              </div>`,
            )}
          </dl>
        </section>`,
      )}
      <label class="row">
        <input type="checkbox" .checked=${keysAreOn.value} @change=${this.#turn} />
        <span>${t("single")}</span>
      </label>
      <p class="soft small">${t("single.why")}</p>
    `;
  }

  /** @param {Event} event */
  #turn = (event) => turnKeys(/** @type {HTMLInputElement} */ (event.target).checked);
}

/** @param {string} name */
function cap(name) {
  const key = name === " " ? "Space" : name;
  const text = /** @type {readonly string[]} */ (NAMED).includes(key)
    ? t(`key.${key}`)
    : (/** @type {Record<string, string>} */ (ARROWS)[key] ?? key.toUpperCase());
  return html`<kbd>${text}</kbd>`;
}

define(Shortcuts);

/** Show which keys there are. */
export function openShortcuts() {
  openDialog(
    (/** @type {() => void} */ close) => html`
      <h2>${t("title")}</h2>
      <ig-shortcuts></ig-shortcuts>
      <div class="actions">
        <button class="button" type="button" autofocus @click=${() => close()}>${t("close")}</button>
      </div>
    `,
    { label: t("title"), kind: "shortcuts" },
  );
}
