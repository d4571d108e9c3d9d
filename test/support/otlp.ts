import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

type Value = { stringValue?: string; intValue?: number | string; arrayValue?: { values: Value[] } };
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Value }[];
  status: { code: number };
}
interface Body {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] };
    scopeSpans: { spans: ReceivedSpan[] }[];
  }[];
}

/** A collector of traces on loopback: OTLP over HTTP, in JSON. */
export interface Collector {
  url: string;
  /** The bodies as they came. */
  bodies: string[];
  spans(): ReceivedSpan[];
  /** Attributes of the processes that sent, by name. */
  resource(): Record<string, string | undefined>;
  /** The names of the processes that sent. */
  instances(): Set<string | undefined>;
  stop(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const isTraces = request.method === "POST" && request.url === "/v1/traces";
    const isJson = request.headers["content-type"] === "application/json";
    bodies.push(await text(request));
    response.writeHead(isTraces && isJson ? 200 : 400, { "Content-Type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const parsed = () => bodies.flatMap((body) => (JSON.parse(body) as Body).resourceSpans);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    spans: () => parsed().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    resource: () =>
      Object.fromEntries(
        parsed().flatMap(({ resource }) => resource.attributes.map(({ key, value }) => [key, value.stringValue])),
      ),
    instances: () =>
      new Set(
        parsed().map(
          ({ resource }) => resource.attributes.find(({ key }) => key === "service.instance.id")?.value.stringValue,
        ),
      ),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The spans of a trace: each with its parent's name, "" for the root. Throws if a parent is missing. */
export function namesWithParents(trace: readonly ReceivedSpan[]): string[] {
  const names = new Map(trace.map(({ spanId, name }) => [spanId, name]));
  return trace.map(({ name, parentSpanId }) => {
    const parent = parentSpanId ? names.get(parentSpanId) : "";
    if (parent === undefined) throw new Error(`the parent of ${name} is missing`);
    return `${parent} > ${name}`;
  });
}
