import { parseHeader } from "../../../mime/headers.ts";
import { withoutComments } from "../../../mime/tokens.ts";
import { readResults } from "../read-results.ts";
import { type Check, pass } from "./stage.ts";

/**
 * RFC 8601 §4.1: what the server in front found out, in its topmost Authentication-Results. A failed DMARC policy of
 * quarantine or reject files the message to Junk, since that server has not refused it. All that it says is kept with the message.
 */
export function believedResults({ authserv }: { authserv: string }): Check<"data"> {
  const name = authserv.toLowerCase();
  return (_, { message, header }) => {
    if (name === "") return pass();
    const values = parseHeader(message.subarray(0, header.end))
      .filter((field) => /^authentication-results$/i.test(field.name))
      .map(({ value }) => value);
    const own = values.find((value) => /^\s*([^\s;]+)/.exec(withoutComments(value))?.[1]?.toLowerCase() === name);
    const dmarc = own?.split(";").find((result) => /^\s*dmarc\s*=\s*fail\b/i.test(withoutComments(result)));
    // Servers write the policy in a comment.
    const policy = dmarc && /\b(?:p|policy|policy\.dmarc)\s*=\s*(quarantine|reject)\b/i.exec(dmarc)?.[1];
    const found = own === undefined ? {} : { authentication: readResults(own, name) };
    if (!policy) return pass(found);
    return pass({
      ...found,
      junkReason: `${authserv} found that DMARC fails, and its policy is ${policy.toLowerCase()}`,
    });
  };
}
