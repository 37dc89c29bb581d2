/** Which files of an image are shown, and whether it can be: pure. */

/**
 * @typedef {{type: string, srcSet: string}} Source
 * @typedef {{type: string, format: string, width: number, height: number, url: string, frames?: number}} Variant
 * @typedef {{id: string, filename: string, width: number, height: number, frames: number, alt_text: string,
 *   blurhash: string | null, taken_at: string, is_favorite: boolean, processing_status: string,
 *   expires_at: string | null, src: string | null, srcSet: string, sources: Source[]}} Summary What lists know.
 * @typedef {Summary & {variants: Variant[], mime_type: string, is_truncated: boolean, file_size: number,
 *   taken_at_source: string, created_at: string, updated_at: string, deleted_at: string | null, is_archived: boolean,
 *   failure: {code: string, message: string} | null, exif: import("./details.js").Exif | null,
 *   latitude: number | null, longitude: number | null, visibility: string | null,
 *   added_by: {kind: string, name: string} | null, is_pending: boolean,
 *   title: string, description: string, rating: number | null, tags: string[]}} Detail
 */

/**
 * The HTML `sizes` of a picture that is this wide, in whole steps, so that hardly anything changes while it grows.
 * @param {number} width CSS pixels.
 */
export const sizesFor = (width) => `${Math.max(1, Math.ceil(width / 100) * 100)}px`;

/**
 * @param {Summary} image
 * @returns {"shown" | "processing" | "failed"}
 */
export function stateOf(image) {
  if (image.src !== null) return "shown";
  return image.processing_status === "failed" ? "failed" : "processing";
}

/**
 * How long until the addresses of its files end, in milliseconds; never for those of a public image.
 * @param {Summary} image
 * @param {number} now
 */
export const lifetime = (image, now) => (image.expires_at === null ? Infinity : Date.parse(image.expires_at) - now);
