/** The panel of uploads: at the corner of the page, and a sheet at the bottom of phones. */
import { Element, define } from "../core/element.js";
import { formatBytes, formatDuration, formatPercent } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { renewal, session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { icon } from "../parts/icon.js";
import "../parts/progress.js";
import { NOTHING_TOLD, announce } from "./announcement.js";
import { shown } from "./names.js";
import { kinds, mayBeTriedAgain, sentenceOf } from "./refusals.js";
import { thumbnail } from "./thumbnail.js";
import { uploads } from "./upload.js";

/**
 * @typedef {import("./queue.js").Item} Item
 * @typedef {import("./queue.js").Decision} Decision
 * @typedef {import("./uploads.js").Uploads} Uploads
 */

const t = await messages("upload");
await style(import.meta.url, "./upload.css");

/** The states in the order of the list: what needs the person first. */
const ORDER = ["refused", "missing", "known", "sending", "ready", "checking", "read", "reading", "new", "done", "skipped"];
const RANK = new Map(ORDER.map((state, index) => [state, index]));
const SHOWN = 40;
/** What the service wants first, where that is no sign-in. */
const WANTED = new Map([["name_required", "wants-name"], ["password_required", "wants-password"], ["visit_required", "wants-visit"]]);
const ENDED = new Set(["done", "skipped", "refused"]);

class UploadPanel extends Element {
  static tag = "ig-upload-panel";

  isOpen = signal(matchMedia("(min-width: 40rem)").matches);
  shown = signal(SHOWN);
  said = signal("");
  #told = NOTHING_TOLD;

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("uploads"));
    this.addEventListener("keydown", (event) => this.#key(event), { signal: ended });
  }

  render() {
    const all = uploads.current.value;
    void all?.version.value;
    this.hidden = all === null || all.queue.items.size === 0;
    if (all === null || this.hidden) return html``;
    const { queue } = all;
    const totals = queue.totals();
    this.#announce(totals);
    const active = totals.items - totals.counts.done - totals.counts.skipped - totals.counts.refused - totals.counts.known - totals.counts.missing;
    const isOpen = this.isOpen.value;
    return html`
      <div class="head">
        <button class="button quiet title" type="button" aria-expanded=${String(isOpen)} @click=${() => (this.isOpen.value = !isOpen)}>
          ${icon(isOpen ? "down" : "up")}
          <span>
            <b>${title(totals, active)}</b>
            <small class="soft number">${subtitle(all, totals, active)}</small>
          </span>
        </button>
        ${active > 0
          ? html`<button class="button quiet icon" type="button" aria-label=${t(queue.isPaused ? "resume-all" : "pause-all")} title=${t(queue.isPaused ? "resume-all" : "pause-all")} @click=${() => all.order({ do: queue.isPaused ? "resume" : "pause" })}>
              ${icon(queue.isPaused ? "play" : "pause")}
            </button>`
          : html`<button class="button quiet icon" type="button" aria-label=${t("close")} title=${t("close")} @click=${() => this.#close(all)}>${icon("close")}</button>`}
      </div>
      <ig-progress .value=${totals.bytes > 0 ? totals.sent / totals.bytes : 0} .label=${t("progress-all")}></ig-progress>
      <div class="seen-by-readers" role="status">${this.said.value}</div>
      ${isOpen ? this.#body(all, totals) : null}
    `;
  }

  /**
   * @param {Uploads} all
   * @param {ReturnType<Uploads["queue"]["totals"]>} totals
   */
  #body(all, totals) {
    const { queue } = all;
    const items = [...queue.items.values()].sort((a, b) => (RANK.get(a.state) ?? 0) - (RANK.get(b.state) ?? 0) || a.order - b.order);
    const most = this.shown.value;
    return html`<div class="body">
      ${notice(all)} ${duplicates(all, items)} ${retryAll(all, items)}
      <ul role="list">
        ${each(
          items.slice(0, most),
          (item) => item.id,
          (item) => row(all, item),
        )}
      </ul>
      ${items.length > most
        ? html`<button class="button quiet more" type="button" @click=${() => (this.shown.value = most + 5 * SHOWN)}>${t("more", { count: items.length - most })}</button>`
        : null}
      <div class="foot soft small">${footer(all, totals)}</div>
    </div>`;
  }

  /** @param {Uploads} all */
  #close(all) {
    all.order({ do: "remove", ids: [...all.queue.items.keys()] });
    document.getElementById("content")?.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || !this.isOpen.value) return;
    this.isOpen.value = false;
    /** @type {HTMLElement | null} */ (this.querySelector(".title"))?.focus();
  }

  /** @param {ReturnType<Uploads["queue"]["totals"]>} totals */
  #announce(totals) {
    const { told, say } = announce(this.#told, totals);
    this.#told = told;
    if (say !== null) queueMicrotask(() => (this.said.value = t(say.key, { count: say.count ?? 0, percent: formatPercent((say.percent ?? 0) / 100) })));
  }
}

/**
 * @param {ReturnType<Uploads["queue"]["totals"]>} totals
 * @param {number} active
 */
function title({ counts, items }, active) {
  if (active > 0) return t("uploading", { done: counts.done, count: items - counts.skipped - counts.refused });
  const needs = counts.known + counts.missing;
  if (needs > 0) return t("needs", { count: needs });
  return counts.refused > 0 ? t("refused-many", { count: counts.refused }) : t("all-done", { count: counts.done });
}

/**
 * @param {Uploads} all
 * @param {ReturnType<Uploads["queue"]["totals"]>} totals
 * @param {number} active
 */
function subtitle({ queue, pace }, { counts, bytes, sent }, active) {
  if (active === 0) return counts.done > 0 && counts.known + counts.missing + counts.refused > 0 ? t("all-done", { count: counts.done }) : "";
  if (queue.isPaused) return t("paused");
  if (!queue.isOnline) return t("offline-short");
  if (queue.wants !== null) return t("wants-short");
  if (queue.waitsFor !== null) return t("waits-short", { time: restOf(queue) });
  const of = t("bytes-of", { sent: formatBytes(sent), bytes: formatBytes(bytes) });
  const left = pace.left(bytes - sent);
  if (left === null || pace.rate === null) return of;
  return `${of} · ${t("rate", { rate: formatBytes(pace.rate) })} · ${t("left", { time: formatDuration(Math.max(1, left)) })}`;
}

/** @param {Uploads} all */
async function signIn(all) {
  if (await renewal.ask()) all.order({ do: "signed" });
}

/** How long nothing is sent. @param {Uploads["queue"]} queue */
const restOf = ({ waitsUntil }) => formatDuration(Math.max(1, Math.ceil((waitsUntil - Date.now()) / 1000)));

/** Why nothing goes on, if so, and what to do about it. @param {Uploads} all */
function notice(all) {
  const { queue } = all;
  const again = (/** @type {import("./uploads.js").Order} */ order, /** @type {string} */ label) =>
    html`<button class="button" type="button" @click=${() => all.order(order)}>${label}</button>`;
  if (queue.isIdle) return null;
  if (!queue.isOnline) return html`<p class="notice">${icon("wifi")}<span>${t("offline")}</span></p>`;
  if (queue.wants !== null) {
    const wanted = WANTED.get(queue.wants);
    return html`<p class="notice">
      ${icon("lock")}<span>${t(wanted ?? "signed-out")}</span>
      ${wanted ? again({ do: "signed" }, t("try-again")) : html`<button class="button" type="button" @click=${() => void signIn(all)}>${t("sign-in")}</button>`}
    </p>`;
  }
  if (queue.waitsFor === null) return null;
  const key = queue.waitsFor === "unreachable" ? "unreachable" : "busy";
  return html`<p class="notice">${icon("clock")}<span>${t(key, { time: restOf(queue) })}</span>${again({ do: "resume" }, t("now"))}</p>`;
}

/**
 * Files that are in already: for each the person decides, or for all at once.
 * @param {Uploads} all
 * @param {Item[]} items
 */
function duplicates(all, items) {
  const known = items.filter((item) => item.state === "known");
  if (known.length < 2) return null;
  const decide = (/** @type {Decision} */ decision) => () => all.order({ do: "decide", ids: known.map(({ id }) => id), decision });
  return html`<div class="notice group" role="group" aria-label=${t("known-many", { count: known.length })}>
    ${icon("duplicate")}<span>${t("known-many", { count: known.length })}</span>
    <div class="row">
      <button class="button" type="button" @click=${decide("skip")}>${t("skip-all")}</button>
      ${known.every(({ galleryId }) => galleryId !== null) ? html`<button class="button" type="button" @click=${decide("existing")}>${t("existing-all")}</button>` : null}
      <button class="button" type="button" @click=${decide("anyway")}>${t("anyway-all")}</button>
    </div>
  </div>`;
}

/**
 * @param {Uploads} all
 * @param {Item[]} items
 */
function retryAll(all, items) {
  const failed = items.filter((item) => item.state === "refused" && item.refusal !== null && mayBeTriedAgain(item.refusal));
  if (failed.length < 2) return null;
  return html`<p class="notice">
    ${icon("error")}<span>${t("refused-many", { count: failed.length })}</span>
    <button class="button" type="button" @click=${() => all.order({ do: "retry", ids: failed.map(({ id }) => id) })}>${t("try-again")}</button>
  </p>`;
}

/**
 * @param {Uploads} all
 * @param {Item} item
 */
function row(all, item) {
  const name = shown(item.name);
  const isSending = item.state === "sending";
  const share = item.size > 0 ? item.sent / item.size : 0;
  return html`<li class="upload ${item.state}">
    ${thumbnail(item, (id) => all.file(id))}
    <div class="what">
      <bdi class="name" title=${shown(item.path + item.name)}>${name}</bdi>
      <span class="small ${item.state === "refused" ? "fault" : "soft"} number" dir="auto">${state(all, item)}</span>
      ${isSending ? html`<ig-progress .value=${share} .label=${t("progress-of", { name })}></ig-progress>` : null}
    </div>
    <div class="acts">${actions(all, item, name)}</div>
  </li>`;
}

/**
 * @param {Uploads} all
 * @param {Item} item
 */
function state(all, item) {
  if (item.state === "refused" && item.refusal !== null) return sentenceOf(item.refusal, all.limits.value, t, formatBytes);
  if (item.state === "known") return t(item.known?.imageId === null ? "known-twin" : "known");
  if (item.state === "missing") return t("missing");
  if (item.isHeld && !ENDED.has(item.state)) return t("paused");
  if (item.state === "sending")
    return item.sent >= item.size ? t("finishing") : t("bytes-of", { sent: formatBytes(item.sent), bytes: formatBytes(item.size) });
  if (item.state === "done") return t("done");
  if (item.state === "skipped") return t("skipped");
  return t("waiting", { bytes: formatBytes(item.size) });
}

/**
 * @param {Uploads} all
 * @param {Item} item
 * @param {string} name
 */
function actions(all, item, name) {
  const { id, state: is } = item;
  const act = (/** @type {string} */ key, /** @type {keyof typeof import("../parts/icon.js").ICONS} */ picture, /** @type {import("./uploads.js").Order} */ order) =>
    html`<button class="button quiet icon" type="button" aria-label=${t(`${key}-of`, { name })} title=${t(key)} @click=${() => all.order(order)}>${icon(picture)}</button>`;
  const decide = (/** @type {string} */ key, /** @type {Decision} */ decision) =>
    html`<button class="button" type="button" aria-label=${t(`${key}-of`, { name })} @click=${() => all.order({ do: "decide", ids: [id], decision })}>${t(key)}</button>`;
  const remove = act(ENDED.has(is) ? "remove" : "cancel", "close", { do: "remove", ids: [id] });
  if (is === "known") return html`${decide("skip", "skip")}${item.galleryId !== null ? decide("existing", "existing") : null}${decide("anyway", "anyway")}`;
  if (is === "done") return html`<span class="in" aria-hidden="true">${icon("check")}</span>`;
  if (is === "skipped" || is === "missing") return remove;
  if (is === "refused") return item.refusal !== null && mayBeTriedAgain(item.refusal) ? html`${act("retry", "redo", { do: "retry", ids: [id] })}${remove}` : remove;
  return html`${item.isHeld ? act("resume", "play", { do: "release", id }) : act("pause", "pause", { do: "hold", id })}${remove}`;
}

/**
 * How much room there is, what is taken, and what would be lost with this tab.
 * @param {Uploads} all
 * @param {ReturnType<Uploads["queue"]["totals"]>} totals
 */
function footer(all, totals) {
  const me = session.me.value;
  const limits = all.limits.value;
  const isTheirs = me !== null && me.id === all.owner;
  return html`
    ${isTheirs && me.storage_limit != null
      ? html`<p>
          ${t("room", { used: formatBytes(me.storage_used), limit: formatBytes(me.storage_limit) })}
          <ig-progress .value=${Math.min(1, me.storage_used / Math.max(1, me.storage_limit))} .label=${t("room-label")}></ig-progress>
        </p>`
      : null}
    ${limits.types.length > 0
      ? html`<p>${limits.maxSize === null ? t("limits-kinds", { types: kinds(limits.types) }) : t("limits", { types: kinds(limits.types), limit: formatBytes(limits.maxSize) })}</p>`
      : null}
    ${totals.unkept > 0 ? html`<p>${t("unkept", { bytes: formatBytes(totals.unkept) })}</p>` : !all.queue.isIdle ? html`<p>${t("kept")}</p>` : null}
  `;
}

define(UploadPanel);
