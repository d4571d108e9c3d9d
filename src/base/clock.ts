/** Time and randomness are passed in, so tests decide them. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** `bytes` unpredictable bytes. */
export type Random = (bytes: number) => Buffer;
