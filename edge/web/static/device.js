// What the messages of a device mean, in words.

import { duration, megabytes, whole } from "./format.js";

const MICROPHONE = {
  ok: "The microphone delivers sound.",
  zeros: "The microphone delivers only digital silence: it is switched off or broken.",
  silent: "The microphone is open but delivers nothing.",
  lost: "The microphone cannot be opened: unplugged, busy or failing. The device keeps trying.",
  muted: "The device is muted and does not listen.",
};

/** What the microphone delivers, and what the device reports to be wrong with it. */
export function microphone(state, report) {
  const trouble = state.microphone === report?.microphone ? report.microphone_trouble : null;
  return (MICROPHONE[state.microphone] ?? `Microphone: ${state.microphone}.`) + (trouble ? ` ${trouble}.` : "");
}

/** Why the page cannot show the current state; empty if it can. */
export function obstacle({ device, broker, availability }) {
  if (!broker.connected) {
    return `Not connected to the broker ${broker.address}${broker.trouble ? `: ${broker.trouble}` : "; trying"}.`;
  }
  if (broker.trouble) return `Broker ${broker.address}: ${broker.trouble}.`;
  if (availability === null) {
    return `Connected to the broker ${broker.address}, but nothing has been heard from the device “${device}”. ` +
      "Check its name (--device-id), and that this user may read its topics.";
  }
  return availability === "online" ? "" : `The device “${device}” is ${availability}.`;
}

/** One line on the health of the device; empty if it has not reported any. */
export function health(report) {
  if (!report) return "";
  const parts = [
    `up ${duration(report.uptime_s)}`,
    `${report.cpu_percent.toFixed(0)} % of a core`,
    megabytes(report.rss_bytes),
  ];
  if (report.level_dbfs !== null) parts.push(`level ${whole(report.level_dbfs)} dBFS`);
  if (report.temperature_c !== null) parts.push(`${whole(report.temperature_c)} °C`);
  if (report.throttled) parts.push("throttled");
  if (report.queued_turns) parts.push(`${report.queued_turns} turns queued for the broker`);
  if (report.dropped_samples) parts.push(`${report.dropped_samples} samples dropped`);
  return `Health of the device: ${parts.join(", ")}.`;
}
