import { asScript } from "./session.ts";
import type { StateChange } from "./types.ts";

interface Reading {
  ended: AbortSignal;
  opened(): void;
  onState(changed: StateChange): void;
}

/** RFC 8620 §7.3, read with fetch, since EventSource hides why it failed. Resolves when the stream ends. */
export async function readEvents(url: string, { ended, opened, onState }: Reading): Promise<void> {
  const response = await fetch(url, { headers: { Accept: "text/event-stream", ...asScript }, signal: ended });
  if (!response.ok || !response.body) throw new Error(`the event source answered ${response.status}`);
  opened();
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      if (!/^event: ?state$/m.test(event)) continue;
      const data = [...event.matchAll(/^data: ?(.*)$/gm)].map(([, line]) => line).join("\n");
      onState((JSON.parse(data) as { changed: StateChange }).changed);
    }
  }
}
