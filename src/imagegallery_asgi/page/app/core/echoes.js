/**
 * The service tells all tabs of a change, the one that made it, too, and later than that knows of it: an image that came
 * back meanwhile would be gone again for a moment. So a tab expects the events of its own changes, and passes over
 * them. Pure.
 */

const PATIENCE = 30_000; // milliseconds

export class Echoes {
  /** When each was last expected, by type and subject. @type {Map<string, number[]>} */
  #expected = new Map();

  /**
   * @param {string} type of an event
   * @param {Iterable<string>} subjects ids
   * @param {number} now in milliseconds
   */
  expect(type, subjects, now) {
    for (const subject of subjects) {
      const key = `${type} ${subject}`;
      this.#expected.set(key, [...(this.#expected.get(key) ?? []), now]);
    }
  }

  /**
   * Expect one less of each: the change was refused.
   *
   * @param {string} type
   * @param {Iterable<string>} subjects
   */
  forget(type, subjects) {
    for (const subject of subjects) this.isOwn(type, subject, -Infinity);
  }

  /**
   * Whether this tab made it so itself.
   *
   * @param {string} type
   * @param {string} subject
   * @param {number} now
   */
  isOwn(type, subject, now) {
    const key = `${type} ${subject}`;
    const waiting = (this.#expected.get(key) ?? []).filter((since) => now - since < PATIENCE);
    const found = waiting.shift() !== undefined;
    if (waiting.length) this.#expected.set(key, waiting);
    else this.#expected.delete(key);
    return found;
  }
}
