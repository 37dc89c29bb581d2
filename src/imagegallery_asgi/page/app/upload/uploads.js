/**
 * The uploads of one person in this browser: the queue, driven. Of all tabs one sends (it holds a lock of the browser's),
 * the others show the same and hand it what the person wants; when it closes, the next one goes on.
 */
import { ApiError, pause, refused } from "../core/api.js";
import { tell } from "../core/live.js";
import { credentials, session } from "../core/session.js";
import { signal } from "../core/signal.js";
import { startSession } from "../core/sign-in.js";
import { describe, isOf, itemOf, keyOf } from "./items.js";
import { HEAD, declared, refusalBefore, sniff } from "./pictures.js";
import { Pace } from "./pace.js";
import { ask, begin, carry, goOn, refusalOf } from "./protocol.js";
import { Queue } from "./queue.js";
import { digestOf } from "./digest.js";
import { request } from "./request.js";
import { Store } from "./store.js";

/**
 * @typedef {import("./queue.js").Item} Item
 * @typedef {import("../core/api.js").Api} Api
 * @typedef {import("./pictures.js").Limits} Limits
 * @typedef {{do: "pause" | "resume" | "signed"} | {do: "hold" | "release", id: string} | {do: "remove" | "retry", ids: string[]}
 *   | {do: "decide", ids: string[], decision: import("./queue.js").Decision}
 *   | {do: "provide", id: string, file: File} | {do: "add", items: Item[], files: [string, File][]}} Order
 */

const TELL_AFTER = 200; // milliseconds
const SECOND = 1000;
/** Seconds to wait where the service does not say how long. */
const REST = { unreachable: 30, other: 10 };
const WANTED_LOCK = 400; // milliseconds; where there are no locks

const store = new Store();

export class Uploads {
  queue = new Queue();
  /** Grows whenever there is something else to be seen. */
  version = signal(0);
  /** What may be uploaded; empty until it is known. */
  limits = signal(/** @type {Limits} */ ({ types: [], maxSize: null }));
  pace = new Pace();
  isLeading = false;
  /** Resolves when the limits are known, or cannot be. @type {Promise<void>} */
  known;
  #life = new AbortController();
  /** The files that this tab has. @type {Map<string, File>} */
  #files = new Map();
  /** Orders that no tab has said to have heard: the one that led may have crashed. @type {Map<string, Order>} */
  #unheard = new Map();
  /** What is under way, by item. @type {Map<string, AbortController>} */
  #running = new Map();
  #isKeeping = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #telling;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waking;
  /** @type {WakeLockSentinel | null | Promise<WakeLockSentinel | null>} */
  #awake = null;
  #channel;
  /** @type {(value: unknown) => void} */
  #start = () => {};
  /** Resolves when the first state is there: of this tab, or of the one that leads. */
  started = new Promise((resolve) => (this.#start = resolve));

  /**
   * @param {string} owner
   * @param {Api} api The root of the API, which knows of duplicates and of limits.
   * @param {(base: string) => Api} at The API at another base.
   */
  constructor(owner, api, at) {
    this.owner = owner;
    this.api = api;
    this.at = at;
    const name = `imagegallery uploads ${session.root} ${owner}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#channel.postMessage({ hello: true });
    const { signal: ended } = this.#life;
    addEventListener("online", () => this.#connected(true), { signal: ended });
    addEventListener("offline", () => this.#connected(false), { signal: ended });
    addEventListener("beforeunload", (event) => this.isLeading && this.queue.wouldLose && event.preventDefault(), { signal: ended });
    document.addEventListener("visibilitychange", () => this.#stayAwake(), { signal: ended });
    this.known = this.#readLimits();
    if (navigator.locks) navigator.locks.request(name, { signal: ended }, () => this.#lead()).catch(() => {});
    else setTimeout(() => this.version.value === 0 && this.#lead(), WANTED_LOCK);
  }

  /** Nothing of it stays in this browser: its owner has signed out. */
  async forget() {
    this.order({ do: "remove", ids: [...this.queue.items.keys()] });
    await this.#save();
  }

  /** Another person uses the page now. What is under way stops, and is kept for this one. */
  close() {
    this.#life.abort();
    for (const running of this.#running.values()) running.abort();
    this.#channel.close();
    clearTimeout(this.#waking);
    void this.#save();
  }

  /**
   * @param {Iterable<import("./files.js").Found>} found
   * @param {{galleryId: string | null, base: string}} to
   */
  add(found, { galleryId, base }) {
    const [items, files] = [/** @type {Item[]} */ ([]), /** @type {[string, File][]} */ ([])];
    const now = Date.now();
    for (const { file, path } of found) {
      const missing = this.#missing(file);
      if (missing !== undefined) {
        this.order({ do: "provide", id: missing.id, file });
        continue;
      }
      const refusal = refusalBefore(file, this.limits.value);
      const order = now * 1000 + items.length;
      const place = { id: newId(), order, owner: this.owner, base, path, galleryId, checks: base === this.api.base };
      const item = itemOf(file, place);
      items.push(refusal === null ? item : { ...item, state: "refused", refusal });
      if (refusal === null) files.push([item.id, file]);
    }
    for (const [id, file] of files) this.#files.set(id, file);
    if (items.length > 0) this.order({ do: "add", items, files });
  }

  /** The item that waits for a file: chosen again, it goes on where it was. @param {File} file */
  #missing(file) {
    for (const item of this.queue.items.values()) if (item.state === "missing" && isOf(item, file)) return item;
    return undefined;
  }

  /**
   * What the person wants, done here or by the tab that leads.
   * @param {Order} order
   */
  order(order) {
    if (this.isLeading) return this.#obey(order);
    const id = newId();
    this.#unheard.set(id, order);
    this.#channel.postMessage({ order, id });
  }

  /** @param {string} id @returns {Promise<File | undefined>} */
  async file(id) {
    const here = this.#files.get(id);
    if (here !== undefined) return here;
    const kept = await store.file(id).catch(() => undefined);
    if (kept !== undefined) this.#files.set(id, kept);
    return kept;
  }

  // --- tabs ------------------------------------------------------------------------------------------------------

  /** @param {any} message */
  #hear({ hello, state, order, id, heard, lead, files }) {
    if (hello && this.isLeading) this.#channel.postMessage({ state: { items: [...this.queue.items.values()], gone: [], flags: this.queue.flags } });
    if (state && !this.isLeading) {
      this.queue.mirror(state.items, state.gone, state.flags);
      this.queue.takeChanges();
      this.#show();
      this.#start(null);
    }
    if (lead) {
      const wanted = [...this.#files].filter(([id]) => this.queue.items.get(id)?.state !== "done");
      if (wanted.length > 0) this.#channel.postMessage({ files: wanted });
      for (const [unheard, again] of this.#unheard) this.#channel.postMessage({ order: again, id: unheard });
    }
    if (heard) this.#unheard.delete(heard);
    if (order && this.isLeading) {
      this.#channel.postMessage({ heard: id });
      this.#obey(order);
    }
    if (files && this.isLeading)
      for (const [its, file] of files) {
        this.#files.set(its, file);
        this.queue.provide(its);
      }
    if (files) this.#go();
  }

  /** @returns {Promise<void>} Until the tab closes, or another person comes. */
  async #lead() {
    const known = [...this.queue.items.values()]; // of the tab that led before
    const { items, kept } = await store.load(this.owner, Date.now()).catch(() => ({ items: known, kept: new Set() }));
    this.isLeading = true;
    this.queue.isOnline = navigator.onLine;
    this.queue.remove(known.map(({ id }) => id));
    const all = [...items, ...known.filter(({ id }) => !items.some((each) => each.id === id))];
    const over = all.filter(({ id, state }) => !known.some((each) => each.id === id) && (state === "done" || state === "skipped"));
    void store.forget(over.map(({ id }) => id)).catch(() => {}); // nobody asks any more
    const left = all.filter((item) => !over.includes(item));
    this.queue.restore(left.map((item) => ({ ...item, isKept: kept.has(item.id) })), (id) => kept.has(id) || this.#files.has(id));
    this.#channel.postMessage({ lead: true });
    for (const order of this.#unheard.values()) this.#obey(order);
    this.#unheard.clear();
    this.#setRoom();
    this.#start(null);
    this.#go();
    const { signal: ended } = this.#life;
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
  }

  /** @param {Order} order */
  #obey(order) {
    const { queue } = this;
    switch (order.do) {
      case "add":
        for (const [id, file] of order.files) this.#files.set(id, file);
        queue.add(order.items);
        break;
      case "provide":
        this.#files.set(order.id, order.file);
        queue.provide(order.id);
        break;
      case "pause":
        queue.pause();
        break;
      case "resume":
        queue.resume();
        break;
      case "signed":
        queue.signed(null);
        break;
      case "hold":
        queue.hold(order.id);
        break;
      case "release":
        queue.release(order.id);
        break;
      case "retry":
        queue.retry(order.ids);
        this.#setRoom();
        break;
      case "decide":
        queue.decide(order.ids, order.decision);
        break;
      case "remove":
        for (const id of order.ids) void this.#giveUp(queue.items.get(id));
        queue.remove(order.ids);
        for (const id of order.ids) this.#files.delete(id);
    }
    this.#stopWhatMayNot();
    this.#go();
  }

  // --- driving ----------------------------------------------------------------------------------------------------

  /** Begin what may begin, and wake up when more may. */
  #go() {
    if (!this.isLeading || this.#life.signal.aborted) return;
    const now = Date.now();
    const { read, check, send } = this.queue.next(now);
    for (const id of read) void this.#read(id);
    if (check.length > 0) void this.#check(check);
    for (const id of send) void this.#send(id);
    clearTimeout(this.#waking);
    const rest = this.queue.waitsUntil - now;
    if (rest > 0) this.#waking = setTimeout(() => this.#wake(), Math.min(rest + 20, SECOND)); // the panel counts them
    void this.#keep();
    this.#tell();
    this.#stayAwake();
  }

  #wake() {
    if (this.queue.waitsUntil <= Date.now()) this.queue.waitsFor = null;
    this.#go();
  }

  #stopWhatMayNot() {
    for (const [id, running] of this.#running) if (this.queue.items.get(id)?.state !== "sending") running.abort();
  }

  /** @param {boolean} isOnline */
  #connected(isOnline) {
    this.queue.connected(isOnline);
    if (!isOnline) for (const running of this.#running.values()) running.abort();
    this.#go();
    this.#show();
  }

  /** @param {string} id */
  async #read(id) {
    this.queue.reading(id);
    const item = /** @type {Item} */ (this.queue.items.get(id));
    const file = await this.file(id);
    try {
      if (file === undefined) throw new Error("It is not here.");
      const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
      const refusal = refusalBefore(item, this.limits.value, head);
      if (refusal !== null) this.queue.refused(id, refusal);
      else this.queue.read(id, { digest: item.checks ? await digestOf(file) : null, type: sniff(head) ?? declared(item) });
    } catch {
      this.queue.lost(id);
    }
    this.#go();
  }

  /** @param {string[]} ids */
  async #check(ids) {
    this.queue.checking(ids);
    const sha256 = [...new Set(ids.map((id) => this.queue.items.get(id)?.digest))];
    try {
      const { data } = await this.api.post("/uploads/check", { sha256 }, { signal: this.#life.signal });
      this.queue.checked(ids, new Map(data.known.map((/** @type {any} */ each) => [each.sha256, { imageId: each.image_id, isTrashed: each.is_trashed }])));
    } catch (error) {
      if (!(error instanceof ApiError)) return;
      if (error.status === 401) this.queue.signed(error.code);
      const passes = error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500;
      if (passes) this.queue.unchecked(ids);
      else this.queue.checked(ids, new Map());
      if (passes && error.status !== 401) this.#slow(error.code, error.retryAfter);
    }
    this.#go();
  }

  /** @param {string} id */
  async #send(id) {
    const item = /** @type {Item} */ (this.queue.items.get(id));
    if (!this.queue.fits(item)) return this.#refuse(id, refusalOf("quota_exceeded", null, true));
    this.queue.sending(id);
    const running = new AbortController();
    this.#running.set(id, running);
    try {
      const file = await this.file(id);
      const outcome = file && (await carry((item.wasBegun ? goOn : begin)(keyOf(item), describe(item)), file, this.#wire(item, file, running.signal)));
      if (!outcome) this.queue.lost(id);
      else if (outcome.kind === "done") this.#arrived(item, outcome.image);
      else if (outcome.kind === "refused") this.#refuse(id, outcome.refusal);
      else this.#held(id, outcome);
    } catch (error) {
      if (error instanceof Unreadable) this.queue.lost(id);
      else this.queue.stopped(id);
    }
    if (this.#running.get(id) === running) this.#running.delete(id);
    this.#go();
  }

  /**
   * @param {Item} item
   * @param {File} file
   * @param {AbortSignal} ended
   */
  #wire(item, file, ended) {
    const api = this.at(item.base);
    return {
      /** @param {import("./protocol.js").Asked} asked @param {Blob | null} body */
      send: async (asked, body) => {
        const url = asked.address ?? api.url(asked.path ?? "", asked.query);
        const headers = { Accept: "application/json", ...credentials(), ...asked.headers };
        const sent = (/** @type {number} */ bytes) => this.#moved(item.id, (asked.from ?? 0) + bytes);
        const answer = await request(asked.method, url, headers, body, { signal: ended, sent });
        if (answer.status === 0 && body !== null) await checkReadable(file);
        return answer;
      },
      pause: (/** @type {number} */ seconds) => pause(seconds, ended),
      chance: Math.random,
      moved: (/** @type {number} */ offset) => this.#moved(item.id, offset),
    };
  }

  /** @param {string} id @param {number} bytes */
  #moved(id, bytes) {
    this.queue.moved(id, bytes);
    this.#tell();
  }

  /** @param {Item} item @param {any} image */
  #arrived(item, image) {
    this.queue.done(item.id, image?.id ?? null);
    this.#files.delete(item.id);
    if (image?.id) tell("images-arrived", { ids: [image.id] });
    if (image?.id && item.galleryId !== null) tell("gallery-changed", { id: item.galleryId, change: "images", arrived: [image.id] });
    if (this.queue.isIdle) void startSession(); // what is stored has grown
  }

  /** @param {string} id @param {import("./protocol.js").Refusal} refusal */
  #refuse(id, refusal) {
    this.queue.refused(id, refusal);
    if (refusal.code === "quota_exceeded") this.#setRoom();
  }

  /** @param {string} id @param {{kind: "slow" | "sign-in", code: string, after?: number | null}} outcome */
  #held(id, outcome) {
    this.queue.stopped(id);
    if (outcome.kind === "slow") return this.#slow(outcome.code, outcome.after ?? null);
    this.queue.signed(outcome.code);
    if (ENDED.has(outcome.code)) refused.dispatchEvent(new Event("unauthenticated"));
    for (const running of this.#running.values()) running.abort();
  }

  /** @param {string} code @param {number | null} after Seconds. */
  #slow(code, after) {
    const seconds = after ?? (code === "unreachable" ? REST.unreachable : REST.other);
    this.queue.slow(Date.now() + seconds * 1000, code);
  }

  /** Nothing is left of one that the service had begun. @param {Item | undefined} item */
  async #giveUp(item) {
    if (item === undefined || !item.wasBegun || item.state === "done") return;
    this.#running.get(item.id)?.abort();
    const api = this.at(item.base);
    const { method, query, headers } = ask(goOn(keyOf(item), describe(item)));
    const answer = await request(method, api.url("/uploads/resumable", query), { ...credentials(), ...headers }, null);
    const address = answer.header("Location");
    if (answer.status === 201 && address) await request("DELETE", address, credentials(), null);
    else if (answer.status === 202) tell("images-arrived", { ids: [answer.body?.data?.id] }); // it was in already
  }

  // --- beside it ----------------------------------------------------------------------------------------------------

  /** Keep the bytes of what waits, one after the other, as far as there is room. */
  async #keep() {
    if (this.#isKeeping) return;
    this.#isKeeping = true;
    for (let item = this.#toKeep(); item !== undefined; item = this.#toKeep()) {
      const file = this.#files.get(item.id);
      this.queue.kept(item.id, file !== undefined && (await store.keep(item.id, file).catch(() => false)));
      if (!this.queue.items.has(item.id)) await store.forget([item.id]).catch(() => {});
    }
    this.#isKeeping = false;
    this.#tell();
  }

  #toKeep() {
    for (const item of this.queue.items.values())
      if (item.isKept === null && !OVER.has(item.state)) return item;
    return undefined;
  }

  async #readLimits() {
    try {
      const { data } = await this.api.get("/policies", { signal: this.#life.signal });
      const usual = data.find((/** @type {any} */ each) => each.name === null);
      if (usual) this.limits.value = { types: usual.types, maxSize: usual.max_size };
    } catch {
      // then the service says what it does not take
    }
  }

  async #setRoom() {
    if (this.owner !== session.me.value?.id) return;
    await startSession();
    const me = session.me.value;
    this.queue.room = me?.storage_limit == null ? null : Math.max(0, me.storage_limit - me.storage_used);
    this.#tell();
  }

  /** The screen stays on while something is sent. */
  #stayAwake() {
    const isSending = this.isLeading && this.#running.size > 0 && document.visibilityState === "visible";
    if (isSending && this.#awake === null) this.#awake = Promise.resolve(navigator.wakeLock?.request("screen") ?? null).catch(() => null);
    if (!isSending && this.#awake !== null) {
      void Promise.resolve(this.#awake).then((lock) => lock?.release());
      this.#awake = null;
    }
  }

  /** Tell the other tabs, the store and the panel, a few times a second at the most. */
  #tell() {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      void this.#save();
      this.#show();
    }, TELL_AFTER);
  }

  async #save() {
    if (!this.isLeading) return;
    const { items, gone } = this.queue.takeChanges();
    const moving = [...this.#running.keys()].flatMap((id) => this.queue.items.get(id) ?? []);
    if (!this.#life.signal.aborted) this.#channel.postMessage({ state: { items: [...items, ...moving], gone, flags: this.queue.flags } });
    this.remembers(this.queue.items.size > 0);
    await store.save(items, gone, Date.now()).catch(() => {});
  }

  #show() {
    const { bytes, sent } = this.queue.totals();
    if (this.queue.isIdle || this.queue.isPaused || bytes === 0) this.pace.rest();
    else this.pace.add(Date.now(), sent);
    this.version.value += 1;
  }

  /** So that a page that is opened knows without asking the store. @param {boolean} has */
  remembers(has) {
    try {
      if (has) localStorage.setItem(markOf(this.owner), "1");
      else localStorage.removeItem(markOf(this.owner));
    } catch {
      // browsers may forbid it
    }
  }
}

const OVER = new Set(["done", "refused", "skipped", "missing"]);

/** A sign-in that is over; links want other things first. */
const ENDED = new Set(["unauthenticated", "invalid_token"]);

/** Where it is written that an owner has a queue. @param {string} owner */
const markOf = (owner) => `imagegallery.uploads ${session.root} ${owner}`;

/** A name that nobody else gives (`crypto.randomUUID` is missing where a page came without TLS). */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The file was moved, deleted or changed since it was chosen. */
class Unreadable extends Error {}

/** @param {File} file */
async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (error) {
    throw new Unreadable(String(error));
  }
}
