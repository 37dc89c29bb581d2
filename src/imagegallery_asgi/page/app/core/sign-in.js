/** Coming and going: a token is kept, the service says who that is. */
import { forgetUser } from "../offline/offline.js";
import { forgetUploads } from "../upload/entry.js";
import { ApiError, api } from "./api.js";
import { TOKEN_KEY, WAS_USER, credentials, session } from "./session.js";
import { batch } from "./signal.js";

/** @typedef {import("./api.js").Me} Me */

/** Ask the service who one is; again when the storage used has changed. */
export async function startSession() {
  try {
    enter((await api.get("/me")).data);
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status === 401;
    // Who was a user is still one: they have not signed in again yet, or the service is busy or out of reach.
    if (session.state.value === "ended" || (session.me.value !== null && !isRefused)) return;
    session.me.value = null;
    session.state.value = isRefused ? "visitor" : "offline";
    if (isRefused) keepWhetherUser(false);
  }
}

/**
 * Keep a token, for this tab or for this browser, once the service has said whose it is. Raises an `ApiError`.
 * @param {string} token
 * @param {{stays?: boolean}} [options]
 */
export async function signIn(token, { stays = false } = {}) {
  const { data } = await api.get("/me", { headers: { Authorization: `Bearer ${token}` } });
  forget();
  (stays ? localStorage : sessionStorage).setItem(TOKEN_KEY, token);
  enter(data);
}

/** Whether the user is signed in by now, by another window; where they are, the page goes on. */
export async function isSignedInElsewhere() {
  try {
    const response = await fetch(api.url("/me"), { headers: { Accept: "application/json", ...credentials() } });
    return response.ok && enter((await response.json()).data);
  } catch {
    return false;
  }
}

/** Forget who one is, in this browser. */
export async function signOut() {
  await forgetUploads(session.me.value?.id);
  forget();
  // At once: what is asked for from now on is not a user's, and nobody is asked to sign in again.
  batch(() => {
    session.me.value = null;
    session.state.value = "visitor";
  });
  await forgetUser();
  await startSession();
}

/**
 * @param {Me} me
 * @returns {boolean} False for another user than before: what is to be seen, and what waits to be sent, is not theirs, so
 *   the page begins anew.
 */
function enter(me) {
  const before = session.me.value;
  if (before !== null && before.id !== me.id) {
    location.reload();
    return false;
  }
  batch(() => {
    session.me.value = me;
    session.state.value = "user";
  });
  keepWhetherUser(true);
  return true;
}

/** @param {boolean} isUser */
function keepWhetherUser(isUser) {
  try {
    if (isUser) localStorage.setItem(WAS_USER, "yes");
    else localStorage.removeItem(WAS_USER);
  } catch {
    // The next start is laid out as for a visitor.
  }
}

function forget() {
  for (const storage of [sessionStorage, localStorage]) storage.removeItem(TOKEN_KEY);
}
