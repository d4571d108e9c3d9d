import type { ChangesResult, GetResult } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, excludes, includes, ok, same, sameMembers } from "../runner/expect.ts";
import { getEmail, mailGroup, nowhere, update } from "./support.ts";

const defaults = [
  "id",
  "blobId",
  "threadId",
  "mailboxIds",
  "keywords",
  "size",
  "receivedAt",
  "messageId",
  "inReplyTo",
  "references",
  "sender",
  "from",
  "to",
  "cc",
  "bcc",
  "replyTo",
  "subject",
  "sentAt",
  "hasAttachment",
  "preview",
  "bodyValues",
  "textBody",
  "htmlBody",
  "attachments",
];
const partDefaults = [
  "partId",
  "blobId",
  "size",
  "name",
  "type",
  "charset",
  "disposition",
  "cid",
  "language",
  "location",
];

const get = defineTests(mailGroup("4.2", "Email/get"), [
  {
    id: "default-properties",
    level: "MUST",
    says: 'If the standard "properties" argument is omitted or null, the following default MUST be used instead of "all" properties.',
    run: async (t) => {
      const { id } = await t.email();
      for (const args of [{}, { properties: null }]) {
        const { list } = await t.one<GetResult>("Email/get", { ids: [id], ...args });
        sameMembers(Object.keys(list[0] ?? {}), defaults, "names of the properties");
      }
    },
  },
  {
    id: "default-body-properties",
    level: "MUST",
    says: 'bodyProperties: A list of properties to fetch for each EmailBodyPart returned. If omitted, this defaults to: [ "partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location" ].',
    run: async (t) => {
      const { id } = await t.email();
      const { textBody } = await getEmail(t, id, ["textBody"]);
      sameMembers(Object.keys(textBody[0] ?? {}), partDefaults, "names of the properties of a part");
    },
  },
  {
    id: "body-properties",
    level: "MUST",
    says: "bodyProperties: A list of properties to fetch for each EmailBodyPart returned.",
    run: async (t) => {
      const { id } = await t.email({ text: "a", html: "<p>a</p>" });
      const bodyProperties = ["type", "header:Content-Type"];
      const email = await getEmail(t, id, ["textBody", "htmlBody"], { bodyProperties });
      same(email.textBody, [{ type: "text/plain", "header:Content-Type": " text/plain; charset=utf-8" }], "textBody");
      same(email.htmlBody, [{ type: "text/html", "header:Content-Type": " text/html; charset=utf-8" }], "htmlBody");
    },
  },
  {
    id: "body-properties-structure",
    level: "MUST",
    says: "bodyProperties: A list of properties to fetch for each EmailBodyPart returned.",
    run: async (t) => {
      const { id } = await t.email({ text: "a", html: "<p>a</p>" });
      const { bodyStructure } = await getEmail(t, id, ["bodyStructure"], { bodyProperties: ["type", "subParts"] });
      const shape = (type: string): object => ({ type });
      equal(bodyStructure.type, "multipart/alternative", "type");
      const kinds = (bodyStructure.subParts ?? []).map(({ type }) => shape(type));
      same(kinds, [shape("text/plain"), shape("text/html")], "subParts");
    },
  },
  {
    id: "body-properties-unknown",
    level: "MUST",
    says: 'This is a standard "/get" method: an invalid argument is "invalidArguments".',
    run: async (t) => {
      const { id } = await t.email();
      const args = { ids: [id], properties: ["textBody"], bodyProperties: ["noSuchProperty"] };
      await t.error("Email/get", args, "invalidArguments");
    },
  },
  {
    id: "only-what-was-asked",
    level: "MUST",
    says: "id is always returned; nothing else that was not asked for is.",
    run: async (t) => {
      const { id } = await t.email({ subject: "only" });
      same(await getEmail(t, id, ["subject"]), { id, subject: "only" }, "Email");
      same(await getEmail(t, id, []), { id }, "Email without properties");
    },
  },
  {
    id: "header-capitalization",
    level: "MUST",
    says: "Where a specific header field is requested as a property, the capitalization of the property name in the response MUST be identical to that used in the request.",
    run: async (t) => {
      const { id } = await t.email({ subject: "case" });
      const expected = { id, "header:sUbJeCt": " case", "header:SUBJECT:asText": "case" };
      same(await getEmail(t, id, ["header:sUbJeCt", "header:SUBJECT:asText"]), expected, "Email");
    },
  },
  {
    id: "unknown-property",
    level: "MUST",
    says: 'This is a standard "/get" method: an invalid property is rejected with "invalidArguments".',
    run: async (t) => t.error("Email/get", { ids: [(await t.email()).id], properties: ["noSuch"] }, "invalidArguments"),
  },
  {
    id: "not-found",
    level: "MUST",
    says: 'This is a standard "/get" method: notFound contains the ids passed to the method for records that do not exist.',
    run: async (t) => {
      const { id } = await t.email();
      const answer = await t.one<GetResult>("Email/get", { ids: [nowhere, id, id], properties: ["id"] });
      same(answer.notFound, [nowhere], "notFound");
      same(answer.list, [{ id }], "list");
    },
  },
]);

const changes = defineTests(mailGroup("4.3", "Email/changes"), [
  {
    id: "changes",
    level: "MUST",
    says: 'This is a standard "/changes" method.',
    run: async (t) => {
      const [kept, gone] = await t.emails([{}, {}]);
      const sinceState = await t.state("Email");
      const made = await t.email();
      await update(t, "Email", kept?.id as string, { "keywords/$seen": true });
      await t.set("Email", { destroy: [gone?.id] });
      const answer = await t.one<ChangesResult>("Email/changes", { sinceState });
      includes(answer.created, made.id, "created");
      includes(answer.updated, kept?.id, "updated");
      includes(answer.destroyed, gone?.id, "destroyed");
      ok(answer.newState !== sinceState, "newState is the old state");
    },
  },
  {
    id: "changes-mailboxes",
    level: "MUST",
    says: 'This is a standard "/changes" method. (mailboxIds is a property of the Email.)',
    run: async (t) => {
      const { id } = await t.email();
      const sinceState = await t.state("Email");
      await update(t, "Email", id, { [`mailboxIds/${await t.mailbox()}`]: true });
      includes((await t.one<ChangesResult>("Email/changes", { sinceState })).updated, id, "updated");
    },
  },
  {
    id: "changes-created-and-destroyed",
    level: "SHOULD",
    says: 'This is a standard "/changes" method: a record that was created AND destroyed since the old state SHOULD be left out.',
    run: async (t) => {
      await t.box();
      const sinceState = await t.state("Email");
      const { id } = await t.email();
      await t.set("Email", { destroy: [id] });
      const answer = await t.one<ChangesResult>("Email/changes", { sinceState });
      excludes(answer.created, id, "created");
      excludes(answer.destroyed, id, "destroyed");
    },
  },
  {
    id: "changes-paging",
    level: "MUST",
    says: 'This is a standard "/changes" method: the number of ids in the result MUST NOT exceed maxChanges.',
    run: async (t) => {
      let sinceState = await t.state("Email");
      const made = await t.emails([{}, {}, {}, {}, {}]);
      const seen: string[] = [];
      for (let more = true, page = 0; more && page < 500; page++) {
        const answer = await t.one<ChangesResult>("Email/changes", { sinceState, maxChanges: 2 });
        const ids = [...answer.created, ...answer.updated, ...answer.destroyed];
        ok(ids.length <= 2, "more than maxChanges");
        seen.push(...answer.created);
        sinceState = answer.newState;
        more = answer.hasMoreChanges;
      }
      for (const { id } of made) includes(seen, id, "created of all pages");
    },
  },
]);

export const emailGet = [...get, ...changes];
