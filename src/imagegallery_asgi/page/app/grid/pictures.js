/**
 * What is known of single images, asked for by their ids, many at once: what a cell shows beside its place.
 *
 * Whoever draws says which ids it `want`s; a request that nobody wants any more is given up.
 */

/**
 * @typedef {{id: string, alt_text: string, filename: string, width: number, height: number, src: string | null,
 *   srcSet: string, sources: {type: string, srcSet: string}[], is_favorite: boolean, processing_status: string,
 *   expires_at: string | null, taken_at: string, blurhash: string | null, ratio: number}} Summary
 * @typedef {(ids: string[], ended: AbortSignal) => Promise<Summary[]>} Read
 */

export const FIELDS =
  "id,alt_text,filename,width,height,ratio,src,srcSet,sources,blurhash,is_favorite,processing_status,expires_at,taken_at";
/** The most ids of one request. */
const AT_ONCE = 100;
/** How many are kept. */
const KEPT = 4000;
/** An address that ends so soon is not given to a browser any more, in milliseconds. */
const MARGIN = 20_000;

export class Pictures extends EventTarget {
  /** @type {Map<string, Summary>} */
  #known = new Map();
  /** Requests under way. @type {Set<{ids: Set<string>, stop: AbortController, done: Promise<void>}>} */
  #asked = new Set();
  #timer = 0;

  /** What changes under way say of an image, which the service may not know yet. @type {(id: string) => Partial<Summary>} */
  over = () => ({});

  /** @param {Read} read */
  constructor(read) {
    super();
    this.read = read;
  }

  /**
   * What is known by now, and can still be fetched.
   * @param {string} id
   * @param {number} [now] Milliseconds.
   */
  get(id, now = Date.now()) {
    const known = this.#known.get(id);
    return known?.expires_at && Date.parse(known.expires_at) < now + MARGIN ? undefined : known;
  }

  /** @param {Iterable<Summary>} summaries */
  add(summaries) {
    const ids = [];
    for (const each of summaries) {
      this.#known.delete(each.id);
      this.#known.set(each.id, { ...each, ...this.over(each.id) });
      ids.push(each.id);
    }
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    this.#tell("arrived", ids);
  }

  /**
   * Something is another by now: these fields, or who knows what.
   * @param {Iterable<string>} ids
   * @param {Partial<Summary>} [fields]
   */
  change(ids, fields) {
    const changed = [...ids].filter((id) => this.#known.has(id));
    for (const id of changed) {
      const known = /** @type {Summary} */ (this.#known.get(id));
      if (fields) this.#known.set(id, { ...known, ...fields });
      else this.#known.delete(id);
    }
    this.#tell(fields ? "arrived" : "outdated", changed);
  }

  /** Know nothing any more. */
  clear() {
    this.change([...this.#known.keys()]);
  }

  /**
   * These are to be seen, and no others: ask in a moment for those that are not known.
   * @param {string[]} ids
   */
  want(ids) {
    clearTimeout(this.#timer);
    const missing = new Set(ids.filter((id) => !this.get(id)));
    for (const asked of this.#asked)
      if (![...asked.ids].some((id) => missing.has(id))) asked.stop.abort();
    this.#timer = setTimeout(() => void this.#ask([...missing]).catch(() => {}), 30);
  }

  /**
   * One of them, asked for if need be; null if it is not there.
   * @param {string} id
   */
  async one(id) {
    if (!this.get(id)) await this.#ask([id]);
    return this.get(id) ?? null;
  }

  /** @param {string[]} ids */
  async #ask(ids) {
    const before = [...this.#asked].filter((asked) => ids.some((id) => asked.ids.has(id)));
    const missing = ids.filter((id) => !before.some((asked) => asked.ids.has(id)));
    const now = [];
    for (let at = 0; at < missing.length; at += AT_ONCE) now.push(this.#send(missing.slice(at, at + AT_ONCE)));
    await Promise.all([...before.map((asked) => asked.done), ...now]);
  }

  /** @param {string[]} ids */
  #send(ids) {
    const stop = new AbortController();
    const asked = { ids: new Set(ids), stop, done: this.#receive(ids, stop.signal) };
    this.#asked.add(asked);
    const over = () => this.#asked.delete(asked);
    asked.done.then(over, over);
    return asked.done;
  }

  /**
   * @param {string[]} ids
   * @param {AbortSignal} ended
   */
  async #receive(ids, ended) {
    const found = await this.read(ids, ended);
    this.add(found);
    const there = new Set(found.map(({ id }) => id));
    const gone = ids.filter((id) => !there.has(id));
    if (gone.length) this.#tell("gone", gone);
  }

  /**
   * @param {string} type
   * @param {string[]} ids
   */
  #tell(type, ids) {
    if (ids.length) this.dispatchEvent(new CustomEvent(type, { detail: { ids } }));
  }
}
