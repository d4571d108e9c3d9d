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
