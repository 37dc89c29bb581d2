/**
 * What a grid shows: a list of images that is known in stretches (`sections`), and grows, shrinks and is read as
 * somebody looks at it. The viewer finds an image's neighbours here, too.
 */
import { signal } from "../core/signal.js";
import { FIELDS, Pictures } from "./pictures.js";

/**
 * @typedef {import("./arrangement.js").Columns} Columns
 * @typedef {import("./arrangement.js").Section} Section
 * @typedef {import("./pictures.js").Summary} Summary
 * @typedef {import("../core/api.js").Api} Api
 * @typedef {import("../core/api.js").Query} Query
 * @typedef {{month: string, count: number, parts: {cursor: string, count: number}[]}} Month
 */

/** How many images a section has at most, and a page. */
const PART = 2000;
const PAGE = 100;
/** How many sections are kept when one looks elsewhere. */
const KEPT = 40;
/** How long news are gathered, in milliseconds. */
const GATHER = 400;
/** Of a list that says not how long it is. */
const SOME = 40;

/** The source of the grid that is shown last, for who comes by another way (the viewer of an address). */
export const shown = signal(/** @type {ImageSource | null} */ (null));

export class ImageSource {
  /** How many there are; null while that is not known. */
  count = signal(/** @type {number | null} */ (null));
  /** Why it could not be read at all. */
  error = signal(/** @type {unknown} */ (null));
  /** It has been read: how many there are, and the sections. */
  isReady = signal(false);
  /** Counts what happened to `sections` and what is in them. */
  changes = signal(0);
  /** @type {Section[]} */
  sections = [];
  /** Sections that could not be read, and why. @type {Map<string, unknown>} */
  failures = new Map();
  /** Reads under way; those that somebody waits for go on where nobody looks any more.
   * @type {Map<string, {stop: AbortController, done: Promise<void>, isAwaited: boolean}>} */
  #reads = new Map();
  /** @type {Promise<void> | null} */
  #opening = null;

  /**
   * @param {Api} api
   * @param {string} path Of a list of images that takes `ids` and `fields`.
   * @param {Query} [query] Whose, and which of them.
   * @param {{isSingly?: boolean}} [options] `isSingly`: the list cannot be asked for some of its images (the trash).
   */
  constructor(api, path, query = {}, { isSingly = false } = {}) {
    this.api = api;
    this.path = path;
    this.query = query;
    this.pictures = new Pictures(isSingly ? singly(api) : together(api, path, query));
    this.pictures.addEventListener("gone", (event) => this.remove(/** @type {CustomEvent} */ (event).detail.ids));
  }

  /** Read what there is, or once more. */
  async open() {
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    await this.#opening;
  }

  async #open() {
    try {
      this.error.value = null;
      await this.start();
      this.isReady.value = true;
    } catch (error) {
      if (!this.isReady.value) this.error.value = error;
    }
  }

  /** @returns {Promise<void>} */
  async start() {
    throw new Error("A source of its own kind reads itself.");
  }

  /**
   * @param {Section} section
   * @param {AbortSignal} ended
   * @returns {Promise<void>}
   */
  async read(section, ended) {
    void [section, ended];
  }

  /** Whether the section has all that there is of it. @param {Section} section */
  isLoaded(section) {
    return section.columns !== null;
  }

  /**
   * Read sections, and give up the reading of all others: somebody went on.
   * @param {Section[]} sections
   */
  need(sections) {
    const keys = new Set(sections.map(({ key }) => key));
    for (const [key, { stop, isAwaited }] of this.#reads) if (!isAwaited && !keys.has(key)) stop.abort();
    for (const section of sections)
      if (!this.isLoaded(section) && !this.failures.has(section.key)) void this.#begin(section).done.catch(() => {});
  }

  /** @param {Section} section */
  async load(section) {
    const read = this.#begin(section);
    read.isAwaited = true;
    await read.done;
  }

  /** @param {Section} section */
  #begin(section) {
    const known = this.#reads.get(section.key);
    if (known && !known.stop.signal.aborted) return known;
    const stop = new AbortController();
    const read = { stop, done: this.#load(section, stop.signal), isAwaited: false };
    this.#reads.set(section.key, read);
    const over = () => this.#reads.get(section.key) === read && this.#reads.delete(section.key);
    read.done.then(over, over);
    return read;
  }

  /**
   * @param {Section} section
   * @param {AbortSignal} ended
   */
  async #load(section, ended) {
    try {
      await this.read(section, ended);
      this.failures.delete(section.key);
    } catch (error) {
      if (ended.aborted) return;
      this.failures.set(section.key, error);
      throw error;
    } finally {
      if (!ended.aborted) this.told();
    }
  }

  /** Try again what failed. */
  async retry() {
    this.failures.clear();
    if (this.isReady.value) this.told();
    else await this.open();
  }

  /** Number the sections, forget those far from `near`, and say that something is another. */
  told() {
    let first = 0;
    for (const section of this.sections) {
      section.first = first;
      first += section.count;
    }
    this.changes.value += 1;
  }

  /**
   * Forget what is far away and can be read again: memory is for what is looked at.
   * @param {number} section
   */
  forgetFarFrom(section) {
    void section;
  }

  /**
   * Where an image is.
   * @param {string} id
   * @returns {import("./arrangement.js").Spot | null} Null if it is not known by now.
   */
  find(id) {
    for (const [section, { columns }] of this.sections.entries()) {
      const index = columns?.id.indexOf(id) ?? -1;
      if (index >= 0) return { section, index };
    }
    return null;
  }

  /** Its number in the list. @param {string} id */
  indexOf(id) {
    const spot = this.find(id);
    return spot && /** @type {Section} */ (this.sections[spot.section]).first + spot.index;
  }

  /** @param {number} index @returns {import("./arrangement.js").Spot | null} */
  spotOf(index) {
    const section = this.sections.findIndex(({ first, count }) => index >= first && index < first + count);
    return section < 0 ? null : { section, index: index - /** @type {Section} */ (this.sections[section]).first };
  }

  /**
   * The id of the image of a number, read if need be.
   * @param {number} index
   * @returns {Promise<string | null>}
   */
  async idAt(index) {
    for (;;) {
      const spot = this.spotOf(index);
      const section = spot && this.sections[spot.section];
      if (!section) return null;
      const known = section.columns?.id[spot.index];
      if (known !== undefined) return known;
      const before = this.changes.value;
      if (this.isLoaded(section)) return null;
      await this.load(section);
      if (this.changes.value === before) return null;
    }
  }

  /**
   * The image before or after another one, for the viewer.
   * @param {string} id
   * @param {number} step
   * @returns {Promise<{id: string, summary: Summary | null} | null>} Null at the ends.
   */
  async neighbour(id, step) {
    if (!this.isReady.value) await this.open();
    const index = this.indexOf(id);
    const next = index === null || index + step < 0 ? null : await this.idAt(index + step);
    return next === null ? null : { id: next, summary: await this.pictures.one(next) };
  }

  /**
   * What is known of an image, asked for if need be.
   * @param {string} id
   */
  summary(id) {
    return this.pictures.one(id);
  }

  /** What is known of its shape. @param {number} index */
  ratioAt(index) {
    const spot = this.spotOf(index);
    return (spot && this.sections[spot.section]?.columns?.ratio[spot.index]) ?? null;
  }

  /**
   * All ids from one image to another, either way.
   * @param {string} from
   * @param {string} to
   */
  async between(from, to) {
    const [one, other] = [this.indexOf(from), this.indexOf(to)];
    if (one === null || other === null) return [to];
    return await this.ids(Math.min(one, other), Math.max(one, other) + 1);
  }

  /** All ids, also of what nobody has looked at yet. */
  async all() {
    return await this.ids(0, Infinity);
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  async ids(start, end) {
    const ids = [];
    for (let index = start; index < end; ) {
      if ((await this.idAt(index)) === null) break;
      const spot = /** @type {import("./arrangement.js").Spot} */ (this.spotOf(index));
      const here = this.sections[spot.section]?.columns?.id.slice(spot.index, spot.index + end - index) ?? [];
      ids.push(...here);
      index += here.length;
    }
    return ids;
  }

  /**
   * Follow what happens to images (`core/live.js`).
   * @param {string} type
   * @param {Record<string, any>} detail
   */
  hear(type, detail) {
    if (type === "image-changed") {
      this.pictures.change(detail.ids, detail.fields);
      this.#sort(detail.ids, detail.fields ?? {});
    } else if (type === "everything-changed") {
      this.pictures.clear();
      this.#refresh();
    } else {
      const news = this.newsOf(type, detail);
      if (news.gone?.length) this.remove(news.gone);
      if (news.mayHaveMore) this.#refresh();
    }
  }

  /**
   * What news mean to this list.
   * @param {string} type
   * @param {Record<string, any>} detail
   * @returns {{gone?: string[], mayHaveMore?: boolean}}
   */
  newsOf(type, detail) {
    if (type === "images-gone") return { gone: detail.ids };
    return type === "images-arrived" ? { mayHaveMore: true } : {};
  }

  /** What the list has to be, which a change may end or begin. @returns {Query} */
  get wanted() {
    return this.query;
  }

  /**
   * @param {string[]} ids
   * @param {Record<string, unknown>} fields
   */
  #sort(ids, fields) {
    for (const name of ["is_favorite", "is_archived"]) {
      const wanted = this.wanted[name];
      if (wanted === undefined || fields[name] === undefined) continue;
      if (fields[name] !== wanted) this.remove(ids);
      else if (ids.some((id) => this.find(id) === null)) this.#refresh();
    }
  }

  #timer = 0;

  /** Read again what may be more: once, for many news. */
  #refresh() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.open(), GATHER);
  }

  /**
   * They are in this list no more.
   * @param {Iterable<string>} ids
   */
  remove(ids) {
    const gone = new Set(ids);
    let lost = 0;
    for (const section of this.sections) {
      const { columns } = section;
      if (!columns?.id.some((id) => gone.has(id))) continue;
      section.columns = without(columns, gone);
      section.count -= columns.id.length - section.columns.id.length;
      lost += columns.id.length - section.columns.id.length;
    }
    if (!lost) return;
    if (this.count.value !== null) this.count.value -= lost;
    this.sections = this.sections.filter(({ count }) => count > 0);
    this.told();
  }
}

/**
 * @param {Api} api
 * @param {string} path
 * @param {Query} query
 * @returns {import("./pictures.js").Read}
 */
const together = (api, path, query) => async (ids, signal) =>
  (await api.get(path, { query: { ...query, ids: ids.join(","), limit: PAGE, fields: FIELDS }, signal })).data;

/**
 * @param {Api} api
 * @returns {import("./pictures.js").Read}
 */
const singly = (api) => (ids, signal) =>
  Promise.all(ids.map(async (id) => (await api.get(`/images/${id}`, { query: { fields: FIELDS }, signal })).data));

/**
 * @param {Columns} columns
 * @param {Set<string>} gone
 * @returns {Columns}
 */
function without({ id, ratio, blurhash, taken_at }, gone) {
  const stays = (/** @type {unknown} */ _, /** @type {number} */ index) => !gone.has(/** @type {string} */ (id[index]));
  return { id: id.filter(stays), ratio: ratio.filter(stays), blurhash: blurhash.filter(stays), taken_at: taken_at.filter(stays) };
}

/** @type {Pick<Section, "month" | "columns" | "goesOn" | "first">} */
const NEW = { month: null, columns: null, goesOn: false, first: 0 };

/** @param {Section} section */
const monthOf = ({ key }) => /** @type {string} */ (key.split("/")[0]);

/** A library by months: laid out before any image is asked for. */
export class TimelineSource extends ImageSource {
  /** What reads each part of a large month. @type {WeakMap<Section, string>} */
  #cursors = new WeakMap();
  /** Sections to which something came. @type {WeakSet<Section>} */
  #stale = new WeakSet();

  /**
   * @param {Api} api
   * @param {Query} [query] Filters, and of whose library by which `share`.
   * @param {{isOldestFirst?: boolean}} [options]
   */
  constructor(api, query = {}, { isOldestFirst = false } = {}) {
    super(api, "/images", query);
    this.isOldestFirst = isOldestFirst;
  }

  async start() {
    const isFirst = !this.isReady.value;
    const asked = this.api.get("/images/timeline", { query: { ...this.query, part_size: PART } });
    // What is seen first comes beside it: the months say where, these say what.
    if (isFirst && !this.isOldestFirst) void this.#prefetch();
    /** @type {Month[]} */
    const months = (await asked).data.months;
    if (this.isOldestFirst) months.reverse();
    this.count.value = months.reduce((sum, { count }) => sum + count, 0);
    this.sections = months.flatMap((month) => this.#sectionsOf(month));
    this.told();
  }

  async #prefetch() {
    try {
      const query = { ...this.query, order: "taken_at", limit: 60, fields: FIELDS };
      this.pictures.add((await this.api.get("/images", { query })).data);
    } catch {
      // The cells ask for themselves.
    }
  }

  /**
   * The sections of a month; those that were known stay, and are read again if something came to them.
   * @param {Month} month
   * @returns {Section[]}
   */
  #sectionsOf({ month, count, parts }) {
    const known = this.sections.filter(({ key }) => key.startsWith(month));
    const before = known.reduce((sum, section) => sum + section.count, 0);
    const isCutAsBefore = known.length > 0 && known.length > 1 === parts.length > 1;
    if (isCutAsBefore && before === count) return known;
    if (isCutAsBefore) {
      // Parts were told to have what comes later, too: which one has it is known when they are read.
      for (const section of known) this.#stale.add(section);
      const [first] = /** @type {[Section]} */ (known);
      first.count = Math.max(first.count + count - before, 1);
      return known;
    }
    const cut = parts.length ? parts : [{ cursor: undefined, count }];
    if (this.isOldestFirst) cut.reverse();
    return cut.map((part, number) => {
      const section = { ...NEW, key: `${month}/${number}`, count: part.count };
      if (part.cursor !== undefined) this.#cursors.set(section, part.cursor);
      return section;
    });
  }

  /** @param {Section} section */
  isLoaded(section) {
    return super.isLoaded(section) && !this.#stale.has(section);
  }

  /**
   * @param {Section} section
   * @param {AbortSignal} ended
   */
  async read(section, ended) {
    const query = { ...this.query, cursor: this.#cursors.get(section) };
    const { id, ratio, blurhash, taken_at } = (
      await this.api.get(`/images/timeline/${monthOf(section)}/images`, { query, signal: ended })
    ).data;
    if (this.isOldestFirst) for (const column of [id, ratio, blurhash, taken_at]) column.reverse();
    this.#stale.delete(section);
    section.columns = { id, ratio, blurhash, taken_at };
    section.count = id.length;
    this.count.value = this.sections.reduce((sum, { count }) => sum + count, 0);
  }

  get wanted() {
    return { is_archived: false, ...this.query };
  }

  /** Where months begin follows from what is there. */
  told() {
    for (const [index, section] of this.sections.entries()) {
      const month = monthOf(section);
      const [before, after] = [this.sections[index - 1], this.sections[index + 1]];
      section.month = before && monthOf(before) === month ? null : month;
      section.goesOn = after !== undefined && monthOf(after) === month;
    }
    super.told();
  }

  /** @param {number} section */
  forgetFarFrom(section) {
    const loaded = this.sections.filter(({ columns }) => columns !== null);
    if (loaded.length <= KEPT) return;
    const here = this.sections[section]?.first ?? 0;
    loaded.sort((one, other) => Math.abs(other.first - here) - Math.abs(one.first - here));
    for (const each of loaded.slice(0, loaded.length - KEPT)) each.columns = null;
  }
}

/** Any list of images by cursor: a gallery, the trash, what a filter lets through. */
export class ListSource extends ImageSource {
  /** Of the page to read next. @type {string | null} */
  #cursor = null;
  /** Of the page that was read last. @type {string | null} */
  #last = null;
  /** How many there are, if somebody said it. @type {number | null} */
  #total;

  /**
   * @param {Api} api
   * @param {string} path
   * @param {Query} [query]
   * @param {{total?: number | null, isSingly?: boolean}} [options] `total`: how many there are, where it is known.
   */
  constructor(api, path, query = {}, { total = null, isSingly = false } = {}) {
    super(api, path, query, { isSingly });
    this.#total = total;
  }

  async start() {
    const known = this.#known;
    const page = await this.#page(undefined);
    const fresh = columnsOf(page.data);
    const goesOn = known !== null && known.id.length > PAGE && fresh.id.some((id) => known.id.includes(id));
    // What came may be at the start, which is read again, or at the end: the last page is.
    this.#cursor = goesOn ? (this.#cursor ?? this.#last) : (page.pagination?.nextCursor ?? null);
    this.#show(goesOn ? joined(fresh, known) : fresh);
  }

  /** What was read so far. */
  get #known() {
    return this.sections.find(({ key }) => key === "list")?.columns ?? null;
  }

  /**
   * @param {string | null | undefined} cursor
   * @param {AbortSignal} [ended]
   * @returns {Promise<{data: Summary[], pagination?: {nextCursor?: string | null}}>}
   */
  async #page(cursor, ended) {
    const query = { ...this.query, cursor, limit: PAGE, fields: FIELDS };
    const page = await this.api.get(this.path, { query, signal: ended });
    this.pictures.add(page.data);
    return page;
  }

  /** @param {Columns} columns */
  #show(columns) {
    const rest = this.#cursor ? Math.max((this.#total ?? 0) - columns.id.length, SOME) : 0;
    const loaded = { ...NEW, key: "list", count: columns.id.length, columns, goesOn: rest > 0 };
    const more = { ...NEW, key: "more", count: rest };
    this.sections = [loaded, more].filter(({ count }) => count > 0);
    this.count.value = rest ? this.#total : columns.id.length;
    this.told();
  }

  /**
   * @param {Section} section
   * @param {AbortSignal} ended
   */
  async read(section, ended) {
    const cursor = this.#cursor;
    const page = await this.#page(cursor, ended);
    this.#last = cursor;
    this.#cursor = page.pagination?.nextCursor ?? null;
    this.#show(joined(this.#known ?? columnsOf([]), columnsOf(page.data)));
  }

  /**
   * @param {Iterable<string>} ids
   */
  remove(ids) {
    const before = this.#known?.id.length ?? 0;
    super.remove(ids);
    if (this.#total !== null) this.#total -= before - (this.#known?.id.length ?? 0);
  }

  /**
   * A gallery has news of its own, and so has the trash.
   * @param {string} type
   * @param {Record<string, any>} detail
   */
  newsOf(type, detail) {
    if (this.query.trashed) return type === "trash-changed" ? { gone: detail.gone, mayHaveMore: !detail.gone } : {};
    const gallery = /^\/galleries\/([^/]+)\/images$/.exec(this.path)?.[1];
    if (gallery === undefined || type === "images-gone") return super.newsOf(type, detail);
    if (type !== "gallery-changed" || detail.id !== gallery || detail.change !== "images") return {};
    return { gone: detail.gone, mayHaveMore: !detail.gone };
  }

  /** Read it from the start: its order is another. */
  async reload() {
    this.sections = [];
    await this.open();
  }
}

/**
 * @param {Summary[]} images
 * @returns {Columns}
 */
function columnsOf(images) {
  return {
    id: images.map(({ id }) => id),
    ratio: images.map(({ ratio }) => ratio),
    blurhash: images.map(({ blurhash }) => blurhash),
    taken_at: images.map(({ taken_at }) => taken_at),
  };
}

/**
 * Two stretches as one; what is in both is there once.
 * @param {Columns} one
 * @param {Columns} other
 * @returns {Columns}
 */
function joined(one, other) {
  const rest = without(other, new Set(one.id));
  return {
    id: one.id.concat(rest.id),
    ratio: one.ratio.concat(rest.ratio),
    blurhash: one.blurhash.concat(rest.blurhash),
    taken_at: one.taken_at.concat(rest.taken_at),
  };
}

/** Sources that were shown lately, so that going back shows at once what was there. @type {Map<string, ImageSource>} */
const lately = new Map();

/**
 * The source of this name, or a new one.
 * @template {ImageSource} T
 * @param {string} name
 * @param {() => T} make
 * @returns {T}
 */
export function sourceOf(name, make) {
  const source = /** @type {T} */ (lately.get(name) ?? make());
  lately.delete(name);
  lately.set(name, source);
  for (const oldest of lately.keys()) {
    if (lately.size <= 6) break;
    lately.delete(oldest);
  }
  return source;
}
