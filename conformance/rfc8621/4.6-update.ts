import type { Json } from "../client/types.ts";
import { defineTests } from "../runner/define.ts";
import { equal, ok, same, sameMembers, setError } from "../runner/expect.ts";
import { create, getEmail, mailGroup, nowhere, textBody, update, updateRefused, yes } from "./support.ts";

const group = mailGroup("4.6", "Email/set: update and destroy");

const patches = defineTests(group, [
  {
    id: "update-keywords-whole",
    level: "MUST",
    says: "When updating an Email, you can either replace the entire set of keywords/Mailboxes (by setting the full value of the property) or […].",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$seen", "todo"] });
      await update(t, "Email", id, { keywords: yes("$flagged") });
      same((await getEmail(t, id, ["keywords"])).keywords, yes("$flagged"), "keywords");
    },
  },
  {
    id: "update-keywords-patch",
    level: "MUST",
    says: "[…] or add/remove individual ones using the JMAP patch syntax.",
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$seen", "todo"] });
      await update(t, "Email", id, { "keywords/$seen": null, "keywords/$flagged": true, "keywords/never": null });
      same((await getEmail(t, id, ["keywords"])).keywords, yes("$flagged", "todo"), "keywords");
    },
  },
  {
    id: "update-keywords-escaped",
    level: "MUST",
    says: "[…] using the JMAP patch syntax: a JSON Pointer, in which ~1 stands for / and ~0 for ~.",
    run: async (t) => {
      const { id } = await t.email();
      await update(t, "Email", id, { "keywords/a~1b~0c": true });
      same((await getEmail(t, id, ["keywords"])).keywords, yes("a/b~c"), "keywords");
    },
  },
  {
    id: "update-keywords-null",
    level: "MUST",
    says: 'keywords: "String[Boolean]" (default: {}). (null sets the default.)',
    run: async (t) => {
      const { id } = await t.email({ keywords: ["$seen"] });
      await update(t, "Email", id, { keywords: null });
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  },
  {
    id: "update-mailboxes-whole",
    level: "MUST",
    says: "When updating an Email, you can either replace the entire set of keywords/Mailboxes (by setting the full value of the property) or […].",
    run: async (t) => {
      const { id } = await t.email();
      const boxes = await t.mailboxes([{}, {}]);
      await update(t, "Email", id, { mailboxIds: yes(...boxes) });
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(...boxes), "mailboxIds");
    },
  },
  {
    id: "update-mailboxes-patch",
    level: "MUST",
    says: "Adding/removing an Email to/from Mailboxes (moving a message).",
    run: async (t) => {
      const { id } = await t.email();
      const [box, other] = [await t.box(), await t.mailbox()];
      await update(t, "Email", id, { [`mailboxIds/${other}`]: true, [`mailboxIds/${box}`]: null });
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(other), "mailboxIds");
    },
  },
  {
    id: "update-mailbox-unknown",
    level: "MUST",
    says: 'This is a standard "/set" method: invalidProperties.',
    run: async (t) => {
      const { id } = await t.email();
      await updateRefused(t, id, { [`mailboxIds/${nowhere}`]: true });
      await updateRefused(t, id, { mailboxIds: yes(nowhere) });
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(await t.box()), "mailboxIds");
    },
  },
  {
    id: "update-mailbox-created-before",
    level: "MUST",
    says: 'This is a standard "/set" method: creation ids may be used in place of ids for records created earlier in the request.',
    run: async (t) => {
      const { id } = await t.email();
      const { accountId } = t;
      const create = { m: { name: t.unique("new"), parentId: await t.world.parentMailbox() } };
      const [made, moved] = await t.call([
        ["Mailbox/set", { accountId, create }, "0"],
        ["Email/set", { accountId, update: { [id]: { mailboxIds: { "#m": true } } } }, "1"],
      ]);
      const { m } = (made?.[1].created ?? {}) as Record<string, { id: string }>;
      ok(m, "the Mailbox was not created");
      const box = m.id;
      t.destroyLater("Mailbox", box);
      ok(moved?.[1].updated, "the Email was not updated");
      same((await getEmail(t, id, ["mailboxIds"])).mailboxIds, yes(box), "mailboxIds");
    },
  },
  {
    id: "update-atomic",
    level: "MUST",
    says: 'This is a standard "/set" method: each update is atomic; a record is either changed as asked or not at all.',
    run: async (t) => {
      const { id } = await t.email();
      await updateRefused(t, id, { "keywords/todo": true, mailboxIds: {} });
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  },
  {
    id: "update-pointer-overlap",
    level: "MUST",
    says: 'This is a standard "/set" method: there MUST NOT be two patches in the PatchObject where the pointer of one is the prefix of the pointer of the other.',
    run: async (t) => {
      const { id } = await t.email();
      const patch: Json = { keywords: yes("a"), "keywords/b": true };
      await updateRefused(t, id, patch, "invalidPatch");
    },
  },
  {
    id: "update-all-or-some",
    level: "MUST",
    says: 'This is a standard "/set" method: some updates may succeed when others fail.',
    run: async (t) => {
      const { id } = await t.email();
      const answer = await t.set("Email", {
        update: { [id]: { "keywords/a": true }, [nowhere]: { "keywords/a": true } },
      });
      ok(answer.updated && id in answer.updated, "the Email was not updated");
      setError(answer.notUpdated, nowhere, "notFound");
    },
  },
  {
    id: "too-many-mailboxes-update",
    level: "MUST",
    says: "tooManyMailboxes: The change to the set of Mailboxes that this Email is in would exceed a server-defined maximum.",
    run: async (t) => {
      const limit = t.mailCapability("maxMailboxesPerEmail");
      if (typeof limit !== "number" || limit > 200) return t.skip("an Email may be in very many Mailboxes");
      const boxes = await t.mailboxes(Array.from({ length: limit + 1 }, () => ({})));
      const { id } = await t.email();
      await updateRefused(t, id, { mailboxIds: yes(...boxes) }, ["tooManyMailboxes", "invalidProperties"]);
    },
  },
  {
    id: "too-many-keywords",
    level: "MUST",
    says: "tooManyKeywords: The change to the Email's keywords would exceed a server-defined maximum.",
    run: async (t) => {
      const { id } = await t.email();
      const names = Array.from({ length: 3000 }, (_, at) => `conformance-keyword-${at}`);
      const answer = await t.set("Email", { update: { [id]: { keywords: yes(...names) } } });
      if (answer.notUpdated) return void setError(answer.notUpdated, id, "tooManyKeywords");
      const { keywords } = await getEmail(t, id, ["keywords"]);
      equal(Object.keys(keywords).length, names.length, "number of keywords");
    },
  },
  {
    id: "update-state-mismatch",
    level: "MUST",
    says: "ifInState is never ignored. A mismatch fails the whole call with stateMismatch.",
    run: async (t) => {
      const { id } = await t.email();
      const args = { ifInState: "no-such-state", update: { [id]: { "keywords/a": true } } };
      await t.error("Email/set", args, "stateMismatch");
      same((await getEmail(t, id, ["keywords"])).keywords, {}, "keywords");
    },
  },
]);

const destroys = defineTests(group, [
  {
    id: "destroy",
    level: "MUST",
    says: "Destroying an Email removes it from all Mailboxes to which it belonged.",
    run: async (t) => {
      const [box, other] = [await t.box(), await t.mailbox()];
      const { id } = await t.email({ in: [box, other] });
      same((await t.set("Email", { destroy: [id] })).destroyed, [id], "destroyed");
      same(await t.get("Email", [id], ["id"]), [], "the Email");
      for (const one of [box, other]) equal((await t.find("Mailbox", one)).totalEmails, 0, "totalEmails");
    },
  },
  {
    id: "destroy-several",
    level: "MUST",
    says: "Deleting Emails.",
    run: async (t) => {
      const made = (await t.emails([{}, {}, {}])).map(({ id }) => id);
      const answer = await t.set("Email", { destroy: [...made, nowhere] });
      sameMembers(answer.destroyed, made, "destroyed");
      setError(answer.notDestroyed, nowhere, "notFound");
    },
  },
  {
    id: "destroy-and-create",
    level: "MUST",
    says: "(Example) The server creates the new draft, deletes the old one, and sends the success response.",
    run: async (t) => {
      const old = await create(t, { subject: "draft", ...textBody("one") });
      const fresh = { mailboxIds: yes(await t.box()), subject: "draft", ...textBody("two") };
      const answer = await t.set<{ id: string }>("Email", { create: { k: fresh }, destroy: [old.id] });
      ok(answer.created?.k, "the new draft was not created");
      same(answer.destroyed, [old.id], "destroyed");
    },
  },
  {
    id: "destroy-keeps-uploaded-blob",
    level: "SHOULD",
    says: "A blob that a client has uploaded SHOULD NOT be deleted for at least 1 hour (RFC 8620, Section 6), whatever becomes of an Email with the same octets.",
    run: async (t) => {
      const raw = `From: a@example.com\r\nSubject: ${t.unique("blob")}\r\n\r\ntext\r\n`;
      const { blobId } = await t.upload(raw, "message/rfc822");
      const { id } = await t.email({ raw });
      await t.set("Email", { destroy: [id] });
      const emails = { k: { blobId, mailboxIds: yes(await t.box()) } };
      const answer = await t.one<Json & { created: Json | null }>("Email/import", { emails });
      ok(answer.created?.k, "the uploaded blob is gone");
    },
  },
]);

export const emailUpdate = [...patches, ...destroys];
