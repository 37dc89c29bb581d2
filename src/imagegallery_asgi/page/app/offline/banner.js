/** Says that the service is out of reach, at the top of every view, and asks again. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { startSession } from "../core/sign-in.js";
import { icon } from "../parts/icon.js";
import { isOffline } from "./offline.js";

const t = await messages("offline");

class Banner extends Element {
  static tag = "ig-offline";

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.setAttribute("role", "status");
    addEventListener("online", () => void startSession(), { signal: ended });
  }

  render() {
    if (!isOffline.value) return null;
    return html`${icon("wifi")}
      <span>${t("offline")}</span>
      <button class="button quiet" type="button" @click=${() => void startSession()}>${t("again")}</button>`;
  }
}

define(Banner);
