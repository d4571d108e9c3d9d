import type { Log } from "../../base/log.ts";

/**
 * A disk that is full, broken, gone or may not be written to, or too many open files; Postgres has numbers for the same.
 */
const codes = new Set(
  "ENOSPC EDQUOT EROFS EACCES EPERM EMFILE ENFILE EIO ENOTDIR EISDIR ELOOP 53100 53200 25006".split(" "),
);

/** True where nothing can be stored at the moment: what was asked for may work later. */
export function isStorageTrouble(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && typeof code === "string" && codes.has(code);
}

const pause = 10 * 60_000;
const toldAt = new WeakMap<Log, Map<string, number>>();

/** Says so once in ten minutes, however many calls meet it. */
export function tellStorageTrouble(log: Log, error: unknown): void {
  const { code, message } = error as { code: string; message: string };
  const told = toldAt.get(log) ?? new Map<string, number>();
  toldAt.set(log, told);
  const now = performance.now();
  if (now - (told.get(code) ?? Number.NEGATIVE_INFINITY) < pause) return;
  told.set(code, now);
  log.error({ code, reason: message }, "nothing can be stored: clients and peers are asked to try again later");
}
