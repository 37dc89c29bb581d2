/** Everything that is kept of one, to take along: made by a worker, followed while it is made, and fetched. */
import { ApiError, api, pause } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import "../parts/progress.js";
import { Reading } from "../parts/reading.js";
import { fetchArchive, save } from "./archive.js";

/**
 * @typedef {{id: string, state: "waiting" | "reading" | "ready" | "failed" | "ended", progress: number, files: number,
 *   bytes: number, size: number | null, created_at: string, ready_at: string | null, snapshot_at: string | null,
 *   expires_at: string}} Export
 */

const t = await messages("account");
const SECONDS_BETWEEN = 2;

class ExportSection extends Element {
  static tag = "ig-export";

  fault = signal("");
  isBusy = signal(false);
  /** How far the download is; null while there is none. */
  fetched = signal(/** @type {number | null} */ (null));
  last = new Reading(async () => /** @type {{export: Export | null}} */ ({ export: (await api.get("/me/exports")).data[0] ?? null }));
  /** @type {AbortSignal | null} */
  #ended = null;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    void this.#follow();
  }

  /** Read it until it is made. */
  async #follow() {
    for (;;) {
      await this.last.again();
      const state = this.last.value.value?.export?.state;
      if (this.#ended?.aborted || (state !== "waiting" && state !== "reading")) return;
      await pause(SECONDS_BETWEEN, this.#ended ?? undefined).catch(() => {});
    }
  }

  render() {
    return html`<section aria-labelledby="export">
      <h2 id="export">${t("export.title")}</h2>
      <p class="soft">${t("export.text")}</p>
      ${this.last.shown((found) => this.#state(found.export), 1)}
      ${this.fault.value && html`<p class="fault" role="alert">${this.fault.value}</p>`}
    </section>`;
  }

  /** @param {Export | null} its */
  #state(its) {
    const make = html`<button class="button" type="button" ?disabled=${this.isBusy.value} @click=${() => this.#make()}>${t("export.make")}</button>`;
    if (its === null || its.state === "ended") return make;
    if (its.state === "failed") return html`<p class="bad">${t("export.failed")}</p>${make}`;
    if (its.state !== "ready") {
      return html`<p role="status">${its.state === "waiting" ? t("export.waiting") : t("export.reading", { count: its.files, bytes: formatBytes(its.bytes) })}</p>
        <ig-progress .label=${t("export.progress")} .value=${its.state === "waiting" ? null : its.progress}></ig-progress>
        <button class="button quiet" type="button" @click=${() => this.#delete(its)}>${t("export.cancel")}</button>`;
    }
    return html`<p role="status">${t("export.ready", { count: its.files, bytes: formatBytes(its.size ?? its.bytes), until: formatDate(its.expires_at, { dateStyle: "long" }) })}</p>
      ${this.fetched.value !== null && html`<ig-progress .label=${t("export.fetching")} .value=${this.fetched.value}></ig-progress>`}
      <div class="row">
        ${session.token === null
          ? html`<a class="button primary" download href=${api.url(`/me/exports/${its.id}/archive`)}>${icon("download")}${t("export.fetch")}</a>`
          : html`<button class="button primary" type="button" ?disabled=${this.fetched.value !== null} @click=${() => this.#fetch(its)}>
              ${icon("download")}${t(this.fetched.value === null ? "export.fetch" : "export.fetching")}
            </button>`}
        <button class="button quiet" type="button" @click=${() => this.#delete(its)}>${t("export.delete")}</button>
      </div>`;
  }

  async #make() {
    await this.#act(() => api.post("/me/export"));
    await this.#follow();
  }

  /** @param {Export} its */
  async #delete(its) {
    await this.#act(() => api.delete(`/me/exports/${its.id}`));
    await this.last.again();
  }

  /** @param {Export} its */
  async #fetch(its) {
    this.fetched.value = 0;
    const ended = this.#ended ?? new AbortController().signal;
    await this.#act(async () => {
      const tell = (/** @type {number} */ share) => (this.fetched.value = share);
      const file = await fetchArchive(`/me/exports/${its.id}/archive`, its.size ?? 0, tell, ended);
      save(file, `images-${(its.snapshot_at ?? its.created_at).slice(0, 10)}.zip`);
    });
    this.fetched.value = null;
  }

  /** @param {() => Promise<unknown>} act */
  async #act(act) {
    this.isBusy.value = true;
    this.fault.value = "";
    try {
      await act();
    } catch (error) {
      if (!this.#ended?.aborted && !(error instanceof ApiError && error.status === 404)) this.fault.value = sentence(error);
    } finally {
      this.isBusy.value = false;
    }
  }
}

define(ExportSection);
