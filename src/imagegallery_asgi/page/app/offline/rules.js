/**
 * What the service worker does with a request. Pure: an address in, a decision out.
 *
 * Kept are the page's own files, small pictures that were seen, and the few answers without which the library cannot
 * be drawn. Everything else of the API is asked of the service, or not answered.
 */

/** At most so many bytes make a picture small: thumbnails, small variants and some of the next size. */
export const SMALL = 64 * 1024;

/** How much is kept at most, of pictures and of answers; what was kept first goes first. */
export const BUDGET = { pictures: 2000, answers: 400 };

/**
 * @typedef {"view" | "file" | "picture" | "me" | "answer" | "received"} Kind
 *   A view's address, a file of the page, a picture, who the user is, another answer of the library, files that another
 *   application gives to this one.
 */

/** The path of an address below the mount, or null where it is elsewhere. `scope` ends with a slash.
 * @param {string} address
 * @param {string} scope
 */
export function below(address, scope) {
  return address.startsWith(scope) ? address.slice(scope.length).replace(/[?#].*$/s, "") : null;
}

/**
 * What a request is for; null is none of the worker's business.
 * @param {{url: string, method: string, mode: string}} request
 * @param {string} scope
 * @returns {Kind | null}
 */
export function kindOf(request, scope) {
  const path = below(request.url, scope);
  if (path === "received-files" && request.method === "POST") return "received";
  if (path === null || request.method !== "GET") return null;
  if (request.mode === "navigate") return isView(path) ? "view" : null;
  if (path.startsWith("page/")) return "file";
  if (pictureKey(request.url, scope) !== null) return "picture";
  if (path === "api/v1/me") return "me";
  return /^api\/v1\/images(?:\/timeline(?:\/[^/]+\/images)?)?$/.test(path) ? "answer" : null;
}

/** Whether the page itself is at this path: the API, its documentation and downloads are others.
 * @param {string} path
 */
function isView(path) {
  return !/^(?:api|docs|page)(?:\/|$)|^[^/]+\.[a-z]+$|^(?:healthz|livez|readyz|metrics)$/.test(path);
}

/**
 * The name under which a variant is kept: its object, without the signature, which changes while the bytes never do.
 * @param {string} address
 * @param {string} scope
 */
export function pictureKey(address, scope) {
  const path = below(address, scope) ?? "";
  const object = /^api\/v1\/(?:galleries\/[^/]+\/)?(?:files|objects\/[^/]+)\/(.+\/images\/[^/]+\/[^/]+)$/.exec(path);
  return object === null || /\/original\.[^/]*$/.test(path) ? null : `${scope}pictures/${object[1]}`;
}

/** Whether an answer with these headers is a small picture, which may be kept.
 * @param {Headers} headers
 */
export function isSmall(headers) {
  if ((headers.get("Cache-Control") ?? "").includes("no-store")) return false;
  const length = Number(headers.get("Content-Length") ?? Infinity);
  return (headers.get("Content-Type") ?? "").startsWith("image/") && length <= SMALL;
}

/** Which of the names, the oldest first, are beyond the budget.
 * @template T
 * @param {readonly T[]} names
 * @param {number} budget
 */
export function beyond(names, budget) {
  return names.slice(0, Math.max(0, names.length - budget));
}

/** Whether what was kept is another user's than who asks now: two answers of `/me`.
 * @param {{data: {id: string}}} kept
 * @param {{data: {id: string}}} now
 */
export function isAnothers(kept, now) {
  return kept.data.id !== now.data.id;
}
