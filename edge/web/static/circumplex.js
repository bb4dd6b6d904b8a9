// The arousal–valence plane, with the position of each emotion and of the speech.

import { svg } from "./dom.js";
import { colour } from "./palette.js";

export class Circumplex {
  /** @param places arousal and valence of each label, from the model */
  constructor(host, places) {
    this.points = svg("g");
    const drawing = svg("svg", { viewBox: "-1.5 -1.22 3 2.44", class: "circumplex", role: "img" },
      svg("circle", { r: 1, class: "rim" }),
      svg("path", { d: "M -1 0 H 1 M 0 -1 V 1", class: "cross" }),
      side("excited", 0.03, -0.8, "start"), side("calm", 0.04, 0.93, "start"),
      side("unpleasant", -0.97, -0.04, "start"), side("pleasant", 0.97, -0.04, "end"),
      ...Object.entries(places).map(([label, place]) => name(label, ...place)),
      this.points);
    this.drawing = drawing;
    host.replaceChildren(drawing);
    this.show([]);
  }

  /** Shows points {arousal, valence, emotion, title}, the last is the current one, the others fade with age. */
  show(points) {
    const known = points.filter((point) => point.arousal !== null && point.valence !== null);
    const line = known.map(({ arousal, valence }) => `${valence},${-arousal}`).join(" ");
    const circles = known.map((point, at) => {
      const isLast = at === known.length - 1;
      return svg("circle", {
        cx: point.valence, cy: -point.arousal, r: isLast ? 0.085 : 0.05, fill: colour(point.emotion),
        class: classes(point, isLast), opacity: isLast ? 1 : (0.15 + (0.6 * (at + 1)) / known.length).toFixed(2),
      }, svg("title", {}, point.title));
    });
    this.points.replaceChildren(svg("polyline", { points: line, class: "trail", opacity: 0.5 }), ...circles);
    const last = known.at(-1);
    this.drawing.setAttribute("aria-label", last
      ? `Arousal ${last.arousal.toFixed(2)}, valence ${last.valence.toFixed(2)}, each from −1 to 1`
      : "Arousal–valence plane, no points");
  }
}

function classes(point, isLast) {
  return ["point", isLast ? "present" : "", point.emotion === "uncertain" ? "hollow" : ""].filter(Boolean).join(" ");
}

function side(text, x, y, anchor) {
  return svg("text", { x, y, class: "side", "text-anchor": anchor }, text);
}

function name(label, arousal, valence) {
  const isCentre = arousal === 0 && valence === 0;
  const anchor = isCentre || valence > 0.1 ? "start" : valence < -0.1 ? "end" : "middle";
  const [x, y] = isCentre ? [0.05, -0.05] : [1.07 * valence, -1.07 * arousal + 0.03];
  return svg("g", {},
    svg("circle", { cx: valence, cy: -arousal, r: 0.022, fill: colour(label) }),
    svg("text", { x, y, "text-anchor": anchor }, label));
}
