// Colours that can be read: whatever a site chooses, text keeps the contrast that WCAG 2.2 asks for (4.5 : 1).

const READABLE = 4.5;
const LIGHT_SURFACE = [255, 255, 255];
const DARK_SURFACE = [36, 39, 46];
const DEFAULT = "#1a6dd6";

/** "#rgb" or "#rrggbb" as three numbers from 0 to 255; undefined for anything else. */
export const parse = (colour) => {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec((colour ?? "").trim())?.[1];
  if (digits === undefined) return undefined;
  const pairs = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  return pairs.map((pair) => Number.parseInt(pair, 16));
};

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** The contrast of two colours, 1 to 21. */
export const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const mix = (colour, other, share) => colour.map((value, index) => Math.round(value + (other[index] - value) * share));

/** The colour, mixed with `towards` until it can be read on each of `surfaces`. */
const readable = (colour, surfaces, towards) => {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, towards, share);
    if (surfaces.every((surface) => contrast(mixed, surface) >= READABLE)) return mixed;
  }
  return towards;
};

const css = (rgb) => `rgb(${rgb.join(" ")})`;
const WHITE = [255, 255, 255];
const BLACK = [17, 20, 26];

/** The widget's custom properties for a site's colour; the default colour for one that cannot be read. */
export const palette = (chosen) => {
  const fill = parse(chosen) ?? parse(DEFAULT);
  const ink = contrast(fill, WHITE) >= READABLE || contrast(fill, WHITE) >= contrast(fill, BLACK) ? WHITE : BLACK;
  const safe = readable(fill, [ink], ink === WHITE ? BLACK : WHITE);
  const tint = (surface, share) => mix(surface, fill, share);
  const lightTint = tint(LIGHT_SURFACE, 0.1);
  const darkTint = tint(DARK_SURFACE, 0.24);
  return {
    fill: css(safe),
    "on-fill": css(ink),
    "accent-light": css(readable(fill, [LIGHT_SURFACE, lightTint], BLACK)),
    "accent-dark": css(readable(fill, [DARK_SURFACE, darkTint], WHITE)),
    "tint-light": css(lightTint),
    "tint-dark": css(darkTint),
  };
};
