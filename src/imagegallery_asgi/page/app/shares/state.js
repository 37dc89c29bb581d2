/** What has become of a share, and who came by it. Pure. */

/**
 * @typedef {import("./terms.js").Share} Share
 * @typedef {"active" | "expired" | "exhausted" | "revoked"} State
 * @typedef {{day: string, visitor: string, opened: number, recipient: import("./terms.js").RecipientDocument | null,
 *   first_at: string, last_at: string}} Access
 * @typedef {{day: string, opened: number, visitors: number}} Day
 */

const DAY = 86_400_000;

/**
 * A link that was opened as often as it may be is exhausted; the recipients of the share have it still.
 * @param {Share} share
 * @param {number} now Milliseconds.
 * @returns {State}
 */
export function stateOf(share, now) {
  if (share.revoked_at !== null) return "revoked";
  if (share.expires_at !== null && Date.parse(share.expires_at) <= now) return "expired";
  if (share.has_link && share.max_views !== null && share.views >= share.max_views) return "exhausted";
  return "active";
}

/**
 * Whether other pages can show it in a frame: from there nobody gives a password, and nothing is counted.
 * @param {{has_password: boolean, max_views: number | null}} share
 */
export const opensInFrames = ({ has_password, max_views }) => !has_password && max_views === null;

/**
 * How often it was opened on each of the last days, today last; days are those of UTC, as the service counts them.
 * @param {Access[]} accesses
 * @param {number} now Milliseconds.
 * @param {number} count
 * @returns {Day[]}
 */
export function daysOf(accesses, now, count) {
  /** @type {Map<string, Day>} */
  const days = new Map();
  for (let ago = count - 1; ago >= 0; ago--) {
    const day = dayOf(now - ago * DAY);
    days.set(day, { day, opened: 0, visitors: 0 });
  }
  for (const { day, opened } of accesses) {
    const known = days.get(day);
    if (!known) continue;
    known.opened += opened;
    known.visitors += 1;
  }
  return [...days.values()];
}

/** @param {number} time Milliseconds. */
export const dayOf = (time) => new Date(time).toISOString().slice(0, 10);

/**
 * Which galleries and images some shares are of, each once.
 * @param {{targets: import("./terms.js").Target[]}[]} shares
 */
export function namedBy(shares) {
  const targets = shares.flatMap((each) => each.targets);
  const ids = (/** @type {(string | null | undefined)[]} */ all) => [...new Set(all.filter((each) => each != null))];
  return { galleries: ids(targets.map((each) => each.gallery_id)), images: ids(targets.map((each) => each.image_id)) };
}
