import type { Json } from "../client/types.ts";
import type { EmailOptions, TestContext } from "../runner/context.ts";
import { defineTests, type Level } from "../runner/define.ts";
import { equal, isString, ok, same, sameMembers } from "../runner/expect.ts";
import { leaf, mimeMessage, multi } from "./mime.ts";
import { mailGroup, nowhere, query, table } from "./support.ts";

type Snippet = { emailId: string; subject: string | null; preview: string | null };
type Answer = { accountId: string; list: Snippet[]; notFound: string[] | null };
const group = mailGroup("5", "Search snippets");

async function snippet(t: TestContext, id: string, filter: Json | null): Promise<Snippet> {
  const { list } = await t.one<Answer>("SearchSnippet/get", { filter, emailIds: [id] });
  equal(list.length, 1, "number of snippets");
  equal(list[0]?.emailId, id, "emailId");
  return list[0] as Snippet;
}

/** Skips when the server makes no snippets at all, as it may. */
async function found(t: TestContext, email: EmailOptions, filter: Json): Promise<Snippet> {
  const { id } = await t.email(email);
  await t.eventually(async () => same((await query(t, filter)).ids, [id], "ids of Email/query"), 8000);
  const got = await snippet(t, id, filter);
  if (got.subject !== null || got.preview !== null) return got;
  const probe = await t.email({ subject: "conformanceprobe" });
  const other = await snippet(t, probe.id, { subject: "conformanceprobe" });
  if (other.subject === null && other.preview === null) t.skip("the server determines no snippets");
  return got;
}

type Row = { id: string; level?: Level; says: string; email: EmailOptions; filter: Json; subject: string | null };
const wrapped = 'The matching words/phrases from the filter are wrapped in HTML "<mark></mark>" tags.';
const escaped =
  "Any instance of the following three characters MUST be replaced by an appropriate HTML entity: & (ampersand), < (less-than sign), and > (greater-than sign).";
const none = "If the subject does not match text from the filter, this property is null.";
const foo = { subject: "The Foo competition", text: "nothing here" };

const rows: Row[] = [
  { id: "subject", says: wrapped, email: foo, filter: { subject: "foo" }, subject: "The <mark>Foo</mark> competition" },
  { id: "text", says: wrapped, email: foo, filter: { text: "foo" }, subject: "The <mark>Foo</mark> competition" },
  {
    id: "and",
    says: wrapped,
    email: foo,
    filter: { operator: "AND", conditions: [{ text: "foo" }, { hasAttachment: false }] },
    subject: "The <mark>Foo</mark> competition",
  },
  {
    id: "or",
    says: wrapped,
    email: foo,
    filter: { operator: "OR", conditions: [{ subject: "foo" }, { subject: "competition" }] },
    subject: "The <mark>Foo</mark> <mark>competition</mark>",
  },
  {
    id: "two-words",
    says: wrapped,
    email: foo,
    filter: { text: "competition foo" },
    subject: "The <mark>Foo</mark> <mark>competition</mark>",
  },
  {
    id: "unicode",
    says: wrapped,
    email: { subject: "=?utf-8?q?Ma=C5=82y_=C5=BB=C3=B3=C5=82w?=" },
    filter: { subject: "żółw" },
    subject: "Mały <mark>Żółw</mark>",
  },
  {
    id: "no-match",
    says: none,
    email: { subject: "unrelated", text: "foo inside" },
    filter: { text: "foo" },
    subject: null,
  },
  {
    id: "body-filter",
    says: none,
    email: { subject: "foo outside", text: "foo inside" },
    filter: { body: "foo" },
    subject: null,
  },
];

const plainRows = defineTests(group, [
  ...table<Row>(rows, ({ id, level = "MUST", says, email, filter, subject }) => ({
    id: `subject-${id}`,
    level,
    says,
    run: async (t) => equal((await found(t, email, filter)).subject, subject, "subject"),
  })),
  {
    id: "subject-phrase",
    level: "MUST",
    says: wrapped,
    run: async (t) => {
      const { subject } = await found(t, { subject: "the quick brown fox" }, { subject: '"quick brown"' });
      const expected = ["the <mark>quick brown</mark> fox", "the <mark>quick</mark> <mark>brown</mark> fox"];
      ok(expected.includes(String(subject)), `subject is ${subject}`);
    },
  },
  {
    id: "subject-escaped",
    level: "MUST",
    says: escaped,
    run: async (t) => {
      const { subject } = await found(t, { subject: "foo <b>&amp; & <script>" }, { subject: "foo" });
      isString(subject, "subject");
      const plain = subject.replace(/<\/?mark>/g, "");
      ok(!/[<>]/.test(plain) && !/&(?!#?\w+;)/.test(plain), `subject is ${subject}`);
      equal(
        plain
          .replace(/&lt;|&#60;/g, "<")
          .replace(/&gt;|&#62;/g, ">")
          .replace(/&amp;|&#38;/g, "&"),
        "foo <b>&amp; & <script>",
        "text of the subject",
      );
    },
  },
  {
    id: "subject-injected-mark",
    level: "MUST",
    says: escaped,
    run: async (t) => {
      const { subject } = await found(t, { subject: "<mark>bar</mark> foo" }, { subject: "foo" });
      isString(subject, "subject");
      equal(subject.match(/<mark>/g)?.length, 1, "number of marks");
    },
  },
]);

const text = `${"filler words before it ".repeat(60)}the needle & <tag> comes here ${"filler words after it ".repeat(60)}`;
const shown =
  'preview: If text from the filter matches the plaintext or HTML body, this is the relevant section of the body (converted to plaintext if originally HTML), with the same transformations as the "subject" property.';

const previews = defineTests(group, [
  {
    id: "preview",
    level: "MUST",
    says: shown,
    run: async (t) => {
      const { preview, subject } = await found(t, { subject: "unrelated", text }, { body: "needle" });
      isString(preview, "preview");
      ok(preview.includes("<mark>needle</mark>"), `preview is ${preview}`);
      equal(subject, null, "subject");
    },
  },
  {
    id: "preview-size",
    level: "MUST",
    says: "It MUST NOT be bigger than 255 octets in size.",
    run: async (t) => {
      for (const word of ["needle", "żółw"]) {
        const body = `${"żółć gęślą & < > ".repeat(60)} ${word} ${"日本語 ".repeat(80)}`;
        const { preview } = await found(t, { text: body, subject: t.unique() }, { body: word });
        isString(preview, "preview");
        ok(Buffer.byteLength(preview) <= 255, `preview has ${Buffer.byteLength(preview)} octets`);
        ok(preview.includes(`<mark>${word}</mark>`), `preview is ${preview}`);
        ok(!/&[^;]*$|<[^>]*$|\ufffd/.test(preview), `preview ends inside an entity or a tag: ${preview}`);
        await t.set("Email", { destroy: (await query(t, null)).ids });
      }
    },
  },
  {
    id: "preview-escaped",
    level: "MUST",
    says: `${shown} ${escaped}`,
    run: async (t) => {
      const { preview } = await found(t, { text: "a <b> & needle <c> d" }, { body: "needle" });
      isString(preview, "preview");
      const plain = preview.replace(/<\/?mark>/g, "");
      ok(!/[<>]/.test(plain) && !/&(?!#?\w+;)/.test(plain), `preview is ${preview}`);
      ok(plain.includes("needle &lt;c&gt;") || plain.includes("needle &#60;c&#62;"), `preview is ${preview}`);
    },
  },
  {
    id: "preview-html",
    level: "MUST",
    says: shown,
    run: async (t) => {
      const html =
        '<html><head><style>p {}</style></head><body><p class="x">one <b>needle</b> &amp; two</p></body></html>';
      const { preview } = await found(t, { html }, { body: "needle" });
      isString(preview, "preview");
      ok(preview.includes("one <mark>needle</mark> &amp; two"), `preview is ${preview}`);
      ok(!preview.includes("class"), `preview holds markup: ${preview}`);
    },
  },
  {
    id: "preview-none",
    level: "MUST",
    says: "If the body does not contain a match for the text from the filter, this property is null.",
    run: async (t) => equal((await found(t, foo, { text: "foo" })).preview, null, "preview"),
  },
  {
    id: "preview-second-part",
    level: "SHOULD",
    says: shown,
    run: async (t) => {
      const raw = mimeMessage(
        multi("mixed", leaf("first part", "text/plain"), leaf("a needle in the second", "text/plain")),
      );
      const { preview } = await found(t, { raw }, { body: "needle" });
      ok(preview?.includes("<mark>needle</mark>"), `preview is ${preview}`);
    },
  },
]);

const methods = defineTests(mailGroup("5.1", "SearchSnippet/get"), [
  {
    id: "response",
    level: "MUST",
    says: "list: An array of SearchSnippet objects for the requested Email ids. This may not be in the same order as the ids that were in the request. notFound: An array of Email ids requested that could not be found, or null if all ids were found.",
    run: async (t) => {
      const ids = (await t.emails([foo, { subject: "other" }])).map(({ id }) => id);
      const filter = { subject: "foo" };
      const answer = await t.one<Answer>("SearchSnippet/get", { filter, emailIds: [...ids, nowhere] });
      sameMembers(
        answer.list.map(({ emailId }) => emailId),
        ids,
        "emailIds",
      );
      same(answer.notFound, [nowhere], "notFound");
      const all = await t.one<Answer>("SearchSnippet/get", { filter, emailIds: ids });
      equal(all.notFound, null, "notFound when all were found");
      equal(all.accountId, t.accountId, "accountId");
    },
  },
  {
    id: "no-id",
    level: "MUST",
    says: 'Note that unlike most data types, a SearchSnippet DOES NOT have a property called "id".',
    run: async (t) => {
      const { id } = await t.email(foo);
      sameMembers(
        Object.keys(await snippet(t, id, { subject: "foo" })),
        ["emailId", "subject", "preview"],
        "names of the properties",
      );
    },
  },
  ...table(
    [
      { name: "null", filter: null },
      { name: "empty", filter: {} },
      { name: "without-text", filter: { hasAttachment: false } },
      { name: "not", filter: { operator: "NOT", conditions: [{ text: "nothinglikethis" }] } },
    ] as { name: string; filter: Json | null }[],
    ({ name, filter }) => ({
      id: `filter-${name}`,
      level: "MUST",
      says: 'filter: "FilterOperator|FilterCondition|null". If the subject does not match text from the filter, this property is null.',
      run: async (t) => {
        const { id } = await t.email(foo);
        const { subject, preview } = await snippet(t, id, filter);
        same({ subject, preview }, { subject: null, preview: null }, "snippet");
      },
    }),
  ),
  {
    id: "no-match",
    level: "MUST",
    says: "If the subject does not match text from the filter, this property is null. If the body does not contain a match for the text from the filter, this property is null.",
    run: async (t) => {
      const { id } = await t.email(foo);
      const { subject, preview } = await snippet(t, id, { text: "absentword" });
      same({ subject, preview }, { subject: null, preview: null }, "snippet");
    },
  },
  {
    id: "unsupported-filter",
    level: "MUST",
    says: '"unsupportedFilter": The server is unable to process the given "filter" for any reason.',
    run: async (t) => {
      const { id } = await t.email(foo);
      const args = { filter: { noSuchCondition: 1 }, emailIds: [id] };
      await t.error("SearchSnippet/get", args, ["unsupportedFilter", "invalidArguments"]);
    },
  },
  {
    id: "request-too-large",
    level: "MUST",
    says: '"requestTooLarge": The number of "emailIds" requested by the client exceeds the maximum number the server is willing to process in a single method call.',
    run: async (t) => {
      const limit = t.limit("maxObjectsInGet");
      if (limit > 20_000) t.skip("very many ids may be asked for");
      const emailIds = Array.from({ length: limit + 1 }, (_, at) => `Znone-${at}`);
      const args = { accountId: t.accountId, filter: { text: "a" }, emailIds };
      const [answer] = await t.call([["SearchSnippet/get", args, "0"]]);
      // A server may be willing to process more than maxObjectsInGet.
      if (answer?.[0] === "error") equal(answer[1].type, "requestTooLarge", "type of the error");
      else equal((answer?.[1] as Answer | undefined)?.notFound?.length, emailIds.length, "number of ids in notFound");
    },
  },
  {
    id: "with-query",
    level: "MUST",
    says: 'The same filter as passed to "Email/query".',
    run: async (t) => {
      const { id } = await t.email(foo);
      const filter = { operator: "AND", conditions: [{ inMailbox: await t.box() }, { text: "foo" }] };
      await t.eventually(async () => same((await query(t, { text: "foo" })).ids, [id], "ids"), 8000);
      const { accountId } = t;
      const [, answer] = await t.call([
        ["Email/query", { accountId, filter }, "q"],
        [
          "SearchSnippet/get",
          { accountId, filter, "#emailIds": { resultOf: "q", name: "Email/query", path: "/ids" } },
          "s",
        ],
      ]);
      same(
        (answer?.[1] as Answer | undefined)?.list?.map(({ emailId }) => emailId),
        [id],
        "emailIds",
      );
    },
  },
]);

export const searchSnippet = [...plainRows, ...previews, ...methods];
