// A colour for each emotion, distinguishable with every kind of colour vision. Wherever a colour is used, the name of
// the emotion is next to it.

import { el } from "./dom.js";

const COLOURS = {
  angry: "#d55e00",
  happy: "#e5a50a",
  sad: "#2a78c8",
  fear: "#aa4499",
  disgust: "#2e9e6b",
  surprise: "#38bdf0",
  neutral: "#8a8f98",
  calm: "#44aa99",
  boredom: "#9a7352",
  uncertain: "#8a8f98",
};

// For labels that a custom model adds.
const OTHERS = ["#cc79a7", "#6a51d6", "#b8b000", "#c0392b", "#00857c"];

export function colour(emotion) {
  if (Object.hasOwn(COLOURS, emotion)) return COLOURS[emotion];
  const sum = [...emotion].reduce((total, letter) => total + letter.codePointAt(0), 0);
  return OTHERS[sum % OTHERS.length];
}

/** Gives an element, and what is in it, the colour of an emotion. */
export function paint(element, emotion) {
  element.style.setProperty("--emotion", colour(emotion));
  element.dataset.emotion = emotion;
  return element;
}

/** The name of an emotion after a mark of its colour. */
export function named(emotion) {
  return el("span", {}, paint(el("span", { class: "mark", "aria-hidden": "true" }), emotion), emotion);
}
