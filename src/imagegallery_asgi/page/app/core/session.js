/** Who uses the page, and where the service is. */
import { signal } from "./signal.js";

/** @typedef {import("./api.js").Me} Me */

export const TOKEN_KEY = "imagegallery.token";
const root = globalThis.document?.documentElement.dataset.root ?? "";

export const session = {
  /** The path of the mount, without a slash at its end. */
  root,
  /** The address of the API. */
  api: `${root}/api/v1`,
  /** The user; null where nobody signed in. */
  me: signal(/** @type {Me | null} */ (null)),
  state: signal(/** @type {"unknown" | "user" | "visitor" | "offline"} */ ("unknown")),
  /** Whether the service itself answered what was asked last: what a browser has kept is older. */
  isReached: signal(true),

  /** The token that requests carry, if one was given. */
  get token() {
    return kept("sessionStorage") ?? kept("localStorage");
  },
};

/**
 * What a storage of the browser has, which may be forbidden.
 * @param {"sessionStorage" | "localStorage"} name
 */
function kept(name) {
  try {
    return globalThis[name]?.getItem(TOKEN_KEY) ?? null;
  } catch {
    return null;
  }
}

/** The headers by which the service knows the user. @returns {Record<string, string>} */
export function credentials() {
  const { token } = session;
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
