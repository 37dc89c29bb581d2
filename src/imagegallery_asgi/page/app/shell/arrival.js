/**
 * What a page that is loaded anew does by itself, and one that changes its views has to do: the window is called as the
 * view is, and who reads with a screen reader begins at its heading.
 */

/**
 * Arrive at a view. Its heading may come later, with the name of what it shows.
 * @param {HTMLElement} view
 * @param {{brand: string, hasFocus: boolean}} options `hasFocus`: whether the heading gets the focus.
 * @returns {() => void} Stops waiting, as the person goes elsewhere.
 */
export function arrive(view, { brand, hasFocus }) {
  let takesFocus = hasFocus;
  const check = () => {
    const heading = headingOf(view);
    const text = heading?.textContent?.trim();
    if (!heading || !text) return;
    document.title = `${text} · ${brand}`;
    if (takesFocus) focus(heading);
    takesFocus = false;
    observer.disconnect(); // a grid changes with each step of the wheel
    observer.observe(heading, { childList: true, characterData: true, subtree: true });
  };
  const observer = new MutationObserver(check);
  document.title = brand;
  observer.observe(view, { childList: true, characterData: true, subtree: true });
  check();
  return () => observer.disconnect();
}

/** @param {HTMLElement} view */
const headingOf = (view) => /** @type {HTMLElement | null} */ (view.querySelector("h1, h2"));

/** @param {HTMLElement} heading */
function focus(heading) {
  // Whoever has gone on already, into a field or a dialog, is left there.
  const isElsewhere = document.activeElement?.matches("input, textarea, select") || document.querySelector("dialog[open]");
  if (isElsewhere) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
