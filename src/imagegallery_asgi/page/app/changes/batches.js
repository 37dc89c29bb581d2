/**
 * Many images in pieces that the service takes, each with results of its own. Pure, but for `send`.
 *
 * @typedef {{id: string, ok: boolean, code: string | null}} Result
 * @typedef {{done: string[], refused: Map<string, string>, error: unknown}} Outcome
 */

export const PIECE = 1000;

/**
 * @template T
 * @param {readonly T[]} all
 * @param {number} size
 * @returns {T[][]}
 */
export function pieces(all, size = PIECE) {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

/**
 * Send piece after piece. An error ends it: what was done before stays done, and the rest was not tried.
 *
 * @param {readonly string[]} ids
 * @param {(piece: string[]) => Promise<Result[]>} send
 * @returns {Promise<Outcome>} `refused` are ids with the code of the reason; those without a result are in neither
 */
export async function inPieces(ids, send) {
  /** @type {Outcome} */
  const outcome = { done: [], refused: new Map(), error: null };
  for (const piece of pieces([...new Set(ids)])) {
    try {
      for (const { id, ok, code } of await send(piece)) {
        if (ok) outcome.done.push(id);
        else outcome.refused.set(id, code ?? "error");
      }
    } catch (error) {
      outcome.error = error;
      break;
    }
  }
  return outcome;
}
