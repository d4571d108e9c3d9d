import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./smtp-sink.ts";

/** A web server for the MTA-STS policies of domains, which answers as programmed. */
export interface PolicyHost {
  port: number;
  /** Host and path of each request. */
  asked: string[];
  /** (Default: 404) */
  answer: (response: ServerResponse) => void;
  stop(): Promise<void>;
}

export async function startPolicyHost({ cert, private: key }: Certificate): Promise<PolicyHost> {
  const server = createServer({ cert, key }, (request, response) => {
    host.asked.push(`${request.headers.host}${request.url}`);
    host.answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host: PolicyHost = {
    port: (server.address() as AddressInfo).port,
    asked: [],
    answer: (response) => response.writeHead(404).end(),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return host;
}

/** Answers with this text as a policy. */
export const saying =
  (text: string, type = "text/plain") =>
  (response: ServerResponse) =>
    void response.writeHead(200, { "content-type": type }).end(text);
