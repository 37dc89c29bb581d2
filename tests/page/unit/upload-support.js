/** A service in memory that takes resumable uploads by the IETF draft and by keys, and a network that fails by chance. */

export const item = (id, more = {}) => ({
  id, order: 0, attempt: 0, owner: "ana", base: "/api/v1", name: `${id}.jpg`, path: "", type: "image/jpeg", size: 1000, lastModified: 0,
  galleryId: null, checks: true, state: "new", isHeld: false, isKept: null, wasBegun: false, digest: null, onDuplicate: null,
  known: null, refusal: null, imageId: null, sent: 0, ...more,
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chances(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const answer = (status, headers = {}, body = null) => ({ status, header: (name) => headers[name] ?? null, body });
const NOTHING = answer(0);

export class Service {
  uploads = new Map();
  images = [];
  requests = 0;

  /** @param {() => number} chance @param {number} faults The share of requests that fail in some way. */
  constructor(chance, faults = 0) {
    this.chance = chance;
    this.faults = faults;
  }

  /** Fails in the request (some bytes arrive), in the answer (all was done), by a reset, or is busy. */
  async send(asked, body) {
    this.requests += 1;
    const bytes = body === null ? new Uint8Array() : new Uint8Array(await body.arrayBuffer());
    if (this.chance() >= this.faults) return this.#handle(asked, bytes, true);
    const kind = this.chance();
    if (kind < 0.15) return answer(503, { "Retry-After": "2" }, { code: "overloaded" });
    if (kind < 0.2) return answer(429, {}, { code: "rate_limited" });
    if (kind < 0.25) return answer(423, {}, { code: "upload_locked" });
    if (kind < 0.3) return answer(401, {}, { code: "unauthenticated" });
    if (kind < 0.4) return NOTHING; // nothing of it arrived
    if (kind < 0.45) this.#forget(asked);
    if (kind < 0.75) this.#handle(asked, bytes.subarray(0, Math.floor(bytes.length * this.chance())), false);
    else this.#handle(asked, bytes, true);
    return NOTHING;
  }

  /** An upload that nobody went on with, whose time is over. */
  #forget({ address }) {
    const upload = address && this.uploads.get(address);
    if (upload && upload.image === null) upload.isOver = true;
  }

  #handle({ method, address, headers, query }, bytes, isWhole) {
    const size = Number(headers["Upload-Length"]);
    const key = method === "POST" ? headers["Idempotency-Key"] : address;
    if (method === "POST" && !this.uploads.has(key)) this.uploads.set(key, { bytes: [], size, query, image: null, isOver: false });
    const upload = this.uploads.get(key);
    if (upload === undefined) return answer(404, {}, { code: "not_found" });
    if (upload.image !== null && method === "POST") return answer(202, {}, { data: upload.image });
    if (upload.isOver) return answer(410, {}, { code: "upload_expired" });
    const at = Number(headers["Upload-Offset"] ?? 0);
    if (bytes.length > 0 || headers["Upload-Complete"] === "?1") {
      if (at !== upload.bytes.length) return answer(409, {}, { code: "offset_mismatch" });
      upload.bytes.push(...bytes);
    }
    if (isWhole && headers["Upload-Complete"] === "?1") {
      if (upload.bytes.length !== upload.size) return answer(422, {}, { code: "size_mismatch" });
      upload.image = { id: `image-${this.images.length}`, bytes: upload.bytes, name: query?.filename };
      this.images.push(upload.image);
      return answer(202, {}, { data: upload.image });
    }
    return answer(201, { Location: key, "Upload-Offset": String(upload.bytes.length) });
  }
}
