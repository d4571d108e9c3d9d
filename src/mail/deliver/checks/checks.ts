import type { Check } from "../disposition.ts";
import { dmarcQuarantine } from "./dmarc-quarantine.ts";
import { vacation } from "./vacation.ts";

/** What mail that comes in is asked, in this order. */
export const checks: readonly Check[] = [dmarcQuarantine, vacation];
