import type { Log } from "../../base/log.ts";

/**
 * The disk is full, broken, missing or not writable, too many files are open, or the object store is away. The numbers are
 * Postgres's SQLSTATEs.
 */
const codes = new Set(
  "ENOSPC EDQUOT EROFS EACCES EPERM EMFILE ENFILE EIO ENOTDIR EISDIR ELOOP 53100 53200 25006 BODIES_AWAY".split(" "),
);

/** True if nothing can be stored, or no body be read, at the moment: the request may succeed later. */
export function isStorageTrouble(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && typeof code === "string" && codes.has(code);
}

const pauseMs = 10 * 60_000;
const toldAt = new WeakMap<Log, Map<string, number>>();

/** Logs each code at most once in ten minutes, however many calls fail with it. */
export function tellStorageTrouble(log: Log, error: unknown): void {
  const { code, message } = error as { code: string; message: string };
  const told = toldAt.get(log) ?? new Map<string, number>();
  toldAt.set(log, told);
  const now = performance.now();
  if (now - (told.get(code) ?? Number.NEGATIVE_INFINITY) < pauseMs) return;
  told.set(code, now);
  log.error({ code, reason: message }, "nothing can be stored: clients and peers are asked to try again later");
}
