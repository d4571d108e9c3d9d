import { beforeAll, expect, test } from "vitest";
import { createEmailWorld } from "../../../test/support/email-world.ts";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { unprepared } from "../../store/core/sql.ts";
import { findMailboxes } from "../../store/mail/mailbox-places.ts";
import { methods } from "../methods.ts";

type Json = Record<string, unknown>;

let client: TestClient;
let emailIds: string[];

const filler = "Nothing of note happens in this sentence. ";
const emails = [
  { subject: "The Foosball <competition>", text: `${filler.repeat(60)}\nIn Zürich we play foosball & more.\n` },
  { subject: "Lunch", text: "We meet in Zurich at noon.\n" },
  {
    subject: "Zürich",
    html: `<style>p { color: red }</style><p>${filler.repeat(20)}</p><p>the <b>needle</b> &lt;here&gt;</p>`,
  },
];

const nothing = emails.map(() => [null, null]);

beforeAll(async () => {
  const store = await createTestStore();
  const account = await createTestAccount(store);
  client = new TestClient(methods, testServices(store, createMailServices(store)), testLogin([account]));
  const inbox = encodeId("m", (await findMailboxes(store.reader(account, "server")))[0]!.id);
  emailIds = [];
  for (const { subject, text, html } of emails) {
    const answer = await client.call("Email/set", {
      create: {
        a: {
          mailboxIds: { [inbox]: true },
          from: [{ email: "zurich@example.org" }],
          subject,
          ...(text && { textBody: [{ partId: "1", type: "text/plain" }] }),
          ...(html && { htmlBody: [{ partId: "1", type: "text/html" }] }),
          bodyValues: { 1: { value: text ?? html } },
        },
      },
    });
    emailIds.push((answer.created as Record<string, { id: string }>).a!.id);
  }
});

async function snippets(filter: Json | null, ids = emailIds): Promise<[unknown, unknown][]> {
  const answer = await client.call("SearchSnippet/get", { filter, emailIds: ids });
  return (answer.list as Json[]).map(({ subject, preview }) => [subject, preview]);
}

test("shows the whole subject and the matching part of the body, marked and escaped", async () => {
  const [first] = await snippets({ text: "foosball" });
  expect(first![0]).toBe("The <mark>Foosball</mark> &lt;competition&gt;");
  expect(first![1]).toMatch(/^….*In Zürich we play <mark>foosball<\/mark> &amp; more\.\s?$/);
});

test("accents and case are folded; HTML is shown as text", async () => {
  expect(await snippets({ text: "zurich" })).toEqual([
    [null, expect.stringContaining("<mark>Zürich</mark>")],
    [null, "We meet in <mark>Zurich</mark> at noon."],
    ["<mark>Zürich</mark>", null],
  ]);
  const [, , [, preview] = []] = await snippets({ body: "needle" });
  expect(preview).toMatch(/the <mark>needle<\/mark> &lt;here&gt;$/);
});

test("text is marked in whatever part a search finds it", async () => {
  const store = await createTestStore();
  const world = await createEmailWorld(testServices(store, createMailServices(store)));
  const long = `${"Nothing of note happens here. ".repeat(50_000)}At last a whalebone.`;
  const html = `<p>${"<i>Nothing</i> of note. ".repeat(2000)}</p><p>whale<b>bone</b></p><img alt="a narwhal">`;
  const attached = "From: Carol <carol@inner.example>\r\nSubject: Innerbetreff\r\n\r\nInnertextwort";
  const cases: [type: string, body: string, query: string, marked: string][] = [
    ["text/plain", long, "whalebone", "At last a <mark>whalebone</mark>."],
    ["text/html", html, "whalebone", "<mark>whalebone</mark>"],
    ["text/html", html, "narwhal", "a <mark>narwhal</mark>"],
    [
      "text/plain; format=flowed; delsp=yes",
      "die Donaudampf \r\nschiff-Liste",
      "donaudampfschiff",
      "<mark>Donaudampfschiff</mark>",
    ],
    ["message/rfc822", attached, "innertextwort", "<mark>Innertextwort</mark>"],
    ["message/rfc822", attached, "innerbetreff", "<mark>Innerbetreff</mark>"],
    ["message/delivery-status", "Final-Recipient: rfc822; b@x.example", "b@x.example", "<mark>b@x.example</mark>"],
  ];
  for (const [type, body, query, marked] of cases) {
    const source = `From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
    const email = { blobId: await world.upload(source), mailboxIds: { [world.inbox]: true } };
    const { created } = (await world.client.call("Email/import", { emails: { a: email } })) as Record<string, Json>;
    const { id } = created!.a as Json;
    const filter = { body: query };
    expect((await world.client.call("Email/query", { filter })).ids, query).toContain(id);
    const { list } = await world.client.call("SearchSnippet/get", { filter, emailIds: [id] });
    expect((list as Json[])[0]!.preview, query).toContain(marked);
  }
});

test("a match only in an attachment's name is marked nowhere", async () => {
  const store = await createTestStore();
  const world = await createEmailWorld(testServices(store, createMailServices(store)));
  const source = [
    "From: a@example.org\r\nSubject: See the file\r\nContent-Type: multipart/mixed; boundary=b\r\n",
    "--b\r\n\r\nHere it is.",
    '--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="narwhal report.txt"\r\n\r\nfigures',
    "--b--\r\n",
  ].join("\r\n");
  const email = { blobId: await world.upload(source), mailboxIds: { [world.inbox]: true } };
  const { created } = (await world.client.call("Email/import", { emails: { a: email } })) as Record<string, Json>;
  const { id } = created!.a as Json;
  const snippet = async (filter: Json) => {
    expect((await world.client.call("Email/query", { filter })).ids).toEqual([id]);
    return (await world.client.call("SearchSnippet/get", { filter, emailIds: [id] })).list;
  };
  expect(await snippet({ text: "narwhal" })).toEqual([{ emailId: id, subject: null, preview: null }]);
  const either = { operator: "OR", conditions: [{ text: "narwhal" }, { text: "file" }] };
  expect(await snippet(either)).toEqual([{ emailId: id, subject: "See the <mark>file</mark>", preview: null }]);
});

test("a mail that was stored when less was known of its parts is marked as a search finds it", async () => {
  const store = await createTestStore();
  const world = await createEmailWorld(testServices(store, createMailServices(store)));
  const flowed = "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\ndie Donaudampf \r\nschiff-Liste";
  const uuencoded =
    "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n'82!W:&%L90``\r\n`\r\nend";
  const update = unprepared("UPDATE message SET structure = $2, preview = '' WHERE user_id = $1");
  const select = unprepared<{ structure: string }>(
    "SELECT structure FROM message WHERE user_id = $1 ORDER BY no DESC LIMIT 1",
  );
  for (const [part, query, marked] of [
    [flowed, "donaudampfschiff", "<mark>Donaudampfschiff</mark>"],
    [uuencoded, "whale", "<mark>whale</mark>"],
  ] as const) {
    const source = `From: a@example.org\r\nMIME-Version: 1.0\r\n${part}\r\n`;
    const email = { blobId: await world.upload(source), mailboxIds: { [world.inbox]: true } };
    const { created } = (await world.client.call("Email/import", { emails: { a: email } })) as Record<string, Json>;
    const { id } = created!.a as Json;
    const [row] = await store.reader(world.account, "server").run(select, [world.account]);
    const { delSp: _, ...rest } = JSON.parse(row!.structure) as Json;
    const old = { ...rest, encoding: part === uuencoded ? "unknown" : rest.encoding };
    await store.reader(world.account, "server").run(update, [world.account, JSON.stringify(old)]);
    const filter = { body: query };
    expect((await world.client.call("Email/query", { filter })).ids, query).toContain(id);
    const { list } = await world.client.call("SearchSnippet/get", { filter, emailIds: [id] });
    expect((list as Json[])[0]!.preview, query).toContain(marked);
  }
});

test("each criterion marks where it looks, but not under NOT", async () => {
  const filter = {
    operator: "OR",
    conditions: [
      { subject: "lunch", from: "noon" },
      { operator: "AND", conditions: [{ body: "noon" }, { operator: "NOT", conditions: [{ text: "meet" }] }] },
    ],
  };
  expect(await snippets(filter, [emailIds[1]!])).toEqual([
    ["<mark>Lunch</mark>", "We meet in Zurich at <mark>noon</mark>."],
  ]);
});

test("signs are marked in the subject where they are found", async () => {
  const marked = "The Foosball <mark>&lt;</mark>competition&gt;";
  expect(await snippets({ subject: "<" })).toEqual([[marked, null], ...nothing.slice(1)]);
  expect(await snippets({ text: "< foosball" }, [emailIds[0]!])).toEqual([
    ["The <mark>Foosball</mark> &lt;competition&gt;", expect.stringContaining("<mark>foosball</mark>")],
  ]);
  expect(await snippets({ body: "&" })).toEqual(nothing);
});

test("snippets are null without text in the filter", async () => {
  expect(await snippets(null)).toEqual(nothing);
  expect(await snippets({ hasAttachment: false })).toEqual(nothing);
  expect(await snippets({ text: "  " })).toEqual(nothing);
});

test("unknown ids are listed in notFound", async () => {
  const answer = await client.call("SearchSnippet/get", {
    filter: { text: "lunch" },
    emailIds: ["e9999", emailIds[1]!, "x", emailIds[1]!],
  });
  expect(answer).toEqual({
    accountId: client.account,
    list: [{ emailId: emailIds[1], subject: "<mark>Lunch</mark>", preview: null }],
    notFound: ["e9999", "x"],
  });
  expect(await client.call("SearchSnippet/get", { emailIds: [] })).toMatchObject({ list: [], notFound: null });
});

test("a filter that Email/query refuses is refused with the same error", async () => {
  expect(await client.call("SearchSnippet/get", { filter: { nothing: 1 }, emailIds })).toMatchObject({
    type: "unsupportedFilter",
  });
  expect(await client.call("SearchSnippet/get", { filter: { text: 1 }, emailIds })).toMatchObject({
    type: "invalidArguments",
  });
  const many = Array.from({ length: 1001 }, (_, n) => `e${n}`);
  expect(await client.call("SearchSnippet/get", { filter: null, emailIds: many })).toMatchObject({
    type: "requestTooLarge",
  });
});
