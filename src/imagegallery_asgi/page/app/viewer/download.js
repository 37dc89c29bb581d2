/** Downloads: of the original, or of what may be had of it. */
import { api } from "../core/api.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { session } from "../core/session.js";
import { toast } from "../parts/toast.js";

/** @typedef {import("./picture.js").Detail} Detail */

const t = await messages("viewer");

/** What links were found to allow. @type {Map<string, Promise<boolean>>} */
const allowed = new Map();

/**
 * Whether there is something to download. Of others' images that are shared with a user it is known when they try.
 * @param {Detail} image
 * @param {string | null} link
 * @returns {Promise<boolean>}
 */
export async function mayDownload(image, link) {
  if (image.src === null && image.visibility === null) return false;
  if (link === null) return session.state.value === "user";
  const known = allowed.get(link) ?? ask(link);
  allowed.set(link, known);
  return await known;
}

/** @param {string} link */
async function ask(link) {
  try {
    const { data } = await api.below(`/s/${encodeURIComponent(link)}`).get("", { query: { begins: false } });
    return data.download !== "none";
  } catch {
    allowed.delete(link);
    return false;
  }
}

/**
 * @param {import("../core/api.js").Api} client
 * @param {{id: string, filename: string}} image
 */
export async function download(client, { id, filename }) {
  const address = client.url(`/images/${encodeURIComponent(id)}/download`);
  if (session.token === null) {
    save(address, filename); // the browser sends its cookies along, and shows how far it is
    return;
  }
  const done = toast(t("downloading", { name: filename }));
  try {
    const response = await client.request(`/images/${encodeURIComponent(id)}/download`, { headers: { Accept: "*/*" } });
    const url = URL.createObjectURL(await response.blob());
    save(url, filename);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    toast(sentence(error), { kind: "error" });
  } finally {
    done();
  }
}

/**
 * @param {string} url
 * @param {string} name
 */
function save(url, name) {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
