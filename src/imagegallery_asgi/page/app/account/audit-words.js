/** The entries of the audit, put in order for people; pure. */

/**
 * @typedef {{id: string, happened_at: string, act: string, actor: {kind: string, id: string | null}, grant: string,
 *   owner_id: string | null, image_id: string | null, gallery_id: string | null, share_id: string | null,
 *   subject: string | null, details: Record<string, unknown>, address: string | null, user_agent: string | null}} Entry
 */

/** What can have been done, by the names of the API. */
export const ACTS = [
  "image.trashed", "image.restored", "image.purged", "image.visibility_changed", "image.original_downloaded",
  "gallery.deleted", "gallery.visibility_changed",
  "contribution.added", "contribution.approved", "contribution.rejected", "contribution.withdrawn",
  "owner.limit_changed", "owner.export_requested", "owner.erasure_requested", "owner.erasure_cancelled", "owner.erased",
  "policy.changed", "policy.restored", "job.redriven", "job.discarded",
  "share.created", "share.changed", "share.link_changed", "share.revoked", "share.joined", "share.left", "share.deleted",
  "webhook.created", "webhook.enabled", "webhook.deleted",
];

/**
 * The entries by the day on which they were, where the reader is; in their order.
 * @param {Entry[]} entries
 * @returns {[string, Entry[]][]}
 */
export function byDay(entries) {
  /** @type {Map<string, Entry[]>} */
  const days = new Map();
  for (const each of entries) {
    const day = dayOf(new Date(each.happened_at));
    days.set(day, [...(days.get(day) ?? []), each]);
  }
  return [...days];
}

/** @param {Date} moment */
const dayOf = (moment) =>
  [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

/**
 * What changed: pairs of what was and what is, a `from` and a `to`, or facts alone.
 * @param {Record<string, unknown>} details
 * @returns {{name: string, was: string | null, becomes: string}[]}
 */
export function detailsOf(details) {
  if ("from" in details && "to" in details) {
    const { from, to, ...others } = details;
    return [{ name: "", was: textOf(from), becomes: textOf(to) }, ...detailsOf(others)];
  }
  return Object.entries(details).map(([name, value]) =>
    Array.isArray(value) && value.length === 2
      ? { name, was: textOf(value[0]), becomes: textOf(value[1]) }
      : { name, was: null, becomes: textOf(value) },
  );
}

/** @param {unknown} value */
const textOf = (value) => (value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value));

/**
 * What allowed it: the kind of it, and which one.
 * @param {string} grant
 */
export function grantOf(grant) {
  const [key = "", id = ""] = grant.split(":");
  return { key, id };
}

/**
 * The things it was done to, with the addresses of those that can be looked at.
 * @param {Pick<Entry, "image_id" | "gallery_id" | "share_id">} entry
 */
export const thingsOf = ({ image_id, gallery_id, share_id }) =>
  [
    { kind: "image", id: image_id, path: `/images/${image_id}` },
    { kind: "gallery", id: gallery_id, path: `/galleries/${gallery_id}` },
    { kind: "share", id: share_id, path: `/shares/${share_id}` },
  ].filter(({ id }) => id !== null);

/**
 * What is asked of the service, by what the address of the view says. A day ends where the next begins.
 * @param {URLSearchParams} query
 */
export function askedBy(query) {
  const [since, until] = [query.get("since"), query.get("until")];
  return {
    act: query.get("act"),
    actor_id: query.get("actor"),
    owner_id: query.get("owner"),
    image_id: query.get("image"),
    gallery_id: query.get("gallery"),
    share_id: query.get("share"),
    since: since && startOf(since, 0),
    until: until && startOf(until, 1),
  };
}

/**
 * @param {string} day
 * @param {number} later
 */
function startOf(day, later) {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const moment = new Date(year, month - 1, date + later);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString();
}
