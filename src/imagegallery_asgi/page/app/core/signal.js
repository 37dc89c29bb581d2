/**
 * Values that tell who reads them when they change: what a component shows follows what it read.
 *
 * A `Signal` holds a value, a `Computed` makes one of others when it is asked, an `effect` runs again when what it read
 * has changed. What changes in one `batch` is told once.
 */

/** The computation that reads at the moment. @type {Reader | null} */
let reading = null;
/** Effects that wait for the end of a batch. @type {Set<Reader>} */
const waiting = new Set();
let batches = 0;

/** Who reads signals: it is told when one of those that it read has changed. */
export class Reader {
  /** @type {Set<Set<Reader>>} */
  #read = new Set();

  /** @param {() => void} outdated Called when what was read has changed; often, until it reads again. */
  constructor(outdated) {
    this.outdated = outdated;
  }

  /**
   * Run a function, and remember what it reads in place of what was read before.
   * @template T
   * @param {() => T} read
   * @returns {T}
   */
  run(read) {
    this.forget();
    const outer = reading;
    reading = this;
    try {
      return read();
    } finally {
      reading = outer;
    }
  }

  /** @param {Set<Reader>} readers Those of a signal that is being read. */
  reads(readers) {
    readers.add(this);
    this.#read.add(readers);
  }

  /** Be told of nothing any more. */
  forget() {
    for (const readers of this.#read) readers.delete(this);
    this.#read.clear();
  }
}

/** @template T */
export class Signal {
  /** @type {T} */
  #value;
  /** @type {Set<Reader>} */
  #readers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    reading?.reads(this.#readers);
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    tell(this.#readers);
  }
}

/** @template T */
export class Computed {
  /** @type {T | undefined} */
  #value;
  #isCurrent = false;
  /** @type {Set<Reader>} */
  #readers = new Set();
  #reader = new Reader(() => {
    if (!this.#isCurrent) return;
    this.#isCurrent = false;
    tell(this.#readers);
  });

  /** @param {() => T} make */
  constructor(make) {
    this.make = make;
  }

  get value() {
    reading?.reads(this.#readers);
    if (!this.#isCurrent) {
      this.#value = this.#reader.run(this.make);
      this.#isCurrent = true;
    }
    return /** @type {T} */ (this.#value);
  }
}

/** @param {Set<Reader>} readers */
function tell(readers) {
  batch(() => {
    for (const reader of [...readers]) reader.outdated();
  });
}

/**
 * @template T
 * @param {T} value
 * @returns {Signal<T>}
 */
export const signal = (value) => new Signal(value);

/**
 * @template T
 * @param {() => T} make
 * @returns {Computed<T>}
 */
export const computed = (make) => new Computed(make);

/**
 * Run a function now, and again whenever a signal has changed that it read.
 * @param {() => void} run
 * @returns {() => void} Ends it.
 */
export function effect(run) {
  const reader = new Reader(() => waiting.add(reader));
  runs.set(reader, run);
  reader.run(run);
  return () => {
    reader.forget();
    waiting.delete(reader);
  };
}
/** @type {WeakMap<Reader, () => void>} */
const runs = new WeakMap();

/**
 * Change several signals as one: effects run once, at the end.
 * @template T
 * @param {() => T} change
 * @returns {T}
 */
export function batch(change) {
  batches += 1;
  try {
    return change();
  } finally {
    batches -= 1;
    if (batches === 0) settle();
  }
}

function settle() {
  for (const reader of waiting) {
    waiting.delete(reader);
    const run = runs.get(reader);
    if (run) reader.run(run);
  }
}

/**
 * Read without being told of changes.
 * @template T
 * @param {() => T} read
 * @returns {T}
 */
export function untracked(read) {
  const outer = reading;
  reading = null;
  try {
    return read();
  } finally {
    reading = outer;
  }
}
