/** The rules of the policy as people write them, and what of a draft is to be changed; pure. */
import { bytesIn, sizeText } from "./numbers.js";

/**
 * @typedef {"types" | "size" | "limit" | "rate" | "choice" | "flag"} Kind
 * @typedef {{name: string, kind: Kind, choices?: string[]}} Rule
 * @typedef {{isSaid: boolean, text: string}} Said What is in the form for a rule: whether it is said at all, and what.
 * @typedef {Record<string, unknown>} Values
 */

/** @type {Rule[]} */
export const RULES = [
  { name: "allowed_types", kind: "types" },
  { name: "max_size", kind: "size" },
  { name: "storage_limit", kind: "limit" },
  { name: "visitor_rate", kind: "rate" },
  { name: "user_rate", kind: "rate" },
  { name: "upload_rate", kind: "rate" },
  { name: "originals", kind: "choice", choices: ["keep", "strip_place", "strip_all"] },
  { name: "default_visibility", kind: "choice", choices: ["private", "unlisted", "public"] },
  { name: "guest_uploads", kind: "flag" },
  { name: "hotlinks", kind: "flag" },
];
export const UNLIMITED = "unlimited";

/**
 * A value as it stands in a field.
 * @param {Rule} rule
 * @param {unknown} value
 */
export function textOf({ kind }, value) {
  if (value === null || value === UNLIMITED) return UNLIMITED;
  if (Array.isArray(value)) return value.join(", ");
  if ((kind === "size" || kind === "limit") && typeof value === "number") return sizeText(value);
  return String(value);
}

/**
 * What a text in a field means; what means nothing goes as it is, so that the service says what is wrong.
 * @param {Rule} rule
 * @param {string} text
 */
export function valueOf({ kind }, text) {
  const trimmed = text.trim();
  if (kind === "types") return trimmed.split(/[\s,]+/).filter(Boolean);
  if (kind === "flag") return trimmed === "true";
  if (kind === "size" || kind === "limit") return bytesIn(trimmed) ?? trimmed;
  return trimmed;
}

/**
 * The form for what holds: a rule that nobody has said shows what the settings say.
 * @param {Values} rules
 * @param {Values} inForce
 * @returns {Record<string, Said>}
 */
export const draftOf = (rules, inForce) =>
  Object.fromEntries(
    RULES.map((rule) => [
      rule.name,
      { isSaid: rule.name in rules, text: textOf(rule, rule.name in rules ? rules[rule.name] : inForce[rule.name]) },
    ]),
  );

/**
 * The changes that a draft makes to the rules, as a JSON Merge Patch.
 * @param {Record<string, Said>} draft
 * @param {Values} rules
 * @returns {Values}
 */
export function patchOf(draft, rules) {
  /** @type {Values} */
  const patch = {};
  for (const rule of RULES) {
    const said = draft[rule.name];
    if (said === undefined) continue;
    const was = rules[rule.name];
    const becomes = said.isSaid ? valueOf(rule, said.text) : undefined;
    if (!isSame(was, becomes)) patch[rule.name] = becomes ?? null;
  }
  return patch;
}

/**
 * What differs between two versions of the rules: each with what it was and what it is; undefined for the settings.
 * @param {Values} before
 * @param {Values} after
 */
export const differences = (before, after) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !isSame(before[name], after[name]))
    .sort()
    .map((name) => ({ name, was: before[name], becomes: after[name] }));

/**
 * What is wrong, by the rule that it is wrong with; under `why` what is wrong with the reason, and under an empty name
 * all else.
 * @param {{faults?: {path: string[], message: string}[], detail?: string}} problem
 * @returns {Record<string, string>}
 */
export function faultsOf({ faults = [], detail = "" }) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const { path, message } of faults) {
    const name = path.at(-1) ?? "";
    const place = name === "why" || RULES.some((rule) => rule.name === name) ? name : "";
    found[place] = [found[place], message].filter(Boolean).join("; ");
  }
  return faults.length ? found : { "": detail };
}

/** @param {unknown} one @param {unknown} other */
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
