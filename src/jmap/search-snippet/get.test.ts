import { beforeAll, expect, test } from "vitest";
import { TestClient, testLogin, testServices } from "../../../test/support/jmap.ts";
import { createMailServices } from "../../../test/support/mail.ts";
import { createTestAccount, createTestStore } from "../../../test/support/postgres.ts";
import { encodeId } from "../../base/ids.ts";
import { findMailboxes } from "../../store/mailbox-places.ts";
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
  const inbox = encodeId("m", (await findMailboxes(store.reader(account)))[0]!.id);
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

test("the subject whole and the part of the body that matches, marked and safe", async () => {
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

test("without text in the filter there is nothing to show", async () => {
  expect(await snippets(null)).toEqual(nothing);
  expect(await snippets({ hasAttachment: false })).toEqual(nothing);
  expect(await snippets({ text: "  " })).toEqual(nothing);
});

test("ids of nothing are told apart", async () => {
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

test("a filter that Email/query would not take is refused in the same words", async () => {
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
