/** The page starts here: who uses it, where it is, and what is to be seen. */
import { startLive } from "./core/live.js";
import { startRouter } from "./core/router.js";
import { refused } from "./core/api.js";
import { renewal, session } from "./core/session.js";
import { startSession } from "./core/sign-in.js";
import { startOffline } from "./offline/offline.js";
import { ROUTES } from "./routes.js";
import { showTheme } from "./account/theme.js";
import "./shell/shell.js";
import { listenToKeys } from "./shortcuts/keys.js";
import { startUploads } from "./upload/entry.js";

showTheme();
renewal.ask = async () => (await import("./account/again.js")).signInAgain();
// Some requests are not made by the client, such as those with the bytes of a file.
refused.addEventListener("unauthenticated", () => session.state.value === "user" && void renewal.ask());
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
