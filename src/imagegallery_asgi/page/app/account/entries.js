/** What was done, as lists of the audit show it: a day, and under it each act with its time. */
import { formatDate } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { byDay, detailsOf, grantOf, thingsOf } from "./audit-words.js";

/** @typedef {import("./audit-words.js").Entry} Entry */

const t = await messages("audit");

/**
 * @param {Entry[]} entries
 * @param {{userId: string | null, isWhole?: boolean}} options `userId`: who reads it, whose own acts are said to be theirs;
 *   `isWhole`: with owners and addresses, for administrators, whose view has nothing else.
 */
export const entriesOf = (entries, { userId, isWhole = false }) =>
  each(
    byDay(entries),
    ([day]) => day,
    ([day, acts]) => html`<section class="audit-day">
      ${isWhole ? html`<h2>${dayText(day)}</h2>` : html`<h3>${dayText(day)}</h3>`}
      <ol role="list">
        ${each(acts, (act) => act.id, (act) => entry(act, userId, isWhole))}
      </ol>
    </section>`,
  );

/** @param {string} day */
const dayText = (day) => html`<time datetime=${day}>${formatDate(`${day}T12:00:00`, { dateStyle: "full" })}</time>`;

/**
 * @param {Entry} act
 * @param {string | null} userId
 * @param {boolean} isWhole
 */
function entry(act, userId, isWhole) {
  const details = detailsOf(act.details);
  const { key, id } = grantOf(act.grant);
  return html`<li class="act">
    <time class="number soft" datetime=${act.happened_at}>${formatDate(act.happened_at, { timeStyle: "short" })}</time>
    <div>
      <p><b>${t(`act.${act.act}`)}</b> <span class="soft">${whoDid(act, userId)}</span></p>
      ${details.length > 0 &&
      html`<p class="details small">${details.map(({ name, was, becomes }) => html`<span>${name} ${was !== null && html`<del>${was}</del>`} <ins>${becomes}</ins></span>`)}</p>`}
      <p class="small soft facts">
        ${thingsOf(act).map(({ kind, id: thing, path }) => (path ? html`<a href=${link(path)}>${t(`thing.${kind}`)}</a>` : html`<span title=${thing}>${t(`thing.${kind}`)}</span>`))}
        ${act.subject && html`<span dir="auto">${act.subject}</span>`}
        ${isWhole && act.owner_id !== null && html`<span>${t("of", { owner: act.owner_id })}</span>`}
        <span title=${id}>${t(`grant.${key}`)}</span>
        ${act.address && html`<span dir="ltr">${act.address}</span>`}
        ${isWhole && act.user_agent && html`<span class="agent" dir="ltr" title=${act.user_agent}>${act.user_agent}</span>`}
      </p>
    </div>
  </li>`;
}

/**
 * @param {Entry} act
 * @param {string | null} userId
 */
function whoDid({ actor }, userId) {
  if (actor.kind === "user" && actor.id !== null && actor.id === userId) return t("by.you");
  return actor.kind === "user" && actor.id !== null ? t("by.user", { id: actor.id }) : t(`by.${actor.kind}`);
}
