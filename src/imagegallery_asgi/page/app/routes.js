/** The addresses of the page and their views, which are loaded when they are opened. The first match counts. */

/** @type {import("./core/router.js").Route[]} */
export const ROUTES = [
  { path: "/galleries", view: () => import("./galleries/galleries.js") },
  { path: "/trash", view: () => import("./trash/trash.js") },
  { path: "/duplicates", view: () => import("./duplicates/duplicates.js") },
  { path: "/shares", view: () => import("./shares/shares.js") },
  { path: "/shares/:share", view: () => import("./shares/share.js") },
  { path: "/inbox", view: () => import("./inbox/inbox.js") },
  { path: "/shared-with-me", view: () => import("./received/received.js") },
];
