/** The policy: what administrators say in front of the settings, in versions that can come back. */
import { ApiError, api } from "../core/api.js";
import { Element, define } from "../core/element.js";
import { formatBytes, formatDate } from "../core/formats.js";
import { each, html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { batch, effect, signal } from "../core/signal.js";
import { openDialog } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { Listing, Reading } from "../parts/reading.js";
import { toast } from "../parts/toast.js";
import { framed, isAdministrator } from "./frame.js";
import { RULES, UNLIMITED, differences, draftOf, faultsOf, patchOf, textOf } from "./rules.js";

/**
 * @typedef {import("./rules.js").Rule} Rule
 * @typedef {import("./rules.js").Said} Said
 * @typedef {import("./rules.js").Values} Values
 * @typedef {{version: number, rules: Values, in_force: Values, changed_by: string, why: string, updated_at: string}} Standing
 * @typedef {{number: number, rules: Values, changed_by: string, why: string, restores: number | null,
 *   created_at: string}} Version
 */

const t = await messages("administration");

export default class PolicyView extends Element {
  static tag = "ig-admin-policy";

  draft = signal(/** @type {Record<string, Said>} */ ({}));
  why = signal("");
  faults = signal(/** @type {Record<string, string>} */ ({}));
  /** Who changed it while this draft was written. */
  conflict = signal(/** @type {Standing | null} */ (null));
  isBusy = signal(false);
  #etag = "";

  policy = new Reading(async () => {
    const response = await api.request("/admin/policy");
    this.#etag = response.headers.get("ETag") ?? "";
    return /** @type {Standing} */ ((await response.json()).data);
  });
  versions = /** @type {Listing<Version>} */ (
    new Listing((cursor) => api.get("/admin/policy/versions", { query: { limit: 10, cursor } }))
  );

  /** @param {AbortSignal} ended */
  connected(ended) {
    ended.addEventListener("abort", effect(() => isAdministrator() && void this.#begin()));
  }

  async #begin() {
    void this.versions.again();
    await this.policy.again();
    const standing = this.policy.value.value;
    if (standing === null) return;
    batch(() => {
      this.draft.value = draftOf(standing.rules, standing.in_force);
      this.why.value = "";
      this.faults.value = {};
      this.conflict.value = null;
    });
  }

  render() {
    return framed(
      "policy",
      () => html`<p class="lead soft">${t("policy.text")}</p>
        ${this.policy.shown((standing) => this.#form(standing), 12)}
        <section aria-labelledby="versions">
          <h2 id="versions">${t("versions.title")}</h2>
          ${this.versions.shown((versions) => this.#history(versions))}
        </section>`,
    );
  }

  /** @param {Standing} standing */
  #form(standing) {
    const patch = patchOf(this.draft.value, standing.rules);
    const isChanged = Object.keys(patch).length > 0;
    const faults = this.faults.value;
    return html`<form class="policy" novalidate @submit=${(/** @type {Event} */ event) => this.#save(event)}>
      ${this.conflict.value && this.#conflicting(this.conflict.value)}
      ${RULES.map((rule) => this.#rule(rule, rule.name in patch))}
      ${faults[""] && html`<p class="fault" role="alert">${faults[""]}</p>`}
      <div class="save ${isChanged ? "" : "idle"}">
        <label class="field">
          <span>${t("policy.why")}</span>
          <input
            name="why"
            maxlength="500"
            autocomplete="off"
            .value=${this.why.value}
            aria-invalid=${faults.why ? "true" : null}
            aria-describedby=${faults.why ? "fault-why" : null}
            @input=${(/** @type {Event} */ event) => (this.why.value = valueIn(event))}
          />
          ${faults.why && html`<span class="fault" id="fault-why" role="alert">${faults.why}</span>`}
        </label>
        <div class="row">
          <button class="button primary" ?disabled=${!isChanged || this.isBusy.value}>${isChanged ? t("policy.save", { count: Object.keys(patch).length }) : t("policy.nothing")}</button>
          ${isChanged && html`<button class="button" type="button" @click=${() => this.#begin()}>${t("policy.discard")}</button>`}
        </div>
      </div>
    </form>`;
  }

  /** @param {Standing} now */
  #conflicting(now) {
    const before = this.policy.value.value;
    return html`<div class="conflict" role="alert">
      <p><b>${t("policy.conflict", { name: now.changed_by })}</b> ${now.why && html`<q dir="auto">${now.why}</q>`}</p>
      ${before && changes(differences(before.rules, now.rules))}
      <div class="row">
        <button class="button primary" type="button" @click=${() => this.#goOn(now)}>${t("policy.keep-mine")}</button>
        <button class="button" type="button" @click=${() => this.#begin()}>${t("policy.take-theirs")}</button>
      </div>
    </div>`;
  }

  /**
   * @param {Rule} rule
   * @param {boolean} isChanged
   */
  #rule(rule, isChanged) {
    const said = this.draft.value[rule.name];
    if (said === undefined) return null;
    const fault = this.faults.value[rule.name];
    const id = `rule-${rule.name}`;
    const described = [`${id}-help`, ...(fault ? [`${id}-fault`] : [])].join(" ");
    return html`<fieldset class="rule ${isChanged ? "changed" : ""}">
      <legend>${t(`rule.${rule.name}`)}</legend>
      <p class="soft small" id=${`${id}-help`}>${t(`rule.${rule.name}.help`)}</p>
      <label class="check">
        <input
          type="checkbox"
          .checked=${said.isSaid}
          @change=${(/** @type {Event} */ event) => this.#say(rule, { isSaid: /** @type {HTMLInputElement} */ (event.target).checked })}
        />${t("rule.said")}
      </label>
      <div class="field">
        ${!said.isSaid ? html`<p class="stands" id=${id}>${shown(rule.name, said.text)}</p>` : control(rule, said, { id, described, isWrong: fault !== undefined, change: (text) => this.#say(rule, { text }) })}
        ${fault && html`<span class="fault" id=${`${id}-fault`} role="alert">${fault}</span>`}
      </div>
    </fieldset>`;
  }

  /**
   * @param {Rule} rule
   * @param {Partial<Said>} change
   */
  #say({ name }, change) {
    const { [name]: _, ...others } = this.faults.value;
    batch(() => {
      this.draft.value = { ...this.draft.value, [name]: { isSaid: true, text: "", ...this.draft.value[name], ...change } };
      this.faults.value = others;
    });
    const standing = this.policy.value.value;
    const isBack = change.isSaid === false && standing !== null && !(name in standing.rules);
    if (isBack) this.draft.value = { ...this.draft.value, [name]: /** @type {Said} */ (draftOf(standing.rules, standing.in_force)[name]) };
  }

  /** @param {Event} event */
  async #save(event) {
    event.preventDefault();
    const standing = this.policy.value.value;
    if (standing === null) return;
    const body = { rules: patchOf(this.draft.value, standing.rules), why: this.why.value };
    await this.#change(() => api.patch("/admin/policy", body, { headers: { "If-Match": this.#etag } }));
  }

  /** @param {() => Promise<unknown>} change */
  async #change(change) {
    this.isBusy.value = true;
    try {
      await change();
      await this.#begin();
      toast(t("policy.saved"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await this.#meet();
      else if (error instanceof ApiError && error.status === 422) {
        this.faults.value = faultsOf(error.problem);
        queueMicrotask(() => /** @type {HTMLElement | null} */ (this.querySelector("[aria-invalid=true]"))?.focus());
      } else toast(sentence(error), { kind: "error" });
    } finally {
      this.isBusy.value = false;
    }
  }

  /** Somebody else changed it: say what, and keep the draft. */
  async #meet() {
    const response = await api.request("/admin/policy");
    this.#etag = response.headers.get("ETag") ?? "";
    this.conflict.value = (await response.json()).data;
  }

  /** @param {Standing} now Change what is different in the draft on top of it. */
  #goOn(now) {
    const before = this.policy.value.value;
    const mine = new Set(Object.keys(before ? patchOf(this.draft.value, before.rules) : {}));
    const theirs = draftOf(now.rules, now.in_force);
    batch(() => {
      this.policy.value.value = now;
      this.draft.value = Object.fromEntries(
        Object.entries(theirs).map(([name, said]) => [name, mine.has(name) ? (this.draft.value[name] ?? said) : said]),
      );
      this.conflict.value = null;
    });
    void this.versions.again();
  }

  /** @param {Version[]} versions */
  #history(versions) {
    if (versions.length === 0) return html`<p class="soft">${t("versions.none")}</p>`;
    const current = this.policy.value.value?.version;
    const isWhole = this.versions.cursor.value === null;
    return html`<ol class="versions" role="list">
      ${each(
        versions,
        (version) => version.number,
        (version) => {
          const before = versions.find((each) => each.number === version.number - 1);
          return html`<li>
            <div class="version-head">
              <b class="number">${version.number}</b>
              <span class="soft small"><span dir="auto">${version.changed_by}</span> · <time datetime=${version.created_at}>${formatDate(version.created_at)}</time></span>
            </div>
            <p dir="auto">${version.why}</p>
            ${version.restores !== null && html`<p class="soft small">${t("versions.restores", { number: version.restores })}</p>`}
            ${(before !== undefined || isWhole) && changes(differences(before?.rules ?? {}, version.rules))}
            ${version.number !== current &&
            html`<button class="button" type="button" aria-label=${t("versions.restore-of", { number: version.number })} @click=${() => this.#restore(version.number)}>
              ${icon("restore")}${t("versions.restore")}
            </button>`}
          </li>`;
        },
      )}
      ${isWhole &&
      html`<li>
        <div class="version-head"><b class="number">0</b><span class="soft small">${t("versions.zero")}</span></div>
        <button class="button" type="button" aria-label=${t("versions.restore-of", { number: 0 })} @click=${() => this.#restore(0)}>
          ${icon("restore")}${t("versions.restore")}
        </button>
      </li>`}
    </ol>`;
  }

  /** @param {number} number */
  async #restore(number) {
    const title = t("restore.title", { number });
    const { closed } = openDialog(
      (/** @type {(answer?: string) => void} */ close) => html`<form
        class="stack"
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          close(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("why")));
        }}
      >
        <h2>${title}</h2>
        <p class="soft">${t("restore.text")}</p>
        <label class="field"><span>${t("policy.why")}</span><input name="why" required maxlength="500" autocomplete="off" autofocus /></label>
        <div class="actions">
          <button class="button" type="button" @click=${() => close()}>${t("cancel")}</button>
          <button class="button primary">${t("versions.restore")}</button>
        </div>
      </form>`,
      { label: title },
    );
    const why = await closed;
    if (!why) return;
    const headers = { "If-Match": this.#etag };
    await this.#change(() => api.post(`/admin/policy/versions/${number}/restore`, { why }, { headers }));
  }
}

/** @param {Event} event */
const valueIn = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/**
 * @param {Rule} rule
 * @param {Said} said
 * @param {{id: string, described: string, isWrong: boolean, change: (text: string) => void}} field
 */
function control(rule, said, { id, described, isWrong, change }) {
  const changed = (/** @type {Event} */ event) => change(valueIn(event));
  const invalid = isWrong ? "true" : null;
  if (rule.kind === "choice" || rule.kind === "flag") {
    const choices = rule.choices ?? ["true", "false"];
    return html`<select
      id=${id}
      aria-label=${t(`rule.${rule.name}`)}
      aria-describedby=${described}
      aria-invalid=${invalid}
      @change=${changed}
    >
      ${choices.map((each) => html`<option value=${each} ?selected=${each === said.text}>${t(`choice.${each}`)}</option>`)}
    </select>`;
  }
  return html`<input
    id=${id}
    aria-label=${t(`rule.${rule.name}`)}
    aria-describedby=${described}
    aria-invalid=${invalid}
    autocomplete="off"
    spellcheck="false"
    dir="ltr"
    .value=${said.text}
    @input=${changed}
  />`;
}

/** @param {{name: string, was: unknown, becomes: unknown}[]} found */
const changes = (found) =>
  found.length > 0 &&
  html`<dl class="changes">
    ${found.map(
      ({ name, was, becomes }) => html`<dt>${t(`rule.${name}`)}</dt>
        <dd><del>${shown(name, was)}</del> <ins>${shown(name, becomes)}</ins></dd>`,
    )}
  </dl>`;

/**
 * @param {string} name
 * @param {unknown} value
 */
function shown(name, value) {
  if (value === undefined || value === null) return t("rule.settings");
  const rule = RULES.find((each) => each.name === name);
  if (rule === undefined) return JSON.stringify(value);
  if (rule.kind === "choice" || rule.kind === "flag") return t(`choice.${String(value)}`);
  if (value === UNLIMITED) return t("rule.unlimited");
  if ((rule.kind === "size" || rule.kind === "limit") && typeof value === "number") return formatBytes(value);
  return textOf(rule, value);
}

define(PolicyView);
