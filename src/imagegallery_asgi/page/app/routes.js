/** The addresses of the page and their views, which are loaded when they are opened. The first match counts. */

const viewer = () => import("./viewer/viewer.js");

/** @type {import("./core/router.js").Route[]} */
export const ROUTES = [
  { path: "/", view: () => import("./library/library.js") },
  { path: "/library", view: () => import("./library/library.js") },
  { path: "/images/:id", over: "/", view: viewer },
  { path: "/galleries/:gallery/images/:id", over: "/galleries/:gallery", view: viewer },
  { path: "/s/:link/images/:id", over: "/s/:link", view: viewer },
  { path: "/s/:link/galleries/:gallery/images/:id", over: "/s/:link/galleries/:gallery", view: viewer },
  { path: "/sign-in", view: () => import("./account/sign-in.js") },
  { path: "/account", view: () => import("./account/account.js") },
  { path: "/admin", view: () => import("./administration/health.js") },
  { path: "/admin/jobs", view: () => import("./administration/jobs.js") },
  { path: "/admin/storage", view: () => import("./administration/storage.js") },
  { path: "/admin/policy", view: () => import("./administration/policy.js") },
  { path: "/admin/audit", view: () => import("./administration/audit.js") },
  { path: "/galleries", view: () => import("./galleries/galleries.js") },
  { path: "/galleries/:id", view: () => import("./galleries/gallery.js") },
  { path: "/archive", view: () => import("./archive/archive.js") },
  { path: "/trash", view: () => import("./trash/trash.js") },
  { path: "/duplicates", view: () => import("./duplicates/duplicates.js") },
  { path: "/shares", view: () => import("./shares/shares.js") },
  { path: "/shares/:share", view: () => import("./shares/share.js") },
  { path: "/inbox", view: () => import("./inbox/inbox.js") },
  { path: "/shared-with-me", view: () => import("./received/received.js") },
  { path: "/shared-with-me/:share", view: () => import("./received/share.js") },
  { path: "/s/:link", view: () => import("./link/link.js") },
  { path: "/s/:link/galleries/:gallery", view: () => import("./link/link.js") },
];
