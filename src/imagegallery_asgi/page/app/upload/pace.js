/** How fast bytes go, and how long the rest will take. Pure: the time is passed in, in milliseconds. */

const WINDOW = 10_000;
const LEAST = 1_500;

export class Pace {
  /** @type {{at: number, sent: number}[]} */
  #samples = [];

  /**
   * @param {number} now
   * @param {number} sent Bytes in all; fewer than before where some have to be sent again.
   */
  add(now, sent) {
    const last = this.#samples.at(-1);
    if (last !== undefined && sent < last.sent) this.#samples = [];
    this.#samples.push({ at: now, sent });
    while (this.#samples.length > 2 && now - (this.#samples[0]?.at ?? now) > WINDOW) this.#samples.shift();
  }

  /** Nothing goes at present. */
  rest() {
    this.#samples = [];
  }

  /** Bytes per second; null while there is too little to tell by. */
  get rate() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < LEAST) return null;
    return ((last.sent - first.sent) * 1000) / (last.at - first.at);
  }

  /**
   * Seconds that the rest takes at this pace; null where nobody can tell.
   * @param {number} rest Bytes.
   */
  left(rest) {
    const rate = this.rate;
    return rate === null || rate <= 0 ? null : rest / rate;
  }
}
