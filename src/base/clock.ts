/** Time and randomness are passed in, so that tests can set them. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Returns that many unpredictable bytes. */
export type Random = (bytes: number) => Buffer;
