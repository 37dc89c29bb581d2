/** What a link answers, as somebody who has it sees it. Pure. */

/**
 * @typedef {{id: string, name: string, description: string, cover: any, image_count: number | null}} Gallery
 * @typedef {{id: string, permissions: string[], metadata: string, download: "none" | "variant" | "original", note: string,
 *   expires_at: string | null, library: boolean, galleries: Gallery[], images: any[], takes_uploads: boolean,
 *   approval: boolean, guest_name: string | null}} Opened
 * @typedef {"password" | "limited" | "ended" | "missing" | "busy" | "offline" | "failed"} Refusal
 * @typedef {{kind: "gallery", gallery: Gallery} | {kind: "library"} | {kind: "several"} | {kind: "none"}} Shown
 */

/** @type {Record<string, Refusal>} */
const BY_CODE = { password_required: "password", wrong_password: "password", visit_required: "limited", share_ended: "ended" };
/** @type {Record<number, Refusal>} */
const BY_STATUS = { 0: "offline", 404: "missing", 410: "ended", 429: "busy", 503: "busy" };

/**
 * @param {{code: string, status: number}} error
 * @returns {Refusal}
 */
export const refusalOf = ({ code, status }) => BY_CODE[code] ?? BY_STATUS[status] ?? "failed";

/** Why a share has ended. @param {{problem?: {details?: any}}} error @returns {"revoked" | "expired" | "exhausted"} */
export function endOf(error) {
  const reason = error.problem?.details?.reason;
  return reason === "expired" || reason === "exhausted" ? reason : "revoked";
}

/**
 * What is to be seen at an address below a link: one gallery, where there is only one or it is named; otherwise all.
 * @param {Opened} opened
 * @param {string | undefined} galleryId
 * @returns {Shown}
 */
export function shownOf({ galleries, images, library }, galleryId) {
  if (galleryId !== undefined) {
    const gallery = galleries.find((each) => each.id === galleryId);
    return gallery ? { kind: "gallery", gallery } : { kind: "none" };
  }
  const [only] = galleries;
  if (only && galleries.length === 1 && images.length === 0 && !library) return { kind: "gallery", gallery: only };
  if (library && galleries.length === 0) return { kind: "library" };
  return galleries.length + images.length > 0 || library ? { kind: "several" } : { kind: "none" };
}

/** The path of a link, for the API and the page. @param {string} link @param {string} [galleryId] */
export const pathOf = (link, galleryId) => `/s/${encodeURIComponent(link)}${galleryId ? `/galleries/${galleryId}` : ""}`;
