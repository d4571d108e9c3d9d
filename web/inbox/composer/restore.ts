import { type ComposeIntent, composing } from "../seams.ts";
import { leftCopies } from "./local-copy.ts";

/** Opens what was written and not saved when its page was closed, or when somebody was signed out. */
export function restoreWriting(username: string): void {
  const [copy] = leftCopies(username);
  const again: ComposeIntent | undefined = copy && {
    kind: "again",
    accountId: copy.accountId,
    start: copy.start,
    key: copy.key,
  };
  composing.value = again;
}
