/**
 * The only two ways from text to markup or to a program's address (Trusted Types, W3C): templates of this program, and
 * files that lie beside this one.
 */

const ASSETS = new URL("../", import.meta.url).href;

/** @type {{createHTML(text: string): unknown, createScriptURL(text: string): unknown}} */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("imagegallery", {
  createHTML: (/** @type {string} */ text) => text,
  createScriptURL: ownScript,
}) ?? { createHTML: (/** @type {string} */ text) => text, createScriptURL: ownScript };

/** @param {string} url */
function ownScript(url) {
  const root = new URL(`${globalThis.document?.documentElement.dataset.root ?? ""}/`, ASSETS).href;
  if (url.startsWith(ASSETS) || url === `${root}sw.js`) return url;
  throw new TypeError(`${url} is no program of this page.`);
}

/** @param {string} markup That of a template. */
export const trustedMarkup = (markup) => policy.createHTML(markup);

/**
 * The address of a worker, as browsers want it.
 * @param {URL | string} url
 * @returns {string}
 */
export const trustedScript = (url) => /** @type {string} */ (policy.createScriptURL(String(url)));
