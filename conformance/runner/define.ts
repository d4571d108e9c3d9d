import type { TestContext } from "./context.ts";

export type Level = "MUST" | "SHOULD" | "MAY";
/** What the one who runs the suite may or may not have given it. */
export type Need = "user2" | "smtp" | "push-listener";

export type Group = {
  /** Like `rfc8621`. */
  rfc: string;
  /** Like `2.5`. */
  section: string;
  title?: string;
  /** Capabilities that the session and the account must advertise, else the tests are skipped. */
  requires?: readonly string[];
};

export type TestDefinition = {
  /** Unique within its section: lower case words and hyphens, perhaps with a type like `[Mailbox]` at the end. */
  id: string;
  level: Level;
  /** The sentence of the RFC that is tested, or the reading of it. */
  says: string;
  /** Compares exact states or counts of the whole account: runs alone. */
  exclusive?: boolean;
  needs?: readonly Need[];
  /** More than the group requires. */
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
