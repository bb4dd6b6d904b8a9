// From dark violet to pale yellow in 256 steps that look equally far apart: lightness rises evenly in OKLab.

function toSrgb(lightness, a, b) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => {
    const value = Math.min(1, Math.max(0, linear));
    return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
  });
}

/** Red, green, blue and opacity of each of 256 levels. */
export function colourMap() {
  const table = new Uint8ClampedArray(4 * 256);
  for (let level = 0; level < 256; level += 1) {
    const share = level / 255;
    const hue = ((285 + 175 * share) * Math.PI) / 180;
    const chroma = 0.04 + 0.13 * Math.sin(Math.PI * share);
    table.set(toSrgb(0.13 + 0.83 * share, chroma * Math.cos(hue), chroma * Math.sin(hue)), 4 * level);
    table[4 * level + 3] = 255;
  }
  return table;
}
