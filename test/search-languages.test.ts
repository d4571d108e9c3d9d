import { beforeAll, expect, test } from "vitest";
import { createEmailWorld, type EmailWorld, type Json } from "./support/email-world.ts";
import { testServices } from "./support/jmap.ts";
import { languages } from "./support/languages.ts";
import { createMailServices } from "./support/mail.ts";
import { createTestStore } from "./support/postgres.ts";

/** Messages as they arrive, and how people search for them. */
const messages: { name: string; type: string; body: string; found: string[]; absent: string[] }[] = [
  {
    name: "soft hyphens in HTML",
    type: "text/html; charset=utf-8",
    body: "<p>Ihre Ok&shy;to&shy;ber-Rechnung der Donau&shy;dampf&shy;schiff<wbr>fahrt</p>",
    found: ["Oktober", "Oktober-Rechnung", "Donaudampfschifffahrt"],
    absent: ["Ok", "Donau"],
  },
  {
    name: "flowed text with delsp",
    type: "text/plain; charset=utf-8; format=flowed; delsp=yes",
    body: "Bitte https://shop.example/rechnung/2026/ \r\nnovember/4711.pdf und die Donaudampf \r\nkessel-Liste.",
    found: ["Donaudampfkessel", "donaudampfkessel-liste", "https://shop.example/rechnung/2026/november/4711.pdf"],
    absent: ["Donaudampf", "kessel"],
  },
  {
    name: "a long text in Korean",
    type: "text/plain; charset=utf-8",
    body: `${"우리는 오늘도 일합니다. ".repeat(2000)}마지막에 숨은단어가 있습니다.`,
    found: ["숨은단어", "단어가", "숨은"],
    absent: ["숨단"],
  },
  ...languages.map(({ name, text, typed = [], absent = [] }) => ({
    name,
    type: "text/plain; charset=utf-8",
    body: text,
    found: [text.split(/\s/)[0]!, ...typed.slice(0, 3)],
    absent: absent.slice(0, 2),
  })),
];

let client: EmailWorld["client"];
const ids = new Map<string, string>();

beforeAll(async () => {
  const store = await createTestStore();
  const world = await createEmailWorld(testServices(store, createMailServices(store)));
  client = world.client;
  const emails: Record<string, Json> = {};
  for (const [index, { type, body }] of messages.entries()) {
    const source = `From: a@example.org\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
    emails[index] = { blobId: await world.upload(source), mailboxIds: { [world.inbox]: true } };
  }
  const { created } = (await client.call("Email/import", { emails })) as { created: Record<string, { id: string }> };
  for (const [index, { name }] of messages.entries()) ids.set(name, created[index]!.id);
});

async function search(token: string): Promise<string[]> {
  const answer = await client.call("Email/query", { filter: { body: `"${token.replace(/["\\]/g, "\\$&")}"` } });
  return answer.ids as string[];
}

test("Email/query finds a message of each language by its words as people type them, and marks them", async () => {
  for (const { name, found: tokens } of messages) {
    for (const token of tokens) {
      const bare = token.replace(/^"|"$/g, "");
      expect(await search(bare), `${bare} in ${name}`).toContain(ids.get(name));
      const filter = { body: `"${bare.replace(/["\\]/g, "\\$&")}"` };
      const { list } = await client.call("SearchSnippet/get", { filter, emailIds: [ids.get(name)] });
      expect((list as Json[])[0]!.preview, `${bare} in ${name}`).toContain("<mark>");
    }
  }
});

test("Email/query does not find a message by words that only look alike", async () => {
  for (const { name, absent } of messages) {
    for (const token of absent) expect(await search(token), `${token} in ${name}`).not.toContain(ids.get(name));
  }
});
