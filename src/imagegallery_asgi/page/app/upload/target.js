/** Where files go that are dropped or pasted anywhere, or picked by the button at the top. */
import { api } from "../core/api.js";
import { session } from "../core/session.js";
import { computed, signal } from "../core/signal.js";

/**
 * @typedef {{galleryId: string | null, name: string | null, api: import("../core/api.js").Api}} Target `name` is the
 *   gallery's; null: the library.
 */

/** Those of the views that are open; the last counts. */
const places = signal(/** @type {(() => Partial<Target> | null)[]} */ ([]));
const LIBRARY = { galleryId: null, name: null, api };

/** Null where nothing can be uploaded. */
export const target = computed(() => {
  const last = places.value.at(-1);
  const place = last ? last() : session.me.value && LIBRARY;
  return place && { ...LIBRARY, ...place };
});

/**
 * For a view: what is dropped while it is open goes there; null: nowhere.
 * @param {Partial<Target> | null | (() => Partial<Target> | null)} place Or what says it, by signals.
 * @param {AbortSignal} ended Of the view.
 */
export function receiveFiles(place, ended) {
  const here = typeof place === "function" ? place : () => place;
  places.value = [...places.value, here];
  ended.addEventListener("abort", () => (places.value = places.value.filter((each) => each !== here)));
}
