/**
 * How large and where a picture is on its stage: pure geometry, in CSS pixels.
 *
 * A view of scale 1 shows the whole picture; `x` and `y` say how far its middle is from the middle of the stage.
 */

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{x: number, y: number}} Point From the middle of the stage.
 * @typedef {{scale: number, x: number, y: number}} View
 */

/** @type {View} */
export const WHOLE = { scale: 1, x: 0, y: 0 };
/** One step of the keyboard, the buttons, or of a double click: it ends where a pixel of the picture is one of these. */
export const STEP = 1.5;
/** However small a picture is, it may be this much larger than the whole. */
const LEAST_LIMIT = 3;
/** A pixel of the picture is at most this large. */
const LARGEST_PIXEL = 2;

/**
 * The size that shows the whole picture: never larger than its own pixels, which would only blur it.
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Size}
 */
export function fit(picture, stage) {
  const scale = Math.min(stage.width / picture.width, stage.height / picture.height, 1);
  return { width: picture.width * scale, height: picture.height * scale };
}

/**
 * The largest scale.
 * @param {Size} picture
 * @param {Size} fitted
 */
export function limit(picture, fitted) {
  return Math.max(LEAST_LIMIT, (LARGEST_PIXEL * picture.width) / fitted.width);
}

/**
 * What a double tap shows: the picture's own pixels, or twice the whole where these are hardly larger.
 * @param {Size} picture
 * @param {Size} fitted
 */
export function closer(picture, fitted) {
  return Math.max(2, picture.width / fitted.width);
}

/**
 * The view at another scale: what is at a point stays there.
 * @param {View} view
 * @param {number} scale
 * @param {Point} point
 * @returns {View}
 */
export function zoomed(view, scale, point = { x: 0, y: 0 }) {
  const ratio = scale / view.scale;
  return { scale, x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio };
}

/**
 * @param {View} view
 * @param {number} dx
 * @param {number} dy
 * @returns {View}
 */
export const panned = (view, dx, dy) => ({ ...view, x: view.x + dx, y: view.y + dy });

/**
 * The nearest view that may stay: none smaller than the whole or beyond the limit, and no gap between an edge of the
 * picture and of the stage where the picture is the larger one.
 * @param {View} view
 * @param {Size} fitted
 * @param {Size} stage
 * @param {number} most
 * @returns {View}
 */
export function settled(view, fitted, stage, most) {
  const scale = clamp(view.scale, 1, most);
  const { x, y } = zoomed(view, scale);
  const room = (/** @type {"width" | "height"} */ side) => Math.max(0, (fitted[side] * scale - stage[side]) / 2);
  const [across, down] = [room("width"), room("height")];
  return { scale, x: clamp(x, -across, across), y: clamp(y, -down, down) };
}

/**
 * The factor of a turn of the wheel.
 * @param {number} delta
 * @param {number} mode `WheelEvent.deltaMode`: pixels, lines or pages.
 * @param {boolean} isPinch A touch pad says a pinch by a wheel with the control key, in small steps.
 */
export function wheelFactor(delta, mode, isPinch) {
  const pixels = delta * ([1, 16, 400][mode] ?? 1);
  return Math.exp(-clamp(pixels, -200, 200) * (isPinch ? 0.01 : 0.0025));
}

/**
 * @param {Point} a
 * @param {Point} b
 */
export const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/**
 * @param {Point} a
 * @param {Point} b
 * @returns {Point}
 */
export const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most) || 0; // -0 is 0
}
