/** An archive is fetched in pieces, so that what broke off goes on where it was, and a sign-in may end meanwhile. */
import { ApiError, api, pause } from "../core/api.js";

const PIECE = 16 * 1024 * 1024;
const TRIES = 5;

/**
 * The ranges of a file of this size, for `Range`; pure.
 * @param {number} size
 * @param {number} [piece]
 */
export const rangesOf = (size, piece = PIECE) =>
  Array.from({ length: Math.ceil(size / piece) }, (_, index) => ({ first: index * piece, last: Math.min((index + 1) * piece, size) - 1 }));

/**
 * Fetch it; browsers keep what is large on their disk.
 * @param {string} path
 * @param {number} size
 * @param {(share: number) => void} tell How far it is, from 0 to 1.
 * @param {AbortSignal} ended
 * @returns {Promise<Blob>}
 */
export async function fetchArchive(path, size, tell, ended) {
  /** @type {Blob[]} */
  const pieces = [];
  for (const { first, last } of rangesOf(size)) {
    pieces.push(await piece(path, first, last, ended));
    tell((last + 1) / size);
  }
  return new Blob(pieces, { type: "application/zip" });
}

/**
 * @param {string} path
 * @param {number} first
 * @param {number} last
 * @param {AbortSignal} ended
 */
async function piece(path, first, last, ended) {
  for (let tried = 1; ; tried += 1) {
    try {
      const headers = { Accept: "*/*", Range: `bytes=${first}-${last}` };
      return await (await api.request(path, { headers, signal: ended })).blob();
    } catch (error) {
      const isOver = ended.aborted || tried === TRIES || (error instanceof ApiError && error.status >= 400 && error.status < 500);
      if (isOver) throw error;
      await pause(tried, ended);
    }
  }
}

/**
 * Give a file to the person, as a download.
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(file);
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}
