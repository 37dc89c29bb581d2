/** The way to the viewer: a view over the one that shows an image, at an address of its own. */
import { ground, navigate } from "../core/router.js";

/**
 * @typedef {import("./neighbours.js").List} List
 * @typedef {import("./picture.js").Summary} Summary
 */

/** The last image that was opened from a view, and that view's list. */
export const opened = { source: /** @type {List | null} */ (null), summary: /** @type {Summary | null} */ (null) };

/**
 * Show an image. Back, Escape and a swipe down close it again.
 * @param {string} id
 * @param {{source?: List | null, element?: HTMLElement | null}} [how] `source` knows what is next to it; it grows
 *   out of the `element`.
 */
export async function openImage(id, { source = null, element = null } = {}) {
  const [summary] = await Promise.all([source?.summary(id).catch(() => null) ?? null, import("./viewer.js")]);
  Object.assign(opened, { source, summary });
  await grow(
    element,
    () => navigate(addressOf(id, ground.value.path), { state: { opened: true } }),
    () => document.querySelector('ig-stage .slide[data-step="0"] .frame'),
  );
}

/**
 * The address of an image over the view at a path; pure.
 * @param {string} id
 * @param {string} path
 */
export function addressOf(id, path) {
  const below = /^(\/s\/[^/]+)?(\/galleries\/[^/]+)?/.exec(path)?.[0] ?? "";
  return `${below}/images/${encodeURIComponent(id)}`;
}

/** The name of the one picture that a view transition moves. */
const MOVED = "ig-picture";
/** How often its end is looked for while nothing is drawn, and how long between, in milliseconds. */
const LOOKS = 12;
const LOOK = 8;

/**
 * Change the page while a picture grows out of another element, or back into one; where browsers cannot, or people do
 * not want it to move, the page is changed at once.
 * @param {HTMLElement | null} from
 * @param {() => unknown} change
 * @param {() => HTMLElement | null} into Where the picture ends, looked for when the page is changed.
 */
export async function grow(from, change, into) {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!from || isStill || !document.startViewTransition) {
    await change();
    return;
  }
  from.style.viewTransitionName = MOVED;
  /** @type {HTMLElement | null} */
  let end = null;
  const transition = document.startViewTransition(async () => {
    from.style.viewTransitionName = "";
    await change();
    for (let looked = 0; !end && looked < LOOKS; looked += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      end = into();
    }
    if (end) end.style.viewTransitionName = MOVED;
  });
  transition.ready.catch(() => {}); // the person was faster, or the window is hidden
  await transition.finished.catch(() => {});
  if (end) /** @type {HTMLElement} */ (end).style.viewTransitionName = "";
}
