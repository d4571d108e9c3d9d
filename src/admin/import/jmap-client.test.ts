import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { jmapSource } from "./jmap.ts";
import { JmapClient } from "./jmap-client.ts";
import { SourceFault } from "./source.ts";

/** Another server, which fails as a test says. */
let place: string;
let asked: string[];
let methods: Record<string, (args: { ids?: string[] }) => object | number>;
let download: (res: ServerResponse, tries: number) => void | Promise<void>;
const server = createServer((req, res) => void reply(req, res));
const credentials = { token: "t" };
const mail = "urn:ietf:params:jmap:mail";
const core = "urn:ietf:params:jmap:core";

async function reply(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await text(req);
  if (req.url === "/.well-known/jmap") {
    const urls = { apiUrl: "/api", downloadUrl: "/download/{blobId}", uploadUrl: "/upload" };
    const capabilities = { [core]: { maxObjectsInGet: 2 }, [mail]: {} };
    res.end(JSON.stringify({ ...urls, capabilities, accounts: { a: {} }, primaryAccounts: { [mail]: "a" } }));
    return;
  }
  if (req.url !== "/api") {
    asked.push("download");
    await download(res, asked.length);
    return;
  }
  const [name, args] = (JSON.parse(body) as { methodCalls: [string, object][] }).methodCalls[0]!;
  asked.push(name);
  const result = methods[name]!(args);
  if (typeof result === "number") res.writeHead(result).end();
  else res.end(JSON.stringify({ methodResponses: [[name, result, "0"]] }));
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  place = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  methods = {};
});
afterEach(() => vi.unstubAllGlobals());

describe("the password goes over no open line", () => {
  test.each(["http://mail.example.org", "http://127.example.org", "http://localhost.example.org"])(
    "%s is refused",
    async (url) => {
      const fetched = vi.fn();
      vi.stubGlobal("fetch", fetched);
      await expect(JmapClient.connect(url, credentials)).rejects.toThrow("is not encrypted");
      expect(fetched).not.toHaveBeenCalled();
    },
  );

  test("not when HTTPS refers to HTTP at the same host, either", async () => {
    const location = "http://mail.example.org/jmap";
    const fetched = vi.fn(async () => new Response(null, { status: 302, headers: { location } }));
    vi.stubGlobal("fetch", fetched);
    await expect(JmapClient.connect("https://mail.example.org", credentials)).rejects.toThrow("is not encrypted");
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});

test("what changes something is asked for once; what reads is asked for again", async () => {
  const client = await JmapClient.connect(place, credentials);
  methods["Email/import"] = () => 504;
  await expect(client.call("Email/import", { emails: {} })).rejects.toThrow(SourceFault);
  expect(asked).toEqual(["Email/import"]);
  // The server says that it did nothing.
  methods["Email/import"] = () => (asked.length === 2 ? 429 : { created: null });
  expect(await client.call("Email/import", { emails: {} })).toEqual({ created: null });
  expect(asked).toHaveLength(3);
  methods["Email/get"] = () => (asked.length === 4 ? 504 : { list: [] });
  expect(await client.call("Email/get", { ids: [] })).toEqual({ list: [] });
  expect(asked).toHaveLength(5);
});

test("a body that is cut off is asked for again, as is one that stops; one that is slow is awaited", async () => {
  const client = await JmapClient.connect(place, credentials, 600);
  const cutOff = (res: ServerResponse) => {
    res.writeHead(200, { "content-length": 10 });
    res.write("hel");
    setTimeout(() => res.destroy(), 50);
  };
  download = (res, tries) => (tries === 1 ? cutOff(res) : void res.end("hello"));
  expect(String(await client.download("b"))).toBe("hello");
  expect(asked).toHaveLength(2);

  asked = [];
  download = (res, tries) => {
    if (tries === 1) res.write("hel");
    else res.end("hello");
  };
  expect(String(await client.download("b"))).toBe("hello");
  expect(asked).toHaveLength(2);

  download = async (res) => {
    for (const piece of "hello") {
      res.write(piece);
      await sleep(200);
    }
    res.end();
  };
  expect(String(await client.download("b"))).toBe("hello");
});

test("no more ids are asked for at once than the server takes", async () => {
  const sizes: number[] = [];
  methods = {
    "Mailbox/get": () => ({ list: [] }),
    "Email/query": () => ({ ids: [], total: 0 }),
    "Email/changes": () => ({ created: [], updated: [], destroyed: [], newState: "1", hasMoreChanges: false }),
    "Email/get": ({ ids = [] }) => {
      sizes.push(ids.length);
      return { state: "1", list: [], notFound: ids };
    },
  };
  const source = await jmapSource(place, credentials);
  const gone: string[] = [];
  const earlier = {
    state: {},
    known: async () => new Set<string>(),
    async *keysOf() {
      yield* ["a", "b", "c", "d", "e"];
    },
  };
  for await (const item of source.items(earlier)) if (item.kind === "gone") gone.push(...item.keys);
  expect(gone).toEqual(["a", "b", "c", "d", "e"]);
  expect(sizes).toEqual([0, 2, 2, 1]);
});
