import type { ChangesResult, GetResult, Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, excludes, includes, isString, ok, same, sameMembers } from "../runner/expect.ts";
import { mailGroup, nowhere, update } from "./support.ts";

const get = defineTests(mailGroup("2.1", "Mailbox/get"), [
  {
    id: "all",
    level: "MUST",
    says: 'The "ids" argument may be "null" to fetch all at once.',
    run: async (t) => {
      const boxes = await t.mailboxes([{}, {}]);
      const answer = await t.one<GetResult>("Mailbox/get", { ids: null, properties: ["name"] });
      for (const box of boxes)
        includes(
          answer.list.map(({ id }) => id),
          box,
          "list",
        );
      same(answer.notFound, [], "notFound");
      isString(answer.state, "state");
    },
  },
  {
    id: "properties",
    level: "MUST",
    says: 'This is a standard "/get" method: only the properties listed in the array are returned, and the id always.',
    run: async (t) => {
      const box = await t.box();
      const found = await t.find("Mailbox", box, ["role", "totalEmails"]);
      same(found, { id: box, role: null, totalEmails: 0 }, "Mailbox");
    },
  },
  {
    id: "not-found",
    level: "MUST",
    says: 'This is a standard "/get" method: notFound contains the ids passed to the method for records that do not exist.',
    run: async (t) => {
      const box = await t.box();
      const answer = await t.one<GetResult>("Mailbox/get", { ids: [box, nowhere], properties: ["id"] });
      same(answer.list, [{ id: box }], "list");
      same(answer.notFound, [nowhere], "notFound");
    },
  },
  {
    id: "unknown-property",
    level: "MUST",
    says: 'This is a standard "/get" method: an invalid property is rejected with "invalidArguments".',
    run: async (t) => {
      await t.error("Mailbox/get", { ids: [await t.box()], properties: ["noSuchProperty"] }, "invalidArguments");
    },
  },
]);

const counted = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"];
type MailboxChanges = ChangesResult & { updatedProperties?: string[] | null };

const changes = defineTests(mailGroup("2.2", "Mailbox/changes"), [
  {
    id: "created-updated-destroyed",
    level: "MUST",
    says: 'This is a standard "/changes" method.',
    run: async (t) => {
      const [renamed = "", destroyed = ""] = await t.mailboxes([{}, {}]);
      const sinceState = await t.state("Mailbox");
      const created = await t.mailbox();
      await update(t, "Mailbox", renamed, { name: t.unique("renamed") });
      await t.set("Mailbox", { destroy: [destroyed] });
      const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      includes(answer.created, created, "created");
      includes(answer.updated, renamed, "updated");
      includes(answer.destroyed, destroyed, "destroyed");
      equal(answer.oldState, sinceState, "oldState");
      ok("updatedProperties" in answer, "updatedProperties is missing");
    },
  },
  {
    id: "updated-properties-counts",
    level: "MUST",
    exclusive: true,
    says: 'updatedProperties: If only the "totalEmails", "unreadEmails", "totalThreads", and/or "unreadThreads" Mailbox properties have changed since the old state, this will be the list of properties that may have changed. If the server is unable to tell if only counts have changed, it MUST just be null.',
    run: async (t) => {
      const box = await t.box();
      const sinceState = await t.state("Mailbox");
      await t.email();
      const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      includes(answer.updated, box, "updated");
      if (answer.updatedProperties === null) return;
      for (const name of counted) includes(answer.updatedProperties, name, "updatedProperties");
      for (const name of answer.updatedProperties ?? []) includes(counted, name, "the counts");
    },
  },
  {
    id: "updated-properties-null",
    level: "MUST",
    exclusive: true,
    says: "updatedProperties: If only the […] counts have changed […]. If the server is unable to tell if only counts have changed, it MUST just be null.",
    run: async (t) => {
      const box = await t.box();
      const sinceState = await t.state("Mailbox");
      await t.email();
      await update(t, "Mailbox", box, { sortOrder: 5 });
      const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      includes(answer.updated, box, "updated");
      equal(answer.updatedProperties, null, "updatedProperties");
    },
  },
  {
    id: "updated-properties-helps",
    level: "SHOULD",
    exclusive: true,
    says: "The server can help the client optimise data transfer by keeping track of changes to Email/Thread counts separate from other state changes.",
    run: async (t) => {
      const { id } = await t.email();
      const sinceState = await t.state("Mailbox");
      await update(t, "Email", id, { "keywords/$seen": true });
      const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      for (const name of ["unreadEmails", "unreadThreads"])
        includes(answer.updatedProperties, name, "updatedProperties");
    },
  },
  {
    id: "updated-properties-reference",
    level: "MUST",
    exclusive: true,
    says: 'The "updatedProperties" array may be used directly via a back-reference in a subsequent "Mailbox/get" call in the same request, so only these properties are returned if nothing else has changed.',
    run: async (t) => {
      const box = await t.box();
      const sinceState = await t.state("Mailbox");
      await t.email();
      const { accountId } = t;
      const from = (path: string): Json => ({ resultOf: "0", name: "Mailbox/changes", path });
      const [, answer] = await t.call([
        ["Mailbox/changes", { accountId, sinceState }, "0"],
        ["Mailbox/get", { accountId, "#ids": from("/updated"), "#properties": from("/updatedProperties") }, "1"],
      ]);
      equal(answer?.[0], "Mailbox/get", "name of the response");
      const found = ((answer?.[1].list ?? []) as Json[]).find(({ id }) => id === box);
      equal(found?.totalEmails, 1, "totalEmails");
    },
  },
  {
    id: "keywords-change-no-counts",
    level: "SHOULD",
    exclusive: true,
    says: 'A Mailbox is in "updated" only when one of its properties changed.',
    run: async (t) => {
      const { id } = await t.email();
      const sinceState = await t.state("Mailbox");
      await update(t, "Email", id, { "keywords/$flagged": true });
      const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      excludes(answer.updated, await t.box(), "updated");
    },
  },
  {
    id: "move-names-both",
    level: "MUST",
    says: 'This is a standard "/changes" method: updated are the ids of records whose properties changed.',
    run: async (t) => {
      const [box, other] = [await t.box(), await t.mailbox()];
      const { id } = await t.email();
      const sinceState = await t.state("Mailbox");
      await update(t, "Email", id, { mailboxIds: { [other]: true } });
      const { updated } = await t.one<MailboxChanges>("Mailbox/changes", { sinceState });
      sameMembers(
        updated.filter((one) => one === box || one === other),
        [box, other],
        "the two Mailboxes in updated",
      );
    },
  },
  {
    id: "paging",
    level: "MUST",
    says: 'This is a standard "/changes" method: the number of ids in the result MUST NOT exceed maxChanges.',
    run: async (t) => {
      let sinceState = await t.state("Mailbox");
      const made = await t.mailboxes([{}, {}, {}]);
      const seen: string[] = [];
      for (let page = 0; page < 200; page++) {
        const answer = await t.one<MailboxChanges>("Mailbox/changes", { sinceState, maxChanges: 1 });
        const ids = [...answer.created, ...answer.updated, ...answer.destroyed];
        ok(ids.length <= 1, "more than maxChanges");
        seen.push(...ids);
        sinceState = answer.newState;
        if (!answer.hasMoreChanges) break;
      }
      for (const id of made) includes(seen, id, "ids of all pages");
    },
  },
  {
    id: "unknown-state",
    level: "MUST",
    says: 'This is a standard "/changes" method: a state that the server cannot calculate from is "cannotCalculateChanges".',
    run: (t) =>
      t.error("Mailbox/changes", { sinceState: "no-such-state" }, ["cannotCalculateChanges", "invalidArguments"]),
  },
]);

export const mailboxGet = [...get, ...changes];
