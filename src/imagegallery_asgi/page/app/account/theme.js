/** Light, dark, or as the system is: kept in a cookie, so that the document comes in it already. */
import { session } from "../core/session.js";
import { signal } from "../core/signal.js";

/** @typedef {"system" | "light" | "dark"} Theme */

export const THEMES = /** @type {Theme[]} */ (["system", "light", "dark"]);
const COOKIE = "imagegallery_theme";

export const theme = signal(/** @type {Theme} */ (keptIn(globalThis.document?.cookie ?? "")));

/**
 * The theme that cookies say; pure.
 * @param {string} cookies
 * @returns {Theme}
 */
export function keptIn(cookies) {
  const kept = cookies.match(/(?:^|;\s*)imagegallery_theme=(\w+)/)?.[1];
  return THEMES.find((each) => each === kept) ?? "system";
}

/** @param {Theme} chosen */
export function setTheme(chosen) {
  const age = chosen === "system" ? 0 : 31_536_000;
  document.cookie = `${COOKIE}=${chosen}; Path=${session.root}/; Max-Age=${age}; SameSite=Lax`;
  theme.value = chosen;
  showTheme();
}

/** A document that the browser has kept may be in another one. */
export function showTheme() {
  const { dataset } = document.documentElement;
  if (theme.value === "system") delete dataset.theme;
  else dataset.theme = theme.value;
}
