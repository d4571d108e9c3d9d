import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../base/log.ts";
import type { Site } from "./cookie.ts";
import type { PageFile } from "./files.ts";
import { assetHeaders, type FrameKind, frameHeaders, pageHeaders, workerHeaders } from "./policies.ts";

interface Options {
  /** Which page is served; only the inbox has frames. */
  site: Site;
  load(): Promise<PageFile[]>;
  log: Log;
}

/** White in any theme: mails are made for paper. */
const frame = Buffer.from(
  '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="color-scheme" content="light"><title>Message</title></head><body></body></html>\n',
);

/** The question of OAuth, whether a program may have access, is a screen of the inbox's page. */
const consentPath = "/oauth/authorize";

/** Serves the pages. They are loaded once, in the background from `begin` on or at the first request; requests wait for that. */
export class Pages {
  readonly #site: Site;
  readonly #load: () => Promise<PageFile[]>;
  readonly #log: Log;
  #files: Promise<Map<string, PageFile>> | undefined;

  constructor({ site, load, log }: Options) {
    this.#site = site;
    this.#load = load;
    this.#log = log;
  }

  begin(): void {
    void this.#loaded().catch(() => {});
  }

  /** Answers a request for one of its paths; false for any other, which is somebody else's. */
  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const path = (req.url ?? "/").replace(/[?#].*$/s, "");
    const kind = this.#site === "operator" ? undefined : frameIn(path);
    const isPage = path === "/" || (this.#site === "inbox" && path === consentPath);
    const isFile = path.startsWith("/assets/") || (this.#site === "inbox" && path === "/worker.js");
    if (!isPage && !isFile && kind === undefined) return false;
    if (req.method !== "GET" && req.method !== "HEAD") {
      answer(req, res, 405, { Allow: "GET, HEAD", "Content-Type": "text/plain" }, "This page is only read.\n");
    } else if (kind) {
      answer(req, res, 200, { ...frameHeaders(kind), "Content-Type": "text/html; charset=utf-8" }, frame);
    } else void this.#serveFile(isPage ? "/" : path, req, res);
    return true;
  }

  async #serveFile(path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const plain = { "Content-Type": "text/plain", "Cache-Control": "no-store" };
    let file: PageFile | undefined;
    try {
      file = (await this.#loaded()).get(path);
    } catch {
      return answer(req, res, 503, plain, "The pages could not be built; the log says why.\n");
    }
    if (!file) return answer(req, res, 404, plain, "There is nothing at this path.\n");
    const headers = path === "/" ? pageHeaders(req.headers.host) : path === "/worker.js" ? workerHeaders : assetHeaders;
    const common = { ...headers, ETag: file.etag, Vary: "Accept-Encoding" };
    const known = req.headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, "")) ?? [];
    if (known.includes(file.etag) || known.includes("*")) return answer(req, res, 304, common);
    const encoding = chooseEncoding(req.headers["accept-encoding"]);
    const body = encoding === "br" ? file.br : encoding === "gzip" ? file.gzip : file.bytes;
    answer(
      req,
      res,
      200,
      { ...common, "Content-Type": file.type, ...(encoding && { "Content-Encoding": encoding }) },
      body,
    );
  }

  #loaded(): Promise<Map<string, PageFile>> {
    this.#files ??= this.#load().then(
      (files) => new Map(files.filter(({ site }) => site === this.#site).map((file) => [file.path, file])),
      (error: Error) => {
        this.#log.error({ reason: error.message }, "the pages could not be built");
        throw error;
      },
    );
    return this.#files;
  }
}

const frameIn = (path: string) => /^\/frame\/(blocked|remote)$/.exec(path)?.[1] as FrameKind | undefined;

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body?: Buffer | string,
): void {
  const bytes = body === undefined ? undefined : Buffer.from(body);
  res.writeHead(status, { ...headers, ...(bytes && { "Content-Length": bytes.length }) });
  res.end(req.method === "HEAD" ? undefined : bytes);
}

/** What is compressed already costs nothing to send, so the smallest that is taken. */
function chooseEncoding(accept: string | string[] | undefined): "br" | "gzip" | undefined {
  const taken = new Set(
    String(accept ?? "")
      .split(",")
      .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
      .map((part) => part.split(";")[0]!.trim().toLowerCase()),
  );
  if (taken.has("br")) return "br";
  return taken.has("gzip") ? "gzip" : undefined;
}
