import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imapSource } from "./imap.ts";
import { isLoopback } from "./loopback.ts";
import { SourceFault, type SourceItem } from "./source.ts";

/** An IMAP server with two messages in the inbox, which it lists as a test says. */
let search: (tag: string) => string;
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.write("* OK here\r\n");
  createInterface(socket).on("line", (line) => answer(socket, line));
});

function answer(socket: Socket, line: string): void {
  const [tag = "", ...words] = line.split(" ");
  const command = words[0]!.toUpperCase();
  const untagged: Record<string, string> = {
    CAPABILITY: "* CAPABILITY IMAP4rev1\r\n",
    LIST: line.endsWith('"" ""') ? '* LIST (\\Noselect) "/" ""\r\n' : '* LIST () "/" INBOX\r\n',
    STATUS: "* STATUS INBOX (MESSAGES 2)\r\n",
    EXAMINE: "* 2 EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n* OK [UIDNEXT 3] .\r\n",
    LOGOUT: "* BYE\r\n",
  };
  socket.write(command === "UID" ? search(tag) : `${untagged[command] ?? ""}${tag} OK done\r\n`);
}

let url: URL;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`imap://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => server.close());

test.each([
  ["refuses to list", (tag: string) => `${tag} NO not now\r\n`],
  ["lists none of", (tag: string) => `* SEARCH\r\n${tag} OK done\r\n`],
])("when the server %s a folder's messages, none of them counts as gone", async (_, given) => {
  search = given;
  const source = await imapSource({ url, user: "ann", password: "password" });
  const items: SourceItem[] = [];
  const earlier = {
    state: { folders: { INBOX: { uidValidity: "1", uidNext: 3, exists: 2 } } },
    known: async (keys: readonly string[]) => new Set(keys),
    async *keysOf(prefix: string) {
      yield* [`${prefix}1:1`, `${prefix}1:2`];
    },
  };
  const run = async () => {
    for await (const item of source.items(earlier)) items.push(item);
  };
  await expect(run()).rejects.toThrow(SourceFault);
  await expect(run()).rejects.toThrow("does not list the messages of INBOX");
  expect(new Set(items.map(({ kind }) => kind))).toEqual(new Set(["mailboxes"]));
});

test.each([
  ["localhost", true],
  ["LocalHost", true],
  ["127.0.0.1", true],
  ["127.3.2.1", true],
  ["::1", true],
  ["[::1]", true],
  ["127.example.com", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["10.0.0.1", false],
])("%s is this machine: %s", (host, isOwn) => {
  expect(isLoopback(host)).toBe(isOwn);
});
