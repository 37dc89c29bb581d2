/**
 * The one way in which the page changes images and galleries. What people do is to be seen at once; when the service
 * refuses, it is taken back, and a note says so and why. What was done can be undone, by the note or by Ctrl+Z.
 */
import { api } from "../core/api.js";
import { changed, echoes, tell } from "../core/live.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { toast } from "../parts/toast.js";
import { useKeys } from "../shortcuts/keys.js";
import { inPieces, pieces } from "./batches.js";
import { ChangeLog } from "./log.js";
import { UndoStack } from "./undo.js";

export { changed };

const t = await messages("changes");

/** What is under way: lists lay it over what they read. */
export const log = new ChangeLog();
const undone = new UndoStack();

/** A list takes at most so many ids. */
const ASKED = 100;
/** Of more than these it is not asked by ids. */
const MANY = 2000;

/**
 * Change something.
 *
 * @param {object} step
 * @param {() => void} [step.apply] Shows it.
 * @param {() => void} [step.undo] Shows what was before.
 * @param {() => Promise<unknown>} step.send Has the service do it.
 * @param {string} [step.said] What was done, in words: told at once, with a way back.
 * @param {() => unknown} [step.back] Makes it undone at the service, too; without it there is no way back.
 * @returns {Promise<boolean>} Whether the service has done it.
 */
export async function change(step) {
  step.apply?.();
  const sent = step.send();
  const withdraw = said(step.said, step.back && (async () => (await settled(sent)) && step.back?.()));
  try {
    await sent;
    return true;
  } catch (error) {
    withdraw();
    step.undo?.();
    toast(t("refused", { why: sentence(error) }), { kind: "error", action: { label: t("again"), run: () => change(step) } });
    return false;
  }
}

/**
 * Say what was done, with a way back.
 *
 * @param {string | undefined} text
 * @param {(() => unknown) | undefined} back
 * @returns {() => void} Withdraws it, as it was not done.
 */
function said(text, back) {
  if (!back) return text === undefined ? () => {} : toast(text);
  let dismiss = () => {};
  const { takeBack, forget } = undone.push({
    label: text ?? "",
    run: () => {
      dismiss();
      return back();
    },
  });
  if (text !== undefined) dismiss = toast(text, { action: { label: t("undo"), run: takeBack } });
  return () => {
    forget();
    dismiss();
  };
}

/** Undo what was done last. @returns {Promise<boolean>} False if there is nothing. */
export async function undoLast() {
  if (await undone.back()) return true;
  toast(t("nothing_to_undo"));
  return false;
}

useKeys(t("keys"), [{ keys: ["Ctrl+z"], says: t("keys.undo"), run: undoLast }], new AbortController().signal);

/**
 * @param {Iterable<string>} ids
 * @param {boolean} isFavorite
 */
export function favourite(ids, isFavorite) {
  return setFlag(ids, "is_favorite", isFavorite, isFavorite ? ["favorite", "unfavorite"] : ["unfavorite", "favorite"]);
}

/**
 * @param {Iterable<string>} ids
 * @param {boolean} isArchived
 */
export function archive(ids, isArchived) {
  return setFlag(ids, "is_archived", isArchived, isArchived ? ["archive", "unarchive"] : ["unarchive", "archive"]);
}

/** @param {Iterable<string>} ids */
export function trash(ids) {
  return act(ids, {
    action: "trash",
    event: "image.deleted",
    show: (some) => tell("images-gone", { ids: some }),
    done: (some) => tell("trash-changed", { arrived: some }),
    fail: (some) => tell("images-arrived", { ids: some }),
    back: restore,
  });
}

/** @param {Iterable<string>} ids */
export function restore(ids) {
  return act(ids, {
    action: "restore",
    event: "image.restored",
    show: (some) => tell("trash-changed", { gone: some }),
    done: (some) => tell("images-arrived", { ids: some }),
    fail: (some) => tell("trash-changed", { arrived: some }),
    back: trash,
  });
}

/**
 * Delete for good, what is in the trash or not. Nothing brings it back: ask before.
 * @param {Iterable<string>} ids
 */
export function deleteForGood(ids) {
  return act(ids, {
    action: "delete",
    event: "image.purged",
    show: (some) => {
      tell("images-gone", { ids: some });
      tell("trash-changed", { gone: some });
    },
    fail: (some) => tell("trash-changed", { arrived: some }),
  });
}

/**
 * @param {Iterable<string>} ids
 * @param {string} galleryId
 * @param {string} [name] Of the gallery, to say it.
 * @returns {Promise<boolean>}
 */
export async function addToGallery(ids, galleryId, name = "") {
  const all = [...new Set(ids)];
  const there = await asked(() => membersOf(all, galleryId));
  if (there === null) return false;
  const news = all.filter((id) => !there.has(id));
  if (!news.length) {
    toast(t("already_there", { count: all.length }));
    return true;
  }
  return act(news, {
    action: "add_to_gallery",
    galleryId,
    values: { name },
    done: (some) => tell("gallery-changed", { id: galleryId, change: "images", arrived: some }),
    back: (some) => removeFromGallery(some, galleryId, name),
  });
}

/**
 * @param {Iterable<string>} ids
 * @param {string} galleryId
 * @param {string} [name]
 * @param {(ids: string[]) => unknown} [putBack] Undone, they are at the end of the gallery's order: brings them back to
 *   their places.
 * @returns {Promise<boolean>}
 */
export function removeFromGallery(ids, galleryId, name = "", putBack) {
  return act(ids, {
    action: "remove_from_gallery",
    galleryId,
    values: { name },
    show: (some) => tell("gallery-changed", { id: galleryId, change: "images", gone: some }),
    fail: (some) => tell("gallery-changed", { id: galleryId, change: "images", arrived: some }),
    back: async (some) => (await addToGallery(some, galleryId, name)) && putBack?.(some),
  });
}

/**
 * Change fields of one image.
 *
 * @param {string} id
 * @param {Record<string, unknown>} fields
 * @param {Record<string, unknown>} was Their values by now.
 * @param {{said?: string, version?: string | null}} [options] `version`: the ETag of what was read.
 * @returns {Promise<boolean>}
 */
export function updateImage(id, fields, was, { said: words, version = null } = {}) {
  /** @type {import("./log.js").Entry} */
  let entry;
  return change({
    apply: () => {
      entry = log.begin([id], fields, () => was);
      echoes.expect("image.updated", [id], Date.now());
      tell("image-changed", { ids: [id], fields });
    },
    undo: () => {
      echoes.forget("image.updated", [id]);
      rolledBack(log.refuse(entry, [id]));
    },
    send: async () => {
      await api.patch(`/images/${id}`, fields, version === null ? {} : { headers: { "If-Match": version } });
      log.settle(entry, [id]);
    },
    said: words,
    back: words === undefined ? undefined : () => updateImage(id, was, fields),
  });
}

/**
 * A flag of many images. Those that have it already are asked for first: undoing must not take it from them.
 *
 * @param {Iterable<string>} ids
 * @param {string} name
 * @param {boolean} value
 * @param {[string, string]} actions The one that sets it so, and the other.
 * @returns {Promise<boolean>}
 */
async function setFlag(ids, name, value, [action, other]) {
  const all = [...new Set(ids)];
  const has = all.length === 1 ? new Set() : await asked(() => flagged(all, name, value));
  if (has === null) return false;
  const some = all.filter((id) => !has.has(id));
  const fields = { [name]: value };
  /** @type {import("./log.js").Entry} */
  let entry;
  return act(some, {
    action,
    event: "image.updated",
    show: (those) => {
      entry = log.begin(those, fields, () => ({ [name]: !value }));
      tell("image-changed", { ids: those, fields });
    },
    done: (those) => log.settle(entry, those),
    fail: (those) => rolledBack(log.refuse(entry, those)),
    back: (those) => setFlag(those, name, !value, [other, action]),
  });
}

/**
 * @typedef {object} Act
 * @property {string} action Of the API, and the key of the words for it.
 * @property {string} [galleryId]
 * @property {string} [event] What the service tells of each.
 * @property {Record<string, string>} [values] For the words.
 * @property {(ids: string[]) => void} [show] At once: what is taken away, and fields.
 * @property {(ids: string[]) => void} [done] When the service has it: where images came, lists read them.
 * @property {(ids: string[]) => void} [fail] What was shown of these is not so.
 * @property {(ids: string[]) => unknown} [back]
 */

/**
 * Do one thing to many images. Some may be refused: then what was done stays, and is told apart.
 *
 * @param {Iterable<string>} some
 * @param {Act} how
 * @returns {Promise<boolean>} Whether it was done to all.
 */
async function act(some, how) {
  const ids = [...new Set(some)];
  if (!ids.length) return true;
  how.show?.(ids);
  if (how.event) echoes.expect(how.event, ids, Date.now());
  const sent = inPieces(ids, (piece) => send(piece, how));
  const words = t(`${how.action}.done`, { count: ids.length, ...how.values });
  const withdraw = said(words, how.back && (async () => back((await sent).done, how)));
  const { done, refused, error } = await sent;
  const isDone = new Set(done);
  const left = ids.filter((id) => !isDone.has(id));
  if (done.length) how.done?.(done);
  if (!left.length) return true;
  withdraw();
  if (how.event) echoes.forget(how.event, left);
  how.fail?.(left);
  tellPart(how, done, left, refused, error);
  return false;
}

/**
 * @param {string[]} ids
 * @param {Act} how
 */
async function send(ids, { action, galleryId }) {
  if (galleryId) echoes.expect("gallery.changed", [galleryId], Date.now());
  try {
    const body = { action, ids, ...(galleryId ? { gallery_id: galleryId } : {}) };
    return (await api.post("/images/batch", body)).data.results;
  } catch (error) {
    if (galleryId) echoes.forget("gallery.changed", [galleryId]);
    throw error;
  }
}

/**
 * @param {string[]} ids
 * @param {Act} how
 */
function back(ids, how) {
  return ids.length ? how.back?.(ids) : undefined;
}

/**
 * Say what was not done, and why; with a way to try that again, or back from what was done.
 *
 * @param {Act} how
 * @param {string[]} done
 * @param {string[]} left
 * @param {Map<string, string>} refused
 * @param {unknown} error
 */
function tellPart(how, done, left, refused, error) {
  const lost = left.filter((id) => refused.get(id) === "not_found");
  const why = error ? sentence(error) : lost.length === left.length ? t("why.gone") : t("why.refused");
  const text = done.length
    ? t("partly", { done: done.length, count: left.length, why })
    : t("refused", { why });
  const again = error ? { label: t("again"), run: () => act(left, how) } : null;
  const undo = done.length && how.back ? { label: t("undo"), run: undone.push({ label: text, run: () => back(done, how) }).takeBack } : null;
  toast(text, { kind: "error", action: again ?? undo ?? undefined });
  // What is gone elsewhere is in no list any more, whatever was wanted of it.
  if (lost.length && how.action !== "remove_from_gallery") tell("images-gone", { ids: lost });
}

/** @param {Map<string, Record<string, unknown>>} shown */
function rolledBack(shown) {
  for (const [id, fields] of shown) tell("image-changed", { ids: [id], fields });
}

/**
 * @param {string[]} ids
 * @param {string} galleryId
 */
const membersOf = (ids, galleryId) => idsOf(`/galleries/${galleryId}/images`, ids, {});

/**
 * Those that have the flag so already.
 *
 * @param {string[]} ids
 * @param {string} name
 * @param {boolean} value
 */
async function flagged(ids, name, value) {
  const are = await idsOf("/images", ids, { [name]: true });
  return new Set(ids.filter((id) => are.has(id) === value));
}

/**
 * Those of the ids that a list has. Of many ids, all of the list are asked for: it is the shorter way.
 *
 * @param {string} path
 * @param {string[]} ids
 * @param {Record<string, string | boolean>} where
 */
async function idsOf(path, ids, where) {
  const found = new Set();
  const asks = ids.length > MANY ? [{}] : pieces(ids, ASKED).map((piece) => ({ ids: piece.join(",") }));
  for (const ask of asks)
    for await (const page of api.pages(path, { ...where, ...ask, fields: "id", limit: ASKED }))
      for (const { id } of page.data) found.add(id);
  return found;
}

/**
 * Ask before a change; a failure is told, and nothing changes.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @returns {Promise<T | null>}
 */
async function asked(ask) {
  try {
    return await ask();
  } catch (error) {
    toast(t("not_done", { why: sentence(error) }), { kind: "error" });
    return null;
  }
}

/** @param {Promise<unknown>} sent */
async function settled(sent) {
  try {
    await sent;
    return true;
  } catch {
    return false;
  }
}
