/**
 * `uploads.add(files, { galleryId })` sends files into a gallery or the library; with `api: api.below(link)` as a guest
 * of a link. The panel shows them, wherever one goes in the page.
 */
import { Api, api } from "../core/api.js";
import { messages } from "../core/messages.js";
import { session } from "../core/session.js";
import { effect, signal, untracked } from "../core/signal.js";
import { toast } from "../parts/toast.js";
import { picked, walk } from "./files.js";
import { target } from "./target.js";
import { Uploads } from "./uploads.js";

/** @typedef {import("./target.js").Target} Target */

const t = await messages("upload");
const BATCH = 200;

class Everybodys {
  /** Those of the person who uses the page, or of the link that it shows. */
  current = signal(/** @type {Uploads | null} */ (null));
  /** By their owners: who looks at a link goes on with their own. @type {Map<string, Uploads>} */
  #all = new Map();

  constructor() {
    /** @type {import("./target.js").Target | string | null} */
    let shown = null;
    effect(() => {
      const its = target.value?.api ?? api;
      const owner = ownerOf(its);
      const here = its.base === api.base ? owner : target.value;
      if (owner === null || here === shown) return;
      shown = here;
      const theirs = untracked(() => this.#of(owner));
      if (its.base !== api.base) theirs.order({ do: "signed" }); // a link's page takes files once it is let in
    });
    effect(() => {
      if (session.state.value === "user") untracked(() => this.current.value?.order({ do: "signed" }));
    });
  }

  /**
   * @param {Iterable<File> | Promise<(FileSystemEntry | File)[]> | (FileSystemEntry | File)[]} files Files of a picker or
   *   a paste, or the entries of a drop.
   * @param {Partial<Target>} [to]
   */
  async add(files, { galleryId = null, api: its = api } = {}) {
    const owner = ownerOf(its);
    if (owner === null) return void toast(t("sign-in-first"), { kind: "error" });
    const uploads = this.#of(owner);
    await Promise.all([uploads.started, uploads.known]);
    await showPanel();
    const place = { galleryId, base: its.base };
    let [batch, leftOut, count] = [/** @type {import("./files.js").Found[]} */ ([]), 0, 0];
    const left = () => (leftOut += 1);
    const all = [...(await files)];
    const found = all.every((each) => each instanceof File) ? picked(/** @type {File[]} */ (all), uploads.limits.value, left) : walk(all, uploads.limits.value, left);
    for await (const each of found) {
      batch.push(each);
      if (batch.length < BATCH) continue;
      count += batch.length;
      uploads.add(batch, place);
      batch = [];
      await new Promise((resolve) => setTimeout(resolve)); // the page stays awake while thousands come
    }
    count += batch.length;
    uploads.add(batch, place);
    if (leftOut > 0) toast(t("left-out", { count: leftOut }));
    else if (count === 0) toast(t("nothing-found"));
  }

  /** @param {string} owner */
  async forget(owner) {
    const uploads = this.#of(owner);
    await uploads.started;
    await uploads.forget();
  }

  /** @param {string} owner */
  #of(owner) {
    const uploads = this.#all.get(owner) ?? this.#open(owner);
    this.current.value = uploads;
    return uploads;
  }

  /** @param {string} owner */
  #open(owner) {
    for (const [other, theirs] of this.#all)
      if (isUser(owner) && isUser(other)) {
        theirs.close(); // another person uses the page now
        this.#all.delete(other);
      }
    const uploads = new Uploads(owner, api, (base) => new Api(base));
    this.#all.set(owner, uploads);
    void uploads.started.then(() => (uploads.queue.items.size > 0 ? showPanel() : undefined));
    return uploads;
  }
}

/** Whose uploads go to an API: the user's, or the link's. @param {Api} its */
const ownerOf = (its) => (its.base === api.base ? (session.me.value?.id ?? null) : its.base);

/** @param {string} owner */
const isUser = (owner) => !owner.startsWith(`${api.base}/`);

export async function showPanel() {
  await import("./panel.js");
  if (document.querySelector("ig-upload-panel") === null) document.body.append(document.createElement("ig-upload-panel"));
}

export const uploads = new Everybodys();
