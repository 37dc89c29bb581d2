/** The browser's own choosing of files. */
import { target } from "./target.js";
import { uploads } from "./upload.js";

/** @typedef {"files" | "folder" | "camera"} Kind */

/**
 * Let the person choose, and send it where it is for. Has to be called by a click or a key.
 * @param {Kind} kind
 * @param {import("./target.js").Target | null} [to]
 */
export function pick(kind, to = target.value) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = kind !== "camera";
  input.accept = uploads.current.value?.limits.value.types.join(",") || "image/*";
  input.webkitdirectory = kind === "folder";
  if (kind === "camera") input.capture = "environment";
  input.onchange = () => void (to !== null && uploads.add([...(input.files ?? [])], to));
  input.click();
}
