import { beforeEach, describe, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../../test/support/jmap.ts";
import { createTestAccount, createTestStore } from "../../../../test/support/postgres.ts";
import { decodeId, encodeId } from "../../../base/ids.ts";
import { withTerms, writeMails } from "../../../mail/deliver/ingest.ts";
import { prepareMessage } from "../../../mail/deliver/prepare.ts";
import { encodeBlobId, sha256Of } from "../../../store/blobs/blob-id.ts";
import type { Blobs } from "../../../store/blobs/blobs.ts";
import { unprepared } from "../../../store/core/sql.ts";
import { destroyEmails, findEmails } from "../../../store/mail/emails.ts";
import { findMailboxes } from "../../../store/mail/mailbox-places.ts";
import { queryChangesMethod, queryMethod } from "../../standard/query.ts";
import { email } from "../type.ts";
import { emailQueryHooks } from "./hooks.ts";

const type = { ...email, query: emailQueryHooks };
const store = await createTestStore();
let client: TestClient;
let inbox: string;
let accountId: number;
const bodies = new Map<string, Buffer>();

beforeEach(async () => {
  accountId = await createTestAccount(store);
  const places = await findMailboxes(store.reader(accountId, "server"));
  inbox = encodeId("m", places.find(({ role }) => role === "inbox")!.id);
  const blobs = { read: async (_: unknown, blobId: string) => bodies.get(blobId) };
  const services = testServices(store, { blobs: blobs as unknown as Blobs });
  client = new TestClient([queryMethod(type), queryChangesMethod(type)], services, testLogin([accountId]));
});

let clock = 0;

async function add(source: string, keywords: string[] = []): Promise<string> {
  const bytes = Buffer.from(source.replaceAll("\n", "\r\n"));
  const [place] = await findMailboxes(store.reader(accountId, "server"));
  const mail = {
    blob: { sha256: sha256Of(bytes), day: "2026-01-01", size: bytes.length },
    prepared: prepareMessage(bytes),
    target: { mailboxIds: [place!.id] },
    keywords,
    receivedAt: new Date(Date.UTC(2026, 0, 1) + ++clock * 1000),
  };
  const [outcome] = await store.write(accountId, "server", (tx) => writeMails(tx, withTerms(accountId, [mail])));
  if (!outcome || !("email" in outcome)) throw new Error("not written");
  return encodeId("e", outcome.email.id);
}

async function find(filter: object): Promise<unknown> {
  const response = await client.call("Email/query", { filter });
  return response.ids ?? response.type;
}

describe("Email/query (RFC 8621 §4.4)", () => {
  test("refuses unknown filters and sorts", async () => {
    expect(await find({ colour: "red" })).toBe("unsupportedFilter");
    expect(await find({ hasKeyword: 1 })).toBe("invalidArguments");
    expect(await find({ header: [] })).toBe("invalidArguments");
    expect(await find({ header: ["a", "b", "c"] })).toBe("invalidArguments");
    expect(await find({ before: "2026-01-01" })).toBe("invalidArguments");
    expect(await find({ text: "word ".repeat(300) })).toBe("unsupportedFilter");
    const sorted = (sort: object) => client.call("Email/query", { sort: [sort] });
    expect(await sorted({ property: "colour" })).toMatchObject({ type: "unsupportedSort" });
    expect(await sorted({ property: "from", collation: "i;octet-magic" })).toMatchObject({ type: "unsupportedSort" });
    expect(await sorted({ property: "hasKeyword" })).toMatchObject({ type: "invalidArguments" });
    expect(await sorted({ property: "hasKeyword", keyword: 1, more: 2 })).toMatchObject({ type: "invalidArguments" });
    // RFC 8620 §5.5: a comparator may have more properties; unknown ones change nothing.
    const more = { anchorOffset: 0, calculateTotal: false, position: 0, limit: null, keyword: 7 };
    for (const property of ["receivedAt", "from", "subject"]) {
      const { ids } = (await sorted({ property, isAscending: false })) as { ids: string[] };
      expect((await sorted({ property, isAscending: false, ...more })).ids).toEqual(ids);
    }
    const filters = await client.call("Email/query", { filter: { subject: "x", more: 1 } });
    expect(filters).toMatchObject({ type: "unsupportedFilter" });
    expect(await client.call("Email/query", { sort: [], more: 1 })).toMatchObject({ type: "invalidArguments" });
  });

  test("finds by mailbox, keyword in any case, and words", async () => {
    const first = await add("From: Ann <ann@example.com>\nSubject: Lunch\n\nat noon", ["$flagged"]);
    const second = await add("From: bob@example.com\nSubject: Dinner\n\nafter lunch");
    expect(await find({ inMailbox: inbox })).toEqual([second, first]);
    expect(await find({ inMailbox: "m0000" })).toEqual([]);
    expect(await find({ inMailbox: "nonsense" })).toEqual([]);
    expect(await find({ inMailboxOtherThan: [inbox] })).toEqual([]);
    expect(await find({ inMailboxOtherThan: ["nonsense"] })).toEqual([second, first]);
    expect(await find({ hasKeyword: "$FLAGGED" })).toEqual([first]);
    expect(await find({ text: "lunch" })).toEqual([second, first]);
    expect(await find({ subject: "lunch" })).toEqual([first]);
    expect(await find({ body: "lunch" })).toEqual([second]);
    expect(await find({ from: "ann@example.com" })).toEqual([first]);
    expect(await find({ text: "" })).toEqual([second, first]);
    expect(await find({ text: "!!" })).toEqual([]);
    expect(await find({ operator: "NOT", conditions: [{ text: "noon" }] })).toEqual([second]);
  });

  test("finds groups of addresses by their names and by those in them", async () => {
    const group = await add('To: Rowing Club: Ann <ann@example.com>, bob@example.com;\nCc: "A: B" <c@d>\n\nx');
    const none = await add("To: undisclosed-recipients:;\nSubject: Rowing: more\n\nx");
    expect(await find({ to: '"rowing club"' })).toEqual([group]);
    expect(await find({ to: "bob@example.com" })).toEqual([group]);
    expect(await find({ to: "undisclosed" })).toEqual([none]);
    expect(await find({ cc: "a" })).toEqual([group]);
    expect(await find({ text: "rowing" })).toEqual([none, group]);
    expect(await find({ from: "rowing" })).toEqual([]);
  });

  test("finds the names of groups on folded lines", async () => {
    const folded = await add("To:\n Rowing Club: Ann <ann@example.com>,\n bob@example.com;\n\nx");
    const second = await add("Cc: carol@example.com,\n\tChess Circle:\n dan@example.com;\n\nx");
    expect(await find({ to: '"rowing club"' })).toEqual([folded]);
    expect(await find({ cc: '"chess circle"' })).toEqual([second]);
  });

  test("finds phrases within one person or name of a file, not across two", async () => {
    const part = (name: string) =>
      `--b\nContent-Type: text/x-log\nContent-Disposition: attachment; filename="${name}"\n\n\n`;
    const mail = await add(
      `From: Ann Lee <x@a.test>, bob@b.test\nTo: x@a.test, bob@b.test\nCc: Team Red: x@a.test;, Team Blue: c@c.test;
Subject: Bcc\nBcc: Zoe <zoe@z.test>, Max <m@m.test>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b

${part("red apple.txt")}${part("green pear.txt")}--b--\n`,
    );
    const across = { from: "a.test bob", to: "a.test bob", cc: "red team", bcc: "test max" };
    for (const [field, phrase] of Object.entries(across))
      expect(await find({ [field]: `"${phrase}"` }), field).toEqual([]);
    for (const phrase of ["a.test bob", "txt green", "apple.txt green"]) {
      expect(await find({ text: `"${phrase}"` }), phrase).toEqual([]);
    }
    const within = { from: "ann lee x@a.test", to: "bob@b.test", cc: "team blue", bcc: "max m@m.test" };
    for (const [field, phrase] of Object.entries(within)) {
      expect(await find({ [field]: `"${phrase}"` }), field).toEqual([mail]);
    }
    expect(await find({ text: '"green pear.txt"' })).toEqual([mail]);
  });

  test("finds signs in a subject, where nothing else is asked for", async () => {
    const dash = await add("Subject: something - otherthing\n\nbody - text");
    const both = await add("Subject: Q&A -> well-known!\n\nbody");
    const none = await add("Subject: plain\n\na - dash in the body & more");
    expect(await find({ subject: "-" })).toEqual([both, dash]);
    expect(await find({ text: "-" })).toEqual([both, dash]);
    expect(await find({ subject: "->" })).toEqual([both]);
    expect(await find({ subject: "& !" })).toEqual([both]);
    expect(await find({ subject: ">" })).toEqual([both]);
    expect(await find({ subject: "--" })).toEqual([]);
    expect(await find({ subject: '-"-"' })).toEqual([none]);
    expect(await find({ subject: "something - otherthing" })).toEqual([dash]);
    expect(await find({ body: "-" })).toEqual([]);
    expect(await find({ from: "-" })).toEqual([]);
  });

  test("finds nothing for a name that no field can have", async () => {
    expect(await find({ header: ["x".repeat(1_000_000)] })).toEqual([]);
  });

  test("reads a header that is too large to stand beside its row", async () => {
    const source = `X-Mark: found\nX-Fill: ${"x".repeat(70_000)}\nSubject: Big\n\nbody`;
    const big = await add(source);
    const row = await store
      .reader(accountId, "server")
      .run(unprepared<{ header: Buffer | null }>("SELECT header FROM message WHERE user_id = $1"), [accountId]);
    expect(row).toEqual([{ header: null }]);
    const bytes = Buffer.from(source.replaceAll("\n", "\r\n"));
    bodies.set(encodeBlobId(sha256Of(bytes)), bytes);
    expect(await find({ header: ["x-mark"] })).toEqual([big]);
    expect(await find({ header: ["X-Mark", "FOUND"] })).toEqual([big]);
    expect(await find({ header: ["X-Mark", "lost"] })).toEqual([]);
    expect(await find({ header: ["X-Other"] })).toEqual([]);
  });

  test("survives strange values", async () => {
    const only = await add("Subject: a\n\nb");
    expect(await find({ hasKeyword: "\0" })).toEqual([]);
    expect(await find({ header: ["a\0b"] })).toEqual([]);
    expect(await find({ header: ["a(b"] })).toEqual([]);
    expect(await find({ text: "\0 \ud800 '\\" })).toEqual([]);
    expect(await find({ minSize: Number.MAX_SAFE_INTEGER })).toEqual([]);
    expect(await find({ after: "0000-01-01T00:00:00Z" })).toEqual([only]);
    for (const position of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      for (const filter of [{ text: "a" }, { inMailbox: inbox }, { hasAttachment: false }]) {
        for (const collapseThreads of [false, true]) {
          const { ids } = await client.call("Email/query", { filter, position, collapseThreads });
          expect(ids).toEqual(position < 0 ? [only] : []);
          const moved = await client.call("Email/query", {
            filter,
            anchor: only,
            anchorOffset: position,
            collapseThreads,
          });
          expect(moved.ids).toEqual(position < 0 ? [only] : []);
        }
      }
    }
  });

  test("a leap second is a moment too", async () => {
    await add("Subject: a\n\nb");
    expect(await find({ after: "2016-12-31T23:59:60Z" })).toHaveLength(1);
  });
});

describe("Email/queryChanges (RFC 8621 §4.5)", () => {
  test("reports what was added, and refuses states that were never issued", async () => {
    await add("Subject: a\n\nb");
    const { queryState, canCalculateChanges } = await client.call("Email/query", { filter: { inMailbox: inbox } });
    expect(canCalculateChanges).toBe(true);
    const second = await add("Subject: c\n\nd");
    const args = { filter: { inMailbox: inbox }, sinceQueryState: queryState, calculateTotal: true };
    expect(await client.call("Email/queryChanges", args)).toMatchObject({
      removed: [],
      added: [{ id: second, index: 0 }],
      total: 2,
    });
    for (const sinceQueryState of ["nonsense", "1-999999", "2-1"]) {
      expect(await client.call("Email/queryChanges", { ...args, sinceQueryState })).toMatchObject({
        type: "cannotCalculateChanges",
      });
    }
    await store.database.run(unprepared("UPDATE account SET pruned_modseq = modseq WHERE user_id = $1"), [accountId]);
    expect(await client.call("Email/queryChanges", args)).toMatchObject({ type: "cannotCalculateChanges" });
  });

  describe("up to an id", () => {
    const lasting = { hasAttachment: false };
    let ids: string[];
    let queryState: unknown;

    /** Oldest first: the first and the last are destroyed. */
    beforeEach(async () => {
      ids = [await add("Subject: a\n\n1"), await add("Subject: b\n\n2"), await add("Subject: c\n\n3")];
      ids.push(await add("Subject: other\n\n4"));
      ({ queryState } = await client.call("Email/query", { filter: lasting }));
      const gone = [ids[0], ids[3]].map((id) => decodeId("e", id!)!);
      await store.write(accountId, "server", async (tx) => {
        await destroyEmails(tx, await findEmails(tx, gone));
      });
    });

    const removed = async (args: object) => {
      const answer = await client.call("Email/queryChanges", { filter: lasting, sinceQueryState: queryState, ...args });
      return (answer.removed as string[] | undefined)?.toSorted() ?? answer.type;
    };

    test.each([{ collapseThreads: false }, { collapseThreads: true }])(
      "leaves out what went below it, %o",
      async (more) => {
        const ascending = [{ property: "receivedAt", isAscending: true }];
        for (const upToId of [ids[1], ids[2]]) {
          expect(await removed({ ...more, upToId })).toEqual([ids[3]]);
          expect(await removed({ ...more, upToId, sort: ascending })).toEqual([ids[0]]);
        }
        expect(await removed({ ...more, upToId: ids[2], maxChanges: 1 })).toEqual([ids[3]]);
        expect(await removed({ ...more, maxChanges: 1 })).toBe("tooManyChanges");
      },
    );

    test("leaves out nothing if that id is not in the list, or the list is not sorted by date", async () => {
      const both = [ids[0], ids[3]].toSorted();
      expect(await removed({ upToId: ids[3] })).toEqual(both);
      expect(await removed({ upToId: "e999" })).toEqual(both);
      expect(await removed({ upToId: ids[2], filter: { subject: "b" } })).toEqual(both);
      expect(await removed({ upToId: ids[2], filter: { inMailbox: inbox } })).toEqual(both);
      expect(await removed({ upToId: ids[2], sort: [{ property: "subject" }] })).toEqual(both);
    });

    test("reports all changes whose date the log does not have", async () => {
      await store.database.run(unprepared("UPDATE change SET received_at = NULL WHERE user_id = $1"), [accountId]);
      expect(await removed({ upToId: ids[2] })).toEqual([ids[0], ids[3]].toSorted());
    });
  });
});
