/** The button at the top: files, a folder, or on phones the camera. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import "../parts/menu.js";
import { target } from "./target.js";

const t = await messages("shell");
const load = () => import("./picker.js");

export class UploadButton extends Element {
  static tag = "ig-upload-button";

  /** @param {AbortSignal} ended */
  connected(ended) {
    // A picker opens only in the moment of the click: its module is there by then.
    for (const type of ["pointerenter", "focusin"]) this.addEventListener(type, load, { signal: ended, once: true });
  }

  render() {
    if (target.value === null) return html``;
    const isPhone = matchMedia("(pointer: coarse)").matches;
    const pick = (/** @type {import("./picker.js").Kind} */ kind) => async () => (await load()).pick(kind);
    const items = [
      { label: t("upload.files"), icon: "image", run: pick("files") },
      isPhone ? { label: t("upload.camera"), icon: "camera", run: pick("camera") } : { label: t("upload.folder"), icon: "folder", run: pick("folder") },
    ];
    return html`<ig-menu .icon=${"upload"} .text=${t("upload")} .label=${t("upload")} .items=${items}></ig-menu>`;
  }
}

define(UploadButton);
