/** Changes of galleries: as those of images, to be seen at once and taken back when they are refused. */
import { api } from "../core/api.js";
import { echoes, tell } from "../core/live.js";
import { messages } from "../core/messages.js";
import { movesBack } from "../galleries/order.js";
import { change } from "./changes.js";

const t = await messages("changes");

/**
 * @typedef {{name: string, description: string, visibility: string}} GalleryFields
 * @typedef {import("../galleries/order.js").Anchor} Anchor
 */

/**
 * A gallery with its ETag, which says later whether somebody has changed it since.
 *
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<{gallery: any, version: string | null}>}
 */
export async function readGallery(id, signal) {
  const response = await api.request(`/galleries/${id}`, { signal, cache: "no-cache" });
  return { gallery: (await response.json()).data, version: response.headers.get("ETag") };
}

/**
 * @param {Partial<GalleryFields> & {name: string}} fields
 * @returns {Promise<any>} The gallery.
 */
export async function createGallery(fields) {
  // The same key for each attempt: an answer that was lost makes no second gallery.
  const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
  const { data } = await api.post("/galleries", fields, { headers });
  tell("gallery-changed", { id: data.id, change: "created", fields: data });
  return data;
}

/**
 * Raises an `ApiError` where it was refused: 412, somebody has changed it meanwhile.
 *
 * @param {string} id
 * @param {Record<string, unknown>} fields
 * @param {string | null} [version]
 */
export async function updateGallery(id, fields, version = null) {
  echoes.expect("gallery.changed", [id], Date.now());
  try {
    const { data } = await api.patch(`/galleries/${id}`, fields, version === null ? {} : { headers: { "If-Match": version } });
    tell("gallery-changed", { id, change: "updated", fields: data });
    return data;
  } catch (error) {
    echoes.forget("gallery.changed", [id]);
    throw error;
  }
}

/**
 * Which image stands for the gallery; null: the first one.
 *
 * @param {{id: string, cover_image_id: string | null}} gallery
 * @param {string | null} imageId
 */
export function setCover(gallery, imageId) {
  const was = gallery.cover_image_id;
  return change({
    send: () => updateGallery(gallery.id, { cover_image_id: imageId }),
    said: t("cover.done"),
    back: () => change({ send: () => updateGallery(gallery.id, { cover_image_id: was }) }),
  });
}

/**
 * @param {{id: string, name: string}} gallery
 * @param {{withImages: boolean}} how `withImages`: those that are in no other gallery go to the trash.
 */
export function deleteGallery(gallery, { withImages }) {
  return change({
    apply: () => tell("gallery-changed", { id: gallery.id, change: "deleted", isOwn: true }),
    undo: () => tell("gallery-changed", { id: gallery.id, change: "created" }),
    send: () => api.delete(`/galleries/${gallery.id}`, { query: { with_images: withImages } }),
    said: t("delete_gallery.done", { name: gallery.name }),
  });
}

/**
 * Bring images back to the places that they had in an order, after they were at its end.
 *
 * @param {string} id
 * @param {string[]} order
 * @param {string[]} moved
 */
export async function putBack(id, order, moved) {
  await change({ send: () => sendMoves(id, movesBack(order, new Set(moved))) });
  tell("gallery-changed", { id, change: "images" });
}

/**
 * Move images of a gallery, in pieces that the service takes.
 *
 * @param {string} id
 * @param {{ids: string[], anchor: Anchor}[]} moves One after the other.
 */
export async function sendMoves(id, moves) {
  for (const { ids, anchor } of moves) {
    let next = anchor;
    for (let at = 0; at < ids.length; at += MOVED) {
      const some = ids.slice(at, at + MOVED);
      echoes.expect("gallery.changed", [id], Date.now());
      try {
        await api.post(`/galleries/${id}/images/move`, { image_ids: some, ...next });
      } catch (error) {
        echoes.forget("gallery.changed", [id]);
        throw error;
      }
      next = { after: /** @type {string} */ (some.at(-1)) };
    }
  }
}
const MOVED = 1000;
