/** Texts in the language of the page, one file a feature; and how languages write. */

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Message */
/** @typedef {(key: string, values?: Record<string, string | number>) => string} Translate */

export const LANGUAGES = /** @type {const} */ (["en", "de", "ar"]);
const COOKIE = "imagegallery_language";

/** @returns {string} */
export const language = () => globalThis.document?.documentElement.lang || "en";

/** @returns {"ltr" | "rtl"} */
export const direction = () => (globalThis.document?.documentElement.dir === "rtl" ? "rtl" : "ltr");

/** Whether reading goes from right to left. */
export const isRightToLeft = () => direction() === "rtl";

/**
 * The texts of a feature.
 * @param {string} feature
 * @returns {Promise<Translate>}
 */
export function messages(feature) {
  const known = loading.get(feature);
  if (known) return known;
  const loaded = load(feature, language()).then((table) => translator(table, language()));
  loading.set(feature, loaded);
  return loaded;
}
/** @type {Map<string, Promise<Translate>>} */
const loading = new Map();

/**
 * @param {string} feature
 * @param {string} tongue
 * @returns {Promise<Record<string, Message>>}
 */
async function load(feature, tongue) {
  const response = await fetch(new URL(`../messages/${tongue}/${feature}.json`, import.meta.url));
  if (response.ok) return await response.json();
  if (tongue === "en") throw new Error(`There are no messages of ${feature}.`);
  return await load(feature, "en");
}

/**
 * Texts with `{name}` where values go, and one text a plural of `{count}` where there is one; pure.
 * @param {Record<string, Message>} table
 * @param {string} tongue
 * @returns {Translate}
 */
export function translator(table, tongue) {
  const plurals = new Intl.PluralRules(tongue);
  const numbers = new Intl.NumberFormat(tongue);
  return (key, values = {}) => {
    const message = table[key];
    if (message === undefined) return key;
    const text =
      typeof message === "string" ? message : (message[plurals.select(Number(values.count))] ?? message.other ?? key);
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? numbers.format(value) : isolated(value);
    });
  };
}

/**
 * A text of somebody's own does not turn the sentence around it (Unicode UAX 9, "isolates").
 * @param {string} text
 */
const isolated = (text) => `\u2068${text}\u2069`;

/**
 * Show the page in another language, from now on.
 * @param {string} tongue
 */
export function setLanguage(tongue) {
  const path = `${document.documentElement.dataset.root ?? ""}/`;
  document.cookie = `${COOKIE}=${tongue}; Path=${path}; Max-Age=31536000; SameSite=Lax`;
  location.reload();
}
