/** What waits, by who added it and where to. Pure. */

/**
 * @typedef {{state: string, added_by: {kind: "user" | "guest", name: string}, share_id: string | null,
 *   gallery_id: string | null, size: number, arrived_at: string, image: any}} Contribution
 * @typedef {{key: string, kind: "user" | "guest", name: string, share: string | null, gallery: string | null,
 *   latest: string, all: Contribution[]}} Group
 */

/**
 * Those of one person for one gallery together, in the order in which the latest of each came.
 * @param {Contribution[]} waiting The latest first.
 * @returns {Group[]}
 */
export function grouped(waiting) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const one of waiting) {
    const { kind, name } = one.added_by;
    const key = JSON.stringify([kind, name, one.share_id, one.gallery_id]);
    const known = groups.get(key);
    if (known) known.all.push(one);
    else groups.set(key, { key, kind, name, share: one.share_id, gallery: one.gallery_id, latest: one.arrived_at, all: [one] });
  }
  return [...groups.values()];
}
