/** What the service worker keeps in this browser, for a user; the files of the page are nobody's. */

/** @param {string} scope The mount, with a slash at its end: one address may have several. */
export const namesOf = (scope) => ({
  pictures: `${scope} pictures`,
  answers: `${scope} answers`,
  received: `${scope} received`,
});

/** Forget what was kept for a user.
 * @param {string} scope
 */
export async function forget(scope) {
  await Promise.all(Object.values(namesOf(scope)).map((name) => caches.delete(name)));
}

const NAME = "X-Filename";

/** Keep files that another application gave to this one, until the page takes them.
 * @param {string} scope
 * @param {File[]} files
 */
export async function putReceived(scope, files) {
  const cache = await caches.open(namesOf(scope).received);
  for (const [number, file] of files.entries()) {
    const headers = { "Content-Type": file.type, [NAME]: encodeURIComponent(file.name) };
    await cache.put(`${scope}received-files/${number}`, new Response(file, { headers }));
  }
}

/** The files that another application gave to this one; once.
 * @param {string} scope
 * @returns {Promise<File[]>}
 */
export async function takeReceived(scope) {
  const { received } = namesOf(scope);
  const cache = await caches.open(received);
  const answers = await Promise.all((await cache.keys()).map((request) => cache.match(request)));
  const files = await Promise.all(answers.map((answer) => answer && fileOf(answer)));
  await caches.delete(received);
  return files.filter((file) => file !== undefined);
}

/** @param {Response} answer */
async function fileOf(answer) {
  const name = decodeURIComponent(answer.headers.get(NAME) ?? "");
  return new File([await answer.blob()], name, { type: answer.headers.get("Content-Type") ?? "" });
}
