import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Config } from "../config/schema.ts";
import type { Incoming } from "../mail/deliver/incoming.ts";
import { createSmtpIn } from "../smtp/inbound/server.ts";
import { Failure } from "./fail.ts";
import { hostPort, type Part, type Parts } from "./parts.ts";

/** The connections of a server. Its processes have the same number of them, so each has an equal part of the places. */
const maxConnections = 1_000;

/** Starts the SMTP server for mail from other servers. */
export async function startSmtpIn(config: Config, parts: Parts, incoming: Incoming): Promise<Part> {
  const { store, blobs, events, counts } = parts;
  const { resolver, clock, log } = parts.surroundings;
  const server = await createSmtpIn({
    database: store.database,
    blobs,
    incoming,
    returnPaths: parts.returnPaths,
    resolver,
    clock,
    log,
    events,
    counts,
    hostname: config.hostname,
    maxMessageSize: config.maxMessageSize,
    maxConnections: Math.ceil(maxConnections / config.workers),
    certificate: await certificateOf(config),
  });
  const port = await parts.doors.open("smtp", config.smtp, server.server);
  return { url: `smtp://${hostPort({ ...config.smtp, port })}`, stop: (ending) => server.close(ending) };
}

async function certificateOf({ tlsCert, tlsKey }: Config): Promise<{ cert: string; key: string } | undefined> {
  if (tlsCert === "") return undefined;
  const read = (path: string) =>
    readFile(path, "utf8").catch((error: Error) => {
      throw new Failure(`the TLS certificate cannot be read: ${error.message}`);
    });
  const pair = { cert: await read(tlsCert), key: await read(tlsKey) };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new Failure(`${tlsCert} and ${tlsKey} are not a certificate and its key in PEM: ${(error as Error).message}`);
  }
  return pair;
}
