/**
 * What can be taken back, the last first. Pure.
 *
 * @typedef {{label: string, run: () => unknown}} Step
 */

const MOST = 50;

export class UndoStack {
  /** @type {Step[]} */
  #steps = [];

  /**
   * @param {Step} step
   * @returns {{takeBack: () => Promise<boolean>, forget: () => void}} takes this very step back, once; or forgets it
   */
  push(step) {
    this.#steps.push(step);
    this.#steps.splice(0, this.#steps.length - MOST);
    return { takeBack: () => this.#run(step), forget: () => void this.#remove(step) };
  }

  /** Take the last step back; false if there is none. */
  async back() {
    const last = this.#steps.at(-1);
    return last ? this.#run(last) : false;
  }

  /** @param {Step} step */
  async #run(step) {
    if (!this.#remove(step)) return false;
    await step.run();
    return true;
  }

  /** @param {Step} step */
  #remove(step) {
    const at = this.#steps.indexOf(step);
    if (at >= 0) this.#steps.splice(at, 1);
    return at >= 0;
  }
}
