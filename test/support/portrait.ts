type Json = Record<string, unknown>;

/** Makes one call for an account; an error's arguments are its answer. */
export type Ask = (method: string, args: Json) => Promise<Json>;

/**
 * Everything that a client can see of an account, without the ids: each is replaced by a name that depends on what it names
 * alone. Two accounts with equal portraits can't be told apart by a client that does not know their ids.
 */
export async function portraitOf(ask: Ask): Promise<Json> {
  const names = new Map<string, string>();
  const mailboxes = (await ask("Mailbox/get", { ids: null })).list as Json[];
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const path = ({ name, parentId }: Json): string => `${parentId ? path(byId.get(parentId)!) : ""}/${name}`;
  for (const mailbox of mailboxes) names.set(mailbox.id as string, path(mailbox));

  const newest = [{ property: "receivedAt", isAscending: false }];
  const { ids } = (await ask("Email/query", { sort: newest })) as { ids: string[] };
  for (const [at, id] of ids.entries()) names.set(id, `email ${at}`);
  const all = ids.length === 0 ? [] : ((await ask("Email/get", { ids, ...everything })).list as Json[]);
  for (const { threadId } of all)
    if (!names.has(threadId as string)) names.set(threadId as string, `thread ${names.size}`);
  const threads = [...new Set(all.map(({ threadId }) => threadId as string))];

  const identities = (await ask("Identity/get", { ids: null })).list as Json[];
  for (const [at, { id }] of identities.entries()) names.set(id as string, `identity ${at}`);
  const sent = (await ask("EmailSubmission/query", { sort: [{ property: "sentAt" }] })) as { ids: string[] };
  for (const [at, id] of sent.ids.entries()) names.set(id, `submission ${at}`);

  const lists: Json = {};
  for (const [at, args] of queries(mailboxes).entries()) {
    const found = (await ask("Email/query", { ...args, calculateTotal: true })) as { ids: string[]; total: number };
    lists[`${at}`] = { ids: found.ids, total: found.total };
  }
  const list = async (method: string, args: Json) => (await ask(method, args)).list;
  const shown = {
    mailboxes,
    tree: (await ask("Mailbox/query", { sortAsTree: true, sort: [{ property: "sortOrder" }, { property: "name" }] }))
      .ids,
    emails: all,
    threads: threads.length === 0 ? [] : await list("Thread/get", { ids: threads }),
    lists,
    identities,
    submissions: sent.ids.length === 0 ? [] : await list("EmailSubmission/get", { ids: sent.ids }),
    vacation: await list("VacationResponse/get", { ids: null }),
    quota: await list("Quota/get", { ids: null }),
    masks: ((await list("MaskedAddress/get", { ids: null })) as Json[]).map(({ id: _, ...mask }) => mask),
  };
  return renamed(shown, names) as Json;
}

/** What a request of a portrait uses. */
export const portraitCapabilities = [
  ...["core", "mail", "submission", "vacationresponse", "quota"].map((name) => `urn:ietf:params:jmap:${name}`),
  ...["scan", "authentication", "masked-addresses"].map((name) => `https://posthorn.example/jmap/${name}`),
];

const everything = {
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
    ...["sender", "from", "to", "cc", "bcc", "replyTo", "subject", "sentAt", "hasAttachment", "preview", "bodyValues"],
    ...["textBody", "htmlBody", "attachments", "bodyStructure", "headers", "scan", "authentication"],
  ],
  fetchAllBodyValues: true,
};

function queries(mailboxes: Json[]): Json[] {
  const sort = [{ property: "receivedAt", isAscending: false }];
  return [
    ...mailboxes.map(({ id }) => ({ filter: { inMailbox: id }, sort, collapseThreads: true })),
    { filter: { hasKeyword: "$flagged" }, sort: [{ property: "subject" }] },
    { filter: { text: "even" }, sort },
    { filter: { notKeyword: "$seen" }, sort: [{ property: "size" }, { property: "receivedAt" }] },
    { filter: { someInThreadHaveKeyword: "$flagged" }, sort, collapseThreads: true },
    { sort: [{ property: "from" }, { property: "receivedAt" }] },
  ];
}

/** Names keys too, as those of mailboxIds, and puts all keys in order. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [names.get(key) ?? key, renamed(item, names)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
