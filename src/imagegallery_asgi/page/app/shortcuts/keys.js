/**
 * Keys that do something wherever the focus is: each view says which, while it is there. All are in the dialog of "?".
 * Keys without Ctrl or Alt can be turned off there, as a voice that dictates types them (WCAG 2.2, 2.1.4).
 */
import { signal } from "../core/signal.js";

/**
 * @typedef {{keys: string[], says: string, run?: (event: KeyboardEvent) => unknown}} Shortcut `keys` do the same, each
 *   as `event.key` names it, after "Ctrl+", "Alt+" or "Shift+"; without `run` the view listens to them itself.
 * @typedef {{title: string, shortcuts: Shortcut[]}} Group
 */

const STORED = "imagegallery.keys";

/** What there is now, the latest last. */
export const groups = signal(/** @type {Group[]} */ ([]));

/** Whether keys alone do anything. */
export const keysAreOn = signal(stored() !== "off");

/**
 * Listen to keys until `ended`.
 * @param {string} title Whose keys they are: the name of the view.
 * @param {Shortcut[]} shortcuts
 * @param {AbortSignal} ended
 */
export function useKeys(title, shortcuts, ended) {
  const group = { title, shortcuts };
  groups.value = [...groups.value, group];
  ended.addEventListener("abort", () => (groups.value = groups.value.filter((each) => each !== group)), { once: true });
}

/** @param {boolean} isOn */
export function turnKeys(isOn) {
  keysAreOn.value = isOn;
  try {
    localStorage.setItem(STORED, isOn ? "on" : "off");
  } catch {
    // The browser keeps nothing: it is for this page alone.
  }
}

function stored() {
  try {
    return globalThis.localStorage?.getItem(STORED);
  } catch {
    return null;
  }
}

/**
 * The name of what was pressed; pure. Shift is named where it is not in the key itself, as in "?".
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean, shiftKey?: boolean}} event
 */
export function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }) {
  const isLetter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const hasShift = shiftKey && (isLetter || key.length > 1);
  return `${ctrlKey || metaKey ? "Ctrl+" : ""}${altKey ? "Alt+" : ""}${hasShift ? "Shift+" : ""}${isLetter ? key.toLowerCase() : key}`;
}

/**
 * The shortcut of this key, of the latest group that has it; pure.
 * @param {Group[]} all
 * @param {string} name
 */
export function find(all, name) {
  for (const { shortcuts } of all.toReversed()) {
    const found = shortcuts.find(({ keys, run }) => run && keys.includes(name));
    if (found) return found;
  }
  return null;
}

/** @param {EventTarget | null} target Whether keys are letters there, or belong to what is open. */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("dialog, [popover], [role=menu], [role=listbox]")) return true;
  return target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=range])");
}

/** Whether this key is one that a view may take now: nobody is typing, and keys alone are on. @param {KeyboardEvent} event */
export function isFree(event) {
  if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return false;
  return keysAreOn.value || event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1;
}

/** Begin to listen: once a page. */
export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (!isFree(event)) return;
    const shortcut = find(groups.value, nameOf(event));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run?.(event);
  });
}
