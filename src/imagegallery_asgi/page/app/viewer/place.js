/** Where a photo was taken, on a map that comes with the page: nobody else learns of the place. */
import { Element, define } from "../core/element.js";
import { html } from "../core/html.js";
import { messages } from "../core/messages.js";
import { signal } from "../core/signal.js";
import { icon } from "../parts/icon.js";
import { coordinates } from "./details.js";
import { WIDTH, frame, geoUri, path, project } from "./world.js";

const t = await messages("viewer");

/** How many degrees of longitude are seen: from the whole world to a small country. */
const SPANS = [360, 160, 70, 30, 12];
const FIRST = 2;
const RATIO = 1.6;

/** @type {Promise<{land: string, borders: string}> | null} */
let world = null;

async function loadWorld() {
  const response = await fetch(new URL("./world.json", import.meta.url));
  if (!response.ok) throw new Error("The outline of the world could not be loaded.");
  /** @type {import("./world.js").Outline} */
  const outline = await response.json();
  return {
    land: outline.land.map((line) => path(line, true)).join(""),
    borders: outline.borders.map((line) => path(line, false)).join(""),
  };
}

class Place extends Element {
  static tag = "ig-place";

  place = signal(/** @type {import("./world.js").Place} */ ({ latitude: 0, longitude: 0 }));
  step = signal(FIRST);
  drawn = signal(/** @type {{land: string, borders: string} | null} */ (null));

  /** @param {AbortSignal} ended */
  connected(ended) {
    world ??= loadWorld();
    world.then(
      (drawn) => !ended.aborted && (this.drawn.value = drawn),
      () => (world = null), // the coordinates are there all the same
    );
  }

  render() {
    const place = this.place.value;
    const step = this.step.value;
    const words = coordinates(place, t);
    return html`
      ${this.drawn.value ? this.#map(this.drawn.value, place, step) : html`<div class="map"></div>`}
      <p class="row">
        <a href=${geoUri(place)} title=${t("map.open")}><bdi class="number">${words}</bdi></a>
        <span class="zooms">
          <button class="button quiet icon" type="button" aria-label=${t("map.out")} ?disabled=${step === 0} @click=${() => (this.step.value -= 1)}>${icon("zoom-out")}</button>
          <button class="button quiet icon" type="button" aria-label=${t("map.in")} ?disabled=${step === SPANS.length - 1} @click=${() => (this.step.value += 1)}>${icon("zoom-in")}</button>
        </span>
      </p>
    `;
  }

  /**
   * @param {{land: string, borders: string}} drawn
   * @param {import("./world.js").Place} place
   * @param {number} step
   */
  #map({ land, borders }, place, step) {
    const span = SPANS[step] ?? WIDTH;
    const { x, y, width, height } = frame(place, span, RATIO);
    const pin = project(place);
    return html`<svg class="map" viewBox="${x} ${y} ${width} ${height}" role="img" aria-label=${t("map.label", { place: coordinates(place, t) })}>
      <g class="earth"><path class="land" d=${land} /><path class="borders" d=${borders} /></g>
      <g class="earth" transform="translate(${-WIDTH} 0)"><path class="land" d=${land} /><path class="borders" d=${borders} /></g>
      <g class="earth" transform="translate(${WIDTH} 0)"><path class="land" d=${land} /><path class="borders" d=${borders} /></g>
      <circle class="halo" cx=${pin.x} cy=${pin.y} r=${span / 26} />
      <circle class="pin" cx=${pin.x} cy=${pin.y} r=${span / 64} />
    </svg>`;
  }
}

define(Place);
