/** What has to be done before a link opens: its password, or a click where it opens a limited number of times. */
import { ApiError } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatDuration } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import { refusalOf } from "./state.js";

const t = await messages("link");

export class LinkEntry extends Element {
  static tag = "ig-link-entry";

  client = signal(/** @type {import("../core/api.js").Api | null} */ (null));
  kind = signal(/** @type {"password" | "limited"} */ ("password"));
  /** What was typed already into the form that the service has drawn. */
  typed = signal("");
  /** What is wrong: also what the service has said there, of a password that was sent before this was loaded. */
  fault = signal("");
  #isBusy = signal(false);

  connected() {
    queueMicrotask(() => this.querySelector("input")?.focus());
  }

  render() {
    const kind = this.kind.value;
    const fault = this.fault.value;
    return html`<form class="entry" @submit=${(/** @type {SubmitEvent} */ event) => this.#submit(event)}>
      ${icon(kind === "password" ? "lock" : "info")}
      <h1>${t(`${kind}.title`)}</h1>
      ${kind === "limited"
        ? html`<p class="soft">${t("limited.text")}</p>`
        : html`<label class="field">
            <span>${t("password")}</span>
            <input
              type="password"
              name="password"
              required
              maxlength="256"
              autocomplete="current-password"
              value=${this.typed.value}
              aria-invalid=${fault ? "true" : null}
              aria-describedby=${fault ? "link-fault" : null}
            />
          </label>`}
      <p class="fault" id="link-fault" role="alert" ?hidden=${!fault}>${fault}</p>
      <button class="button primary" ?disabled=${this.#isBusy.value}>${t("open")}</button>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const input = this.querySelector("input");
    this.#isBusy.value = true;
    this.fault.value = "";
    try {
      const client = /** @type {import("../core/api.js").Api} */ (this.client.value);
      if (this.kind.value === "password") await client.post("/unlock", { password: input?.value ?? "" });
      else await client.get("");
      this.emit("entered");
    } catch (error) {
      this.#tell(error);
      input?.select();
    }
    this.#isBusy.value = false;
  }

  /** @param {unknown} error */
  #tell(error) {
    if (!(error instanceof ApiError)) this.fault.value = sentence(error);
    else if (error.code === "wrong_password") this.fault.value = t("password.wrong");
    else if (refusalOf(error) === "busy")
      this.fault.value = error.retryAfter ? t("busy.until", { time: formatDuration(error.retryAfter) }) : t("busy.text");
    else if (refusalOf(error) === "ended" || refusalOf(error) === "missing") this.emit("refused", error);
    else this.fault.value = sentence(error);
  }
}

define(LinkEntry);
