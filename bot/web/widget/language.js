// Which language the widget speaks, and its wording.

const TRADITIONAL = new Set(["hant", "tw", "hk", "mo"]);

/** The language of ours that a tag like "zh-TW" asks for; undefined for none. */
const ours = (tag) => {
  const [primary, ...rest] = (tag ?? "").toLowerCase().split("-");
  if (primary === "en") return "en";
  if (primary === "zh") return rest.some((part) => TRADITIONAL.has(part)) ? "zh-Hant" : "zh";
  return undefined;
};

/** The tag's own `data-lang`; with "auto" or none the page's language, then the browser's, then English. */
export const widgetLanguage = (chosen, page, browser) =>
  [chosen, page, ...browser].map(ours).find((language) => language !== undefined) ?? "en";

/** A text by its key, with {names} filled in. */
export const textOf = (texts) => (key, values = {}) => {
  const text = texts[key];
  return typeof text === "string" ? text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole) : text;
};
