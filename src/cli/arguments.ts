import { isIP } from "node:net";
import { InvalidArgumentError } from "commander";
import { duration } from "../config/values.ts";

/** A positive whole number. */
export function whole(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("It must be a positive whole number.");
  return Number(text);
}

/** A duration, in milliseconds. */
export function span(text: string): number {
  try {
    return duration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A time with its zone. */
export function moment(text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It must be a time such as 2026-12-01T09:30:00Z.");
  return new Date(time);
}

/** A list with commas. */
export function commaList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** A list of IP addresses with commas. */
export function ipAddresses(text: string): string[] {
  const all = commaList(text);
  if (all.length === 0 || all.some((one) => isIP(one) === 0)) {
    throw new InvalidArgumentError("It must be IP addresses, separated by commas.");
  }
  return all;
}
