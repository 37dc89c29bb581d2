/** Names of files, as they are shown. Pure. */

/** What turns the direction of text around, or cannot be seen: `gpj.exe` must not be shown as `exe.jpg`. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const LONGEST = 120;

/**
 * A name as it can be shown: nothing unseen in it, and no longer than a line or two; its end, with the extension, stays.
 * @param {string} name
 */
export function shown(name) {
  const letters = [...name.replace(UNSEEN, "\ufffd")];
  if (letters.length <= LONGEST) return letters.join("");
  return `${letters.slice(0, LONGEST - 25).join("")}\u2026${letters.slice(-24).join("")}`;
}
