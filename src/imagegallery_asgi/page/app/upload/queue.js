/**
 * What is to be uploaded, and what may happen next. Pure: no I/O, and the time is passed in.
 *
 * An item is read (what it is, and its SHA-256), checked (whether it is in already), and sent. Whoever drives the queue
 * asks `next` what to begin, and tells what became of it.
 */

/**
 * @typedef {"new" | "reading" | "read" | "checking" | "known" | "ready" | "sending" | "missing" | "done" | "refused"
 *   | "skipped"} State
 * @typedef {import("./protocol.js").Refusal} Refusal
 * @typedef {object} Item
 * @property {string} id
 * @property {number} order Its place in the queue.
 * @property {number} attempt With the id, the key under which the service knows the upload.
 * @property {string} owner Whose queue it is in: a user's id, or the address of a link.
 * @property {string} base Where the API is.
 * @property {string} name
 * @property {string} path The folders that it came with.
 * @property {string} type
 * @property {number} size
 * @property {number} lastModified
 * @property {string | null} galleryId
 * @property {boolean} checks Whether the service is asked for duplicates.
 * @property {State} state
 * @property {boolean} isHeld By the person: nothing is begun with it.
 * @property {boolean | null} isKept Whether its bytes outlive this tab; null: not yet.
 * @property {boolean} wasBegun The service may have heard of it.
 * @property {string | null} digest
 * @property {string | null} onDuplicate As the person decided.
 * @property {{imageId: string | null, isTrashed: boolean} | null} known The same file, in the library or (no id) in this queue.
 * @property {Refusal | null} refusal
 * @property {string | null} imageId
 * @property {number} sent
 * @typedef {"skip" | "anyway" | "existing"} Decision
 * @typedef {Pick<Queue, "isPaused" | "isOnline" | "wants" | "waitsUntil" | "waitsFor" | "room">} Flags
 * @typedef {{read: string[], check: string[], send: string[]}} Work
 */

export const AT_ONCE = 3;
const MOST_CHECKED = 1000;
const WORTH_CHECKING = 25;
/** @type {Record<Decision, Partial<Item>>} */
const DECIDED = {
  skip: { state: "skipped" },
  anyway: { state: "ready", onDuplicate: "keep_both" },
  existing: { state: "ready", onDuplicate: "return_existing", wasBegun: true }, // so that it is asked for without bytes
};
const ENDED = new Set(["done", "skipped", "refused"]);

export class Queue {
  /** @type {Map<string, Item>} */
  items = new Map();
  /** What changed since somebody took note. @type {Set<string>} */
  changed = new Set();
  /** @type {Map<State, number>} */
  #counts = new Map();
  isPaused = false;
  isOnline = true;
  /** Why the service does not let one in, if so. @type {string | null} */
  wants = null;
  /** When anything may be sent again, and why not before. */
  waitsUntil = 0;
  /** @type {string | null} */
  waitsFor = null;
  /** Bytes that may still be stored; null: any number. @type {number | null} */
  room = null;

  // --- what there is -----------------------------------------------------------------------------------------

  /** @param {Item[]} items */
  add(items) {
    for (const item of items) this.#set(item);
  }

  /**
   * The items of an earlier page.
   * @param {Item[]} items
   * @param {(id: string) => boolean} has Whether their bytes are there.
   */
  restore(items, has) {
    for (const item of items) {
      if (this.items.has(item.id)) continue;
      const isOver = ENDED.has(item.state);
      this.#set({ ...item, sent: isOver ? item.sent : 0, state: isOver ? item.state : has(item.id) ? resting(item) : "missing" });
    }
  }

  /**
   * The bytes of one whose bytes were gone.
   * @param {string} id
   */
  provide(id) {
    this.#update(id, ["missing"], (item) => ({ state: resting(item) }));
  }

  /**
   * Be what another tab's queue is.
   * @param {Item[]} items
   * @param {string[]} gone
   * @param {Flags} flags
   */
  mirror(items, gone, flags) {
    this.add(items);
    this.remove(gone);
    Object.assign(this, flags);
  }

  /** @returns {Flags} */
  get flags() {
    const { isPaused, isOnline, wants, waitsUntil, waitsFor, room } = this;
    return { isPaused, isOnline, wants, waitsUntil, waitsFor, room };
  }

  // --- what the person wants -------------------------------------------------------------------------------------

  pause() {
    this.isPaused = true;
    for (const item of this.#in("sending")) this.#set({ ...item, state: "ready" });
  }

  resume() {
    this.isPaused = false;
    this.#goOn();
  }

  /** @param {string} id */
  hold(id) {
    this.#update(id, null, (item) => ({ isHeld: true, state: resting(item) }));
  }

  /** @param {string} id */
  release(id) {
    this.#update(id, null, () => ({ isHeld: false }));
  }

  /** @param {string[]} ids */
  remove(ids) {
    for (const id of ids) {
      this.#tally(id, -1);
      if (this.items.delete(id)) this.changed.add(id);
    }
  }

  /** @param {string[]} ids */
  retry(ids) {
    this.#goOn();
    for (const id of ids)
      this.#update(id, ["refused"], (item) => {
        const begun = item.refusal?.isFinal ? { attempt: item.attempt + 1, wasBegun: false } : {};
        return { ...begun, refusal: null, state: resting({ ...item, state: "missing" }) };
      });
  }

  /**
   * What becomes of files that are in already: nothing, a second image, or the one that is there in the gallery.
   * @param {string[]} ids
   * @param {Decision} decision
   */
  decide(ids, decision) {
    for (const id of ids) this.#update(id, ["known"], () => DECIDED[decision]);
  }

  // --- what happened -------------------------------------------------------------------------------------------

  /** @param {string} id */
  reading(id) {
    this.#update(id, ["new"], () => ({ state: "reading" }));
  }

  /**
   * @param {string} id
   * @param {{digest: string | null, type: string}} found
   */
  read(id, { digest, type }) {
    this.#update(id, ["reading"], (item) => ({ digest, type, state: item.checks ? "read" : "ready" }));
  }

  /** @param {string[]} ids */
  checking(ids) {
    for (const id of ids) this.#update(id, ["read"], () => ({ state: "checking" }));
  }

  /**
   * @param {string[]} ids
   * @param {Map<string, {imageId: string, isTrashed: boolean}>} known By digest.
   */
  checked(ids, known) {
    const coming = new Set();
    for (const item of this.items.values())
      if (item.digest !== null && (item.state === "ready" || item.state === "sending" || item.state === "known")) coming.add(placed(item));
    for (const id of ids)
      this.#update(id, ["checking"], (item) => {
        const found = known.get(item.digest ?? "");
        const isTwin = coming.has(placed(item));
        coming.add(placed(item));
        if (found !== undefined && !found.isTrashed) return { state: "known", known: found };
        return isTwin ? { state: "known", known: { imageId: null, isTrashed: false } } : { state: "ready" };
      });
  }

  /** It could not be asked. @param {string[]} ids */
  unchecked(ids) {
    for (const id of ids) this.#update(id, ["checking"], () => ({ state: "read" }));
  }

  /** @param {string} id */
  sending(id) {
    this.#update(id, ["ready"], () => ({ state: "sending", wasBegun: true, sent: 0 }));
  }

  /**
   * @param {string} id
   * @param {number} sent
   */
  moved(id, sent) {
    const item = this.items.get(id);
    if (item?.state === "sending") this.items.set(id, { ...item, sent });
  }

  /**
   * @param {string} id
   * @param {string | null} imageId
   */
  done(id, imageId) {
    this.#update(id, ["sending"], (item) => {
      if (this.room !== null) this.room -= item.size;
      return { state: "done", sent: item.size, imageId };
    });
  }

  /**
   * @param {string} id
   * @param {Refusal} refusal
   */
  refused(id, refusal) {
    this.#update(id, null, () => ({ state: "refused", refusal, sent: 0 }));
  }

  /** Its bytes cannot be had any more. @param {string} id */
  lost(id) {
    this.#update(id, null, () => ({ state: "missing", sent: 0 }));
  }

  /** It was broken off, and goes on when it may. @param {string} id */
  stopped(id) {
    this.#update(id, ["sending"], () => ({ state: "ready", sent: 0 }));
  }

  /**
   * Nothing may be sent for a while.
   * @param {number} until
   * @param {string} code
   */
  slow(until, code) {
    if (until > this.waitsUntil) [this.waitsUntil, this.waitsFor] = [until, code];
  }

  /** @param {boolean} isOnline */
  connected(isOnline) {
    this.isOnline = isOnline;
    if (isOnline) this.#goOn();
  }

  /** @param {string | null} wants What the service wants first, such as a sign-in; null: nothing any more. */
  signed(wants) {
    this.wants = wants;
    if (wants === null) this.#goOn();
  }

  #goOn() {
    this.waitsUntil = 0;
    this.waitsFor = null;
  }

  // --- what is next --------------------------------------------------------------------------------------------

  /**
   * What may begin now.
   * @param {number} now
   * @returns {Work}
   */
  next(now) {
    const reads = this.#count("reading") === 0 && !this.isPaused ? this.#first(["new"], 1) : [];
    const isOpen = !this.isPaused && this.isOnline && this.wants === null && now >= this.waitsUntil;
    if (!isOpen) return { read: reads, check: [], send: [] };
    return { read: reads, check: this.#worthChecking(), send: this.#first(["ready"], AT_ONCE - this.#count("sending")) };
  }

  /** Many at once, unless there is nothing else to do. */
  #worthChecking() {
    if (this.#count("checking") > 0) return [];
    const read = this.#first(["read"], MOST_CHECKED);
    const isIdle = this.#count("ready") + this.#count("sending") < AT_ONCE;
    const areAll = this.#count("new") + this.#count("reading") === 0;
    return read.length >= WORTH_CHECKING || isIdle || areAll ? read : [];
  }

  /** Whether the file fits besides those that are under way. @param {Item} item */
  fits(item) {
    if (this.room === null) return true;
    let taken = item.size;
    for (const other of this.#in("sending")) if (other.id !== item.id) taken += other.size;
    return taken <= this.room;
  }

  /** Whether nothing more happens by itself. */
  get isIdle() {
    return ["new", "reading", "read", "checking", "ready", "sending"].every((state) => this.#count(/** @type {State} */ (state)) === 0);
  }

  /** What would be lost with this page: bytes that are on their way and nowhere else. */
  get wouldLose() {
    for (const item of this.items.values()) if (!ENDED.has(item.state) && item.state !== "missing" && item.isKept !== true) return true;
    return false;
  }

  totals() {
    /** @type {Record<State, number>} */
    const counts = { new: 0, reading: 0, read: 0, checking: 0, known: 0, ready: 0, sending: 0, missing: 0, done: 0, refused: 0, skipped: 0 };
    const totals = { counts, items: this.items.size, bytes: 0, sent: 0, unkept: 0 };
    for (const item of this.items.values()) {
      counts[item.state] += 1;
      if (item.state === "skipped" || item.state === "refused") continue;
      totals.bytes += item.size;
      totals.sent += item.sent;
      if (item.isKept === false && item.state !== "done" && item.state !== "missing") totals.unkept += item.size;
    }
    return totals;
  }

  /** What has changed since it was last asked. Items that are gone are ids alone. */
  takeChanges() {
    const changed = [...this.changed];
    this.changed.clear();
    return {
      items: changed.flatMap((id) => this.items.get(id) ?? []),
      gone: changed.filter((id) => !this.items.has(id)),
    };
  }

  /**
   * @param {string} id
   * @param {boolean} isKept Whether its bytes outlive this tab.
   */
  kept(id, isKept) {
    this.#update(id, null, () => ({ isKept }));
  }

  /** @param {State[]} states @param {number} most */
  #first(states, most) {
    const found = [];
    if (most > 0)
      for (const item of this.items.values()) {
        if (item.isHeld || !states.includes(item.state)) continue;
        found.push(item.id);
        if (found.length === most) break;
      }
    return found;
  }

  /** How many are in a state and not held. @param {State} state */
  #count(state) {
    return this.#counts.get(state) ?? 0;
  }

  /** @param {string} id @param {number} by */
  #tally(id, by) {
    const item = this.items.get(id);
    if (item !== undefined && !item.isHeld) this.#counts.set(item.state, this.#count(item.state) + by);
  }

  /** @param {State} state */
  #in(state) {
    return [...this.items.values()].filter((item) => item.state === state);
  }

  /**
   * @param {string} id
   * @param {State[] | null} from In other states nothing changes: what is told came too late.
   * @param {(item: Item) => Partial<Item>} change
   */
  #update(id, from, change) {
    const item = this.items.get(id);
    if (item === undefined || (from !== null && !from.includes(item.state))) return;
    this.#set({ ...item, ...change(item) });
  }

  /** @param {Item} item */
  #set(item) {
    this.#tally(item.id, -1);
    this.items.set(item.id, item);
    this.#tally(item.id, 1);
    this.changed.add(item.id);
  }
}

/**
 * Where an item is when nothing is done with it.
 * @param {Item} item
 * @returns {State}
 */
function resting({ state, checks, digest }) {
  if (state === "reading" || state === "new") return "new";
  if (state === "checking") return "read";
  if (state === "sending") return "ready";
  if (state === "missing") return checks && digest === null ? "new" : "ready";
  return state;
}

/** The same file in the same place. @param {Item} item */
function placed({ digest, galleryId, base }) {
  return `${digest} ${galleryId} ${base}`;
}
