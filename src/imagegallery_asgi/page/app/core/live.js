/**
 * What happens elsewhere, live: one connection to the service's events for all tabs of a browser. The tab that holds a
 * lock has it and tells the others; when it closes, the next one goes on after the last event that it heard of.
 *
 * `changed` is where lists and views hear of everything, from here, from other tabs and from the service:
 *
 * | event | `detail` |
 * |---|---|
 * | `image-changed` | `ids`, and `fields` with their new values; without them: read it again |
 * | `images-gone` | `ids`: they are in no list of the library or of galleries any more |
 * | `images-arrived` | `ids`: they are in the library, new or again |
 * | `gallery-changed` | `id`, `change`: `created`, `updated`, `images` (others, or in another order), `deleted`; for `images`, as far as it is known, `gone` or `arrived` ids |
 * | `trash-changed` | `gone` or `arrived` ids |
 * | `everything-changed` | nothing: too much was missed, read it all again |
 *
 * Each event of the service comes under its own type, too (`share.joined`), with its `data`.
 */
import { ApiError, api } from "./api.js";
import { Echoes } from "./echoes.js";
import { EventStream, pause } from "./event-stream.js";
import { gather } from "./news.js";
import { session } from "./session.js";
import { effect, untracked } from "./signal.js";

/** @typedef {import("./news.js").ServerEvent} ServerEvent */

export const changed = new EventTarget();

/** The events that this tab's own changes make. */
export const echoes = new Echoes();

/** The service says that it is there every 15 seconds. */
const SILENCE = 45_000; // milliseconds
const GATHER = 100; // milliseconds

/** The id to go on after. @type {string | null} */
let lastId = null;
/** @type {ServerEvent[]} */
let heard = [];

/**
 * Tell this tab's lists and views.
 *
 * @param {string} type
 * @param {Record<string, any>} [detail]
 */
export function tell(type, detail = {}) {
  changed.dispatchEvent(new CustomEvent(type, { detail }));
}

/** Follow as long as somebody is signed in. */
export function startLive() {
  /** @type {string | null} */
  let followed = null;
  /** @type {AbortController | null} */
  let stop = null;
  const follow = (/** @type {string | null} */ id) => {
    if (id === followed) return;
    followed = id;
    stop?.abort();
    stop = id === null ? null : new AbortController();
    if (stop) join(`imagegallery ${session.root} ${id}`, stop.signal);
  };
  const user = () => (session.state.value === "user" ? (session.me.value?.id ?? null) : null);
  effect(() => {
    const id = user();
    untracked(() => follow(id));
  });
  // A page that is kept for going back has to let go of its lock and its connection.
  addEventListener("pagehide", () => follow(null));
  addEventListener("pageshow", (event) => event.persisted && follow(user()));
}

/**
 * @param {string} name of the user's tabs
 * @param {AbortSignal} ended
 */
function join(name, ended) {
  // Without locks (a page that did not come by HTTPS) each tab has a connection of its own.
  if (!navigator.locks) return void follow(null, ended);
  const channel = new BroadcastChannel(name);
  channel.addEventListener("message", ({ data }) => {
    if (data.lastId) lastId = data.lastId;
    if (data.events) hear(data.events);
    if (data.isLate) tell("everything-changed");
  });
  ended.addEventListener("abort", () => {
    channel.close();
    lastId = null;
  });
  navigator.locks.request(name, { signal: ended }, () => follow(channel, ended)).catch(() => {});
}

/**
 * @param {BroadcastChannel | null} channel To the other tabs.
 * @param {AbortSignal} ended
 */
async function follow(channel, ended) {
  for (let attempt = 0; !ended.aborted; attempt += 1) {
    let least = 0;
    try {
      least = await read(channel, ended, () => (attempt = 0));
    } catch (error) {
      if (ended.aborted) return;
      if (error instanceof ApiError) {
        if (error.status === 401 || error.status === 403) return;
        if (error.status === 410) {
          lastId = null;
          channel?.postMessage({ isLate: true });
          tell("everything-changed");
        }
        least = (error.retryAfter ?? 0) * 1000;
      }
    }
    await sleep(pause(attempt, least, Math.random()), ended);
  }
}

/**
 * Read one connection to its end.
 *
 * @param {BroadcastChannel | null} channel
 * @param {AbortSignal} ended
 * @param {() => void} opened
 * @returns {Promise<number>} how long the service asks to wait before the next one, in milliseconds
 */
async function read(channel, ended, opened) {
  const silence = new AbortController();
  const signal = AbortSignal.any([ended, silence.signal]);
  const headers = { Accept: "text/event-stream", ...(lastId === null ? {} : { "Last-Event-ID": lastId }) };
  const stream = new EventStream();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const { body } = await api.request("/events", { headers, signal });
    opened();
    const decoder = /** @type {ReadableWritablePair<string, any>} */ (new TextDecoderStream());
    const reader = /** @type {ReadableStream<any>} */ (body).pipeThrough(decoder).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      const events = stream.push(piece.value).map(({ data }) => JSON.parse(data));
      lastId = stream.lastId ?? lastId;
      channel?.postMessage({ events, lastId });
      hear(events);
    }
  } finally {
    clearTimeout(timer);
  }
  return stream.retry ?? 0;
}

/**
 * Many events of one moment are told at once.
 *
 * @param {ServerEvent[]} events
 */
function hear(events) {
  if (!events.length) return;
  if (!heard.length) setTimeout(tellHeard, GATHER);
  heard.push(...events);
}

function tellHeard() {
  const events = heard;
  heard = [];
  for (const { type, data } of events) tell(type, data);
  const now = Date.now();
  const news = events.filter(({ type, data }) => !echoes.isOwn(type, data.image_id ?? data.gallery_id, now));
  for (const { type, detail } of gather(news)) tell(type, detail);
}

/**
 * Until the time is over, or the network is back.
 *
 * @param {number} milliseconds
 * @param {AbortSignal} ended
 * @returns {Promise<void>}
 */
function sleep(milliseconds, ended) {
  return new Promise((resolve) => {
    const woken = new AbortController();
    const wake = () => {
      woken.abort();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    addEventListener("online", wake, { signal: woken.signal });
    ended.addEventListener("abort", wake, { signal: woken.signal });
  });
}
