/** What those who listen to a screen are told of uploads: a beginning, quarters, what needs them, an end. Pure. */

/**
 * @typedef {ReturnType<import("./queue.js").Queue["totals"]>} Totals
 * @typedef {{key: string, count?: number, percent?: number}} Announcement
 * @typedef {{quarter: number, needs: number, active: number}} Told
 */

/** @type {Told} */
export const NOTHING_TOLD = { quarter: 0, needs: 0, active: 0 };

/**
 * @param {Told} told
 * @param {Totals} totals
 * @returns {{told: Told, say: Announcement | null}}
 */
export function announce(told, { counts, bytes, sent }) {
  const active = counts.new + counts.reading + counts.read + counts.checking + counts.ready + counts.sending;
  const needs = counts.known + counts.refused + counts.missing;
  const quarter = bytes > 0 ? Math.min(3, Math.floor((4 * sent) / bytes)) : 0; // the fourth is the end
  if (told.active === 0 && active > 0) return { told: { quarter, needs, active }, say: { key: "said-begun", count: active } };
  if (told.active > 0 && active === 0)
    return { told: { ...NOTHING_TOLD, needs }, say: needs > 0 ? { key: "said-needs", count: needs } : { key: "said-done", count: counts.done } };
  if (quarter > told.quarter && active > 0)
    return { told: { quarter, needs, active }, say: { key: "said-percent", percent: quarter * 25 } };
  if (needs > 0 && told.needs === 0) return { told: { ...told, needs }, say: { key: "said-needs", count: needs } };
  return { told: { ...told, active, needs: Math.max(needs, told.needs) }, say: null };
}
