/** What lies beside an image in the list of the view below: pure but for what the list reads. */

/**
 * @typedef {{key: string}} Section
 * @typedef {{isReady: {value: boolean}, count: {value: number | null}, sections: Section[], open(): Promise<void>,
 *   load(section: any): Promise<void>, indexOf(id: string): number | null, idAt(index: number): Promise<string | null>,
 *   summary(id: string): Promise<any>}} List What the viewer needs of an `ImageSource`.
 * @typedef {{id: string, taken_at?: string | null}} Image
 */

/** How far a list is read to find where in it an image is that came by its address. */
const SEARCHED = 3000;

/**
 * The number of an image in the list, found by its month where the list has months.
 * @param {List} list
 * @param {Image} image
 * @returns {Promise<number | null>}
 */
export async function indexIn(list, image) {
  const known = list.indexOf(image.id);
  if (known !== null) return known;
  if (!list.isReady.value) await list.open();
  const month = image.taken_at?.slice(0, 7) ?? "";
  for (const section of list.sections)
    if (month && section.key.startsWith(month)) {
      await list.load(section);
      const found = list.indexOf(image.id);
      if (found !== null) return found;
    }
  for (let index = 0; index < SEARCHED; index += 1) {
    const id = await list.idAt(index);
    if (id === null) return null;
    if (id === image.id) return index;
  }
  return null;
}

/**
 * The images beside it, and the first and the last.
 * @param {List} list
 * @param {Image} image
 * @returns {Promise<{index: number, before: string | null, after: string | null} | null>} Null if it is not in it.
 */
export async function beside(list, image) {
  const index = await indexIn(list, image);
  if (index === null) return null;
  const [before, after] = await Promise.all([index > 0 ? list.idAt(index - 1) : null, list.idAt(index + 1)]);
  return { index, before, after };
}

/**
 * @param {List} list
 * @param {-1 | 1} end
 * @returns {Promise<string | null>} Null where it is not known how long the list is.
 */
export async function endOf(list, end) {
  if (end === -1) return await list.idAt(0);
  const count = list.count.value;
  return count ? await list.idAt(count - 1) : null;
}
