/** From a file to an item of the queue, and from that to what the service is told. Pure. */

/** @typedef {import("./queue.js").Item} Item */

/** What the service reads of a name. */
const LONGEST_NAME = 1000;

/**
 * @param {{name: string, type: string, size: number, lastModified: number}} file
 * @param {Pick<Item, "id" | "order" | "owner" | "base" | "path" | "galleryId" | "checks">} place
 * @returns {Item}
 */
export function itemOf({ name, type, size, lastModified }, place) {
  return {
    ...place,
    name: name.slice(-LONGEST_NAME),
    type,
    size,
    lastModified,
    attempt: 0,
    state: "new",
    isHeld: false,
    isKept: null,
    wasBegun: false,
    digest: null,
    onDuplicate: null,
    known: null,
    refusal: null,
    imageId: null,
    sent: 0,
  };
}

/** @param {Item} item */
export const keyOf = ({ id, attempt }) => `${id}.${attempt}`;

/**
 * @param {Item} item
 * @returns {import("./protocol.js").Described}
 */
export const describe = ({ name, type, size, digest, galleryId, onDuplicate }) => ({ name, type, size, digest, galleryId, onDuplicate });

/**
 * Whether a file that was chosen again is the one that an item wants.
 * @param {Item} item
 * @param {{name: string, size: number, lastModified: number}} file
 */
export const isOf = (item, file) => item.name === file.name && item.size === file.size && item.lastModified === file.lastModified;
