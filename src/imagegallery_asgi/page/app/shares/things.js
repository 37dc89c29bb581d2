/** What shares are of: galleries and images by their ids, asked for once, in as few requests as there are. */
import { api } from "../core/api.js";

/**
 * @typedef {{id: string, name: string, visibility: string, cover: any, image_count: number | null, description: string}} Gallery
 * @typedef {{galleries: Map<string, Gallery>, images: Map<string, any>}} Things
 * @typedef {import("./terms.js").Target} Target
 */

/** How many ids one request takes. */
const AT_ONCE = 100;

/**
 * What there is of these: what is in the trash, or gone, is not among them.
 * @param {{galleries: string[], images: string[]}} ids
 * @param {AbortSignal} [signal]
 * @param {import("../core/api.js").Query} [query] Whose: without it, one's own.
 * @returns {Promise<Things>}
 */
export async function thingsOf({ galleries, images }, signal, query = {}) {
  const [found, pictures] = await Promise.all([
    listed("/galleries", galleries, query, signal),
    listed("/images", images, {}, signal),
  ]);
  return { galleries: new Map(found), images: new Map(pictures) };
}

/**
 * @param {string} path
 * @param {string[]} ids
 * @param {import("../core/api.js").Query} query
 * @param {AbortSignal} [signal]
 * @returns {Promise<[string, any][]>}
 */
async function listed(path, ids, query, signal) {
  const parts = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) parts.push(ids.slice(at, at + AT_ONCE));
  const pages = await Promise.all(parts.map((part) => api.get(path, { query: { ...query, ids: part.join(","), limit: AT_ONCE }, signal })));
  return pages.flatMap((page) => page.data.map((/** @type {any} */ each) => [each.id, each]));
}

/**
 * What a share is called: its gallery's name, or how many things it is of.
 * @param {Target[]} targets
 * @param {Things} things
 * @param {import("../core/messages.js").Translate} t
 */
export function titleOf(targets, things, t) {
  if (targets.some((each) => each.library)) return t("thing.library");
  const names = targets.flatMap((each) => (each.gallery_id ? [things.galleries.get(each.gallery_id)?.name ?? t("thing.gone")] : []));
  const images = targets.filter((each) => each.image_id).length;
  const parts = [...names.slice(0, 3), ...(names.length > 3 ? [t("thing.more", { count: names.length - 3 })] : [])];
  if (images > 0) parts.push(t("thing.images", { count: images }));
  return parts.join(", ");
}

/**
 * The picture that stands for it, if there is one.
 * @param {Target[]} targets
 * @param {Things} things
 * @returns {any}
 */
export function coverOf(targets, things) {
  for (const { gallery_id, image_id } of targets) {
    const cover = gallery_id ? things.galleries.get(gallery_id)?.cover : image_id && things.images.get(image_id);
    if (cover) return cover;
  }
  return null;
}
