/** What is around every view: the way to all others, the view itself, and what lies over it. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { ground, link, place } from "../core/router.js";
import { renewal, session } from "../core/session.js";
import { effect, signal, untracked } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import "../parts/empty.js";
import { failed } from "../parts/failed.js";
import "../parts/menu.js";
import "../parts/toast.js";
import "../offline/banner.js";
import { useKeys } from "../shortcuts/keys.js";
import "../upload/button.js";
import { arrive } from "./arrival.js";

/** @typedef {import("../core/router.js").Place} Place */
/** @typedef {{path: string, icon: keyof typeof import("../parts/icon.js").ICONS, text: string, count?: number}} Way */

const t = await messages("shell");

/** So many ways fit into the bar of a phone; the others are in its menu. */
const IN_BAR = 4;

/** @param {Way} way */
const itemOf = (way) => ({ label: way.text, icon: way.icon, href: link(way.path) });

/** Until the service has said who one is, the ways of the user that is expected are there: nothing moves then. */
const isAwaited = () => session.state.value === "unknown" && session.expectsUser;

/** The ways from anywhere, the most used first. */
function ways() {
  const me = session.me.value;
  if (me === null && !isAwaited()) return [];
  /** @type {Way[]} */
  const all = [
    { path: "/", icon: "photos", text: t("photos") },
    { path: "/galleries", icon: "album", text: t("galleries") },
    { path: "/shares", icon: "share", text: t("shared") },
    { path: "/inbox", icon: "inbox", text: t("inbox"), count: me?.pending_guest_uploads },
    { path: "/shared-with-me", icon: "people", text: t("received") },
    { path: "/duplicates", icon: "duplicate", text: t("duplicates") },
    { path: "/trash", icon: "trash", text: t("trash") },
    { path: "/account", icon: "user", text: t("account") },
  ];
  if (me?.role === "admin") all.push({ path: "/admin", icon: "health", text: t("administration") });
  return all;
}

export class Shell extends Element {
  static tag = "ig-shell";

  /** The view, and what lies over it. */
  view = signal(/** @type {HTMLElement | null} */ (null));
  over = signal(/** @type {HTMLElement | null} */ (null));
  failure = signal(/** @type {unknown} */ (null));

  /** @param {AbortSignal} ended */
  connected(ended) {
    // What the service has drawn stays until the view is there.
    const first = document.querySelector("body > main");
    if (first instanceof HTMLElement) {
      const kept = document.createElement("div");
      kept.append(...first.childNodes);
      first.remove();
      this.view.value = kept;
    }
    const stops = [
      effect(() => void this.#open(ground.value, this.view)),
      effect(() => void this.#open(place.value === ground.value ? null : place.value, this.over)),
      effect(() => this.#admit(session.state.value)),
    ];
    ended.addEventListener("abort", () => stops.forEach((stop) => stop()));
    useKeys(t("everywhere"), [{ keys: ["?"], says: t("keys"), run: openShortcuts }], ended);
  }

  /** @type {WeakMap<import("../core/signal.js").Signal<any>, string>} */
  #shown = new WeakMap();

  /**
   * Show the view of a place, or none. The same one gets what has changed.
   * @param {Place | null} there
   * @param {import("../core/signal.js").Signal<HTMLElement | null>} into
   */
  async #open(there, into) {
    const key = there === null ? "" : keyOf(there);
    const shown = /** @type {any} */ (into.value);
    if (this.#shown.get(into) === key) {
      if (there !== null && shown?.params) shown.params.value = there.params;
      if (there !== null && shown?.query) shown.query.value = there.query;
      return;
    }
    this.#shown.set(into, key);
    const isFirst = this.#isFirst;
    if (into === this.view) this.#isFirst = false;
    if (there === null) {
      into.value = null;
      return;
    }
    try {
      const view = there.route === null ? missing() : await viewOf(there);
      if (this.#shown.get(into) !== key) return; // the person went on meanwhile
      this.failure.value = null;
      into.value = view;
      if (into === this.view) this.#arrive(view, isFirst);
    } catch (error) {
      this.#shown.delete(into);
      this.failure.value = error;
    }
  }

  #isFirst = true;
  #leave = () => {};

  /**
   * @param {HTMLElement} view
   * @param {boolean} isFirst It is the one that the page was opened with.
   */
  #arrive(view, isFirst) {
    this.#leave();
    this.#leave = arrive(view, { brand: t("brand"), hasFocus: !isFirst });
  }

  #wasUnknown = false;

  /**
   * What a view read while nobody was signed in is not what a user sees: it is made anew.
   * @param {string} state
   */
  #admit(state) {
    if (state === "visitor") void this.#askToSignIn();
    if (state === "user" && this.#wasUnknown) {
      this.#shown.delete(this.view);
      this.#shown.delete(this.over);
      untracked(() => {
        void this.#open(ground.value, this.view);
        void this.#open(place.value === ground.value ? null : place.value, this.over);
      });
    }
    this.#wasUnknown = state === "visitor" || state === "offline";
  }

  /** In place of a view for users, where nobody has signed in. */
  signIn = signal(/** @type {HTMLElement | null} */ (null));

  async #askToSignIn() {
    const { default: SignIn } = await import("../account/sign-in.js");
    this.signIn.value = document.createElement(SignIn.tag);
  }

  render() {
    const here = ground.value.path;
    const all = ways();
    const hasWays = !isGuests(here) && (session.me.value !== null || isAwaited());
    const isLocked = session.state.value === "visitor" && !isOpen(here);
    const content = isLocked ? this.signIn.value : this.failure.value ? failed(this.failure.value, () => location.reload(), { title: t("failed.title"), level: 1 }) : this.view.value;
    const over = isLocked ? null : this.over.value;
    const isBelow = over !== null; // nothing but what lies above, and notes, can be reached
    return html`
      <a class="skip button" href="#content" ?inert=${isBelow}>${t("skip")}</a>
      <header class="bar" ?inert=${isBelow}>
        <a class="brand" href=${link("/")}>${t("brand")}</a>
        <div class="search" id="search"></div>
        <div class="tools" id="tools">
          <ig-upload-button></ig-upload-button>
          ${wantsSignIn(here) && html`<a class="button quiet" href=${link(`/sign-in?next=${encodeURIComponent(here)}`)}>${t("sign-in")}</a>`}
          ${session.state.value === "ended" && html`<button class="button quiet" type="button" @click=${() => renewal.ask()}>${t("sign-in")}</button>`}
        </div>
      </header>
      ${all.length > 0 && hasWays
        ? html`<nav class="ways" aria-label=${t("navigation")} ?inert=${isBelow}>
            ${all.map(
              (way) => html`<a href=${link(way.path)} title=${way.text} aria-current=${isAt(way.path, here) ? "page" : null}>
                ${icon(way.icon)}<span>${way.text}</span>${way.count ? html`<b class="count number">${way.count}</b>` : null}
              </a>`,
            )}
            <ig-menu .label=${t("more")} .items=${all.slice(IN_BAR).map(itemOf)}></ig-menu>
          </nav>`
        : null}
      <ig-offline ?inert=${isBelow}></ig-offline>
      <main id="content" tabindex="-1" ?inert=${isBelow}>${content}</main>
      <div class="over">${over}</div>
      <ig-toasts></ig-toasts>
    `;
  }
}

/**
 * @param {string} path
 * @param {string} here
 */
const isAt = (path, here) => (path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`));

/**
 * Whether visitors may see something there: what is public, and what a link shows.
 * @param {string} path
 */
const isOpen = (path) => /^\/(galleries|images|s|sign-in)(\/|$)/.test(path);

/**
 * Whether it is by a link that one is there: then one sees what all see who have it, and no ways to one's own.
 * @param {string} path
 */
const isGuests = (path) => path.startsWith("/s/");

/**
 * Whether a visitor is told where to sign in: not one who came by a link.
 * @param {string} path
 */
const wantsSignIn = (path) =>
  session.state.value === "visitor" && isOpen(path) && !isGuests(path) && path !== "/sign-in";

async function openShortcuts() {
  (await import("../shortcuts/shortcuts.js")).openShortcuts();
}

/**
 * Places of the same key have the same view: each path has its own, but what lies over others goes from one to the next.
 * @param {Place} there
 */
const keyOf = ({ path, route }) => (route?.over === undefined ? path : route.path);

/** @param {Place} there */
async function viewOf(there) {
  const { default: component } = await /** @type {import("../core/router.js").Route} */ (there.route).view();
  const view = /** @type {any} */ (document.createElement(component.tag));
  if (view.params) view.params.value = there.params;
  if (view.query) view.query.value = there.query;
  await view.prepared?.(); // what is to be seen before stays until it has something in its place
  return /** @type {HTMLElement} */ (view);
}

function missing() {
  const view = /** @type {import("../parts/empty.js").Empty} */ (document.createElement("ig-empty"));
  view.level.value = 1;
  view.title.value = t("missing.title");
  view.text.value = t("missing.text");
  view.actions.value = html`<a class="button" href=${link("/")}>${t("home")}</a>`;
  return view;
}

define(Shell);
