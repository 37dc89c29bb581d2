/**
 * The filters of a list, as chips above it. The address is their state: it can be kept, sent and gone back to.
 *
 * A view reads `filters()` (a signal is read, so it follows), and shows `<ig-filters>`; with `nothingFound` where the
 * list is empty.
 */
import { Element, define } from "../core/element.js";
import { formatDate } from "../core/formats.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { ground, navigate } from "../core/router.js";
import { signal } from "../core/signal.js";
import { style } from "../core/styles.js";
import "../parts/empty.js";
import { icon } from "../parts/icon.js";
import "../parts/menu.js";
import { STARS, STATUSES, VISIBILITIES, fromQuery, isEmpty, tidy, toQuery } from "./address.js";

/** @typedef {import("./address.js").Filters} Filters */

const t = await messages("filters");
await style(import.meta.url, "./filters.css");

/** What the page may hold; the service says which of them may be uploaded. */
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/avif", "image/tiff"];

/** What the address says by now. */
export const filters = () => fromQuery(ground.value.query);

/**
 * Go to the same list with these filters.
 *
 * @param {Filters} chosen
 * @param {string} [path] Another list.
 */
export function filterBy(chosen, path = ground.value.path) {
  const query = toQuery(tidy(chosen), ground.value.query).toString();
  navigate(path + (query && `?${query}`));
}

/** Where a list with filters is empty. */
export const nothingFound = () => html`<ig-empty
  .icon=${"filter"}
  .title=${t("nothing.title")}
  .text=${t("nothing.text")}
  .actions=${html`<button class="button" type="button" @click=${() => filterBy({})}>${t("clear")}</button>`}
></ig-empty>`;

/** @param {string} type */
const nameOfType = (type) => type.replace("image/", "").toUpperCase();

export class FilterChips extends Element {
  static tag = "ig-filters";

  /** How many images pass; null while it is not known. */
  count = signal(/** @type {number | null} */ (null));
  /** The gallery whose images they are; of the library where there is none. */
  gallery = signal(/** @type {{id: string, name: string} | null} */ (null));
  /** Those that only the owner of a list may ask by. */
  isOwners = signal(true);

  render() {
    const said = filters();
    const count = this.count.value;
    const gallery = this.gallery.value;
    return html`<div class="chips" role="group" aria-label=${t("filters")}>
        ${this.isOwners.value && this.#toggle("favorite", "heart", t("favorite"), said)}
        ${this.#dates(said)} ${this.#choice("type", t("type"), TYPES, nameOfType, said)}
        ${this.isOwners.value && this.#choice("visibility", t("visibility"), VISIBILITIES, (each) => t(`visibility.${each}`), said)}
        ${this.#choice("status", t("status"), STATUSES, (each) => t(`status.${each}`), said)}
        ${this.isOwners.value && this.#choice("stars", t("stars"), STARS, (each) => t("stars.from", { count: Number(each) }), said)}
        ${this.isOwners.value && this.#tag(said)} ${this.isOwners.value && this.#gallery(gallery, said)}
        ${!gallery && this.#toggle("archived", "archive", t("archived"), said)}
        ${!isEmpty(said) && html`<button class="button quiet chip" type="button" @click=${() => filterBy({})}>${t("clear")}</button>`}
      </div>
      <p class="found soft small" role="status">${!isEmpty(said) && count !== null && t("found", { count })}</p>`;
  }

  /**
   * @param {"favorite" | "archived"} name
   * @param {keyof typeof import("../parts/icon.js").ICONS} picture
   * @param {string} words
   * @param {Filters} said
   */
  #toggle(name, picture, words, said) {
    const isOn = said[name] === true;
    const next = { ...without(said, name, "loose"), ...(isOn ? {} : { [name]: true }) };
    return html`<button class="chip" type="button" aria-pressed=${String(isOn)} @click=${() => filterBy(next)}>
      ${icon(picture)}${words}
    </button>`;
  }

  /**
   * @param {"type" | "visibility" | "status" | "stars"} name
   * @param {string} words
   * @param {string[]} values
   * @param {(value: string) => string} nameOf
   * @param {Filters} said
   */
  #choice(name, words, values, nameOf, said) {
    const value = said[name];
    const rest = without(said, name, "loose");
    const items = values.map((each) => ({
      label: nameOf(each),
      icon: each === value ? "check" : undefined,
      run: () => filterBy({ ...rest, [name]: each }),
    }));
    return this.#chip(
      value !== undefined,
      html`<ig-menu
        class="down"
        .icon=${"down"}
        .text=${value === undefined ? words : nameOf(value)}
        .label=${value === undefined ? "" : `${words}: ${nameOf(value)}`}
        .items=${items}
      ></ig-menu>`,
      () => filterBy(rest),
      words,
    );
  }

  /** @param {Filters} said */
  #dates(said) {
    const { from, to } = said;
    const isOn = from !== undefined || to !== undefined;
    return this.#chip(
      isOn,
      html`<button class="button quiet" type="button" aria-haspopup="dialog" @click=${() => this.#choose(said)}>
        ${icon("calendar")}${isOn ? span(from, to) : t("dates")}
      </button>`,
      () => filterBy(without(said, "from", "to")),
      t("dates"),
    );
  }

  /** @param {Filters} said */
  #tag(said) {
    const { tag } = said;
    return this.#chip(
      tag !== undefined,
      html`<button class="button quiet" type="button" aria-haspopup="dialog" @click=${() => this.#pickTag(said)}>
        ${icon("tag")}<span dir="auto">${tag ?? t("tag")}</span>
      </button>`,
      () => filterBy(without(said, "tag")),
      t("tag"),
    );
  }

  /**
   * @param {{id: string, name: string} | null} gallery
   * @param {Filters} said
   */
  #gallery(gallery, said) {
    const isOn = gallery !== null || said.loose === true;
    const words = gallery ? gallery.name : said.loose ? t("loose") : t("gallery");
    return this.#chip(
      isOn,
      html`<button class="button quiet" type="button" aria-haspopup="dialog" @click=${() => this.#pick(said)}>
        ${icon("album")}<span dir="auto">${words}</span>
      </button>`,
      () => filterBy(without(said, "loose"), "/"),
      t("gallery"),
    );
  }

  /**
   * @param {boolean} isOn
   * @param {unknown} content
   * @param {() => void} clear
   * @param {string} words
   */
  #chip(isOn, content, clear, words) {
    return html`<span class="chip ${isOn ? "on" : ""}">
      ${content}
      ${isOn &&
      html`<button class="button quiet icon" type="button" aria-label=${t("remove", { filter: words })} @click=${clear}>
        ${icon("close")}
      </button>`}
    </span>`;
  }

  /** @param {Filters} said */
  async #choose(said) {
    const { chooseDates } = await import("./dates.js");
    const chosen = await chooseDates(said);
    if (chosen) filterBy({ ...without(said, "from", "to", "loose"), ...chosen });
  }

  /** @param {Filters} said */
  async #pickTag(said) {
    const { pickTag } = await import("./tags.js");
    const tag = await pickTag();
    if (tag) filterBy({ ...without(said, "loose"), tag });
  }

  /** @param {Filters} said */
  async #pick(said) {
    const { pickGallery } = await import("../galleries/pick.js");
    const picked = await pickGallery({ title: t("gallery.title"), none: t("loose") });
    if (picked === "none") filterBy({ loose: true }, "/");
    else if (picked) filterBy(without(said, "loose", "archived"), `/galleries/${picked.id}`);
  }
}

/**
 * @param {Filters} said
 * @param {...(keyof Filters)} names
 * @returns {Filters}
 */
function without(said, ...names) {
  return Object.fromEntries(Object.entries(said).filter(([name]) => !names.includes(/** @type {keyof Filters} */ (name))));
}

/**
 * @param {string | undefined} from
 * @param {string | undefined} to
 */
function span(from, to) {
  const day = (/** @type {string} */ text) => formatDate(`${text}T12:00:00`, { dateStyle: "medium" });
  if (from && to) return from === to ? day(from) : t("dates.between", { from: day(from), to: day(to) });
  return from ? t("dates.from", { from: day(from) }) : t("dates.to", { to: day(/** @type {string} */ (to)) });
}

define(FilterChips);
