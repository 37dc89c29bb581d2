/** Give back what somebody shares. */
import { api } from "../core/api.js";
import { messages } from "../core/messages.js";
import { sentence } from "../core/sentences.js";
import { confirm } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";

/**
 * @typedef {{id: string, owner_id: string | null, targets: import("../shares/terms.js").Target[], permissions: string[],
 *   note: string, expires_at: string | null, can_leave: boolean, created_at: string}} Received
 */

const t = await messages("received");

/**
 * @param {Received} share
 * @param {string} name
 * @returns {Promise<boolean>} Whether it was given back.
 */
export async function leave(share, name) {
  const sure = await confirm({ title: t("leave.title", { name }), text: t(share.owner_id ? "leave.text" : "leave.text.link"), yes: t("leave"), danger: true });
  if (!sure) return false;
  try {
    await api.delete(`/received-shares/${share.id}`);
    toast(t("left"));
    return true;
  } catch (error) {
    toast(sentence(error), { kind: "error" });
    return false;
  }
}
