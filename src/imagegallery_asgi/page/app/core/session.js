/** Who uses the page, and where the service is. */
import { signal } from "./signal.js";

/** @typedef {import("./api.js").Me} Me */

export const TOKEN_KEY = "imagegallery.token";
export const WAS_USER = "imagegallery.was_user";
const { root = "", tokens, signIn } = globalThis.document?.documentElement.dataset ?? {};

export const session = {
  /** The path of the mount, without a slash at its end. */
  root,
  /** The address of the API. */
  api: `${root}/api/v1`,
  /** The user; null where nobody signed in. */
  me: signal(/** @type {Me | null} */ (null)),
  /** `ended`: the user's sign-in has ended, and what they see stays until they have signed in again. */
  /** `offline`: the service has not said who it is yet. */
  state: signal(/** @type {"unknown" | "user" | "ended" | "visitor" | "offline"} */ ("unknown")),
  /** Whether people sign in by a token that they give to this page. */
  takesTokens: tokens !== undefined,
  /** Where they sign in; null where nobody has said it. */
  signInUrl: signIn ?? null,
  /** Whether the service itself answered what was asked last: what a browser has kept is older. */
  isReached: signal(true),

  /**
   * Whether a user is expected: one was signed in here before, or nobody has to sign in. Until it is known who it is, the
   * page is laid out for them.
   */
  get expectsUser() {
    const signsIn = this.takesTokens || this.signInUrl !== null;
    return !signsIn || this.token !== null || kept("localStorage", WAS_USER) !== null;
  },

  /** The token that requests carry, if one was given. */
  get token() {
    return kept("sessionStorage") ?? kept("localStorage");
  },
};

/**
 * What a storage of the browser has, which may be forbidden.
 * @param {"sessionStorage" | "localStorage"} name
 * @param {string} [key]
 */
function kept(name, key = TOKEN_KEY) {
  try {
    return globalThis[name]?.getItem(key) ?? null;
  } catch {
    return null;
  }
}

/** Asks a user whose sign-in has ended to sign in again, and answers whether they did; what the page starts sets it. */
export const renewal = { ask: async () => false };

/** The headers by which the service knows the user. @returns {Record<string, string>} */
export function credentials() {
  const { token } = session;
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
