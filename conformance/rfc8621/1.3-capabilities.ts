import { core, type Json, mail, submission, vacation } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import {
  equal,
  includes,
  isArray,
  isObject,
  isString,
  isUnsignedInt,
  ok,
  same,
  setError,
  show,
} from "../runner/expect.ts";
import { mailGroup } from "./support.ts";

const mailTests = defineTests(mailGroup("1.3.1", "urn:ietf:params:jmap:mail"), [
  {
    id: "session-value",
    level: "MUST",
    says: 'The value of this property in the JMAP Session "capabilities" property is an empty object.',
    run: (t) => same(t.session.capabilities[mail], {}, "the capability in the session"),
  },
  {
    id: "account-value",
    level: "MUST",
    says: 'The value of this property in an account\'s "accountCapabilities" property is an object that MUST contain the following information on server capabilities and permissions for that account.',
    run: (t) => {
      const value = t.account.accountCapabilities[mail];
      isObject(value, "the account's capability");
      for (const name of ["maxMailboxesPerEmail", "maxMailboxDepth"]) {
        if (value[name] !== null) isUnsignedInt(value[name], name);
      }
      isUnsignedInt(value.maxSizeMailboxName, "maxSizeMailboxName");
      isUnsignedInt(value.maxSizeAttachmentsPerEmail, "maxSizeAttachmentsPerEmail");
      isArray(value.emailQuerySortOptions, "emailQuerySortOptions");
      for (const option of value.emailQuerySortOptions) isString(option, "an item of emailQuerySortOptions");
      equal(typeof value.mayCreateTopLevelMailbox, "boolean", "type of mayCreateTopLevelMailbox");
    },
  },
  {
    id: "max-mailboxes-per-email",
    level: "MUST",
    says: "maxMailboxesPerEmail: This MUST be an integer >= 1, or null for no limit.",
    run: (t) => {
      const value = t.mailCapability("maxMailboxesPerEmail");
      ok(value === null || (Number.isInteger(value) && Number(value) >= 1), `maxMailboxesPerEmail is ${value}`);
    },
  },
  {
    id: "max-size-mailbox-name",
    level: "MUST",
    says: "maxSizeMailboxName: The maximum length, in (UTF-8) octets, allowed for the name of a Mailbox. This MUST be at least 100.",
    run: (t) => {
      const limit = t.mailCapability("maxSizeMailboxName");
      ok(Number(limit) >= 100, `maxSizeMailboxName: expected at least 100, got ${show(limit)}`);
    },
  },
  {
    id: "sort-options-receivedat",
    level: "MUST",
    says: 'emailQuerySortOptions: A list of all the values the server supports for the "property" field of the Comparator object in an "Email/query" sort.',
    run: (t) => includes(t.mailCapability("emailQuerySortOptions"), "receivedAt", "emailQuerySortOptions"),
  },
  {
    id: "may-create-top-level",
    level: "MUST",
    says: "mayCreateTopLevelMailbox: If true, the user may create a Mailbox in this account with a null parentId.",
    run: async (t) => {
      const create = { k: { name: t.unique("top"), parentId: null } };
      const answer = await t.set<{ id: string }>("Mailbox", { create });
      if (answer.created?.k) t.destroyLater("Mailbox", answer.created.k.id);
      if (t.mailCapability("mayCreateTopLevelMailbox")) ok(answer.created?.k, "the mailbox was not created");
      else setError(answer.notCreated, "k", "forbidden");
    },
  },
]);

const submissionGroup = { ...mailGroup("1.3.2", submission), requires: [core, submission] };

const submissionTests = defineTests(submissionGroup, [
  {
    id: "session-value",
    level: "MUST",
    says: 'The value of this property in the JMAP session "capabilities" property is an empty object.',
    run: (t) => same(t.session.capabilities[submission], {}, "the capability in the session"),
  },
  {
    id: "account-value",
    level: "MUST",
    says: 'The value of this property in an account\'s "accountCapabilities" property is an object that MUST contain the following information: maxDelayedSend, submissionExtensions.',
    run: (t) => {
      const value = t.account.accountCapabilities[submission] as Json;
      isUnsignedInt(value.maxDelayedSend, "maxDelayedSend");
      isObject(value.submissionExtensions, "submissionExtensions");
      for (const [name, args] of Object.entries(value.submissionExtensions)) {
        isArray(args, `submissionExtensions/${name}`);
        for (const one of args) isString(one, `an argument of ${name}`);
      }
    },
  },
  {
    id: "hides-transport",
    level: "SHOULD",
    says: "By default, the JMAP server should hide EHLO capabilities that have to do with the transport mechanism (for example, PIPELINING, CHUNKING, or STARTTLS).",
    run: (t) => {
      const { submissionExtensions } = t.account.accountCapabilities[submission] as Json;
      const names = Object.keys(submissionExtensions as Json).map((name) => name.toUpperCase());
      for (const name of ["PIPELINING", "CHUNKING", "STARTTLS"]) ok(!names.includes(name), `${name} is advertised`);
    },
  },
]);

const vacationGroup = { ...mailGroup("1.3.3", vacation), requires: [core, vacation] };

const vacationTests = defineTests(vacationGroup, [
  {
    id: "values",
    level: "MUST",
    says: 'The value of this property is an empty object in both the JMAP session "capabilities" property and an account\'s "accountCapabilities" property.',
    run: (t) => {
      same(t.session.capabilities[vacation], {}, "the capability in the session");
      same(t.account.accountCapabilities[vacation], {}, "the account's capability");
    },
  },
]);

export const capabilities = [...mailTests, ...submissionTests, ...vacationTests];
