/**
 * What becomes of an edit when somebody else changed the image meanwhile (`If-Match` failed): pure.
 *
 * The field that was edited decides. Where theirs is still as it was when the person began, both changes hold, and the
 * edit is sent again. Where theirs is what the person wants, there is nothing to do. Else the person chooses.
 */

/** @typedef {string | string[] | number | null} Value */

/**
 * @param {Value} before What the person began with.
 * @param {Value} mine
 * @param {Value} theirs What is there now.
 * @returns {"again" | "done" | "choose"}
 */
export function meanwhile(before, mine, theirs) {
  if (same(mine, theirs)) return "done";
  return same(before, theirs) ? "again" : "choose";
}

/**
 * Whether they say the same; tags have no order.
 * @param {Value} a
 * @param {Value} b
 */
export const same = (a, b) => written(a) === written(b);

/** @param {Value} value */
const written = (value) => JSON.stringify(Array.isArray(value) ? value.toSorted() : value);

/**
 * The tags that a text names: between commas, each once, whatever its case.
 * @param {string} text
 */
export function tagsOf(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const part of text.split(/[,;\n]/)) {
    const tag = part.trim().replace(/\s+/g, " ");
    const key = tag.toLocaleLowerCase();
    if (tag && !found.has(key)) found.set(key, tag);
  }
  return [...found.values()];
}
