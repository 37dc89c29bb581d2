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
