import type { Check } from "../disposition.ts";
import { dmarcQuarantine } from "./dmarc-quarantine.ts";
import { mute } from "./muted.ts";
import { spam } from "./spam.ts";
import { vacation } from "./vacation.ts";

/** The checks that each incoming message passes through. Their results are combined in this order. */
export const checks: readonly Check[] = [dmarcQuarantine, spam, mute, vacation];
