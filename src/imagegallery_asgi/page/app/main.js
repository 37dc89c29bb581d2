/** The page starts here: who uses it, where it is, and what is to be seen. */
import { startLive } from "./core/live.js";
import { startRouter } from "./core/router.js";
import { startSession } from "./core/sign-in.js";
import { startOffline } from "./offline/offline.js";
import { ROUTES } from "./routes.js";
import "./shell/shell.js";
import { listenToKeys } from "./shortcuts/keys.js";
import { startUploads } from "./upload/entry.js";

startRouter(ROUTES);
document.body.prepend(document.createElement("ig-shell"));
startLive();
void startSession();
startOffline();
listenToKeys();
startUploads();

// A grid says which image is wanted, wherever it lies; its links lead there all the same.
document.addEventListener("open", (event) => {
  if (!(event instanceof CustomEvent)) return;
  event.preventDefault();
  void import("./viewer/open.js").then(({ openImage }) => openImage(event.detail.id, event.detail));
});
