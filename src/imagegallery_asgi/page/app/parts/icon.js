/** Icons, drawn with lines on a grid of 24 by 24. */
import { html } from "../core/html.js";

/** Those that point in the direction of reading, which turn with it. */
const TURNS = new Set(["next", "previous", "back", "forward", "share", "sign-out", "send"]);

export const ICONS = {
  add: "M12 5v14M5 12h14",
  album: "M4 7h12v12H4zM8 4h12v12",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  audit: "M6 3.5h12v17H6zM9 8h6M9 12h6M9 16h3",
  back: "M19 12H5m6-6-6 6 6 6",
  calendar: "M4.5 6h15v14h-15zM4.5 10.5h15M8.5 3.5V7M15.5 3.5V7",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4zM12 16.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 7.5V12l3 2",
  close: "M6 6l12 12M18 6 6 18",
  cloud: "M7.5 18.5a4 4 0 0 1-.4-8A5.5 5.5 0 0 1 17.7 9.6a4.5 4.5 0 0 1-.7 8.9z",
  copy: "M8.5 8.5H19V20H8.5zM15.5 8.5V4H5v11.5h3.5",
  down: "m6 9 6 6 6-6",
  download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14",
  drag: "M9 6.5v.01M9 12v.01M9 17.5v.01M15 6.5v.01M15 12v.01M15 17.5v.01",
  duplicate: "M4 6h9v12H4zM16 6h4v12h-4",
  edit: "m4.5 19.5 1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5",
  error: "M12 4 3 19.5h18zM12 10v4.5M12 17v.01",
  filter: "M4 6h16M7 12h10M10 18h4",
  folder: "M3.5 6h6l2 2.5h9v10.5h-17z",
  forward: "M5 12h14m-6-6 6 6-6 6",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  health: "M3.5 12.5h4l2.5-6 4 11 2.5-5h4",
  heart: "M12 19.5S4 15 4 9.4A4.2 4.2 0 0 1 12 7.3a4.2 4.2 0 0 1 8 2.1c0 5.6-8 10.1-8 10.1",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 3.5 3.5 3-3 5 5M15 9.5v.01",
  inbox: "M4 13.5 6.5 5h11l2.5 8.5V19H4zM4 13.5h4.5a3.5 3.5 0 0 0 7 0H20",
  info: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 11v5.5M12 7.75v.01",
  key: "M9 15.5a4.25 4.25 0 1 0 0-8.5 4.25 4.25 0 0 0 0 8.5m4.2-4.3H20.5M17.5 11.2v3.3",
  link: "M10 14.5 14.5 10M8.5 11.5 6 14a4 4 0 0 0 5.6 5.6l2-2M15.5 12.5 18 10a4 4 0 0 0-5.6-5.6l-2 2",
  lock: "M6 10.5h12v9.5H6zM8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5",
  map: "m4 6 5-2 6 2 5-2v14l-5 2-6-2-5 2zM9 4v14M15 6v14",
  more: "M5 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M17 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10",
  next: "m9 5 7 7-7 7",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  people: "M9 11.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5M3 19.5c.3-3.3 2.7-5 6-5s5.7 1.7 6 5M15.5 5.3a3.25 3.25 0 0 1 0 6M17 14.8c2.4.5 3.8 2.1 4 4.7",
  photos: "M4 8h13v11H4zM7 5h13v11M4 16l3.5-3 3 2.5 2.5-2 4 3.5",
  pin: "M12 20.5s6.5-5.5 6.5-10.5a6.5 6.5 0 0 0-13 0C5.5 15 12 20.5 12 20.5M12 12.25a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5",
  play: "M8 5.5v13l10.5-6.5z",
  previous: "m15 5-7 7 7 7",
  redo: "M5 12a7 7 0 1 0 2.5-5.4M5 4v4h4",
  restore: "M5 12a7 7 0 1 0 2.5-5.4M5 4v4h4M12 8.5V12l2.5 1.5",
  rows: "M4 5h9v6H4zM15 5h5v6h-5zM4 13h5v6H4zM11 13h9v6h-9z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13m4.7-1.8L20 20",
  send: "M4.5 12 19.5 4.5 15.5 19.5l-4-6z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.25a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5M9 19.25a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5",
  share: "M14 5.5 19.5 11 14 16.5M19 11h-7c-4.5 0-7 2.5-7.5 7.5",
  "sign-out": "M13 4.5H5v15h8M10 12h10m-4-4 4 4-4 4",
  star: "m12 4 2.4 5.1 5.6.7-4.1 3.9 1.1 5.5-5-2.8-5 2.8 1.1-5.5L4 9.8l5.6-.7z",
  storage: "M5 6.5C5 5 8 4 12 4s7 1 7 2.5S16 9 12 9 5 8 5 6.5M5 6.5v11C5 19 8 20 12 20s7-1 7-2.5v-11M5 12c0 1.5 3 2.5 7 2.5s7-1 7-2.5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  tag: "M4 4.5h7.5L20 13l-7 7-8.5-8.5zM8.25 8.25v.01",
  trash: "M5 7h14M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.5 10.5v6M13.5 10.5v6",
  up: "m6 15 6-6 6 6",
  upload: "M12 15.5V4.5M7.5 9 12 4.5 16.5 9M5 19.5h14",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20c.5-4 3.5-6 7.5-6s7 2 7.5 6",
  wifi: "M4 9.5c5-4 11-4 16 0M7 13c3-2.5 7-2.5 10 0M10 16.3c1.3-.9 2.7-.9 4 0M12 19.5v.01M4 4l16 16",
  "zoom-in": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13m4.7-1.8L20 20M10.5 8v5M8 10.5h5",
  "zoom-out": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13m4.7-1.8L20 20M8 10.5h5",
};

/**
 * An icon, which readers of screens are not told of: its button has words.
 * @param {keyof typeof ICONS} name
 */
export const icon = (name) => html`<svg class="icon ${TURNS.has(name) ? "turns" : ""}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${ICONS[name]} /></svg>`;
