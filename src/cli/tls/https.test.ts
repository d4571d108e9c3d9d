import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../base/log.ts";
import type { Challenges } from "./challenges.ts";
import { createHttps } from "./https.ts";

const asked: string[] = [];
const challenges = {
  lookUp: async () => {},
  certificateFor: (name: string) => void asked.push(name.toLowerCase()),
} as unknown as Challenges;
const http = createServer((_, res) => res.end("here"));
let server: ReturnType<typeof createHttps>;

beforeAll(async () => {
  const { cert, private: key } = await generate([{ name: "commonName", value: "mail.test" }], { keySize: 2048 });
  const certificates = { current: { cert, key }, onChange: () => {} };
  server = createHttps(http, { certificates, challenges, log: silentLog });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

const handshake = (options: ConnectionOptions) =>
  new Promise<string>((resolve) => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => {
      resolve("done");
      socket.destroy();
    });
    socket.once("error", ({ message }) => resolve(message));
    socket.once("close", () => resolve("closed"));
  });

test("who asks for a challenge without naming a host is refused, and nothing else happens", async () => {
  expect(await handshake({ ALPNProtocols: ["acme-tls/1"] })).toMatch(/no application protocol|closed/i);
  expect(await handshake({ ALPNProtocols: ["acme-tls/1"], servername: "nobody.test" })).toMatch(
    /no application|closed/,
  );
  expect(await handshake({ ALPNProtocols: ["http/1.1"] })).toBe("done");
  expect(asked).toEqual(["", "nobody.test"]);
});
