/**
 * What the service's events mean to lists and views. Pure.
 *
 * @typedef {{id: string, type: string, timestamp?: string, data: Record<string, any>}} ServerEvent
 * @typedef {{type: string, detail: Record<string, any>}} News
 */

/** What becomes of lists of images, and of the trash. @type {Record<string, {type: string, trash?: "arrived" | "gone"}>} */
const OF_IMAGES = {
  "image.deleted": { type: "images-gone", trash: "arrived" },
  "image.purged": { type: "images-gone", trash: "gone" },
  "image.uploaded": { type: "images-arrived" },
  "image.restored": { type: "images-arrived", trash: "gone" },
  "image.ready": { type: "image-changed" },
  "image.failed": { type: "image-changed" },
  "image.updated": { type: "image-changed" },
};

/**
 * The events of a moment as few pieces of news: a thousand images that went to the trash are one. In order: images that
 * went and came back are two.
 *
 * @param {readonly ServerEvent[]} events
 * @returns {News[]}
 */
export function gather(events) {
  /** @type {{type: string, ids: Set<string>}[]} */
  const runs = [];
  /** @type {Map<string, News>} */
  const galleries = new Map();
  for (const { type, data } of events) {
    if (type in OF_IMAGES) {
      const last = runs.at(-1);
      if (last?.type === type) last.ids.add(data.image_id);
      else runs.push({ type, ids: new Set([data.image_id]) });
    } else if (type === "gallery.changed") {
      const { gallery_id: id, change } = data;
      galleries.set(`${id} ${change}`, { type: "gallery-changed", detail: { id, change } });
    }
  }
  return [...runs.flatMap(ofImages), ...galleries.values()];
}

/**
 * @param {{type: string, ids: Set<string>}} run
 * @returns {News[]}
 */
function ofImages({ type, ids: some }) {
  const ids = [...some];
  const { type: news, trash } = /** @type {{type: string, trash?: string}} */ (OF_IMAGES[type]);
  return [{ type: news, detail: { ids } }, ...(trash ? [{ type: "trash-changed", detail: { [trash]: ids } }] : [])];
}
