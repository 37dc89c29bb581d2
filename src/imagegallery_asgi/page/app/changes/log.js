/**
 * What people have changed and the service has not answered yet. Pure.
 *
 * A change is shown at once. Whatever is read meanwhile may not know of it, and two changes of one image may overlap:
 * so the log says what to show while any is under way, and what is true again when one of them is refused.
 *
 * @typedef {Record<string, unknown>} Fields
 * @typedef {{ids: Set<string>, fields: Fields}} Entry `ids`: those that are not answered
 */

export class ChangeLog {
  /** @type {Entry[]} in the order in which they were made */
  #pending = [];
  /** What was so before the first change under way. @type {Map<string, Fields>} */
  #before = new Map();

  /**
   * @param {Iterable<string>} ids
   * @param {Fields} fields what they have from now on
   * @param {(id: string) => Fields} was what one of them had; asked once for what is not known
   * @returns {Entry}
   */
  begin(ids, fields, was) {
    const entry = { ids: new Set(ids), fields };
    for (const id of entry.ids) {
      const known = this.#before.get(id) ?? {};
      const missing = Object.keys(fields).filter((name) => !(name in known));
      if (missing.length) {
        const had = was(id);
        this.#before.set(id, { ...known, ...Object.fromEntries(missing.map((name) => [name, had[name]])) });
      }
    }
    this.#pending.push(entry);
    return entry;
  }

  /**
   * The service has done it to these.
   *
   * @param {Entry} entry
   * @param {Iterable<string>} ids
   */
  settle(entry, ids) {
    for (const id of ids) {
      Object.assign(this.#before.get(id) ?? {}, entry.fields);
      this.#end(entry, id);
    }
  }

  /**
   * The service has refused it for these: they get their former values back, or those of a later change.
   *
   * @param {Entry} entry
   * @param {Iterable<string>} ids
   * @returns {Map<string, Fields>} what to show of them from now on
   */
  refuse(entry, ids) {
    const shown = new Map();
    for (const id of ids) {
      const before = this.#before.get(id) ?? {};
      this.#end(entry, id);
      shown.set(id, pick({ ...before, ...this.over(id) }, Object.keys(entry.fields)));
    }
    return shown;
  }

  /**
   * @param {Entry} entry
   * @param {string} id
   */
  #end(entry, id) {
    entry.ids.delete(id);
    if (!entry.ids.size) this.#pending = this.#pending.filter((each) => each !== entry);
    if (!this.#pending.some(({ ids }) => ids.has(id))) this.#before.delete(id);
  }

  /**
   * What changes under way say of an image: to be laid over what the service answered.
   *
   * @param {string} id
   * @returns {Fields}
   */
  over(id) {
    return Object.assign({}, ...this.#pending.filter((each) => each.ids.has(id)).map((each) => each.fields));
  }

  get isEmpty() {
    return this.#pending.length === 0;
  }
}

/**
 * @param {Fields} fields
 * @param {string[]} names
 */
function pick(fields, names) {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}
