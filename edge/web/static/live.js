// The page that follows the device.

import { getModel } from "./api.js";
import { Circumplex } from "./circumplex.js";
import { health, microphone, obstacle } from "./device.js";
import { byId, el, say } from "./dom.js";
import { duration, percent, reasons, signed } from "./format.js";
import { named, paint } from "./palette.js";
import { follow } from "./stream.js";

const KEPT_TURNS = 200;
const TRAIL = 12;

let present = null;
let turns = [];
let circumplex = new Circumplex(byId("circumplex"), {});

function show() {
  const notice = obstacle(present);
  notify(notice);
  say(byId("device"), present.device);
  say(byId("health"), health(present.health));
  const state = notice ? null : present.state;
  byId("present").classList.toggle("stale", !state);
  showState(state);
  showTrail(state);
}

function notify(text) {
  byId("notice").hidden = !text;
  say(byId("notice"), text);
}

function showState(state) {
  const emotion = byId("emotion");
  const named = state && state.emotion !== "none" ? state.emotion : "–";
  say(emotion, named);
  paint(emotion, state ? state.emotion : "uncertain");
  emotion.classList.toggle("guess", Boolean(state?.provisional));
  const share = state?.confidence ?? null;
  say(byId("confidence"), share === null ? "\u00a0" : `${percent(share)}${state.provisional ? ", a first guess" : ""}`);
  byId("meter").value = share ?? 0;
  say(byId("speaking"), state ? (state.speaking ? "Somebody is speaking" : "Nobody is speaking") : "Unknown");
  byId("speaking").classList.toggle("yes", Boolean(state?.speaking));
  say(byId("microphone"), state ? microphone(state, present.health) : "");
}

function showTrail(state) {
  const points = turns.slice(-TRAIL).map((turn) => ({ ...turn, title: `${timeOf(turn)}: ${turn.emotion}` }));
  const isNew = state?.provisional || turns.length === 0;
  if (state && isNew && state.arousal !== null) points.push({ ...state, title: `now: ${state.emotion}` });
  circumplex.show(points);
}

const timeOf = (turn) => new Date(turn.started).toLocaleTimeString();

function row(turn) {
  const cells = [timeOf(turn), named(turn.emotion), percent(turn.confidence), duration(turn.duration),
    signed(turn.arousal), signed(turn.valence)];
  return el("tr", { title: turn.doubts.length ? `Uncertain because ${reasons(turn.doubts)}` : undefined },
    ...cells.map((cell) => el("td", {}, cell)));
}

function showTurns() {
  byId("rows").replaceChildren(...turns.map(row).reverse());
  count();
}

function count() {
  say(byId("count"), turns.length ? `(${turns.length})` : "– none yet");
}

function add(turn) {
  turns.push(turn);
  byId("rows").prepend(row(turn));
  if (turns.length > KEPT_TURNS) {
    turns.shift();
    byId("rows").lastElementChild.remove();
  }
  count();
  show();
}

function change(name) {
  return (value) => {
    present[name] = value;
    show();
  };
}

follow("/api/events", {
  snapshot: (all) => {
    ({ present, turns } = all);
    showTurns();
    show();
  },
  broker: change("broker"),
  availability: change("availability"),
  state: change("state"),
  health: change("health"),
  turn: add,
}, () => {
  byId("present").classList.add("stale");
  notify("The dashboard cannot be reached; retrying. Check that affectd web is running.");
});

getModel().then((model) => {
  circumplex = new Circumplex(byId("circumplex"), model.circumplex);
  if (present) show();
}, () => { /* the stream reports the error */ });
