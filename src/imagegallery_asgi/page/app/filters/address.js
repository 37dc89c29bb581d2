/**
 * Filters of lists as the page's address has them, and as the API takes them. Pure.
 *
 * The address keeps what people chose by short names of their own; days are days of the person's time zone, and the
 * API's moments are their beginnings.
 *
 * @typedef {object} Filters
 * @property {boolean} [favorite]
 * @property {boolean} [archived]
 * @property {string} [type] a media type
 * @property {string} [from] a day, `2026-06-01`, the first
 * @property {string} [to] a day, the last
 * @property {string} [visibility]
 * @property {string} [status]
 * @property {string} [stars] at least so many, `1` to `5`
 * @property {string} [tag]
 * @property {true} [loose] in no gallery: a list of its own, which goes with no other filter
 */

export const VISIBILITIES = ["private", "unlisted", "public"];
export const STATUSES = ["pending", "processing", "failed"];
export const STARS = ["1", "2", "3", "4", "5"];
const LONGEST_TAG = 100;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TYPE = /^image\/[a-z0-9.+-]{1,60}$/;
/** @type {(keyof Filters)[]} in the order of the chips */
export const NAMES = ["favorite", "archived", "type", "from", "to", "visibility", "status", "stars", "tag", "loose"];

/**
 * What an address says; what is no filter, or none that can be, is passed over.
 *
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function fromQuery(query) {
  /** @type {Filters} */
  const filters = {};
  if (query.get("loose") === "yes") return { loose: true };
  for (const name of /** @type {const} */ (["favorite", "archived"])) {
    const said = query.get(name);
    if (said === "yes" || said === "no") filters[name] = said === "yes";
  }
  const type = query.get("type");
  if (type !== null && TYPE.test(type)) filters.type = type;
  for (const name of /** @type {const} */ (["from", "to"])) {
    const day = query.get(name);
    if (day !== null && isDay(day)) filters[name] = day;
  }
  const visibility = query.get("visibility");
  if (visibility !== null && VISIBILITIES.includes(visibility)) filters.visibility = visibility;
  const status = query.get("status");
  if (status !== null && STATUSES.includes(status)) filters.status = status;
  const stars = query.get("stars");
  if (stars !== null && STARS.includes(stars)) filters.stars = stars;
  const tag = query.get("tag")?.trim();
  if (tag && tag.length <= LONGEST_TAG) filters.tag = tag;
  return filters;
}

/**
 * The address with these filters: whatever else it says stays.
 *
 * @param {Filters} filters
 * @param {URLSearchParams} query
 * @returns {URLSearchParams}
 */
export function toQuery(filters, query = new URLSearchParams()) {
  const said = new URLSearchParams(query);
  for (const name of NAMES) {
    const value = filters[name];
    if (value === undefined) said.delete(name);
    else said.set(name, typeof value === "boolean" ? (value ? "yes" : "no") : value);
  }
  return said;
}

/**
 * The parameters of the API. A day begins in the time zone of who asks.
 *
 * @param {Filters} filters
 * @returns {Record<string, string | boolean>}
 */
export function toParameters({ favorite, archived, type, from, to, visibility, status, stars, tag, loose }) {
  if (loose) return { unattached: true };
  /** @type {Record<string, string | boolean>} */
  const said = {};
  if (favorite !== undefined) said.is_favorite = favorite;
  if (archived !== undefined) said.is_archived = archived;
  if (type) said.mime_type = type;
  if (from) said.taken_from = beginning(from, 0);
  if (to) said.taken_before = beginning(to, 1);
  if (visibility) said.visibility = visibility;
  if (status) said.status = status;
  if (stars) said.rating_from = stars;
  if (tag) said.tag = tag;
  return said;
}

/** @param {Filters} filters */
export function isEmpty(filters) {
  return NAMES.every((name) => filters[name] === undefined);
}

/**
 * With the days in their order, whichever was chosen last.
 *
 * @param {Filters} filters
 * @returns {Filters}
 */
export function tidy(filters) {
  const { from, to } = filters;
  return from && to && from > to ? { ...filters, from: to, to: from } : filters;
}

/** @param {string} day */
function isDay(day) {
  if (!DAY.test(day)) return false;
  const moment = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(moment.valueOf()) && moment.toISOString().startsWith(day) && day > "0001";
}

/**
 * @param {string} day
 * @param {number} later in days
 */
function beginning(day, later) {
  const [year, month, date] = /** @type {[number, number, number]} */ (day.split("-").map(Number));
  const moment = new Date(2000, 0, 1);
  moment.setFullYear(year, month - 1, date + later);
  return moment.toISOString();
}
