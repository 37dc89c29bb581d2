/**
 * The queue and its files beyond this page, in IndexedDB: a reload or a crash costs nothing.
 *
 * Files are kept as copies until they are in, in the order of the queue, within a budget: a third of what the browser
 * still gives this site, and 4 GiB at the most. What does not fit is held by its tab alone; `isKept` tells.
 */

/** @typedef {import("./queue.js").Item} Item */

const NAME = "imagegallery-uploads";
const MOST = 4 * 1024 ** 3;
const LEAST = 64 * 1024 ** 2;
const FORGOTTEN_AFTER = 7 * 24 * 3600 * 1000;

/** @returns {Promise<number>} Bytes that may be kept besides those that are. */
async function budget() {
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === 0 ? LEAST : Math.min(MOST, (quota - usage) / 3);
}

export class Store {
  /** @type {Promise<IDBDatabase>} */
  #opened;
  #left = budget();
  /** The sizes of the files that were kept here. @type {Map<string, number>} */
  #sizes = new Map();

  constructor(name = NAME) {
    this.#opened = new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore("items", { keyPath: "id" });
        opening.result.createObjectStore("files");
      };
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    this.#opened.catch(() => {}); // private windows may have none: then everything is this tab's alone
  }

  /**
   * The items of an owner that are there, in their order, and the ids of those whose bytes are. Forgets what nobody went
   * on with for a week.
   * @param {string} owner
   * @param {number} now
   * @returns {Promise<{items: Item[], kept: Set<string>}>}
   */
  async load(owner, now) {
    const all = await this.#ask("items", "readonly", (items) => items.getAll());
    const old = all.filter((/** @type {any} */ each) => now - each.savedAt > FORGOTTEN_AFTER);
    await this.forget(old.map((/** @type {any} */ each) => each.id));
    const kept = new Set(await this.#ask("files", "readonly", (files) => files.getAllKeys()));
    const items = all.filter((/** @type {any} */ each) => each.owner === owner && !old.includes(each));
    return { items: items.sort((/** @type {any} */ a, /** @type {any} */ b) => a.order - b.order), kept };
  }

  /**
   * @param {Item[]} items
   * @param {string[]} gone
   * @param {number} now
   */
  async save(items, gone, now) {
    const database = await this.#opened;
    const transaction = database.transaction(["items", "files"], "readwrite");
    const [rows, files] = [transaction.objectStore("items"), transaction.objectStore("files")];
    for (const item of items) rows.put({ ...item, savedAt: now });
    for (const id of gone) rows.delete(id);
    const over = [...gone, ...items.filter(({ state }) => state === "done" || state === "skipped").map(({ id }) => id)];
    for (const id of over) files.delete(id);
    await ended(transaction);
    for (const id of over) await this.#giveBack(id);
  }

  /**
   * Keep a file, if there is room for it.
   * @param {string} id
   * @param {Blob} file
   * @returns {Promise<boolean>} Whether it is kept.
   */
  async keep(id, file) {
    const left = await this.#left;
    if (file.size > left) return false;
    this.#left = Promise.resolve(left - file.size);
    try {
      await this.#ask("files", "readwrite", (files) => files.put(file, id));
      this.#sizes.set(id, file.size);
      return true;
    } catch {
      this.#left = Promise.resolve(0); // the disk is full, whatever was said
      return false;
    }
  }

  /**
   * @param {string} id
   * @returns {Promise<File | undefined>}
   */
  file(id) {
    return this.#ask("files", "readonly", (files) => files.get(id));
  }

  /** @param {string} id */
  async #giveBack(id) {
    this.#left = Promise.resolve((await this.#left) + (this.#sizes.get(id) ?? 0));
    this.#sizes.delete(id);
  }

  /** @param {string[]} ids */
  async forget(ids) {
    if (ids.length > 0) await this.save([], ids, 0);
  }

  /**
   * @param {"items" | "files"} name
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} ask
   * @returns {Promise<any>}
   */
  async #ask(name, mode, ask) {
    const transaction = (await this.#opened).transaction(name, mode);
    const asked = ask(transaction.objectStore(name));
    await ended(transaction);
    return asked.result;
  }
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function ended(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
