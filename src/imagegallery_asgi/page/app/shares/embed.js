/** How other pages show a public gallery or a share. Pure. */

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);

/**
 * The markup of a frame, as a text to be copied.
 * @param {{address: string, title: string, width: number, height: number}} frame
 */
export function embedCode({ address, title, width, height }) {
  return (
    `<iframe src="${escaped(address)}" width="${width}" height="${height}" title="${escaped(title)}" ` +
    `style="border:0" loading="lazy"></iframe>`
  );
}

/**
 * The address of what a frame shows.
 * @param {string} origin With the mount.
 * @param {{gallery: string} | {link: string}} thing
 */
export const embedAddress = (origin, thing) =>
  "gallery" in thing ? `${origin}/embed/galleries/${thing.gallery}` : `${origin}/embed/s/${encodeURIComponent(thing.link)}`;
