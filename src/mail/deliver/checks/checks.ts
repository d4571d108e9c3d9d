import type { Check } from "../disposition.ts";
import { dmarcQuarantine } from "./dmarc-quarantine.ts";
import { vacation } from "./vacation.ts";

/** The checks that each incoming message passes through, in this order. */
export const checks: readonly Check[] = [dmarcQuarantine, vacation];
