/** What a share lets others do, as a person fills it in, and as the API has it. Pure. */

/**
 * @typedef {"look" | "add" | "edit"} May
 * @typedef {"none" | "variant" | "original"} Download
 * @typedef {"none" | "basic" | "all"} Metadata
 * @typedef {"user" | "email" | "group"} RecipientKind
 * @typedef {{gallery_id?: string | null, image_id?: string | null, library?: boolean}} Target
 * @typedef {{kind: RecipientKind, name: string, may: May | null, download: Download | null,
 *   metadata: Metadata | null}} Recipient null: as the share says.
 * @typedef {{user?: string | null, email?: string | null, group?: string | null, permissions?: string[] | null,
 *   metadata?: Metadata | null, download?: Download | null, id?: string, by_link?: boolean, joined_at?: string | null}} RecipientDocument
 * @typedef {{id: string, has_link: boolean, slug: string | null, url: string | null, targets: Target[],
 *   permissions: string[], metadata: Metadata, download: Download, has_password: boolean, starts_at: string | null,
 *   expires_at: string | null, max_views: number | null, views: number, note: string, approval: boolean,
 *   guest_max_images: number, guest_max_bytes: number, recipients: RecipientDocument[], created_at: string,
 *   updated_at: string, revoked_at: string | null}} Share
 * @typedef {{link: boolean, may: May, download: Download, metadata: Metadata, slug: string, password: string | null,
 *   expires: string, maxViews: string, note: string, starts: string, approval: boolean, guestImages: string,
 *   guestGigabytes: string, recipients: Recipient[]}} Terms Texts are those of the fields of a form; `expires` and
 *   `starts` are local times as `datetime-local` has them. `password` null: as it is.
 */

const GIGABYTE = 1e9;
export const MOST_TARGETS = 100;
const SHORTEST_PASSWORD = 4;
const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** @type {Terms} */
export const NEW_TERMS = {
  link: true,
  may: "look",
  download: "none",
  metadata: "basic",
  slug: "",
  password: "",
  expires: "",
  maxViews: "",
  note: "",
  starts: "",
  approval: true,
  guestImages: "500",
  guestGigabytes: "5",
  recipients: [],
};

/** @param {Share} share @returns {Terms} */
export function termsOf(share) {
  return {
    link: share.has_link,
    may: mayOf(share.permissions),
    download: share.download,
    metadata: share.metadata,
    slug: share.slug ?? "",
    password: null,
    expires: localTime(share.expires_at),
    maxViews: share.max_views === null ? "" : String(share.max_views),
    note: share.note,
    starts: localTime(share.starts_at),
    approval: share.approval,
    guestImages: String(share.guest_max_images),
    guestGigabytes: String(Math.round((share.guest_max_bytes / GIGABYTE) * 100) / 100),
    recipients: share.recipients.filter((each) => !each.by_link).map(recipientOf),
  };
}

/** @param {string[]} permissions @returns {May} */
export const mayOf = (permissions) => (permissions.includes("edit") ? "edit" : permissions.includes("add_images") ? "add" : "look");

/** @param {RecipientDocument} given @returns {Recipient} */
function recipientOf(given) {
  const kind = /** @type {const} */ (["user", "email", "group"]).find((each) => given[each] != null) ?? "user";
  return { kind, name: given[kind] ?? "", may: given.permissions ? mayOf(given.permissions) : null, download: given.download ?? null, metadata: given.metadata ?? null };
}

/** @param {May} may @param {Download} download @param {string[]} [before] What a share had that no form says. */
export function permissionsOf(may, download, before = []) {
  return [
    "view",
    ...(download === "original" ? ["download"] : []),
    ...(before.includes("comment") ? ["comment"] : []),
    ...(may === "look" ? [] : ["add_images"]),
    ...(may === "edit" ? ["edit"] : []),
  ];
}

/**
 * The body of a new share.
 * @param {Terms} terms
 * @param {Target[]} targets
 */
export function bodyOf(terms, targets) {
  const { slug, password, max_views, ...rest } = documentOf(terms);
  const ofLink = { slug: slug || null, password: password || null, max_views };
  const starts = targets.some((each) => each.library) ? { starts_at: moment(terms.starts) } : {};
  return { targets, link: terms.link, ...rest, ...starts, ...(terms.link ? ofLink : {}) };
}

/**
 * What a form changes of a share, and nothing else: what is not said stays.
 * @param {Share} share
 * @param {Terms} terms
 * @returns {Record<string, unknown>}
 */
export function changesOf(share, terms) {
  const before = termsOf(share);
  const [was, is] = [documentOf(before, share.permissions), documentOf(terms, share.permissions)];
  const named = Object.entries(is).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(/** @type {any} */ (was)[name]));
  const changes = Object.fromEntries(named);
  // A form has no seconds and no bytes: what nobody touched stays as it is.
  if (before.expires === terms.expires) delete changes.expires_at;
  if (before.guestGigabytes === terms.guestGigabytes) delete changes.guest_max_bytes;
  if (terms.password === null) delete changes.password;
  else changes.password = terms.password || null;
  return changes;
}

/** @param {Terms} terms @param {string[]} [before] */
function documentOf(terms, before = []) {
  return {
    permissions: permissionsOf(terms.may, terms.download, before),
    download: terms.download,
    metadata: terms.metadata,
    slug: terms.slug.trim() || null,
    password: terms.password,
    expires_at: moment(terms.expires),
    max_views: terms.maxViews.trim() === "" ? null : Number(terms.maxViews),
    note: terms.note.trim(),
    approval: terms.approval,
    guest_max_images: Number(terms.guestImages),
    guest_max_bytes: Math.round(Number(terms.guestGigabytes) * GIGABYTE),
    recipients: terms.recipients.map((each) => ({
      [each.kind]: each.name,
      ...(each.metadata === null ? {} : { metadata: each.metadata }),
      ...(each.may === null && each.download === null
        ? {}
        : {
            permissions: permissionsOf(each.may ?? terms.may, each.download ?? terms.download),
            download: each.download ?? terms.download,
          }),
    })),
  };
}

/**
 * What is wrong, by field, each with the key of its message.
 * @param {Terms} terms
 * @param {number} now Milliseconds.
 * @param {string | null} [expiresBefore] What `expires` was: a time that is past already may stay.
 * @returns {Partial<Record<keyof Terms, string>>}
 */
export function faultsOf(terms, now, expiresBefore = null) {
  /** @type {Partial<Record<keyof Terms, string>>} */
  const faults = {};
  if (!terms.link && terms.recipients.length === 0) faults.recipients = "fault.nobody";
  if (terms.link && terms.slug.trim() && !SLUG.test(terms.slug.trim())) faults.slug = "fault.slug";
  if (terms.link && terms.password && terms.password.length < SHORTEST_PASSWORD) faults.password = "fault.password";
  const expires = moment(terms.expires);
  if (expires !== null && terms.expires !== expiresBefore && Date.parse(expires) <= now) faults.expires = "fault.past";
  if (terms.link && terms.maxViews.trim() && !isWhole(terms.maxViews, 1)) faults.maxViews = "fault.number";
  if (terms.may !== "look" && !isWhole(terms.guestImages, 0, 10_000)) faults.guestImages = "fault.number";
  if (terms.may !== "look" && !(Number(terms.guestGigabytes) >= 0)) faults.guestGigabytes = "fault.number";
  return faults;
}

/** @param {string} text @param {number} least @param {number} [most] */
function isWhole(text, least, most = Number.MAX_SAFE_INTEGER) {
  const number = Number(text);
  return Number.isInteger(number) && number >= least && number <= most;
}

/**
 * Whom a text names: what looks like an e-mail address is one, anything else a user.
 * @param {string} text
 * @returns {Recipient | null}
 */
export function readRecipient(text) {
  const name = text.trim();
  if (!name) return null;
  const isAddress = /^\S+@\S+\.\S+$/.test(name);
  return { kind: isAddress ? "email" : "user", name: isAddress ? name.toLowerCase() : name, may: null, download: null, metadata: null };
}

/** @param {string} local As `datetime-local` has it. @returns {string | null} */
function moment(local) {
  const time = new Date(local);
  return local && !Number.isNaN(time.getTime()) ? time.toISOString() : null;
}

/** @param {string | null} moment */
export function localTime(moment) {
  if (moment === null) return "";
  const time = new Date(moment);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
