/** What can be done with chosen images, by where they were chosen. */
import { messages } from "../core/messages.js";
import { confirm } from "../parts/dialog.js";
import { addToGallery, archive, deleteForGood, favourite, removeFromGallery, restore, trash } from "../changes/changes.js";
import { putBack, setCover } from "../changes/galleries.js";

/** @typedef {import("./bar.js").Action} Action */

const t = await messages("selection");

/** @returns {Action} */
const favourites = () => ({ label: t("favourite"), icon: "heart", first: true, run: (ids) => favourite(ids, true) });

/** @returns {Action} */
const noFavourites = () => ({ label: t("unfavourite"), icon: "heart", run: (ids) => favourite(ids, false) });

/** @returns {Action} */
const add = () => ({ label: t("add"), icon: "album", first: true, run: pickAndAdd });

/** @returns {Action} */
const toTrash = () => ({ label: t("trash"), icon: "trash", danger: true, run: (ids) => trash(ids) });

/** @returns {Action} */
const share = () => ({
  label: t("share"),
  icon: "share",
  run: async (ids) => (await import("../shares/share-dialog.js")).openShareDialog({ images: ids }),
});

/** @param {string[]} ids */
async function pickAndAdd(ids) {
  const { pickGallery } = await import("../galleries/pick.js");
  const gallery = await pickGallery({ title: t("pick.title"), canMake: true });
  if (gallery) await addToGallery(ids, gallery.id, gallery.name);
}

/**
 * Of the library, or of its archive.
 *
 * @param {{isArchive?: boolean}} [options]
 * @returns {Action[]}
 */
export function libraryActions({ isArchive = false } = {}) {
  return [
    favourites(),
    add(),
    share(),
    noFavourites(),
    isArchive
      ? { label: t("unarchive"), icon: "archive", run: (ids) => archive(ids, false) }
      : { label: t("archive"), icon: "archive", run: (ids) => archive(ids, true) },
    toTrash(),
  ];
}

/**
 * Of a gallery of one's own.
 *
 * @param {{id: string, name: string, cover_image_id: string | null}} gallery
 * @param {number} count How many are chosen: one of them can be the cover.
 * @param {() => string[]} order Its own order, as far as it is known.
 * @returns {Action[]}
 */
export function galleryActions(gallery, count, order) {
  /** @type {Action} */
  const cover = { label: t("cover"), icon: "image", run: ([id]) => setCover(gallery, /** @type {string} */ (id)) };
  const takeOut = (/** @type {string[]} */ ids) => {
    const before = order();
    return removeFromGallery(ids, gallery.id, gallery.name, (some) => before.length && putBack(gallery.id, before, some));
  };
  return [
    favourites(),
    { label: t("remove"), icon: "remove", first: true, run: takeOut },
    ...(count === 1 ? [cover] : []),
    add(),
    share(),
    noFavourites(),
    toTrash(),
  ];
}

/** @returns {Action[]} */
export function trashActions() {
  return [
    { label: t("restore"), icon: "restore", first: true, run: (ids) => restore(ids) },
    { label: t("delete"), icon: "trash", first: true, danger: true, run: askAndDelete },
  ];
}

/** @param {string[]} ids */
export async function askAndDelete(ids) {
  const title = t("delete.title", { count: ids.length });
  const isSure = await confirm({ title, text: t("delete.text"), yes: t("delete"), danger: true });
  return isSure && (await deleteForGood(ids));
}
