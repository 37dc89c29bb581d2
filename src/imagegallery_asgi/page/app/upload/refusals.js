/** Why the service takes a file not, in words: from the codes of the API to messages. Pure. */

/**
 * @typedef {import("./protocol.js").Refusal} Refusal
 * @typedef {import("./pictures.js").Limits} Limits
 */

/** By code, and where a code has several, by code and reason. A message may have {limit}, {types} and {detail}. */
const MESSAGES = new Map(
  Object.entries({
    empty_file: "empty",
    not_a_picture: "not-a-picture",
    unsupported_type: "unsupported-type",
    unsupported_body: "unsupported-type",
    type_mismatch: "not-a-picture",
    too_large: "too-large",
    http_413: "too-large",
    bad_image: "damaged",
    "bad_image truncated": "truncated",
    "bad_image unsupported": "unsupported-kind",
    "bad_image too_many_pixels": "too-many-pixels",
    "bad_image too_many_frames": "too-many-pixels",
    "bad_image too_many_scans": "too-many-pixels",
    "bad_image decoder_timeout": "too-hard",
    "bad_image decoder_out_of_memory": "too-hard",
    "bad_image decoder_crashed": "too-hard",
    "bad_image decoder_missing": "unsupported-kind",
    wrong_dimensions: "said",
    refused: "said",
    invalid_input: "said",
    size_mismatch: "changed",
    checksum_mismatch: "changed",
    digest_mismatch: "changed",
    inconsistent_upload_length: "changed",
    unreadable: "unreadable",
    quota_exceeded: "quota",
    disk_full: "disk-full",
    duplicate: "duplicate",
    gallery_full: "gallery-full",
    too_many_open_uploads: "too-many-open",
    forbidden: "forbidden",
    share_ended: "share-ended",
    not_found: "gone",
    upload_ended: "over",
    upload_expired: "over",
    hook_failed: "later",
    unreachable: "later",
    no_answer: "later",
    internal_error: "broken",
    body_stalled: "later",
    upload_locked: "later",
  }),
);

/** What may be otherwise another time, without another file. */
const MENDABLE = new Set(["quota", "disk-full", "gallery-full", "too-many-open", "forbidden", "over", "later", "broken", "gone"]);

/** @param {Refusal} refusal The key of its message. */
export function messageOf({ code, reason, message }) {
  const found = MESSAGES.get(`${code} ${reason}`) ?? MESSAGES.get(code) ?? (message ? "said" : "broken");
  return found === "said" && !message ? "refused" : found;
}

/** @param {Refusal} refusal Whether trying again may help. */
export function mayBeTriedAgain(refusal) {
  return !refusal.isFinal || MENDABLE.has(messageOf(refusal));
}

/**
 * One sentence.
 * @param {Refusal} refusal
 * @param {Limits} limits
 * @param {(key: string, values?: Record<string, string | number>) => string} t
 * @param {(bytes: number) => string} formatBytes
 */
export function sentenceOf(refusal, limits, t, formatBytes) {
  const limit = Number(refusal.details.limit ?? limits.maxSize);
  const key = messageOf(refusal);
  return t(`refusal-${key === "too-large" && !(limit > 0) ? "too-large-for-it" : key}`, {
    limit: limit > 0 ? formatBytes(limit) : "",
    types: kinds(limits.types),
    detail: refusal.message,
  });
}

/** @param {string[]} types */
export function kinds(types) {
  const names = types.map((type) => type.replace("image/", "").toUpperCase());
  return names.filter((name) => name !== "HEIF").join(", ");
}
