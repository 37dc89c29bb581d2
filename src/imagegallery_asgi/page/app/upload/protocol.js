/**
 * How one file gets to the service, whatever the network does: the IETF draft of resumable uploads
 * (draft-ietf-httpbis-resumable-upload, interop version 8) with an `Idempotency-Key`. Pure: what to send next, and what
 * an answer means.
 *
 * A file takes one request. Where its answer did not come, the same request without the bytes says how far the service is
 * (or that it is through, or why it refused), and the rest follows. The key is all that has to be remembered.
 */

/**
 * @typedef {{name: string, type: string, size: number, digest: string | null, galleryId: string | null,
 *   onDuplicate: string | null}} Described `digest` is the SHA-256 in hexadecimal.
 * @typedef {{key: string, described: Described, phase: "fresh" | "lost" | "open", address: string | null,
 *   offset: number, anew: number}} Transfer `offset` bytes are in for certain. `anew` counts how often it was begun.
 * @typedef {{method: string, path: string | null, address: string | null, query: Record<string, string | null>,
 *   headers: Record<string, string>, from: number | null}} Asked To `path` below the API, or to `address`; with the
 *   file's bytes `from` there on, or none.
 * @typedef {{status: number, header: (name: string) => string | null, body: any}} Answer `status` 0: none came.
 * @typedef {{kind: "go", transfer: Transfer, isProgress: boolean}
 *   | {kind: "again", transfer: Transfer, after: number | null, code: string}
 *   | {kind: "slow", transfer: Transfer, after: number | null, code: string}
 *   | {kind: "sign-in", transfer: Transfer, code: string}
 *   | {kind: "done", image: any}
 *   | {kind: "refused", refusal: Refusal}} Outcome `after` is in seconds. `slow`: everything has to wait.
 * @typedef {{code: string, reason: string | null, details: Record<string, any>, message: string, isFinal: boolean}} Refusal
 *   `isFinal`: this upload is over; otherwise the same may go on another time.
 */

const DRAFT = { "Upload-Draft-Interop-Version": "8" };
const MOST_ANEW = 3;

/** What may be otherwise in a moment, by status; the answer may have come after the service did as it was asked. */
const PASSING = new Set([0, 408, 423, 425, 500, 502, 504]);
const SLOW = new Set([429, 503]);
const UNREACHABLE = new Set([0, 502, 504]);
const LOST_ITS_PLACE = new Set(["offset_mismatch", "upload_interrupted", "upload_incomplete", "completed_upload"]);
const OVER = new Set(["upload_ended", "upload_expired", "idempotency_key_reused"]);

/**
 * @param {string} key Of this file in this queue, and no other.
 * @param {Described} described
 * @returns {Transfer}
 */
export function begin(key, described) {
  return { key, described, phase: "fresh", address: null, offset: 0, anew: 0 };
}

/**
 * One that was begun before, as far as its key tells: after a reload, a crash, a pause.
 * @param {string} key
 * @param {Described} described
 * @returns {Transfer}
 */
export function goOn(key, described) {
  return { ...begin(key, described), phase: "lost" };
}

/**
 * @param {Transfer} transfer
 * @returns {Asked}
 */
export function ask({ key, described, phase, address, offset, anew }) {
  if (phase === "open") {
    const headers = {
      ...DRAFT,
      "Content-Type": "application/partial-upload",
      "Upload-Offset": String(offset),
      "Upload-Complete": "?1",
    };
    return { method: "PATCH", path: null, address, query: {}, headers, from: offset };
  }
  const isWhole = phase === "fresh";
  return {
    method: "POST",
    path: "/uploads/resumable",
    address: null,
    query: { filename: described.name, gallery_id: described.galleryId, on_duplicate: described.onDuplicate },
    headers: {
      ...DRAFT,
      "Content-Type": described.type || "application/octet-stream",
      "Upload-Complete": isWhole ? "?1" : "?0",
      "Upload-Length": String(described.size),
      "Idempotency-Key": anew === 0 ? key : `${key}-${anew}`,
      ...(described.digest === null ? {} : { "Repr-Digest": `sha-256=:${base64(described.digest)}:` }),
    },
    from: isWhole ? 0 : null,
  };
}

/**
 * @param {Transfer} transfer
 * @param {Answer} answer To what `ask` had sent.
 * @returns {Outcome}
 */
export function hear(transfer, answer) {
  const { status, body } = answer;
  if (status === 201 || status === 204) return goesOn(transfer, answer);
  if (status >= 200 && status < 300) return { kind: "done", image: body?.data ?? null };
  const code = body?.code ?? (status === 0 ? "unreachable" : `http_${status}`);
  const lost = /** @type {Transfer} */ ({ ...transfer, phase: "lost" });
  if (status === 401) return { kind: "sign-in", transfer: lost, code };
  if (SLOW.has(status)) return { kind: "slow", transfer: lost, after: secondsOf(answer), code };
  if (PASSING.has(status) || LOST_ITS_PLACE.has(code)) return { kind: "again", transfer: lost, after: secondsOf(answer), code };
  const isOver = OVER.has(code) || (transfer.phase === "open" && status === 404);
  if (isOver && transfer.anew < MOST_ANEW)
    return { kind: "go", transfer: { ...transfer, phase: "fresh", offset: 0, address: null, anew: transfer.anew + 1 }, isProgress: false };
  return { kind: "refused", refusal: refusalOf(code, body, true) };
}

/**
 * @param {Transfer} transfer
 * @param {Answer} answer
 * @returns {Outcome}
 */
function goesOn(transfer, answer) {
  const address = answer.header("Location") ?? transfer.address;
  const offset = Number(answer.header("Upload-Offset") ?? Number.NaN);
  if (!address || !Number.isInteger(offset) || offset > transfer.described.size)
    return { kind: "refused", refusal: refusalOf("no_answer") };
  return { kind: "go", transfer: { ...transfer, phase: "open", address, offset }, isProgress: offset > transfer.offset };
}

/**
 * @param {string} code
 * @param {any} [problem]
 * @param {boolean} [isFinal]
 * @returns {Refusal}
 */
export function refusalOf(code, problem = null, isFinal = false) {
  const details = problem?.details ?? {};
  return { code, reason: details.reason ?? null, details, message: problem?.detail ?? "", isFinal };
}

/** @param {Answer} answer */
function secondsOf(answer) {
  const seconds = Number.parseFloat(answer.header("Retry-After") ?? "");
  return Number.isFinite(seconds) ? seconds : null;
}

/** @param {string} hex */
function base64(hex) {
  const bytes = hex.match(/../g) ?? [];
  return btoa(bytes.map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join(""));
}

/**
 * Carry one file until it is in, refused, or has to wait for something that is not its own.
 * @param {Transfer} transfer
 * @param {Blob} file
 * @param {{send: (asked: Asked, body: Blob | null) => Promise<Answer>, pause: (seconds: number) => Promise<void>,
 *   chance: () => number, moved: (offset: number) => void, tries?: number}} io
 * @returns {Promise<Exclude<Outcome, {kind: "go" | "again"}>>}
 */
export async function carry(transfer, file, { send, pause, chance, moved, tries = 6 }) {
  for (let failed = 0, steps = 0; ; steps += 1) {
    const asked = ask(transfer);
    const answer = await send(asked, asked.from === null ? null : file.slice(asked.from));
    const outcome = hear(transfer, answer);
    if (outcome.kind !== "go" && outcome.kind !== "again") return outcome;
    transfer = outcome.transfer;
    if (outcome.kind === "go") {
      if (outcome.isProgress) failed = steps = 0;
      moved(transfer.offset);
    } else {
      failed += 1;
    }
    if (failed > tries || steps > 4 * tries) return givesUp(transfer, outcome, answer);
    if (outcome.kind === "again") await pause(outcome.after ?? patience(failed, chance()));
  }
}

/**
 * A service that cannot be reached holds up everything; one that fails at this file, this file.
 * @param {Transfer} transfer
 * @param {Outcome} outcome
 * @param {Answer} answer
 * @returns {Exclude<Outcome, {kind: "go" | "again"}>}
 */
function givesUp(transfer, outcome, { status, body }) {
  const code = outcome.kind === "again" ? outcome.code : "no_answer";
  if (UNREACHABLE.has(status)) return { kind: "slow", transfer, after: null, code: "unreachable" };
  return { kind: "refused", refusal: refusalOf(code, body) };
}

/**
 * Seconds until a request is sent again that failed `tried` times in a row: a second, then twice as long, up to half a
 * minute; by `chance` (0 to 1) less, so that many do not come at once.
 * @param {number} tried
 * @param {number} chance
 */
export function patience(tried, chance) {
  return Math.min(2 ** (tried - 1), 30) * (0.5 + chance / 2);
}
