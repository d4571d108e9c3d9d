import { core, type Json, mail } from "../client/types.ts";
import type { TestContext } from "../runner/context.ts";
import { defineTests } from "../runner/define.ts";
import { differs, equal, isId, isUnsignedInt, methodError, ok, oneOf, show } from "../runner/expect.ts";
import { parse, refused } from "./support.ts";

const rfc = "rfc8620";

/** All kinds of id that a small account shows. */
async function someIds(t: TestContext): Promise<Record<string, string>> {
  const { id, blobId, threadId } = await t.email();
  const { blobId: uploaded } = await t.upload(t.unique());
  return { account: t.accountId, mailbox: await t.mailbox(), email: id, blob: blobId, thread: threadId, uploaded };
}

const ids = defineTests({ rfc, section: "1.2", title: "The Id data type", requires: [core, mail] }, [
  {
    id: "characters",
    level: "MUST",
    says: "It means a String of 1 to 255 octets, and it MUST only contain A-Za-z0-9, hyphen and underscore.",
    run: async (t) => {
      for (const [kind, id] of Object.entries(await someIds(t))) isId(id, `id of ${kind}`);
    },
  },
  {
    id: "defensive",
    level: "SHOULD",
    says: "Servers SHOULD also follow defensive allocation strategies: no leading dash or digit, not only digits, not NIL.",
    run: async (t) => {
      for (const [kind, id] of Object.entries(await someIds(t))) {
        ok(/^[A-Za-z_]/.test(id) && !/NIL/.test(id), `the id ${id} of ${kind} is not defensive`);
      }
    },
  },
]);

async function importAt(t: TestContext, receivedAt: unknown): Promise<Json> {
  const { blobId } = await t.upload("From: a@conformance.example\r\nSubject: date\r\n\r\nx\r\n", "message/rfc822");
  const emails = { e: { blobId, mailboxIds: { [await t.box()]: true }, receivedAt } };
  const [answer] = await t.call([["Email/import", { accountId: t.accountId, emails }, "0"]]);
  return answer?.[0] === "error" ? answer[1] : { ...answer?.[1] };
}

/** Refused as a wrong argument, be it the call or the record. */
function refusedDate(answer: Json, value: unknown): void {
  const type = answer.type ?? (answer.notCreated as Record<string, Json> | null | undefined)?.e?.type;
  oneOf(type, ["invalidArguments", "invalidProperties"], `error for receivedAt ${show(value)}`);
}

const numbers = defineTests({ rfc, section: "1.3", title: "Int and UnsignedInt", requires: [core, mail] }, [
  {
    id: "fraction-refused",
    level: "MUST",
    says: "Int means an integer; a wrong type for an argument is invalidArguments.",
    run: (t) => t.error("Email/query", { limit: 1.5 }, "invalidArguments"),
  },
  {
    id: "string-refused",
    level: "MUST",
    says: "Int is represented as a JSON Number; a wrong type for an argument is invalidArguments.",
    run: (t) => t.error("Email/query", { limit: "10" }, "invalidArguments"),
  },
  {
    id: "negative-refused",
    level: "MUST",
    says: "UnsignedInt means an Int where the value MUST be in the range 0 <= value.",
    run: (t) => t.error("Email/changes", { sinceState: "0", maxChanges: -1 }, "invalidArguments"),
  },
  {
    id: "unsigned-shown",
    level: "MUST",
    says: "UnsignedInt means an Int where the value MUST be in the range 0 <= value <= 2^53-1.",
    run: async (t) => {
      const box = await t.find("Mailbox", await t.mailbox());
      for (const name of ["sortOrder", "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]) {
        isUnsignedInt(box[name], name);
      }
    },
  },
]);

const dates = defineTests({ rfc, section: "1.4", title: "Date and UTCDate", requires: [core, mail] }, [
  {
    id: "utcdate-form",
    level: "MUST",
    says: "Any letters MUST be uppercase, time-secfrac MUST be omitted if zero, the time-offset MUST be Z.",
    run: async (t) => {
      const { id } = await t.email({ receivedAt: "2024-10-30T06:12:00Z" });
      equal((await t.find("Email", id, ["receivedAt"])).receivedAt, "2024-10-30T06:12:00Z", "receivedAt");
    },
  },
  ...[
    "2024-10-30T14:12:00+08:00",
    "2024-10-30T06:12:00z",
    "2024-10-30t06:12:00Z",
    "2024-13-40T06:12:00Z",
    "yesterday",
    5,
  ].map((value) => ({
    id: `utcdate-refused[${value}]`,
    level: "MUST" as const,
    says: "Where UTCDate is given as a type, it means a Date (RFC 3339, uppercase letters) where the time-offset MUST be Z.",
    run: async (t: TestContext) => refusedDate(await importAt(t, value), value),
  })),
]);

const records = defineTests({ rfc, section: "1.6.3", title: "Data types and records", requires: [core, mail] }, [
  {
    id: "unique-ids",
    level: "MUST",
    says: "The id MUST be unique among all records of the *same type* within the *same account*.",
    run: async (t) => {
      await t.mailboxes(Array.from({ length: 5 }, () => ({})));
      const all = await t.get<{ id: string }>("Mailbox", null, ["id"]);
      equal(new Set(all.map(({ id }) => id)).size, all.length, "number of different ids");
    },
  },
  {
    id: "ids-not-reused",
    level: "SHOULD",
    says: "The id of a record is immutable and assigned by the server (a new record has no id that a client knows another by).",
    run: async (t) => {
      const old = await t.mailbox();
      await t.set("Mailbox", { destroy: [old] });
      differs(await t.mailbox(), old, "id of the new mailbox");
    },
  },
]);

const iJson = defineTests({ rfc, section: "1.5", title: "JSON as the data encoding format", requires: [core] }, [
  {
    id: "duplicate-member-refused",
    level: "SHOULD",
    says: "All data sent MUST be valid I-JSON: an object MUST NOT have two members with the same name (notJSON).",
    run: async (t) => {
      const body = `{"using":["${core}"],"methodCalls":[["Core/echo",{"a":1,"a":2},"0"]]}`;
      refused(await t.client.request(body), "notJSON");
    },
  },
  {
    id: "lone-surrogate-refused",
    level: "SHOULD",
    says: "All data sent MUST be valid I-JSON, which has no lone surrogates (notJSON).",
    run: async (t) => {
      const body = `{"using":["${core}"],"methodCalls":[["Core/echo",{"a":"\\ud800"},"0"]]}`;
      refused(await t.client.request(body), "notJSON");
    },
  },
  {
    id: "invalid-utf8-refused",
    level: "MUST",
    says: "All data sent from the client to the server MUST be encoded in UTF-8 (notJSON).",
    run: async (t) => {
      const head = `{"using":["${core}"],"methodCalls":[["Core/echo",{"a":"`;
      const body = Buffer.concat([Buffer.from(head), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"},"0"]]}')]);
      refused(await t.client.request(body), "notJSON");
    },
  },
  {
    id: "utf8-answer",
    level: "MUST",
    says: "All data sent from the server to the client MUST be valid I-JSON and encoded in UTF-8.",
    run: async (t) => {
      const text = "Grüße, 東京, 😀";
      const request = { using: [core], methodCalls: [["Core/echo", { text }, "0"]] };
      const answer = await t.client.request(JSON.stringify(request));
      new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
      const [echo] = (parse(answer) as { methodResponses: [[string, Json, string]] }).methodResponses;
      equal(echo[1].text, text, "text");
    },
  },
  {
    id: "case-sensitive-method",
    level: "MUST",
    says: "Unless otherwise noted, all the property names and values are case sensitive.",
    run: async (t) => {
      const [answer] = await t.call([["core/Echo", {}, "0"]]);
      methodError(answer, "unknownMethod");
    },
  },
  {
    id: "case-sensitive-property",
    level: "MUST",
    says: "Unless otherwise noted, all the property names and values are case sensitive.",
    requires: [mail],
    run: (t) => t.error("Mailbox/get", { ids: [], properties: ["Name"] }, "invalidArguments"),
  },
]);

const extensions = defineTests({ rfc, section: "1.8", title: "Vendor-specific extensions", requires: [core] }, [
  {
    id: "vendor-capability-is-url",
    level: "MUST",
    says: "Identifiers for vendor extensions MUST be a URL belonging to a domain owned by the vendor.",
    run: (t) => {
      for (const name of Object.keys(t.session.capabilities)) {
        ok(name.startsWith("urn:ietf:params:jmap:") || /^https?:\/\/[^/]+/.test(name), `${name} is no URL`);
      }
    },
  },
  {
    id: "only-what-is-used",
    level: "MUST",
    says: "The server MUST only follow the specifications that are opted into and behave as though it does not implement anything else.",
    requires: [mail],
    run: (t) => t.error("Mailbox/get", { ids: [] }, "unknownMethod", [core]),
  },
]);

export const types = [...ids, ...numbers, ...dates, ...records, ...iJson, ...extensions];
