/** Style sheets that come with a view. */

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/**
 * Load a style sheet beside a module, once.
 * @param {string} module Its `import.meta.url`.
 * @param {string} path
 */
export function style(module, path) {
  const { href } = new URL(path, module);
  const known = loading.get(href);
  if (known) return known;
  const loaded = new Promise((/** @type {(done: void) => void} */ resolve) => {
    if ([...document.styleSheets].some((sheet) => sheet.href === href)) return resolve();
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
  loading.set(href, loaded);
  return loaded;
}
