/**
 * Addresses and views: `place` is where the page is. A view may lie over another one (the viewer over a grid): the one
 * below is the `ground`, and stays as it is until the page goes elsewhere.
 */
import { session } from "./session.js";
import { batch, signal } from "./signal.js";

/**
 * @typedef {{path: string, view: () => Promise<{default: {tag: string}}>, over?: string}} Route `over`: the address of
 *   the view that it lies over, where none is there yet, with the same parameters.
 * @typedef {{path: string, params: Record<string, string>, query: URLSearchParams, state: Record<string, any>,
 *   route: Route | null}} Place
 */

/** @type {Route[]} */
let routes = [];

const NOWHERE = /** @type {Place} */ ({ path: "", params: {}, query: new URLSearchParams(), state: {}, route: null });

/** Where the page is. */
export const place = signal(NOWHERE);
/** The view below: the same as `place` but for a view over another. */
export const ground = signal(NOWHERE);

/**
 * The address of a path of this page, below the mount.
 * @param {string} path
 */
export const link = (path) => session.root + path;

/**
 * Say what is shown, for the history and for windows.
 * @param {string} text
 */
export function entitle(text) {
  document.title = text ? `${text} · imagegallery` : "imagegallery";
}

/**
 * Find the view of a path; pure.
 * @param {Route[]} all
 * @param {string} path
 * @returns {{route: Route, params: Record<string, string>} | null}
 */
export function match(all, path) {
  const segments = segmentsOf(path);
  for (const route of all) {
    const params = paramsOf(segmentsOf(route.path), segments);
    if (params) return { route, params };
  }
  return null;
}

/** @param {string} path */
const segmentsOf = (path) => path.split("/").filter(Boolean);

/**
 * @param {string[]} pattern
 * @param {string[]} segments
 */
function paramsOf(pattern, segments) {
  if (pattern.length !== segments.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [index, part] of pattern.entries()) {
    const segment = /** @type {string} */ (segments[index]);
    if (part.startsWith(":")) params[part.slice(1)] = decoded(segment);
    else if (part !== segment) return null;
  }
  return params;
}

/** @param {string} segment */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * Go on from here.
 * @param {Route[]} all
 */
export function startRouter(all) {
  routes = all;
  history.scrollRestoration = "manual";
  addEventListener("popstate", arrive);
  document.addEventListener("click", follow);
  arrive();
}

/**
 * Go to a path of this page.
 * @param {string} path With its query, below the mount.
 * @param {{replace?: boolean, state?: Record<string, any>}} [options]
 */
export function navigate(path, { replace = false, state = {} } = {}) {
  const lies = match(routes, path.split("?")[0] ?? "")?.route.over !== undefined;
  const kept = lies && ground.value.path ? { ground: addressOf(ground.value), groundState: ground.value.state } : {};
  history[replace ? "replaceState" : "pushState"]({ ...kept, ...state }, "", link(path));
  arrive();
}

/**
 * Keep something with this entry of the history, for when the person comes back to it.
 * @param {Record<string, any>} state
 */
export function remember(state) {
  const { route } = place.value;
  if (route?.over !== undefined) {
    // The ground below remembers: it is shown again when the view over it closes.
    const groundState = { ...history.state?.groundState, ...state };
    history.replaceState({ ...history.state, groundState }, "");
    ground.value.state = { ...ground.value.state, ...state };
    return;
  }
  history.replaceState({ ...history.state, ...state }, "");
  place.value.state = { ...place.value.state, ...state };
}

/** @param {Place} there */
function addressOf({ path, query }) {
  const text = query.toString();
  return path + (text && `?${text}`);
}

/**
 * @param {string} address
 * @param {Record<string, any>} state
 * @returns {Place}
 */
function placeOf(address, state) {
  const url = new URL(address, "http://page");
  const found = match(routes, url.pathname);
  return { path: url.pathname, query: url.searchParams, state, route: found?.route ?? null, params: found?.params ?? {} };
}

function arrive() {
  const path = location.pathname.slice(session.root.length) || "/";
  const there = placeOf(path + location.search, history.state ?? {});
  batch(() => {
    place.value = there;
    ground.value = there.route?.over === undefined ? there : groundOf(there, there.route.over);
  });
}

/**
 * @param {Place} there
 * @param {string} over
 */
function groundOf(there, over) {
  const below = over.replace(/:(\w+)/g, (_, name) => encodeURIComponent(there.params[name] ?? ""));
  const address = there.state.ground ?? below;
  const known = ground.value;
  return known.path && addressOf(known) === address ? known : placeOf(address, there.state.groundState ?? {});
}

/** @param {MouseEvent} event A click on a link of this page, which is followed without loading it anew. */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(anchor instanceof HTMLAnchorElement) || anchor.target || anchor.hasAttribute("download")) return;
  if (anchor.origin !== location.origin || !anchor.pathname.startsWith(`${session.root}/`)) return;
  const path = anchor.pathname.slice(session.root.length);
  if (!match(routes, path)) return;
  if (anchor.pathname === location.pathname && anchor.search === location.search && anchor.hash) return;
  event.preventDefault();
  navigate(path + anchor.search);
}
