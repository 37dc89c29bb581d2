/** The page without a network: its service worker, and whether there is a network. */
import { link, navigate } from "../core/router.js";
import { session } from "../core/session.js";
import { computed, effect, signal } from "../core/signal.js";
import { trustedScript } from "../core/trusted.js";

const hasNetwork = signal(globalThis.navigator?.onLine !== false);

/** Whether the service is out of reach: what was seen is shown as it was then. */
export const isOffline = computed(() => !hasNetwork.value || !session.isReached.value);

const scope = () => new URL(link("/"), location.href).href;

/** Once a page. Where its address is not a secure one, browsers have no workers and no caches, and nothing is kept. */
export function startOffline() {
  for (const type of ["online", "offline"]) addEventListener(type, () => (hasNetwork.value = navigator.onLine));
  if (!navigator.serviceWorker) return;
  const stop = effect(() => {
    // Who only came by a link leaves nothing behind.
    if (session.state.value !== "user") return;
    queueMicrotask(() => stop());
    void install();
    if (new URLSearchParams(location.search).has("received")) void takeOver();
  });
}

async function install() {
  try {
    await navigator.serviceWorker.register(trustedScript(`${scope()}sw.js`), { type: "module", updateViaCache: "none" });
  } catch (error) {
    // The browser may forbid it, or know no modules there: then the page needs its network.
    console.info("The page is not there offline:", error);
  }
}

/** Forget what was kept for the user, who signs out. */
export async function forgetUser() {
  if (globalThis.caches) await (await import("./kept.js")).forget(scope());
}

/** Upload the files that another application of the device gave to this one. */
async function takeOver() {
  navigate("/", { replace: true });
  const [{ takeReceived }, { uploads }] = await Promise.all([import("./kept.js"), import("../upload/upload.js")]);
  await uploads.add(await takeReceived(scope()));
}
