/** The SHA-256 of files, taken by a worker. */
import { trustedScript } from "../core/trusted.js";

/** @type {Worker | null} */
let worker = null;
/** @type {Map<number, {resolve: (digest: string) => void, reject: (error: Error) => void}>} */
const waiting = new Map();
let last = 0;

function started() {
  if (worker !== null) return worker;
  worker = new Worker(trustedScript(new URL("./digest-worker.js", import.meta.url)), { type: "module" });
  worker.onmessage = ({ data }) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) asked?.resolve(data.digest);
    else asked?.reject(new Error(data.error));
  };
  worker.onerror = () => {
    for (const { reject } of waiting.values()) reject(new Error("The reader of files ended."));
    waiting.clear();
    worker = null;
  };
  return worker;
}

/**
 * @param {Blob} file
 * @returns {Promise<string>} In hexadecimal. Raises if it cannot be read: it was moved, deleted or changed.
 */
export function digestOf(file) {
  return new Promise((resolve, reject) => {
    last += 1;
    waiting.set(last, { resolve, reject });
    started().postMessage({ id: last, file });
  });
}
