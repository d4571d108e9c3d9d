interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Shows on stderr how far long work is and for how many seconds it has run: on a terminal in one line that is rewritten,
 * elsewhere in a line every few seconds, also while the work reports nothing, as during a long statement.
 */
export async function withProgress<T>(
  work: (tell: (text: string) => void) => Promise<T>,
  { stream = process.stderr, pauseMs }: { stream?: Terminal; pauseMs?: number } = {},
): Promise<T> {
  const start = performance.now();
  let latest: string | undefined;
  const show = () => {
    if (latest === undefined) return;
    const text = `${latest} (${Math.floor((performance.now() - start) / 1000)} s)`;
    // A line that wraps could not be rewritten. A terminal that does not know its width reports 0.
    stream.write(stream.isTTY ? `\r${text.slice(0, (stream.columns || 80) - 1)}\x1b[K` : `${text}\n`);
  };
  const timer = setInterval(show, pauseMs ?? (stream.isTTY ? 100 : 3_000));
  try {
    return await work((text) => {
      latest = text;
    });
  } finally {
    clearInterval(timer);
    if (stream.isTTY) stream.write("\r\x1b[K");
  }
}
