/**
 * What the page needs of uploads from the start: it hears files that are dropped or pasted anywhere, and knows whether a
 * queue waits. All else is loaded then.
 */
import { effect } from "../core/signal.js";
import { target } from "./target.js";

const MARK = "imagegallery.uploads";
const load = () => import("./upload.js");

/** Start to listen. */
export function startUploads() {
  addEventListener("dragenter", (event) => {
    if (hasFiles(event) && target.value !== null) void import("./drop-zone.js").then(({ showDropZone }) => showDropZone());
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault(); // a file that is dropped beside does not replace the page
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const to = target.value;
    if (to !== null && event.dataTransfer !== null) void take(entries(event.dataTransfer), to);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const to = target.value;
    if (files.length > 0 && to !== null && !isTyped(event.target)) void takePasted(files, to);
  });
  effect(() => {
    if (target.value !== null && hasQueue()) void load();
  });
}

/**
 * Nothing of a user's uploads stays in this browser.
 * @param {string | undefined} user
 */
export async function forgetUploads(user) {
  if (user !== undefined && hasQueue()) await (await load()).uploads.forget(user);
}

/** @param {DragEvent} event */
const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files") ?? false;

/** Has to be called while the event is handled. @param {DataTransfer} dropped */
function entries(dropped) {
  const files = [...dropped.items].filter((item) => item.kind === "file");
  return files.flatMap((item) => item.webkitGetAsEntry?.() ?? item.getAsFile() ?? []);
}

/**
 * @param {(FileSystemEntry | File)[]} found
 * @param {import("./target.js").Target} to
 */
async function take(found, to) {
  const { uploads } = await load();
  await uploads.add(found, to);
}

/**
 * @param {File[]} files
 * @param {import("./target.js").Target} to
 */
async function takePasted(files, to) {
  const { named } = await import("./files.js");
  await take(files.map((file) => named(file, new Date())), to);
}

/** @param {EventTarget | null} element */
const isTyped = (element) => element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));

function hasQueue() {
  try {
    return Object.keys(localStorage).some((key) => key.startsWith(MARK));
  } catch {
    return false; // browsers may forbid it
  }
}
