import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../base/log.ts";
import { fromSent, loadFiles, type PageFile, toSent } from "./files.ts";
import { Pages } from "./pages.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

function listen(pages: Pages) {
  const server = createServer((req, res) => {
    if (!pages.serve(req, res)) res.writeHead(418).end();
  });
  server.listen(0, "127.0.0.1");
  const get = async (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> => {
    if (!server.listening) await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const asked = request({ port, host: "127.0.0.1", path, method, headers }).end();
    const [answer] = await once(asked, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
  };
  return { get, close: () => server.close() };
}

describe("the pages", () => {
  let files: PageFile[];
  let site: ReturnType<typeof listen>;
  beforeAll(async () => {
    files = await loadFiles();
    site = listen(new Pages({ site: "inbox", load: async () => files, log: silentLog }));
  });
  afterAll(() => site.close());

  const script = () => files.find(({ path }) => /^\/assets\/inbox-[\w-]+\.js$/.test(path))!;

  test("the page says what it may do, and is asked for again each time", async () => {
    const { status, headers, body } = await site.get("/", { Host: "mail.example.org:8443" });
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-cache");
    expect(headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; " +
        "connect-src 'self' ws://mail.example.org:8443 wss://mail.example.org:8443; frame-src 'self'; manifest-src 'self'; worker-src 'self'; " +
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify worker",
    );
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
    expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    // Nothing in the page itself is a script or a style: the policy forbids it.
    expect(body.toString()).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/);
    const again = await site.get("/", { "If-None-Match": String(headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await site.get("/?x=1", { "If-None-Match": '"other"' })).status).toBe(200);
  });

  test("a Host that would end a directive adds none", async () => {
    for (const host of ["a;script-src *", "a,b", "a b"]) {
      const { headers } = await site.get("/", { Host: host });
      expect(headers["content-security-policy"]).toContain("connect-src 'self';");
    }
  });

  test("all that the page names is there, under names that change with it, for a year", async () => {
    const { body } = await site.get("/");
    const named = [...body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThanOrEqual(4);
    for (const path of named) {
      const { status, headers } = await site.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(path).toMatch(/^\/assets\/[\w-]+-[\w-]{8}\.\w+$/);
      expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
    expect((await site.get("/assets/inbox-00000000.js")).status).toBe(404);
    expect((await site.get("/assets/../package.json")).status).toBe(404);
  });

  test("each file comes in the smallest form that the client takes", async () => {
    const { path, bytes } = script();
    const br = await site.get(path, { "Accept-Encoding": "gzip, deflate, br, zstd" });
    expect([br.headers["content-encoding"], br.headers.vary]).toEqual(["br", "Accept-Encoding"]);
    expect(brotliDecompressSync(br.body)).toEqual(bytes);
    const gzip = await site.get(path, { "Accept-Encoding": "gzip;q=1.0, br;q=0" });
    expect(gzip.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(gzip.body)).toEqual(bytes);
    const plain = await site.get(path);
    expect([plain.headers["content-encoding"], plain.body]).toEqual([undefined, bytes]);
    expect(br.body.length).toBeLessThan(gzip.body.length);
    const head = await site.get(path, {}, "HEAD");
    expect([head.status, head.body.length, Number(head.headers["content-length"])]).toEqual([200, 0, bytes.length]);
  });

  test.each([
    ["blocked", "data: blob:"],
    ["remote", "data: blob: https: http:"],
  ])("the frame /frame/%s runs nothing, and loads pictures from %s alone", async (kind, pictures) => {
    const { status, headers, body } = await site.get(`/frame/${kind}`);
    expect(status).toBe(200);
    expect(headers["content-security-policy"]).toBe(
      "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; " +
        `img-src ${pictures}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'`,
    );
    expect(body.toString()).toContain("<body></body>");
    expect((await site.get("/frame/other")).status).toBe(418);
  });

  test("pages are only read, and other paths are left to others", async () => {
    const refused = await site.get("/", {}, "POST");
    expect([refused.status, refused.headers.allow]).toEqual([405, "GET, HEAD"]);
    for (const path of ["/jmap/api", "/.well-known/jmap", "/assets", "//", "/index.html", "/frame/blocked/"]) {
      expect([path, (await site.get(path)).status]).toEqual([path, 418]);
    }
  });

  test("the same sources make the same files, and they pass from process to process unchanged", async () => {
    const sent = JSON.parse(JSON.stringify(files.map(toSent))) as Parameters<typeof fromSent>[0][];
    expect(sent.map(fromSent)).toEqual(files);
    expect(await loadFiles()).toEqual(files);
  });

  test("if they cannot be built, they say so, once in the log, and the rest works", async () => {
    const logged: unknown[] = [];
    const log = { ...silentLog, error: (fields: object) => void logged.push(fields) };
    const broken = listen(new Pages({ site: "inbox", load: async () => Promise.reject(new Error("no room")), log }));
    expect((await broken.get("/")).status).toBe(503);
    expect((await broken.get("/assets/a.js")).status).toBe(503);
    expect((await broken.get("/frame/blocked")).status).toBe(200);
    expect((await broken.get("/healthz")).status).toBe(418);
    expect(logged).toEqual([{ reason: "no room" }]);
    broken.close();
  });
});
