import type { Level } from "../runner/define.ts";

/** A sentence of an RFC that binds the server, quoted short. */
export type Sentence = {
  section: string;
  level: Level;
  says: string;
  /** Ids of tests of the same section, or `rfc/section/id`; `*` for anything. */
  tests?: readonly string[];
  /** Why no test can see it. */
  why?: string;
};
