import { actionModes, type Disposition, dispositionTypes, isExtensionName, sendingModes } from "../../mime/mdn.ts";
import { invalidProperties } from "../errors.ts";
import {
  bool,
  checker,
  describe,
  exactly,
  idOrReference,
  lineUpTo,
  map,
  nullable,
  object,
  oneOf,
  optional,
  text,
} from "../schema.ts";
import type { JmapObject } from "../standard/type.ts";

/** RFC 9007 §1.4: an MDN as the client wrote it, with the defaults filled in. */
export interface MdnRecord {
  forEmailId: string;
  subject: string | null;
  textBody: string | null;
  includeOriginalMessage: boolean;
  reportingUA: string | null;
  disposition: Disposition;
  finalRecipient: string | null;
  extensionFields: Record<string, string> | null;
}

const line = optional(nullable(lineUpTo(1000)));
const extensions = optional(nullable(map(text, lineUpTo(1000))));
const serverSet = optional(exactly(null));

const check = checker(
  object({
    forEmailId: idOrReference,
    subject: line,
    textBody: optional(nullable(text)),
    includeOriginalMessage: optional(bool),
    reportingUA: line,
    disposition: object({
      actionMode: oneOf(...actionModes),
      sendingMode: oneOf(...sendingModes),
      type: oneOf(...dispositionTypes),
    }),
    mdnGateway: serverSet,
    originalRecipient: serverSet,
    finalRecipient: line,
    originalMessageId: serverSet,
    error: serverSet,
    extensionFields: extensions,
    // The example of RFC 9007 §3.1 uses this name.
    extension: extensions,
  }),
);

const defaults = {
  subject: null,
  textBody: null,
  includeOriginalMessage: false,
  reportingUA: null,
  finalRecipient: null,
  extensionFields: null,
};

/** RFC 9007 §2.1: throws a SetError for anything that is not an MDN. */
export function readRecord(given: JmapObject): MdnRecord {
  const problem = check(given);
  if (problem) throw invalidProperties(describe(problem), ...propertiesOf(problem.path, given));
  const { extension, ...record } = given as unknown as MdnRecord & { extension?: Record<string, string> | null };
  const whole = { ...defaults, ...record, extensionFields: record.extensionFields ?? extension ?? null };
  const wrong = Object.keys(whole.extensionFields ?? {}).filter((name) => !isExtensionName(name));
  if (wrong.length > 0) throw invalidProperties(`not extension field names: ${wrong.join(", ")}`, "extensionFields");
  return whole;
}

function propertiesOf(path: string, given: JmapObject): string[] {
  const name = path.split("/")[1];
  if (name !== undefined) return [name];
  const missing = ["forEmailId", "disposition"].filter((required) => given[required] === undefined);
  return missing.length > 0 ? missing : Object.keys(given).filter((key) => !Object.hasOwn(defaults, key));
}
