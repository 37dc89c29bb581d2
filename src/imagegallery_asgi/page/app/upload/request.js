/** One request with a file's bytes: by XMLHttpRequest, as `fetch` tells nothing while it sends. */

/** @typedef {import("./protocol.js").Answer} Answer */

/** Milliseconds in which nothing moves, after which a connection counts as broken; and for the answer, once all is sent. */
const STALLED = 45_000;
const UNANSWERED = 180_000;

/**
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {Blob | null} body
 * @param {{signal?: AbortSignal, sent?: (bytes: number) => void}} [options] `sent` hears how many bytes are on their way.
 * @returns {Promise<Answer>} Status 0 where none came. Raises where the signal ended it.
 */
export function request(method, url, headers, body, { signal, sent = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const xhr = new XMLHttpRequest();
    const total = body?.size ?? 0;
    let watch = setTimeout(() => xhr.abort(), total > 0 ? STALLED : UNANSWERED);
    /** @param {number} patience */
    const moved = (patience) => {
      clearTimeout(watch);
      watch = setTimeout(() => xhr.abort(), patience);
    };
    const stop = () => {
      clearTimeout(watch);
      xhr.abort();
      reject(signal?.reason);
    };
    /** @param {Answer} answer */
    const end = (answer) => {
      clearTimeout(watch);
      signal?.removeEventListener("abort", stop);
      resolve(answer);
    };
    const none = () => end({ status: 0, header: () => null, body: null });
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      moved(loaded < total ? STALLED : UNANSWERED);
      sent(Math.min(loaded, total));
    };
    xhr.onload = () => end({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), body: parsed(xhr.responseText) });
    xhr.onerror = xhr.onabort = none;
    signal?.addEventListener("abort", stop, { once: true });
    xhr.send(body);
  });
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
