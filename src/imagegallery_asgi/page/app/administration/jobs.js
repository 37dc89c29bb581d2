/** The jobs of the service: how many there are, what runs, and those that failed for good, which can be tried again. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatAgo, formatDate, formatNumber } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { effect, signal } from "../core/signal.js";
import { confirm } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { Listing, Reading } from "../parts/reading.js";
import { toast } from "../parts/toast.js";
import { figure, framed, isAdministrator } from "./frame.js";
import { counted } from "./numbers.js";

/**
 * @typedef {{kind: string, waiting: number, running: number, dead: number, due_since: string | null}} KindCount
 * @typedef {{id: string, kind: string, attempt: number, claimed_at: string, held_until: string}} Running
 * @typedef {{waiting: number, running: number, dead: number, counted_to: number, kinds: KindCount[],
 *   in_progress: Running[]}} Jobs
 * @typedef {{id: string, kind: string, payload: Record<string, unknown>, attempts: number, error: string,
 *   died_at: string}} DeadJob
 */

const t = await messages("administration");

export default class JobsView extends Element {
  static tag = "ig-admin-jobs";

  query = signal(new URLSearchParams());
  /** When these were looked at: what fails later is not dealt with by who has not seen it. */
  seen = signal(new Date());
  isBusy = signal(false);
  jobs = new Reading(async () => /** @type {Jobs} */ ((await api.get("/admin/jobs")).data));
  dead = /** @type {Listing<DeadJob>} */ (
    new Listing((cursor) => api.get("/admin/jobs/dead", { query: { kind: this.#kind, limit: 20, cursor } }))
  );

  /** @param {AbortSignal} ended */
  connected(ended) {
    const stop = effect(() => {
      void this.query.value;
      if (isAdministrator()) this.#read();
    });
    ended.addEventListener("abort", stop);
  }

  get #kind() {
    return this.query.value.get("kind");
  }

  #read() {
    this.seen.value = new Date();
    void this.jobs.again();
    void this.dead.again();
  }

  render() {
    const again = html`<button class="button" type="button" ?disabled=${this.jobs.isBusy.value} @click=${() => this.#read()}>
      ${icon("redo")}${t("jobs.again")}
    </button>`;
    return framed("jobs", () => html`${this.jobs.shown(overview, 6)} ${this.#dead()}`, again);
  }

  #dead() {
    const kinds = (this.jobs.value.value?.kinds ?? []).filter((each) => each.dead > 0).map((each) => each.kind);
    const kind = this.#kind;
    const shown = kind === null || kinds.includes(kind) ? kinds : [kind, ...kinds];
    const isAny = this.dead.items.value.length > 0;
    return html`<section aria-labelledby="dead">
      <header class="view-head">
        <h2 id="dead">${t("dead.title")}</h2>
        ${isAny &&
        html`<div class="row">
          <button class="button" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#many("redrive")}>
            ${t(kind === null ? "dead.redrive-all" : "dead.redrive-kind")}
          </button>
          <button class="button danger" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#many("discard")}>
            ${t(kind === null ? "dead.discard-all" : "dead.discard-kind")}
          </button>
        </div>`}
      </header>
      ${shown.length > 1 || kind !== null
        ? html`<p class="row kinds">
            <a href=${link("/admin/jobs")} aria-current=${kind === null ? "true" : null}>${t("dead.every-kind")}</a>
            ${shown.map(
              (each) => html`<a href=${link(`/admin/jobs?kind=${encodeURIComponent(each)}`)} aria-current=${each === kind ? "true" : null}>${each}</a>`,
            )}
          </p>`
        : null}
      ${this.dead.shown((jobs) =>
        jobs.length === 0
          ? html`<p class="soft">${t("dead.none")}</p>`
          : html`<ol class="letters" role="list">${each(jobs, (job) => job.id, (job) => this.#letter(job))}</ol>`,
      )}
    </section>`;
  }

  /** @param {DeadJob} job */
  #letter(job) {
    return html`<li>
      <div class="letter-head">
        <b>${job.kind}</b>
        <span class="soft small">
          <time datetime=${job.died_at} title=${formatDate(job.died_at)}>${formatAgo(job.died_at, this.seen.value.getTime())}</time>
          · ${t("dead.attempts", { count: job.attempts })}
        </span>
      </div>
      <p class="error" lang="en" dir="auto">${job.error || t("dead.no-error")}</p>
      <details>
        <summary>${t("dead.payload")}</summary>
        <dl class="payload">
          ${Object.entries({ id: job.id, ...job.payload }).map(([name, value]) => html`<dt>${name}</dt><dd dir="auto">${String(value)}</dd>`)}
        </dl>
      </details>
      <div class="row">
        <button class="button" type="button" aria-label=${t("dead.redrive-of", { kind: job.kind })} @click=${() => this.#one("redrive", job)}>
          ${t("dead.redrive")}
        </button>
        <button class="button quiet danger" type="button" aria-label=${t("dead.discard-of", { kind: job.kind })} @click=${() => this.#one("discard", job)}>
          ${t("dead.discard")}
        </button>
      </div>
    </li>`;
  }

  /**
   * @param {"redrive" | "discard"} act
   * @param {DeadJob} job
   */
  async #one(act, job) {
    if (act === "discard" && !(await sure(1))) return;
    const path = `/admin/jobs/dead/${job.id}`;
    await this.#done(act, async () => {
      await (act === "redrive" ? api.post(`${path}/redrive`) : api.delete(path));
      return 1;
    });
  }

  /** @param {"redrive" | "discard"} act */
  async #many(act) {
    const jobs = this.jobs.value.value;
    const kind = this.#kind;
    const count = (kind === null ? jobs?.dead : jobs?.kinds.find((each) => each.kind === kind)?.dead) ?? 0;
    if (act === "discard" && !(await sure(count))) return;
    await this.#done(act, async () => {
      let count = 0;
      for (let hasMore = true; hasMore; ) {
        const { data } = await api.post(`/admin/jobs/dead/${act}`, { kind, until: this.seen.value.toISOString() });
        count += data.jobs;
        hasMore = data.has_more;
      }
      return count;
    });
  }

  /**
   * @param {"redrive" | "discard"} act
   * @param {() => Promise<number>} run Answers to how many it was done.
   */
  async #done(act, run) {
    this.isBusy.value = true;
    try {
      toast(t(`dead.done.${act}`, { count: await run() }));
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    } finally {
      this.isBusy.value = false;
      this.#read();
    }
  }
}

/** @param {number} count */
const sure = (count) => confirm({ title: t("dead.sure.title", { count }), text: t("dead.sure.text"), yes: t("dead.discard"), danger: true });

/** @param {Jobs} jobs */
function overview(jobs) {
  const now = Date.now();
  return html`<dl class="figures">
      ${figure(t("jobs.waiting"), counted(jobs.waiting, jobs))} ${figure(t("jobs.running"), counted(jobs.running, jobs))}
      ${figure(t("jobs.dead"), counted(jobs.dead, jobs), { kind: jobs.dead > 0 ? "bad" : "" })}
    </dl>
    ${jobs.kinds.length === 0
      ? html`<p class="soft">${t("jobs.none")}</p>`
      : html`<div class="scrolled" tabindex="0" role="region" aria-label=${t("jobs.by-kind")}>
          <table class="figures-table">
            <thead>
              <tr>
                <th scope="col">${t("jobs.kind")}</th>
                <th scope="col" class="numeric">${t("jobs.waiting")}</th>
                <th scope="col" class="numeric">${t("jobs.running")}</th>
                <th scope="col" class="numeric">${t("jobs.dead")}</th>
                <th scope="col">${t("jobs.due")}</th>
              </tr>
            </thead>
            <tbody>
              ${each(
                jobs.kinds,
                (kind) => kind.kind,
                (kind) => html`<tr>
                  <th scope="row">${kind.kind}</th>
                  <td class="numeric">${formatNumber(kind.waiting)}</td>
                  <td class="numeric">${formatNumber(kind.running)}</td>
                  <td class="numeric ${kind.dead > 0 ? "bad" : ""}">${formatNumber(kind.dead)}</td>
                  <td class="soft">${kind.due_since !== null && formatAgo(kind.due_since, now)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    ${jobs.in_progress.length > 0 &&
    html`<section aria-labelledby="running">
      <h2 id="running">${t("running.title")}</h2>
      <ul class="running" role="list">
        ${each(
          jobs.in_progress,
          (job) => job.id,
          (job) => html`<li>
            <b>${job.kind}</b>
            <span class="soft small">${t("running.since", { time: formatAgo(job.claimed_at, now) })}${job.attempt > 1 && ` · ${t("running.attempt", { count: job.attempt })}`}</span>
          </li>`,
        )}
      </ul>
    </section>`}`;
}

define(JobsView);
