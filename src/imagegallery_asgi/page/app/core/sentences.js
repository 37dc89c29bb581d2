/** What errors say to people, in their language. */
import { ApiError } from "./api.js";
import { formatDuration } from "./formats.js";
import { messages } from "./messages.js";

const t = await messages("core");

/** Codes and states that have words of ours; for the others the service's own are shown. */
const KNOWN = new Set(["unreachable", "unauthenticated", "invalid_token", "forbidden", "not_found", "condition_failed",
  "rate_limited", "quota_exceeded", "unavailable", "overloaded", "internal_error"]);
/** @type {Record<number, string>} */
const BY_STATUS = { 401: "unauthenticated", 403: "forbidden", 404: "not_found", 412: "condition_failed", 429: "rate_limited", 500: "internal_error", 503: "unavailable" };

/**
 * @param {unknown} error
 * @returns {string}
 */
export function sentence(error) {
  if (!(error instanceof ApiError)) return t("error.unexpected");
  const code = KNOWN.has(error.code) ? error.code : BY_STATUS[error.status];
  if (code === "rate_limited" && error.retryAfter !== null)
    return t("error.rate_limited_until", { time: formatDuration(Math.ceil(error.retryAfter)) });
  return code === undefined ? error.message : t(`error.${code}`);
}
