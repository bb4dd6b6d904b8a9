// The device's mel bands on a canvas, one pixel per value, stretched by the page, with the pitch drawn over them.

import { colourMap } from "./colourmap.js";
import { el, svg } from "./dom.js";

const MARKS_HZ = [250, 1000, 4000];

/** A canvas with a pixel for each band of each column. */
export function drawSpectrogram(picture) {
  const { columns, bands } = picture;
  const canvas = el("canvas", { width: columns, height: bands, role: "img", "aria-label": "Spectrogram" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, bands);
  const levels = Uint8Array.from(atob(picture.levels), (letter) => letter.charCodeAt(0));
  const colours = new Uint32Array(colourMap().buffer);
  const pixels = new Uint32Array(image.data.buffer);
  for (let column = 0; column < columns; column += 1) {
    for (let band = 0; band < bands; band += 1) {
      pixels[(bands - 1 - band) * columns + column] = colours[levels[column * bands + band]];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The pitch as lines over the canvas, with gaps where the sound is not voiced; null without pitch. */
export function drawPitch(picture) {
  if (!picture.pitch_hz) return null;
  const lines = [];
  let line = [];
  picture.pitch_hz.forEach((hertz, column) => {
    if (hertz !== null) line.push(`${column + 0.5},${(100 * (1 - heightOf(hertz, picture.band_hz))).toFixed(2)}`);
    if (line.length && (hertz === null || column === picture.columns - 1)) {
      lines.push(line.join(" "));
      line = [];
    }
  });
  const draw = (kind) => lines.map((points) =>
    svg("polyline", { points, class: kind, "vector-effect": "non-scaling-stroke" }));
  return svg("svg", { viewBox: `0 0 ${picture.columns} 100`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...draw("pitch-edge"), ...draw("pitch"));
}

/** Frequency labels next to the picture. */
export function drawAxis(picture) {
  return MARKS_HZ.map((hertz) => {
    const mark = el("span", {}, hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
    mark.style.bottom = `${100 * heightOf(hertz, picture.band_hz)}%`;
    return mark;
  });
}

/** Where a frequency lies between the lower edge of the picture, 0, and the upper, 1. */
function heightOf(hertz, centres) {
  const above = centres.findIndex((centre) => centre >= hertz);
  if (above === 0) return (0.5 * hertz) / centres[0] / centres.length;
  if (above < 0) return 1;
  const share = (hertz - centres[above - 1]) / (centres[above] - centres[above - 1]);
  return (above - 0.5 + share) / centres.length;
}
