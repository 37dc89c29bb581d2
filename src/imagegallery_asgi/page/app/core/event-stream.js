/**
 * Server-sent events (HTML standard, section 9.2) as they come in pieces of text. Pure.
 *
 * @typedef {{id: string, type: string, data: string}} Message
 */

export class EventStream {
  /** The id to resume after; blocks without data bring one, too. @type {string | null} */
  lastId = null;
  /** How long the service asks to wait before the next attempt, in milliseconds. @type {number | null} */
  retry = null;
  #rest = "";
  #data = /** @type {string[]} */ ([]);
  #type = "";
  #id = /** @type {string | null} */ (null);

  /**
   * @param {string} text
   * @returns {Message[]} those that are whole by now
   */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => this.#take(line)).filter((message) => message !== null);
  }

  /**
   * @param {string} line
   * @returns {Message | null}
   */
  #take(line) {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
    return null;
  }

  /** @returns {Message | null} */
  #end() {
    if (this.#id !== null) this.lastId = this.#id;
    const message = this.#data.length
      ? { id: this.lastId ?? "", type: this.#type || "message", data: this.#data.join("\n") }
      : null;
    this.#data = [];
    this.#type = "";
    return message;
  }
}

/**
 * How long to wait before an attempt: twice as long each time up to a minute, a part of it by chance, so that not all
 * tabs of everybody come back at once; never less than the service asks.
 *
 * @param {number} attempt from 0
 * @param {number} least in milliseconds
 * @param {number} chance from 0 to 1
 */
export function pause(attempt, least, chance) {
  const longest = Math.min(60_000, 1000 * 2 ** Math.min(attempt, 10));
  return Math.max(least, longest / 2 + (longest / 2) * chance);
}
