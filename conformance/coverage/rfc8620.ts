import { data } from "./rfc8620-data.ts";
import { methods } from "./rfc8620-methods.ts";
import { requests } from "./rfc8620-requests.ts";
import type { Sentence } from "./sentence.ts";

/** What binds a client alone is left out. */
export const rfc8620: readonly Sentence[] = [...requests, ...methods, ...data];
