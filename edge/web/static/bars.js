// Probabilities as bars, the highest first.

import { el } from "./dom.js";
import { percent } from "./format.js";
import { paint } from "./palette.js";

export function bars(probabilities) {
  const sorted = Object.entries(probabilities).sort((one, other) => other[1] - one[1]);
  return sorted.flatMap(([label, share]) => {
    const filled = el("i");
    filled.style.width = `${100 * share}%`;
    return [
      el("span", {}, label),
      paint(el("span", { class: "bar", "aria-hidden": "true" }, filled), label),
      el("span", { class: "number" }, percent(share)),
    ];
  });
}
