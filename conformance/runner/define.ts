import type { TestContext } from "./context.ts";

export type Level = "MUST" | "SHOULD" | "MAY";
/** What whoever runs the suite may have given it. */
export type Need = "user2" | "smtp" | "push-listener";

export type Group = {
  /** Like `rfc8621`. */
  rfc: string;
  /** Like `2.5`. */
  section: string;
  title?: string;
  /** Capabilities that the session and the account must advertise; otherwise the tests are skipped. */
  requires?: readonly string[];
};

export type TestDefinition = {
  /** Unique within its section: lower case words and hyphens, perhaps with a type like `[Mailbox]` at the end. */
  id: string;
  level: Level;
  /** The sentence of the RFC that is tested, or our reading of it. */
  says: string;
  /** Compares exact states or counts of the whole account: runs alone. */
  exclusive?: boolean;
  needs?: readonly Need[];
  /** Requirements beyond the group's. */
  requires?: readonly string[];
  /** (Default: the run's.) */
  timeoutMs?: number;
  run: (t: TestContext) => Promise<unknown> | unknown;
};

export type Test = TestDefinition & {
  /** `rfc8621/2.5/destroy-with-child/MUST` */
  name: string;
  rfc: string;
  section: string;
  requires: readonly string[];
  needs: readonly Need[];
};

export function defineTests(group: Group, definitions: readonly TestDefinition[]): Test[] {
  return definitions.map((definition) => ({
    ...definition,
    name: `${group.rfc}/${group.section}/${definition.id}/${definition.level}`,
    rfc: group.rfc,
    section: group.section,
    requires: [...new Set([...(group.requires ?? []), ...(definition.requires ?? [])])],
    needs: definition.needs ?? [],
  }));
}
