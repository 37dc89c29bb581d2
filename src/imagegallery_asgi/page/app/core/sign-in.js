/** Coming and going: a token is kept, the service says who that is. */
import { forgetUser } from "../offline/offline.js";
import { ApiError, api } from "./api.js";
import { TOKEN_KEY, session } from "./session.js";

/** Ask the service who one is; again after a sign-in, or when the storage used has changed. */
export async function startSession() {
  try {
    const { data } = await api.get("/me");
    session.me.value = data;
    session.state.value = "user";
  } catch (error) {
    session.me.value = null;
    session.state.value = error instanceof ApiError && error.status === 0 ? "offline" : "visitor";
  }
}

/**
 * Keep a token, for this tab or for this browser, and see who that is.
 * @param {string} token
 * @param {{stays?: boolean}} [options]
 */
export async function signIn(token, { stays = false } = {}) {
  forget();
  (stays ? localStorage : sessionStorage).setItem(TOKEN_KEY, token);
  await startSession();
}

/** Forget who one is, in this browser. */
export async function signOut() {
  forget();
  await forgetUser();
  await startSession();
}

function forget() {
  for (const storage of [sessionStorage, localStorage]) storage.removeItem(TOKEN_KEY);
}
