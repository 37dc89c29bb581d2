/** Tells (`made`) of a new share, for a list that is open. */
export const made = new EventTarget();
