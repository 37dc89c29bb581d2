/** The HTTP API, as any client has it. Paths are below `/api/v1`; what is answered is its JSON, as it is. */
import { KEPT } from "../offline/mark.js";
import { credentials, renewal, session } from "./session.js";

/**
 * @typedef {{id: string, storage_used: number, storage_limit: number | null, storage_reserved: number,
 *   open_uploads: number, max_open_uploads: number, pending_guest_uploads: number, guests_may_upload: boolean, role?: string}} Me
 * @typedef {Record<string, string | number | boolean | null | undefined | string[]>} Query
 * @typedef {{query?: Query, headers?: Record<string, string>, signal?: AbortSignal, keepalive?: boolean}} Options
 * @typedef {{data: any, pagination?: {nextCursor?: string | null, hasMore?: boolean}}} Answer
 */

/** How often a request that changes nothing is tried, and the longest wait between, in seconds. */
const TRIES = 3;
const LONGEST_WAIT = 5;

/** What the service answered in place of what was wanted (RFC 9457), or that it was not to be reached (`status` 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, detail?: string, title?: string, details?: {path?: string, message?: string}[],
   *   requestId?: string}} problem
   * @param {number | null} retryAfter Seconds.
   * @param {Headers} [headers]
   */
  constructor(status, problem, retryAfter = null, headers = new Headers()) {
    super(problem.detail ?? problem.title ?? `The service answered ${status}.`);
    this.status = status;
    this.code = problem.code ?? (status === 0 ? "unreachable" : "unknown");
    this.details = problem.details ?? [];
    this.requestId = problem.requestId ?? null;
    this.retryAfter = retryAfter;
    this.problem = problem;
    this.headers = headers;
  }
}

export class Api {
  /** @param {string} base The address that paths are below. */
  constructor(base) {
    this.base = base;
  }

  /**
   * The same API below a path of it: what a link shares.
   * @param {string} path
   */
  below(path) {
    return new Api(this.base + path);
  }

  /**
   * @param {string} path
   * @param {Query} [query] What is null or undefined is left out, a list is repeated.
   */
  url(path, query = {}) {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      for (const each of Array.isArray(value) ? value : [value])
        if (each !== null && each !== undefined) parameters.append(name, String(each));
    const text = parameters.toString();
    return this.base + path + (text && `?${text}`);
  }

  /**
   * Read something; tried again where the service is busy or the network fails for a moment.
   * @param {string} path
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async get(path, options = {}) {
    for (let tried = 1; ; tried += 1) {
      try {
        return await this.#send("GET", path, undefined, options);
      } catch (error) {
        if (tried === TRIES || !(error instanceof ApiError) || !passes(error)) throw error;
        await pause(Math.min(error.retryAfter ?? 0.4 * tried, LONGEST_WAIT), options.signal);
      }
    }
  }

  /**
   * @param {string} path
   * @param {unknown} [body]
   * @param {Options} [options]
   */
  post(path, body, options) {
    return this.#send("POST", path, body, options);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {Options} [options]
   */
  patch(path, body, options) {
    return this.#send("PATCH", path, body, options);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {Options} [options]
   */
  put(path, body, options) {
    return this.#send("PUT", path, body, options);
  }

  /**
   * @param {string} path
   * @param {Options} [options]
   */
  delete(path, options) {
    return this.#send("DELETE", path, undefined, options);
  }

  /**
   * The pages of a list, one after the other.
   * @param {string} path
   * @param {Query} [query]
   * @param {Options} [options]
   * @returns {AsyncGenerator<Answer>}
   */
  async *pages(path, query = {}, options = {}) {
    for (let cursor = undefined; ; ) {
      const page = await this.get(path, { ...options, query: { ...query, cursor } });
      yield page;
      cursor = page.pagination?.nextCursor;
      if (!cursor) return;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} body
   * @param {Options} [options]
   */
  async #send(method, path, body, { query, headers, signal, keepalive } = {}) {
    const response = await this.request(path, {
      method,
      query,
      signal,
      keepalive,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.status === 204) return null;
    return await response.json();
  }

  /**
   * Any request, answered as it is. Raises an `ApiError` for a status of 400 or more. Where a user's sign-in has ended it
   * waits until they have signed in again, and is sent once more; one that brings its own sign-in is not.
   * @param {string} path
   * @param {RequestInit & {query?: Query}} [init]
   * @returns {Promise<Response>}
   */
  async request(path, init = {}) {
    try {
      return await this.#once(path, init);
    } catch (error) {
      const isOwn = /** @type {Record<string, string> | undefined} */ (init.headers)?.Authorization !== undefined;
      if (isOwn || !hasEnded(error) || !(await renewal.ask())) throw error;
      return await this.#once(path, init);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit & {query?: Query}} init
   */
  async #once(path, { query, ...init }) {
    const headers = { Accept: "application/json", ...credentials(), .../** @type {object} */ (init.headers) };
    let response;
    try {
      response = await fetch(this.url(path, query), { ...init, headers, credentials: "same-origin" });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      session.isReached.value = false;
      throw new ApiError(0, { detail: "The service cannot be reached." });
    }
    session.isReached.value = !response.headers.has(KEPT);
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new ApiError(response.status, problem, secondsOf(response), response.headers);
  }
}

/** Tells (`unauthenticated`) when the service asked to sign in. */
export const refused = new EventTarget();

/**
 * Whether it is the sign-in of somebody who was a user before: links ask for other things.
 * @param {unknown} error
 */
export const hasEnded = (error) =>
  error instanceof ApiError && ENDED.has(error.code) && session.me.value !== null && session.state.value !== "visitor";
const ENDED = new Set(["unauthenticated", "invalid_token"]);

/** @param {ApiError} error Whether it may be another one in a moment. */
const passes = (error) => error.status === 0 || error.status === 502 || error.status === 503 || error.status === 429;

/** @param {Response} response */
function secondsOf(response) {
  const seconds = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return Number.isFinite(seconds) ? seconds : null;
}

/**
 * @param {number} seconds
 * @param {AbortSignal} [ended] Ends it early, as an error.
 * @returns {Promise<void>}
 */
export function pause(seconds, ended) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(ended?.reason);
    };
    const timer = setTimeout(() => {
      ended?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (ended?.aborted) stop();
    else ended?.addEventListener("abort", stop, { once: true });
  });
}

export const api = new Api(session.api);
