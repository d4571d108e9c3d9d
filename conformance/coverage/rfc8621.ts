import { changes } from "./rfc8621-changes.ts";
import { emails } from "./rfc8621-emails.ts";
import { mailboxes } from "./rfc8621-mailboxes.ts";
import { sending } from "./rfc8621-sending.ts";
import type { Sentence } from "./sentence.ts";

/** What binds a client alone is left out. */
export const rfc8621: readonly Sentence[] = [...mailboxes, ...emails, ...changes, ...sending];
