/** One share: what it allows, who has it, when it was opened; and what its owner can do about it. */
import { api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatAgo, formatBytes, formatDate, formatNumber } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { link, navigate } from "../core/router.js";
import { sentence } from "../core/sentences.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import { confirm, openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";
import { toast } from "../parts/toast.js";
import { cover } from "./cover.js";
import { failed } from "../parts/failed.js";
import { withWhom } from "./shares.js";
import { waiting } from "./waits.js";
import { daysOf, namedBy, opensInFrames, stateOf } from "./state.js";
import { changesOf, mayOf, termsOf } from "./terms.js";
import { coverOf, thingsOf, titleOf } from "./things.js";

/** @typedef {import("./terms.js").Share} Share */

const t = await messages("shares");
await style(import.meta.url, "./shares.css");

/** How many days the chart shows, and how many pages of accesses are read for it. */
const DAYS = 30;
const PAGES = 10;

export default class ShareView extends Element {
  static tag = "ig-share";

  params = signal(/** @type {Record<string, string>} */ ({}));
  share = signal(/** @type {Share | null} */ (null));
  things = signal(/** @type {import("./things.js").Things} */ ({ galleries: new Map(), images: new Map() }));
  accesses = signal(/** @type {import("./state.js").Access[] | null} */ (null));
  error = signal(/** @type {unknown} */ (null));
  /** @type {AbortSignal | null} */
  #ended = null;

  get #path() {
    return `/shares/${encodeURIComponent(this.params.value.share ?? "")}`;
  }

  /** @param {AbortSignal} ended */
  connected(ended) {
    this.#ended = ended;
    void this.#read();
  }

  async #read() {
    const signal = this.#ended ?? undefined;
    try {
      this.error.value = null;
      const { data } = await api.get(this.#path, { signal });
      this.things.value = await thingsOf(namedBy([data]), signal);
      this.share.value = data;
      await this.#readAccesses();
    } catch (error) {
      if (!this.#ended?.aborted) this.error.value = error;
    }
  }

  async #readAccesses() {
    const oldest = daysOf([], Date.now(), DAYS)[0]?.day ?? "";
    /** @type {import("./state.js").Access[]} */
    const all = [];
    let pages = 0;
    for await (const page of api.pages(`${this.#path}/accesses`, { limit: 100 }, { signal: this.#ended ?? undefined })) {
      all.push(...page.data);
      pages += 1;
      if (pages === PAGES || (all.at(-1)?.day ?? "") < oldest) break;
    }
    this.accesses.value = all;
  }

  render() {
    if (this.error.value) return html`<div class="view shares">${failed(this.error.value, () => void this.#read())}</div>`;
    const share = this.share.value;
    if (!share) return html`<div class="view shares">${waiting()}</div>`;
    const state = stateOf(share, Date.now());
    const title = titleOf(share.targets, this.things.value, t);
    return html`<div class="view shares one-share">
      <a class="back small soft" href=${link("/shares")}>${icon("previous")}${t("title")}</a>
      <header class="view-head">
        <div class="share-head">
          ${cover(coverOf(share.targets, this.things.value), "album")}
          <div>
            <h1 dir="auto" tabindex="-1">${title}</h1>
            <p><span class="state ${state}">${t(`state.${state}`)}</span> <span class="soft">${withWhom(share)}</span></p>
          </div>
        </div>
        ${state === "revoked" ? this.#endedActions() : this.#actions(share, title)}
      </header>
      ${share.note ? html`<p class="note"><bdi>${share.note}</bdi></p>` : null}
      <div class="columns">
        <section>${this.#chart(share)}</section>
        <section>
          <h2>${t("allows")}</h2>
          ${this.#terms(share)}
        </section>
      </div>
      ${this.#recipients(share, state)}
    </div>`;
  }

  /** @param {Share} share @param {string} title */
  #actions(share, title) {
    const only = share.targets.length === 1 ? share.targets[0] : null;
    return html`<div class="row">
      <button class="button primary" type="button" @click=${() => this.#change(share)}>${icon("edit")}${t("change")}</button>
      <button class="button danger" type="button" @click=${() => void this.#revoke(title)}>${t("revoke")}</button>
      <ig-menu
        .label=${t("further")}
        .items=${[
          { label: t(share.has_link ? "rotate" : "new.link"), icon: "link", run: () => this.#rotate(share, title) },
          share.url && { label: t("open"), icon: "forward", run: () => window.open(/** @type {string} */ (share.url), "_blank", "noopener") },
          share.slug && opensInFrames(share) && { label: t("embed"), icon: "grid", run: () => this.#embed(share, title) },
          share.has_link && share.recipients.length > 0 && { label: t("remove.link"), icon: "close", danger: true, run: () => this.#removeLink() },
          only?.gallery_id && { label: t("access"), icon: "people", run: () => this.#access(/** @type {string} */ (only.gallery_id), title) },
        ]}
      ></ig-menu>
    </div>`;
  }

  #endedActions() {
    return html`<div class="row">
      <button class="button danger" type="button" @click=${() => void this.#forget()}>${icon("trash")}${t("forget")}</button>
    </div>`;
  }

  /** @param {Share} share */
  #terms(share) {
    const library = share.targets.some((each) => each.library);
    const may = mayOf(share.permissions);
    /** @type {[string, string][]} */
    const terms = [
      [t("may"), t(`may.${may}`)],
      [t("download"), t(`download.${share.download}`)],
      [t("metadata"), t(`metadata.${share.metadata}`)],
    ];
    if (share.has_link) {
      terms.push([t("password"), t(share.has_password ? "yes" : "no")]);
      terms.push([t("maxViews"), share.max_views === null ? t("any") : t("views.of", { views: share.views, most: share.max_views })]);
    }
    terms.push([t("expires"), share.expires_at ? formatDate(share.expires_at) : t("never")]);
    if (library && share.starts_at) terms.push([t("starts"), formatDate(share.starts_at)]);
    if (may !== "look") {
      terms.push([t("approval.short"), t(share.approval ? "yes" : "no")]);
      terms.push([t("guests.most"), t("guests.limit", { images: share.guest_max_images, bytes: formatBytes(share.guest_max_bytes) })]);
    }
    if (share.slug) terms.push([t("slug"), share.slug]);
    terms.push([t("since"), formatDate(share.created_at)]);
    return html`<dl class="terms">${terms.map(([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
  }

  /** @param {Share} share */
  #chart(share) {
    const accesses = this.accesses.value;
    const days = daysOf(accesses ?? [], Date.now(), DAYS);
    const most = Math.max(1, ...days.map((day) => day.opened));
    const opened = days.reduce((sum, day) => sum + day.opened, 0);
    return html`
      <h2>${t("opened")}</h2>
      <p class="soft small">
        ${accesses === null ? t("loading") : opened === 0 ? t("opened.never") : t("opened.sum", { count: opened })}
        ${share.has_link ? html` · ${t("opened.all", { count: share.views })}` : null}
      </p>
      <ol role="list" class="chart" aria-label=${t("opened")}>
        ${days.map(
          (day) => html`<li title=${`${formatDate(day.day, { dateStyle: "medium", timeZone: "UTC" })}: ${formatNumber(day.opened)}`}>
            <span class="bar" style=${{ "--part": day.opened / most }}></span>
            <span class="seen-by-readers">${day.opened > 0 ? `${formatDate(day.day, { dateStyle: "medium", timeZone: "UTC" })}: ${t("views", { count: day.opened })}` : ""}</span>
          </li>`,
        )}
      </ol>
      <p class="axis small soft" aria-hidden="true">
        <span>${formatDate(days[0]?.day ?? new Date(), { day: "numeric", month: "short", timeZone: "UTC" })}</span><span>${t("today")}</span>
      </p>
    `;
  }

  /** @param {Share} share @param {string} state */
  #recipients(share, state) {
    if (share.recipients.length === 0) return null;
    /** @type {Map<string | undefined, string>} */
    const last = new Map();
    for (const { recipient, last_at } of this.accesses.value ?? [])
      if (recipient && !last.has(recipient.id)) last.set(recipient.id, last_at);
    return html`<section>
      <h2>${t("whom")}</h2>
      <ul role="list" class="recipients">
        ${each(
          share.recipients,
          (one) => one.id ?? "",
          (one) => {
            const name = one.user ?? one.email ?? one.group ?? "";
            const seen = last.get(one.id);
            return html`<li class="row nowrap">
              ${icon(one.group ? "people" : one.email ? "send" : "user")}
              <span class="name" dir="auto">${name}</span>
              <span class="soft small grow">
                ${one.by_link ? t("joined.by.link") : one.permissions ? `${t(`may.${mayOf(one.permissions)}`)} · ${t(`download.${one.download ?? share.download}`)}` : ""}
                ${seen ? ` · ${t("seen", { ago: formatAgo(seen, Date.now()) })}` : ""}
              </span>
              ${state === "revoked"
                ? null
                : html`<button class="button quiet" type="button" aria-label=${t("take.from", { name })} @click=${() => void this.#take(one)}>${t("take")}</button>`}
            </li>`;
          },
        )}
      </ul>
    </section>`;
  }

  // --- what the owner does -------------------------------------------------------------------------------------------

  /** @param {Share} share */
  async #change(share) {
    await import("./share-form.js");
    const { closed } = openDialog(
      (/** @type {(answer?: string) => void} */ close) =>
        html`<ig-share-change .share=${share} @changed=${(/** @type {CustomEvent} */ event) => {
          this.share.value = event.detail;
          close("");
        }} @dropped=${() => close("")}></ig-share-change>`,
      { label: t("change.title"), kind: "wide" },
    );
    await closed;
  }

  /** @param {string} title */
  async #revoke(title) {
    const sure = await confirm({ title: t("revoke.title", { name: title }), text: t("revoke.text"), yes: t("revoke"), danger: true });
    if (sure) await this.#do(() => api.delete(this.#path), t("revoked"));
  }

  async #forget() {
    const sure = await confirm({ title: t("forget.title"), text: t("forget.text"), yes: t("forget"), danger: true });
    if (!sure) return;
    try {
      await api.delete(`${this.#path}?permanent=true`);
      toast(t("forgotten"));
      navigate("/shares", { replace: true });
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
  }

  /** @param {Share} share @param {string} title */
  async #rotate(share, title) {
    if (share.has_link) {
      const sure = await confirm({ title: t("rotate.title"), text: t("rotate.text"), yes: t("rotate") });
      if (!sure) return;
    }
    await import("./told-link.js");
    await this.#do(async () => {
      const { data } = await api.post(`${this.#path}/link`);
      void openDialog(
        (/** @type {(answer?: string) => void} */ close) => html`
          <h2>${t("made.title")}</h2>
          <ig-told-link .address=${location.origin + data.url} .title=${title} .isKept=${data.slug !== null} .isOpen=${opensInFrames(data)}></ig-told-link>
          <div class="actions"><button class="button" type="button" @click=${() => close("")}>${t("done")}</button></div>
        `,
        { label: t("made.title"), kind: "wide" },
      );
    });
  }

  async #removeLink() {
    const sure = await confirm({ title: t("remove.link.title"), text: t("remove.link.text"), yes: t("remove.link"), danger: true });
    if (sure) await this.#do(() => api.delete(`${this.#path}/link`), t("link.removed"));
  }

  /** @param {import("./terms.js").RecipientDocument} one */
  async #take(one) {
    const name = one.user ?? one.email ?? one.group ?? "";
    const sure = await confirm({ title: t("take.title", { name }), text: one.by_link ? t("take.joined") : "", yes: t("take"), danger: true });
    if (sure) await this.#do(() => api.delete(`${this.#path}/recipients/${one.id}`), t("taken", { name }));
  }

  /** @param {Share} share @param {string} title */
  async #embed(share, title) {
    const { openEmbedDialog } = await import("./embed-dialog.js");
    openEmbedDialog({ link: /** @type {string} */ (share.slug) }, title);
  }

  /** @param {string} id @param {string} title */
  async #access(id, title) {
    const { openAccessDialog } = await import("./access-dialog.js");
    openAccessDialog(id, title);
  }

  /**
   * @param {() => Promise<unknown>} act
   * @param {string} [said]
   */
  async #do(act, said) {
    try {
      await act();
      if (said) toast(said);
      await this.#read();
    } catch (error) {
      toast(sentence(error), { kind: "error" });
    }
  }
}

/** The inside of the dialog that changes a share. */
class ShareChange extends Element {
  static tag = "ig-share-change";

  share = signal(/** @type {Share | null} */ (null));
  #failure = signal("");
  #isBusy = signal(false);

  /** @param {import("./terms.js").Terms} terms */
  async #send(terms) {
    const share = /** @type {Share} */ (this.share.value);
    const changes = changesOf(share, terms);
    if (Object.keys(changes).length === 0) {
      this.emit("dropped");
      return;
    }
    this.#isBusy.value = true;
    try {
      const { data } = await api.patch(`/shares/${share.id}`, changes);
      toast(t("changed"));
      this.emit("changed", data);
    } catch (error) {
      this.#failure.value = sentence(error);
    }
    this.#isBusy.value = false;
  }

  render() {
    const share = this.share.value;
    if (!share) return undefined;
    return html`
      <h2>${t("change.title")}</h2>
      <ig-share-form
        .terms=${this.#terms ??= termsOf(share)}
        .isChange=${true}
        .hadPassword=${share.has_password}
        .hasGallery=${share.targets.some((each) => each.gallery_id)}
        .isLibrary=${share.targets.some((each) => each.library)}
        .action=${t("save")}
        .failure=${this.#failure.value}
        .isBusy=${this.#isBusy.value}
        @filled=${(/** @type {CustomEvent} */ event) => void this.#send(event.detail)}
      ></ig-share-form>
    `;
  }
  /** What the form began with: what was typed since is the form's. @type {import("./terms.js").Terms | null} */
  #terms = null;
}

define(ShareChange);
define(ShareView);
