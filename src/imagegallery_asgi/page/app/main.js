/** The page starts here: who uses it, where it is, and what is to be seen. */
import { startLive } from "./core/live.js";
import { startRouter } from "./core/router.js";
import { startSession } from "./core/sign-in.js";
import { ROUTES } from "./routes.js";
import "./shell/shell.js";

startRouter(ROUTES);
document.body.prepend(document.createElement("ig-shell"));
startLive();
void startSession();
