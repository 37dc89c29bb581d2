/** What the service stores: of what kind, how it grew, and whose it is. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate, formatNumber } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { isRightToLeft, messages } from "../core/messages.js";
import { effect } from "../core/signal.js";
import { Listing, Reading } from "../parts/reading.js";
import { bars, daysUntil, parts } from "./chart.js";
import { framed, isAdministrator } from "./frame.js";
import { about } from "./numbers.js";

/**
 * @typedef {{state: string, count: number, bytes: number, is_exact: boolean}} Stored
 * @typedef {{owners: number, used: number, is_exact: boolean, states: Stored[],
 *   growth: {day: string, images: number, bytes: number}[]}} Storage
 */

const t = await messages("administration");
const DAYS = 30;
const [WIDTH, HEIGHT] = [600, 96];

export default class StorageView extends Element {
  static tag = "ig-admin-storage";

  storage = new Reading(async () => /** @type {Storage} */ ((await api.get("/admin/storage")).data));
  owners = new Listing((cursor) => api.get("/admin/owners", { query: { limit: 12, cursor } }));

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => {
      if (!isAdministrator()) return;
      void this.storage.again();
      void this.owners.again();
    });
    ended.addEventListener("abort", stop);
  }

  render() {
    return framed("storage", () => html`${this.storage.shown(overview, 8)}
      <section aria-labelledby="owners">
        <h2 id="owners">${t("owners.title")}</h2>
        ${this.owners.shown((owners) => ownersOf(owners))}
      </section>`);
  }
}

/** @param {Storage} storage */
function overview(storage) {
  const { states, growth } = storage;
  const places = parts(states.map((each) => each.bytes));
  const isWhole = states.every((each) => each.is_exact);
  return html`<p class="verdict">
      ${t("storage.sentence", { bytes: about(formatBytes(storage.used), storage.is_exact), owners: t("storage.owners", { count: storage.owners }) })}
    </p>
    <div class="composition" aria-hidden="true">
      ${states.map(
        (each, index) => html`<i class=${each.state} style=${{ "inline-size": `${(places[index]?.share ?? 0) * 100}%` }}></i>`,
      )}
    </div>
    <table class="figures-table">
      <caption class="seen-by-readers">${t("storage.by-state")}</caption>
      <thead>
        <tr><th scope="col">${t("storage.state")}</th><th scope="col" class="numeric">${t("storage.count")}</th><th scope="col" class="numeric">${t("storage.bytes")}</th></tr>
      </thead>
      <tbody>
        ${states.map(
          (each) => html`<tr>
            <th scope="row"><i class="swatch ${each.state}" aria-hidden="true"></i>${t(`state.${each.state}`)}</th>
            <td class="numeric">${about(formatNumber(each.count), each.is_exact)}</td>
            <td class="numeric">${about(formatBytes(each.bytes), each.is_exact)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${!isWhole && html`<p class="soft small">${t("storage.estimated")}</p>`}
    <section aria-labelledby="growth">
      <h2 id="growth">${t("growth.title")}</h2>
      ${growth.length === 0 ? html`<p class="soft">${t("growth.none")}</p>` : chart(growth)}
    </section>`;
}

/** @param {Storage["growth"]} growth */
function chart(growth) {
  const days = daysUntil(new Date(), DAYS, growth);
  const [first, last] = [days[0], days[days.length - 1]];
  const images = days.reduce((sum, each) => sum + each.images, 0);
  const path = bars(days.map((each) => each.bytes), { width: WIDTH, height: HEIGHT, isReversed: isRightToLeft() });
  return html`<figure class="growth">
    <figcaption>${t("growth.sentence", { count: images, bytes: formatBytes(days.reduce((sum, each) => sum + each.bytes, 0)) })}</figcaption>
    <svg viewBox="0 0 600 96" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path d=${path} /></svg>
    <div class="axis soft small" aria-hidden="true"><span>${dayText(first?.day)}</span><span>${dayText(last?.day)}</span></div>
    <details>
      <summary>${t("growth.numbers")}</summary>
      <table class="figures-table">
        <thead>
          <tr><th scope="col">${t("growth.day")}</th><th scope="col" class="numeric">${t("storage.count")}</th><th scope="col" class="numeric">${t("storage.bytes")}</th></tr>
        </thead>
        <tbody>
          ${growth.toReversed().map(
            (each) => html`<tr>
              <th scope="row">${dayText(each.day)}</th>
              <td class="numeric">${formatNumber(each.images)}</td>
              <td class="numeric">${formatBytes(each.bytes)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </details>
  </figure>`;
}

/** @param {string | undefined} day */
const dayText = (day) => day && formatDate(`${day}T00:00:00Z`, { day: "numeric", month: "long", timeZone: "UTC" });

/** @param {{owner_id: string, storage_used: number, storage_limit: number | null}[]} owners */
function ownersOf(owners) {
  if (owners.length === 0) return html`<p class="soft">${t("owners.none")}</p>`;
  const greatest = Math.max(owners[0]?.storage_used ?? 0, 1);
  return html`<ol class="owners" role="list">
    ${each(
      owners,
      (owner) => owner.owner_id,
      (owner) => html`<li>
        <span class="owner" dir="auto">${owner.owner_id}</span>
        <span class="number">${formatBytes(owner.storage_used)}</span>
        <i style=${{ "--share": owner.storage_used / greatest }} aria-hidden="true"></i>
        ${owner.storage_limit !== null && html`<span class="soft small">${t("owners.limit", { bytes: formatBytes(owner.storage_limit) })}</span>`}
      </li>`,
    )}
  </ol>`;
}

define(StorageView);
