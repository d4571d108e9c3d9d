/** A moment that somebody may want a mail to leave at. */
export interface Moment {
  key: "tonight" | "tomorrow" | "monday";
  at: Date;
}

const morning = 8;
const evening = 18;

/** This evening, tomorrow morning, Monday morning: those that come, each once. */
export function moments(now: Date): Moment[] {
  const at = (days: number, hour: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const tonight = at(0, evening);
  const toMonday = (8 - now.getDay()) % 7 || 7;
  return [
    ...(tonight.getTime() - now.getTime() > 3_600_000 ? [{ key: "tonight" as const, at: tonight }] : []),
    { key: "tomorrow", at: at(1, morning) },
    ...(toMonday > 1 ? [{ key: "monday" as const, at: at(toMonday, morning) }] : []),
  ];
}

/** The value of an input of type datetime-local, in local time to the minute. */
export function localText(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
