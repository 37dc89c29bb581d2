/**
 * The service worker: without a network, the page still opens and shows what was seen.
 *
 * `/sw.js` names this module below the digest of the page's files, so each version of the page is another worker. The
 * new one keeps its files beside those of the old one and waits until no tab uses that any more: an open tab finds
 * every module of its own version, even when the service has only the next.
 */
import { forget, namesOf, putReceived } from "./kept.js";
import { KEPT } from "./mark.js";
import { BUDGET, beyond, isAnothers, isSmall, kindOf, pictureKey } from "./rules.js";

/** @typedef {Event & {waitUntil(done: Promise<unknown>): void}} WorkerEvent */
/** @typedef {WorkerEvent & {request: Request, respondWith(answer: Promise<Response>): void}} Asked */

const worker = /** @type {typeof self & {registration: ServiceWorkerRegistration}} */ (self);

/** What all files of this version are below. */
const FILES = new URL("../", import.meta.url);

/**
 * Begin to work, for one version of the page.
 * @param {string} digest
 * @param {readonly string[]} files The names of all its files.
 */
export function serve(digest, files) {
  const scope = worker.registration.scope;
  const version = `${scope} page ${digest}`;
  const names = namesOf(scope);

  addEventListener("install", (event) => /** @type {WorkerEvent} */ (event).waitUntil(install()));
  addEventListener("activate", (event) => /** @type {WorkerEvent} */ (event).waitUntil(forgetOlder()));
  addEventListener("fetch", (event) => {
    const asked = /** @type {Asked} */ (event);
    const answer = answerTo(asked);
    if (answer) asked.respondWith(answer);
  });

  async function install() {
    const cache = await caches.open(version);
    const addresses = files.map((name) => new URL(name, FILES).href);
    await Promise.all([cache.addAll(addresses), cache.add(new Request(scope, { cache: "reload" }))]);
  }

  async function forgetOlder() {
    const all = await caches.keys();
    const older = all.filter((name) => name.startsWith(`${scope} page `) && name !== version);
    await Promise.all(older.map((name) => caches.delete(name)));
  }

  /** @param {Asked} asked */
  function answerTo(asked) {
    switch (kindOf(asked.request, scope)) {
      case "view":
        return fetch(asked.request).catch(() => kept(version, scope));
      case "file":
        return file(asked.request);
      case "picture":
        return picture(asked);
      case "me":
        return whoAmI(asked);
      case "answer":
        return answer(asked);
      case "received":
        return received(asked.request);
      default:
        return null;
    }
  }

  /** What another application gives to this one.
   * @param {Request} request
   */
  async function received(request) {
    const given = (await request.formData()).getAll("files");
    await putReceived(scope, given.filter((each) => each instanceof File));
    return Response.redirect(`${scope}?received`, 303);
  }

  /** @param {Request} request */
  async function file(request) {
    return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
  }

  /** @param {Asked} asked */
  async function picture(asked) {
    const key = /** @type {string} */ (pictureKey(asked.request.url, scope));
    const found = await (await caches.open(names.pictures)).match(key);
    if (found) return found;
    const answer = await fetch(asked.request);
    if (answer.status === 200 && isSmall(answer.headers)) asked.waitUntil(keep("pictures", key, answer.clone()));
    return answer;
  }

  /** @param {Asked} asked */
  async function answer(asked) {
    try {
      const answer = await fetch(asked.request);
      if (answer.status === 200) asked.waitUntil(keep("answers", asked.request.url, answer.clone()));
      return answer;
    } catch {
      return kept(names.answers, asked.request.url);
    }
  }

  /** Who signs in after another finds nothing of theirs.
   * @param {Asked} asked
   */
  async function whoAmI({ request }) {
    const before = await (await caches.open(names.answers)).match(request.url);
    const answer = await fetch(request).catch(() => null);
    if (answer === null) return kept(names.answers, request.url);
    if (answer.status === 401) await forget(scope);
    if (answer.status !== 200) return answer;
    if (before && isAnothers(await before.json(), await answer.clone().json())) await forget(scope);
    await keep("answers", request.url, answer.clone());
    return answer;
  }

  /**
   * @param {keyof typeof BUDGET} what
   * @param {string} key
   * @param {Response} answer
   */
  async function keep(what, key, answer) {
    const cache = await caches.open(names[what]);
    try {
      await cache.put(key, answer);
      const old = beyond(await cache.keys(), BUDGET[what]);
      await Promise.all(old.map((request) => cache.delete(request)));
    } catch {
      // The disk is full, or the browser allows no more.
      await caches.delete(names[what]);
    }
  }

  /**
   * What was kept, marked as such; or the failure of the network, which the page knows how to tell.
   * @param {string} cache
   * @param {string} key
   */
  async function kept(cache, key) {
    const found = await (await caches.open(cache)).match(key);
    if (!found) return Response.error();
    const headers = new Headers(found.headers);
    headers.set(KEPT, "1");
    return new Response(found.body, { status: found.status, headers });
  }
}
