/** Takes the SHA-256 of files aside, in pieces, so that the page never waits. */
import { Sha256 } from "./sha256.js";

const PIECE = 1024 * 1024;
const AT_ONCE = 16 * PIECE; // as much may be in memory, for the browser's own and faster digest

/**
 * @param {Blob} file
 * @returns {Promise<string>}
 */
async function digest(file) {
  if (file.size <= AT_ONCE && crypto.subtle) {
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const sha256 = new Sha256();
  for (let at = 0; at < file.size; at += PIECE) sha256.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
  return sha256.hex();
}

addEventListener("message", async ({ data: { id, file } }) => {
  try {
    postMessage({ id, digest: await digest(file) });
  } catch (error) {
    postMessage({ id, error: String(error) }); // moved, deleted or changed since it was chosen
  }
});
