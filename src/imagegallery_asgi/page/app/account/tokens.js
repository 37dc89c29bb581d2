/** What people paste as a token, and where they sign in; pure. */

/** What an HTTP header can carry as a token (RFC 6750, section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const LONGEST = 16_384;

/**
 * The token in a text: alone, in quotes, or as it stands in a header; null if there is none.
 * @param {string} text
 */
export function tokenIn(text) {
  const bare = text
    .trim()
    .replace(/^authorization:\s*/i, "")
    .replace(/^bearer\s+/i, "")
    .replace(/^["'`]|["'`]$/g, "")
    .replace(/\s+/g, "");
  return bare.length <= LONGEST && TOKEN.test(bare) ? bare : null;
}

/**
 * The address where one signs in, which comes back here if it takes where to.
 * @param {string} url With or without `{next}`.
 * @param {string} here
 */
export const signInAddress = (url, here) => url.replaceAll("{next}", encodeURIComponent(here));

/**
 * Where to go when one has signed in: a path of this page, and of no other.
 * @param {string | null} next
 */
export const nextPath = (next) => (next !== null && /^\/(?![/\\])/.test(next) ? next : "/");
