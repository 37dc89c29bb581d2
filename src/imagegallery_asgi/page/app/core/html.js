/**
 * Templates: `html` says what is to be seen, `render` makes it so, and changes only what differs from last time.
 *
 * The fixed part of a template is markup of this program; whatever comes through a hole is text, a node, another
 * template, a list of these, or the value of an attribute, and never read as markup. Holes are between elements, or are
 * an attribute's value: `name=${text}`, `?name=${bool}`, `.property=${value}` (a signal of that name is set),
 * `@event=${listener}`, `style=${{"--ratio": 1.5}}`, and `ref=${element => …}`, which is called once.
 */
import { Signal } from "./signal.js";
import { trustedMarkup } from "./trusted.js";

/** What `html` makes. */
export class Template {
  /**
   * @param {TemplateStringsArray} strings
   * @param {unknown[]} values
   */
  constructor(strings, values) {
    this.strings = strings;
    this.values = values;
  }
}

/** What `each` makes. */
class Each {
  /**
   * @param {unknown[]} keys
   * @param {Template[]} templates
   */
  constructor(keys, templates) {
    this.keys = keys;
    this.templates = templates;
  }
}

/**
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values
 */
export const html = (strings, ...values) => new Template(strings, values);

/**
 * A list whose elements are known by keys: they move with their items, and keep what is theirs.
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => unknown} keyOf
 * @param {(item: T, index: number) => Template} templateOf
 */
export function each(items, keyOf, templateOf) {
  const all = [...items];
  return new Each(all.map(keyOf), all.map(templateOf));
}

/**
 * Make an element hold what a value says, in place of what it held.
 * @param {unknown} value
 * @param {Element | DocumentFragment} container
 */
export function render(value, container) {
  let hole = roots.get(container);
  if (!hole) {
    const [start, end] = [new Comment(), new Comment()];
    container.replaceChildren(start, end);
    hole = new Hole(start, end);
    roots.set(container, hole);
  }
  hole.set(value);
}
/** @type {WeakMap<Element | DocumentFragment, Hole>} */
const roots = new WeakMap();

/** Anything that a hole of a template fills. @typedef {{set(value: unknown): void}} Part */

/**
 * A hole of a compiled template: the number of its node in the order of the document, and its attribute, if it is one.
 * @typedef {{node: number, name: string | null, texts: string[]}} Place
 */

const MARK = "ig§";
const ATTRIBUTE = /([^\s"'<>/=]+)\s*=\s*(?:"[^"]*|'[^']*|[^\s"'<>=`]*)$/;

/** @type {WeakMap<TemplateStringsArray, {content: DocumentFragment, places: Place[]}>} */
const compiled = new WeakMap();

/** @param {TemplateStringsArray} strings */
function compile(strings) {
  const known = compiled.get(strings);
  if (known) return known;
  const { markup, names } = marked(strings);
  const template = document.createElement("template");
  template.innerHTML = /** @type {string} */ (/** @type {unknown} */ (trustedMarkup(markup)));
  const made = { content: template.content, places: placesOf(template.content, names) };
  if (made.places.reduce((count, place) => count + Math.max(1, place.texts.length - 1), 0) !== names.length)
    throw new SyntaxError(`A hole of this template is in no place for one: ${strings.join("${…}")}`);
  compiled.set(strings, made);
  return made;
}

/**
 * The markup with marks in place of its holes, and for each hole the name of its attribute, as it was written.
 * @param {TemplateStringsArray} strings
 */
function marked(strings) {
  if (!Array.isArray(strings.raw)) throw new TypeError("Markup is what this program's templates say.");
  /** @type {(string | null)[]} */
  const names = [];
  let markup = strings[0] ?? "";
  let inside = markup;
  for (const text of strings.slice(1)) {
    const isInTag = inside.lastIndexOf("<") > inside.lastIndexOf(">");
    const name = isInTag ? (ATTRIBUTE.exec(inside)?.[1] ?? null) : null;
    // A mark in `style` itself would be a style, which the policy refuses.
    if (name === "style") markup = markup.replace(/style(?=\s*=[^=]*$)/, "ig-style");
    markup += name === null ? `<!--${MARK}-->` : MARK;
    names.push(name);
    inside = isInTag ? inside + MARK + text : text;
    markup += text;
  }
  return { markup, names };
}

/**
 * Where the holes are, in the order of the document, which is that of the holes.
 * @param {DocumentFragment} content
 * @param {(string | null)[]} names
 */
function placesOf(content, names) {
  /** @type {Place[]} */
  const places = [];
  const walker = nodesOf(content);
  let taken = 0;
  for (let node = 0; walker.nextNode(); node += 1) {
    const current = walker.currentNode;
    if (current instanceof Comment) {
      if (current.data !== MARK) continue;
      current.data = "";
      places.push({ node, name: null, texts: [] });
      taken += 1;
      continue;
    }
    const element = /** @type {Element} */ (current);
    for (const attribute of [...element.attributes]) {
      if (!attribute.value.includes(MARK)) continue;
      element.removeAttribute(attribute.name);
      const texts = attribute.value.split(MARK);
      places.push({ node, name: names[taken] ?? attribute.name, texts });
      taken += texts.length - 1;
    }
  }
  return places;
}

/** @param {Node} root */
const nodesOf = (root) => document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);

/** A template that is in the document: its nodes lie from `first` to `last`. */
class Instance {
  /** @param {Template} template */
  constructor(template) {
    const { content, places } = compile(template.strings);
    this.strings = template.strings;
    const fragment = document.importNode(content, true);
    /** @type {Node[]} */
    const nodes = [];
    const walker = nodesOf(fragment);
    while (walker.nextNode()) nodes.push(walker.currentNode);
    this.parts = places.map((place) => partAt(/** @type {Node} */ (nodes[place.node]), place));
    this.fragment = fragment;
    this.first = /** @type {ChildNode} */ (fragment.firstChild);
    this.last = /** @type {ChildNode} */ (fragment.lastChild);
    this.set(template.values);
  }

  /** @param {unknown[]} values */
  set(values) {
    let taken = 0;
    for (const part of this.parts) {
      if (part instanceof Texts) {
        part.set(values.slice(taken, taken + part.holes));
        taken += part.holes;
      } else {
        part.set(values[taken]);
        taken += 1;
      }
    }
  }

  /**
   * @param {Node} parent
   * @param {Node} before
   */
  moveBefore(parent, before) {
    if (this.fragment.firstChild === this.first) parent.insertBefore(this.fragment, before);
    else for (const node of range(this.first, this.last)) parent.insertBefore(node, before);
  }

  remove() {
    for (const node of range(this.first, this.last)) node.remove();
  }
}

/**
 * @param {ChildNode} first
 * @param {ChildNode} last
 */
function range(first, last) {
  const nodes = [first];
  for (let node = first; node !== last; ) {
    node = /** @type {ChildNode} */ (node.nextSibling);
    nodes.push(node);
  }
  return nodes;
}

/**
 * @param {Node} node
 * @param {Place} place
 * @returns {Part}
 */
function partAt(node, place) {
  if (place.name === null) {
    const start = new Comment();
    /** @type {ChildNode} */ (node).before(start);
    return new Hole(start, /** @type {Comment} */ (node));
  }
  const element = /** @type {HTMLElement} */ (node);
  const name = place.name;
  if (place.texts.length !== 2 || place.texts.some(Boolean)) return new Texts(element, name, place.texts);
  if (name.startsWith("@")) return new Listener(element, name.slice(1));
  if (name.startsWith(".")) return new Property(element, name.slice(1));
  if (name.startsWith("?")) return differing((value) => element.toggleAttribute(name.slice(1), Boolean(value)));
  if (name === "style") return new Style(element);
  if (name === "ref") return new Reference(element);
  return differing((value) => setAttribute(element, name, value));
}

/**
 * A part that is set where the value is another one than last time.
 * @param {(value: unknown) => void} set
 * @returns {Part}
 */
function differing(set) {
  /** @type {unknown} */
  let last = differing;
  return {
    set(value) {
      if (Object.is(value, last)) return;
      last = value;
      set(value);
    },
  };
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** An attribute with text around its holes. */
class Texts {
  /**
   * @param {Element} element
   * @param {string} name
   * @param {string[]} texts
   */
  constructor(element, name, texts) {
    this.element = element;
    this.name = name;
    this.texts = texts;
    this.holes = texts.length - 1;
    this.last = "";
  }

  /** @param {unknown} values */
  set(values) {
    const given = /** @type {unknown[]} */ (values);
    const text = this.texts.map((each, index) => each + (index < this.holes ? (given[index] ?? "") : "")).join("");
    if (text === this.last) return;
    this.last = text;
    this.element.setAttribute(this.name, text);
  }
}

class Listener {
  /**
   * @param {Element} element
   * @param {string} type
   */
  constructor(element, type) {
    this.element = element;
    this.type = type;
    /** @type {((event: Event) => unknown) | null} */
    this.listener = null;
  }

  /** @param {unknown} value A function or nothing. */
  set(value) {
    const listener = /** @type {((event: Event) => unknown) | null} */ (value || null);
    if (listener && !this.listener) this.element.addEventListener(this.type, this);
    if (!listener && this.listener) this.element.removeEventListener(this.type, this);
    this.listener = listener;
  }

  /** @param {Event} event */
  handleEvent(event) {
    this.listener?.call(this.element, event);
  }
}

class Property {
  /**
   * @param {Element} element
   * @param {string} name
   */
  constructor(element, name) {
    this.element = /** @type {Record<string, any>} */ (/** @type {unknown} */ (element));
    this.name = name;
  }

  /** @param {unknown} value */
  set(value) {
    const held = this.element[this.name];
    if (held instanceof Signal) held.value = value;
    // What a person typed differs from what was set last: so it is compared with what is there.
    else if (!Object.is(held, value)) this.element[this.name] = value;
  }
}

/** Styles by the object model, which a policy against styles in markup lets pass. */
class Style {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    /** @type {Record<string, unknown>} */
    this.last = {};
  }

  /** @param {unknown} value */
  set(value) {
    const wanted = /** @type {Record<string, unknown>} */ (value ?? {});
    for (const name of Object.keys(this.last)) if (!(name in wanted)) this.element.style.removeProperty(name);
    for (const [name, each] of Object.entries(wanted))
      if (each !== this.last[name])
        this.element.style.setProperty(name, each === null || each === undefined ? "" : String(each));
    this.last = { ...wanted };
  }
}

class Reference {
  /** @param {Element} element */
  constructor(element) {
    this.element = element;
    this.isTold = false;
  }

  /** @param {unknown} value */
  set(value) {
    if (this.isTold) return;
    this.isTold = true;
    /** @type {(element: Element) => void} */ (value)(this.element);
  }
}

/** A hole between elements: what it holds lies between two comments. */
class Hole {
  /** @type {Text | Instance | Node | null} */
  #held = null;
  /** @type {unknown} */
  #last = null;
  /** @type {Map<unknown, Instance>} */
  #items = new Map();

  /**
   * @param {Comment} start
   * @param {Comment} end
   */
  constructor(start, end) {
    this.start = start;
    this.end = end;
  }

  get #parent() {
    return /** @type {Node} */ (this.end.parentNode);
  }

  /** @param {unknown} value */
  set(value) {
    if (value instanceof Template) this.#setTemplate(value);
    else if (value instanceof Each) this.#setItems(value.keys, value.templates);
    else if (Array.isArray(value)) this.#setItems([...value.keys()], value.map(asTemplate));
    else if (value instanceof Node) this.#setNode(value);
    else this.#setText(value === null || value === undefined || value === false ? "" : String(value));
  }

  /** @param {Template} template */
  #setTemplate(template) {
    const held = this.#held;
    if (held instanceof Instance && held.strings === template.strings) {
      held.set(template.values);
      return;
    }
    this.#clear();
    const instance = new Instance(template);
    this.#held = instance;
    instance.moveBefore(this.#parent, this.end);
  }

  /** @param {Node} node */
  #setNode(node) {
    if (this.#held === node && node.parentNode === this.#parent) return;
    this.#clear();
    this.#held = node;
    this.#parent.insertBefore(node, this.end);
  }

  /** @param {string} text */
  #setText(text) {
    if (this.#held instanceof Text && this.#last !== null) {
      if (this.#last !== text) this.#held.data = text;
    } else {
      this.#clear();
      if (text === "") return;
      this.#held = new Text(text);
      this.#parent.insertBefore(this.#held, this.end);
    }
    this.#last = text;
  }

  /**
   * @param {unknown[]} keys
   * @param {Template[]} templates
   */
  #setItems(keys, templates) {
    if (this.#held !== null) this.#clear();
    const before = this.#items;
    /** @type {Map<unknown, Instance>} */
    const items = new Map();
    keys.forEach((key, index) => {
      if (items.has(key)) return; // a list that has a thing twice shows it once
      const template = /** @type {Template} */ (templates[index]);
      const known = before.get(key);
      if (known && known.strings === template.strings) {
        before.delete(key);
        known.set(template.values);
        items.set(key, known);
      } else items.set(key, new Instance(template));
    });
    for (const gone of before.values()) gone.remove();
    let next = /** @type {ChildNode} */ (this.end);
    for (const instance of [...items.values()].reverse()) {
      if (instance.last.nextSibling !== next || instance.last.parentNode !== this.#parent)
        instance.moveBefore(this.#parent, next);
      next = instance.first;
    }
    this.#items = items;
  }

  #clear() {
    let node = this.start.nextSibling;
    while (node && node !== this.end) {
      const next = node.nextSibling;
      node.remove();
      node = next;
    }
    this.#held = null;
    this.#last = null;
    this.#items = new Map();
  }
}

/** @param {unknown} value */
const asTemplate = (value) => (value instanceof Template ? value : html`${value}`);
