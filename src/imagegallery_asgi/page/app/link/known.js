/** Images that are known already, as a list that a grid can read. */

/**
 * The API, one list of which (at the path "") is these.
 * @param {import("../core/api.js").Api} client
 * @param {any[]} images Summaries.
 * @returns {import("../core/api.js").Api}
 */
export function known(client, images) {
  const data = images.map((each) => ({ ...each, ratio: each.width / each.height }));
  const all = Object.create(client);
  all.get = (/** @type {string} */ path, /** @type {import("../core/api.js").Options} */ options) =>
    path === "" ? Promise.resolve({ data }) : client.get(path, options);
  return all;
}
