/** Which files are pictures that the service takes, told by their first bytes and their names. Pure. */
import { refusalOf } from "./protocol.js";

/**
 * @typedef {{types: string[], maxSize: number | null}} Limits What may be uploaded (`/policies`).
 */

export const HEAD = 32;
const TYPES = new Map([
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["jpe", "image/jpeg"],
  ["jfif", "image/jpeg"],
  ["png", "image/png"],
  ["webp", "image/webp"],
  ["gif", "image/gif"],
  ["avif", "image/avif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
]);
const KNOWN = new Set(TYPES.values());

/** What folders have besides pictures, and nobody put there. */
const HIDDEN = /^\.|^(thumbs\.db|desktop\.ini|ehthumbs\.db|icon\r)$|^@eadir$|^__macosx$/i;

/** @param {string} name */
export const isHidden = (name) => HIDDEN.test(name);

/**
 * The type that the first bytes tell; null for none that we know.
 * @param {Uint8Array} head
 */
export function sniff(head) {
  const text = String.fromCharCode(...head.subarray(0, HEAD));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "image/gif";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) !== "ftyp") return null;
  const brands = [text.slice(8, 12), ...(text.slice(16).match(/.{4}/gs) ?? [])];
  if (brands.some((brand) => brand === "avif" || brand === "avis")) return "image/avif";
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms])$/.test(brand))) return "image/heic";
  return brands.some((brand) => brand === "mif1" || brand === "msf1") ? "image/heif" : null;
}

/**
 * The type that a file says it is of, or its name does.
 * @param {{name: string, type: string}} file
 */
export function declared({ name, type }) {
  return type || TYPES.get(name.split(".").pop()?.toLowerCase() ?? "") || "";
}

/**
 * Whether a file of a folder is one to send: what is no picture by its name is left where it is.
 * @param {{name: string, type: string}} file
 * @param {Limits} limits
 */
export function looksLikePicture(file, limits) {
  const type = declared(file);
  return limits.types.length === 0 ? type.startsWith("image/") : limits.types.includes(type);
}

/**
 * Why a file would be refused, before any of it is sent: by its size at once, by its kind when its head is known.
 * @param {{size: number, name: string, type: string}} file
 * @param {Limits} limits
 * @param {Uint8Array | null} [head]
 */
export function refusalBefore(file, limits, head = null) {
  if (file.size === 0) return refusalOf("empty_file", null, true);
  const type = head === null ? null : sniff(head) || null;
  const isPicture = limits.types.includes(declared(file)) || limits.types.length === 0;
  const canTell = limits.types.length > 0 && limits.types.every((each) => KNOWN.has(each));
  if (head !== null && canTell && type === null) return refusalOf("not_a_picture", null, true);
  if (head !== null && type !== null && limits.types.length > 0 && !limits.types.includes(type))
    return refusalOf("unsupported_type", null, true);
  if (head === null && !isPicture) return null; // its bytes may know better
  if (limits.maxSize !== null && file.size > limits.maxSize)
    return refusalOf("too_large", { details: { limit: limits.maxSize } }, true);
  return null;
}
