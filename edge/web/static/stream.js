// Server-sent events that come back by themselves, whatever ended them.

const AGAIN_MS = 5000;

/**
 * Follows a stream.
 * @param handlers name of the event -> what takes its data
 * @param onBreak called when it breaks off; it is tried again
 */
export function follow(path, handlers, onBreak) {
  const source = new EventSource(path);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  source.addEventListener("error", () => {
    onBreak();
    // The browser tries again by itself, but not after an answer that says no.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(path, handlers, onBreak), AGAIN_MS);
  });
}
