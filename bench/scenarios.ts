import { type Client, one, ref, responseArgs } from "../conformance/client/client.ts";
import type {
  ChangesResult,
  GetResult,
  ImportResult,
  Invocation,
  QueryResult,
  SetResult,
} from "../conformance/client/types.ts";
import { spread, uploadsAtOnce } from "./fill.ts";
import { commonWord, type Expected, freshMail, rareWord } from "./mails.ts";
import type { Operation } from "./measure.ts";

/** A filled account under measurement. */
export type Box = {
  count: number;
  owner: string;
  expected: Expected;
  inbox: string;
  /** The newest emails of the inbox, newest first. */
  newest: string[];
  main: Client;
};

export type Prepared = {
  operation: Operation;
  /** Set if a round has a fixed number of requests that must be prepared. */
  perRound?: (connections: number) => number;
  beforeRound?: (requests: number) => Promise<void>;
  /** Reverts what the requests changed and `tidy` does not see. */
  restore?: () => Promise<void>;
};

export type Scenario = {
  name: string;
  title: string;
  /** CPU in ms per request at 50,000 messages. */
  target?: number;
  /** Each answer acknowledges a durable write. */
  durable?: boolean;
  /** Whether its cost may grow with the mailbox: reads may not, except searches. */
  mayGrow?: boolean;
  /** (Default: 1 and 8.) */
  connections?: number[];
  prepare: (box: Box) => Promise<Prepared> | Prepared;
};

const listProperties = [
  "threadId",
  "mailboxIds",
  "keywords",
  "hasAttachment",
  "from",
  "subject",
  "receivedAt",
  "size",
  "preview",
];
const newestFirst = [{ property: "receivedAt", isAscending: false }];

function check(holds: boolean, what: string, got: unknown): void {
  if (!holds) throw new Error(`wrong answer: ${what}, got ${JSON.stringify(got)?.slice(0, 300)}`);
}

function at<T>(answers: Invocation[], index: number, method: string): T {
  const answer = answers[index];
  if (!answer) throw new Error(`${method}: no response`);
  return responseArgs<T>(answer, method);
}

/** RFC 8621 §4.10, first call. */
function openInbox(box: Box): Operation {
  const accountId = box.main.accountId;
  const calls: Invocation[] = [
    [
      "Email/query",
      {
        accountId,
        filter: { inMailbox: box.inbox },
        sort: newestFirst,
        collapseThreads: true,
        limit: 30,
        calculateTotal: true,
      },
      "0",
    ],
    ["Email/get", { accountId, "#ids": ref("0", "Email/query", "/ids"), properties: ["threadId"] }, "1"],
    ["Thread/get", { accountId, "#ids": ref("1", "Email/get", "/list/*/threadId") }, "2"],
    ["Email/get", { accountId, "#ids": ref("2", "Thread/get", "/list/*/emailIds"), properties: listProperties }, "3"],
  ];
  const threads = Math.min(30, box.expected.threads);
  return async (client) => {
    const answers = await client.call(calls);
    const query = at<QueryResult>(answers, 0, "Email/query");
    check(
      query.ids.length === threads && query.total === box.expected.threads,
      `${threads} of ${box.expected.threads}`,
      query,
    );
    const { list } = at<GetResult<{ emailIds: string[] }>>(answers, 2, "Thread/get");
    check(list.length === threads, `${threads} threads`, list.length);
    const emails = at<GetResult>(answers, 3, "Email/get").list;
    check(emails.length === box.expected.opened, `${box.expected.opened} emails`, emails.length);
    check(
      emails.every((email) => typeof email.preview === "string" && email.subject),
      "subject and preview",
      emails[0],
    );
  };
}

function readMessage(box: Box): Operation {
  return async (client, n) => {
    const id = box.newest[(n * 7) % box.newest.length] as string;
    const { list } = await one<GetResult<{ id: string; bodyValues: Record<string, { value: string }> }>>(
      client,
      "Email/get",
      {
        ids: [id],
        properties: [
          ...[
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
          ],
          ...[
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
          ],
          ...["textBody", "htmlBody", "attachments"],
        ],
        fetchTextBodyValues: true,
        fetchHTMLBodyValues: true,
        maxBodyValueBytes: 262_144,
      },
    );
    const values = Object.values(list[0]?.bodyValues ?? {});
    check(list.length === 1 && list[0]?.id === id, `the email ${id}`, list);
    check(values.length > 0 && values.every(({ value }) => value.length > 300), "its body", values);
  };
}

/** A page of ids; that the total is right is checked once, before the measurement. */
async function queryPage(box: Box, args: Record<string, unknown>, total: number): Promise<Operation> {
  const query = { accountId: box.main.accountId, sort: newestFirst, limit: 30, ...args };
  const exact = await one<QueryResult>(box.main, "Email/query", { ...query, calculateTotal: true });
  check(exact.total === total, `a total of ${total}`, exact);
  const length = Math.max(0, Math.min(30, total - Number(args.position ?? 0)));
  const first = exact.ids[0];
  return async (client) => {
    const result = await one<QueryResult>(client, "Email/query", query);
    check(result.ids.length === length && result.ids[0] === first, `${length} ids`, result);
  };
}

const search = (name: string, title: string, words: string[], count: (expected: Expected) => number): Scenario => ({
  name,
  title,
  target: 5,
  mayGrow: true,
  prepare: async (box) => {
    const conditions = words.map((text) => ({ text }));
    const filter = conditions.length === 1 ? conditions[0] : { operator: "AND", conditions };
    return { operation: await queryPage(box, { filter }, count(box.expected)) };
  },
});

/** Snippets for 30 hits of a common word. */
async function searchSnippets(box: Box): Promise<Operation> {
  const filter = { text: commonWord };
  const { ids } = await one<QueryResult>(box.main, "Email/query", { filter, sort: newestFirst, limit: 30 });
  check(ids.length === 30, "30 hits", ids);
  return async (client) => {
    const { list } = await one<GetResult<{ preview: string }>>(client, "SearchSnippet/get", { filter, emailIds: ids });
    const marked = list.filter(({ preview }) => preview?.includes(`<mark>${commonWord}</mark>`));
    check(marked.length === ids.length, `${ids.length} marked previews`, list);
  };
}

/** A client's requests after a push: ten mails have changed since its last request. */
async function syncChanges(box: Box): Promise<Operation> {
  const accountId = box.main.accountId;
  const states = await box.main.call([
    ["Mailbox/get", { accountId, ids: [] }, "0"],
    ["Email/get", { accountId, ids: [] }, "1"],
    ["Thread/get", { accountId, ids: [] }, "2"],
  ]);
  const [mailbox, email, thread] = ["Mailbox/get", "Email/get", "Thread/get"].map(
    (name, i) => at<GetResult>(states, i, name).state,
  );
  const ten = box.newest.slice(20, 30);
  const flip = (value: true | null): Promise<SetResult> =>
    one<SetResult>(box.main, "Email/set", {
      update: Object.fromEntries(ten.map((id) => [id, { "keywords/$flagged": value }])),
    });
  await flip(true);
  await flip(null);
  const calls: Invocation[] = [
    ["Mailbox/changes", { accountId, sinceState: mailbox, maxChanges: 500 }, "0"],
    ["Mailbox/get", { accountId, "#ids": ref("0", "Mailbox/changes", "/updated") }, "1"],
    ["Thread/changes", { accountId, sinceState: thread, maxChanges: 500 }, "2"],
    ["Email/changes", { accountId, sinceState: email, maxChanges: 500 }, "3"],
    ["Email/get", { accountId, "#ids": ref("3", "Email/changes", "/created"), properties: listProperties }, "4"],
    [
      "Email/get",
      { accountId, "#ids": ref("3", "Email/changes", "/updated"), properties: ["mailboxIds", "keywords"] },
      "5",
    ],
  ];
  return async (client) => {
    const answers = await client.call(calls);
    const changes = at<ChangesResult>(answers, 3, "Email/changes");
    const known = changes.created.length === 0 && changes.destroyed.length === 0 && !changes.hasMoreChanges;
    check(known && changes.updated.length === 10, "ten updates", changes);
    const { list } = at<GetResult<{ id: string }>>(answers, 5, "Email/get");
    check(list.length === 10 && list.every(({ id }) => ten.includes(id)), "the ten emails", list);
    at<ChangesResult>(answers, 2, "Thread/changes");
    at<GetResult>(answers, 1, "Mailbox/get");
  };
}

/** Every request is a change: it adds the keyword if it is missing, and removes it otherwise. */
async function toggle(box: Box, keyword: string): Promise<Prepared> {
  const properties = ["keywords"];
  type Flagged = { id: string; keywords: Record<string, boolean> };
  const { list } = await one<GetResult<Flagged>>(box.main, "Email/get", { ids: box.newest, properties });
  const isOn = new Map(list.map(({ id, keywords }) => [id, keyword in keywords]));
  const operation: Operation = async (client, n) => {
    const id = box.newest[n % box.newest.length] as string;
    const on = !isOn.get(id);
    isOn.set(id, on);
    const update = { [id]: { [`keywords/${keyword}`]: on ? true : null } };
    const result = await one<SetResult>(client, "Email/set", { update });
    check(result.updated !== null && id in result.updated, `${id} updated`, result);
    check(result.oldState !== result.newState, "a new state", result);
  };
  const restore = async (): Promise<void> => {
    const changed = list.filter(({ id, keywords }) => isOn.get(id) !== keyword in keywords);
    const update = Object.fromEntries(changed.map(({ id, keywords }) => [id, { keywords }]));
    await one<SetResult>(box.main, "Email/set", { update });
  };
  return { operation, restore };
}

let serial = 0;
const runId = Date.now().toString(36);
export function nextMail(owner: string): Buffer {
  return freshMail(owner, `${runId}x${serial++}`);
}

function upload(box: Box): Operation {
  return async (client) => {
    const bytes = nextMail(box.owner);
    const result = await client.upload(bytes, "message/rfc822");
    check(result.size === bytes.length && typeof result.blobId === "string", `${bytes.length} bytes`, result);
  };
}

/** Imports into the inbox, whose size matters here; the blobs are uploaded before the measurement. */
function importMail(box: Box): Prepared {
  let blobs: string[] = [];
  return {
    perRound: (connections) => (connections === 1 ? 60 : 240),
    beforeRound: async (requests) => {
      const mails = Array.from({ length: requests }, () => nextMail(box.owner));
      const uploaded = await spread(mails, uploadsAtOnce, (bytes) => box.main.upload(bytes, "message/rfc822"));
      blobs = uploaded.map(({ blobId }) => blobId);
    },
    operation: async (client, n) => {
      const blobId = blobs[n % blobs.length];
      const email = {
        blobId,
        mailboxIds: { [box.inbox]: true },
        receivedAt: new Date().toISOString().replace(/\.\d+/, ""),
      };
      const result = await one<ImportResult>(client, "Email/import", { emails: { k: email } });
      check(typeof result.created?.k?.id === "string", "an email created", result);
    },
  };
}

const depth = (wanted: number, rows: number): number => Math.max(0, Math.min(wanted, rows - 30));

export const scenarios: Scenario[] = [
  { name: "open", title: "open the inbox", target: 8, prepare: (box) => ({ operation: openInbox(box) }) },
  { name: "read", title: "read a message", target: 2.5, prepare: (box) => ({ operation: readMessage(box) }) },
  {
    name: "unread",
    title: "unread filter",
    target: 1.5,
    prepare: async (box) => ({
      operation: await queryPage(box, { filter: { inMailbox: box.inbox, notKeyword: "$seen" } }, box.expected.unread),
    }),
  },
  search("search-rare", "search a rare word", [rareWord], (sums) => sums.rare),
  search("search-common", "search a common word", [commonWord], (sums) => sums.common),
  search("search-and", "search both words", [rareWord, commonWord], (sums) => sums.both),
  {
    name: "snippets",
    title: "snippets of 30 hits",
    target: 10,
    mayGrow: true,
    prepare: async (box) => ({ operation: await searchSnippets(box) }),
  },
  {
    name: "page",
    title: "page at position 1,500",
    target: 1.5,
    prepare: async (box) => {
      const position = depth(1500, box.count);
      return { operation: await queryPage(box, { filter: { inMailbox: box.inbox }, position }, box.count) };
    },
  },
  {
    name: "page-threads",
    title: "page at 1,500, threads collapsed",
    target: 1.5,
    prepare: async (box) => {
      // In a mailbox with fewer threads, reads the last page.
      const position = depth(1500, box.expected.threads);
      const args = { filter: { inMailbox: box.inbox }, collapseThreads: true, position };
      return { operation: await queryPage(box, args, box.expected.threads) };
    },
  },
  {
    name: "sync",
    title: "sync by changes",
    target: 3,
    prepare: async (box) => ({ operation: await syncChanges(box) }),
  },
  {
    name: "flag",
    title: "set a flag",
    target: 3,
    durable: true,
    mayGrow: true,
    prepare: (box) => toggle(box, "$flagged"),
  },
  {
    name: "seen",
    title: "mark as read or unread",
    target: 3,
    durable: true,
    mayGrow: true,
    prepare: (box) => toggle(box, "$seen"),
  },
  {
    name: "upload",
    title: "upload a message",
    durable: true,
    mayGrow: true,
    connections: [1, uploadsAtOnce],
    prepare: (box) => ({ operation: upload(box), perRound: (connections) => (connections === 1 ? 60 : 240) }),
  },
  { name: "import", title: "import a message", target: 10, durable: true, mayGrow: true, prepare: importMail },
];
