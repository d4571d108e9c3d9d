import { id, list, map, nullable, object, oneOf, optional, text, textUpTo, utcDate } from "../schema.ts";
import type { Property } from "../standard/type.ts";

const address = object({
  email: textUpTo(1000),
  parameters: optional(nullable(map(text, nullable(text)))),
});

/** RFC 8621 §7 */
export const submissionProperties: Record<string, Property> = {
  identityId: { schema: id, immutable: true, references: "value" },
  emailId: { schema: id, immutable: true, references: "value" },
  threadId: { schema: id, immutable: true, serverSet: true },
  envelope: {
    schema: nullable(object({ mailFrom: address, rcptTo: list(address) })),
    immutable: true,
    default: null,
  },
  sendAt: { schema: utcDate, immutable: true, serverSet: true },
  undoStatus: { schema: oneOf("pending", "final", "canceled"), optional: true },
  deliveryStatus: { schema: nullable(map(text, object({}))), serverSet: true },
  dsnBlobIds: { schema: list(id), serverSet: true },
  mdnBlobIds: { schema: list(id), serverSet: true },
};
