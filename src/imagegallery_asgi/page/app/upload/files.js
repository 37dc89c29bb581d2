/** Files and folders that were dropped, picked or pasted. */
import { isHidden, looksLikePicture } from "./pictures.js";

/**
 * @typedef {import("./pictures.js").Limits} Limits
 * @typedef {{file: File, path: string}} Found `path`: the folders that it came in, with a slash at the end.
 */

/**
 * Every file of a drop, folders and theirs included. Of what is in folders, only pictures: what else there is, is counted.
 * @param {(FileSystemEntry | File)[]} entries
 * @param {Limits} limits
 * @param {(name: string) => void} leftOut
 * @returns {AsyncGenerator<Found>}
 */
export async function* walk(entries, limits, leftOut) {
  for (const entry of entries) {
    if (entry instanceof File) yield { file: entry, path: "" };
    else if (!entry.isDirectory) yield { file: await fileOf(entry), path: "" };
    else yield* inside(/** @type {FileSystemDirectoryEntry} */ (entry), `${entry.name}/`, limits, leftOut);
  }
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @param {string} path
 * @param {Limits} limits
 * @param {(name: string) => void} leftOut
 * @returns {AsyncGenerator<Found>}
 */
async function* inside(folder, path, limits, leftOut) {
  for (const entry of await listed(folder)) {
    if (isHidden(entry.name)) continue;
    if (entry.isDirectory) {
      yield* inside(/** @type {FileSystemDirectoryEntry} */ (entry), `${path}${entry.name}/`, limits, leftOut);
      continue;
    }
    const file = await fileOf(entry);
    if (looksLikePicture(file, limits)) yield { file, path };
    else leftOut(file.name);
  }
}

/**
 * What is in a folder, by name. Some browsers give a hundred at a time.
 * @param {FileSystemDirectoryEntry} folder
 */
async function listed(folder) {
  const reader = folder.createReader();
  const all = /** @type {FileSystemEntry[]} */ ([]);
  for (;;) {
    const batch = await /** @type {Promise<FileSystemEntry[]>} */ (
      new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    );
    if (batch.length === 0) return all.sort((a, b) => byName.compare(a.name, b.name));
    all.push(...batch);
  }
}
const byName = new Intl.Collator(undefined, { numeric: true });

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File>}
 */
function fileOf(entry) {
  return new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
}

/**
 * The files of a picker; of a folder's, only pictures.
 * @param {Iterable<File>} files
 * @param {Limits} limits
 * @param {(name: string) => void} leftOut
 * @returns {Generator<Found>}
 */
export function* picked(files, limits, leftOut) {
  for (const file of files) {
    const names = file.webkitRelativePath ? file.webkitRelativePath.split("/") : [file.name];
    if (names.length === 1) yield { file, path: "" };
    else if (names.some(isHidden)) continue;
    else if (looksLikePicture(file, limits)) yield { file, path: `${names.slice(0, -1).join("/")}/` };
    else leftOut(file.name);
  }
}

/**
 * What is pasted has no name of its own, but `image.png`: the time tells more.
 * @param {File} file
 * @param {Date} now
 */
export function named(file, now) {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
  const extension = file.name.slice(file.name.lastIndexOf("."));
  return new File([file], `${day} ${time}${extension}`, { type: file.type, lastModified: file.lastModified });
}
