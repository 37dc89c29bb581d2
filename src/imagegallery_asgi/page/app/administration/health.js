/** How the service is: in one sentence, and part by part. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate, formatNumber } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { effect } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import { Reading } from "../parts/reading.js";
import { counted } from "./numbers.js";
import { figure, framed, isAdministrator } from "./frame.js";

/** @typedef {{name: string, level: "ok" | "warning" | "error", detail: string, remedy: string | null}} Check */

const t = await messages("administration");
/** @type {Record<Check["level"], keyof typeof import("../parts/icon.js").ICONS>} */
const ICONS = { ok: "check", warning: "info", error: "error" };

export default class Health extends Element {
  static tag = "ig-admin-health";

  health = new Reading(async () => ({ ...(await api.get("/admin/health")).data, at: new Date() }));
  jobs = new Reading(async () => (await api.get("/admin/jobs")).data);
  storage = new Reading(async () => (await api.get("/admin/storage")).data);

  /** @param {AbortSignal} ended */
  connected(ended) {
    ended.addEventListener("abort", effect(() => isAdministrator() && this.#read()));
  }

  #read() {
    for (const each of [this.health, this.jobs, this.storage]) void each.again();
  }

  render() {
    const again = html`<button class="button" type="button" ?disabled=${this.health.isBusy.value} @click=${() => this.#read()}>
      ${icon("redo")}${t("health.again")}
    </button>`;
    return framed("health", () => html`${this.health.shown(report, 9)} ${this.#figures()}`, again);
  }

  #figures() {
    const jobs = this.jobs.value.value;
    const storage = this.storage.value.value;
    return html`<dl class="figures">
      ${storage !== null &&
      figure(t("storage.used"), formatBytes(storage.used), { href: link("/admin/storage"), note: t("storage.owners", { count: storage.owners }) })}
      ${jobs !== null && figure(t("jobs.waiting"), counted(jobs.waiting, jobs), { href: link("/admin/jobs") })}
      ${jobs !== null && figure(t("jobs.running"), formatNumber(jobs.running), { href: link("/admin/jobs") })}
      ${jobs !== null && figure(t("jobs.dead"), counted(jobs.dead, jobs), { href: link("/admin/jobs"), kind: jobs.dead > 0 ? "bad" : "" })}
    </dl>`;
  }
}

/** @param {{level: Check["level"], checks: Check[], at: Date}} health */
function report({ level, checks, at }) {
  const count = checks.filter((check) => check.level !== "ok").length;
  return html`<p class="verdict ${level}" role="status">${count === 0 ? t("health.fine") : t("health.faults", { count })}</p>
    <ul class="checks" role="list">
      ${each(
        checks,
        (check) => check.name,
        (check) => html`<li class=${check.level}>
          <span class="level">${icon(ICONS[check.level])}<span class="seen-by-readers">${t(`level.${check.level}`)}: </span></span>
          <b>${t(`check.${check.name}`)}</b>
          <span class="detail" lang="en" dir="auto">${withCode(check.detail)}</span>
          ${check.remedy && html`<span class="remedy" lang="en" dir="auto">${icon("forward")}<span>${withCode(check.remedy)}</span></span>`}
        </li>`,
      )}
    </ul>
    <p class="soft small">${t("health.at", { time: formatDate(at, { timeStyle: "medium" }) })}</p>`;
}

/** @param {string} text What stands between backticks is to be typed. */
const withCode = (text) => text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

define(Health);
