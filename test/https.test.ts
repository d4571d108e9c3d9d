import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { SmtpConnection } from "../conformance/client/smtp.ts";
import { type DnsServer, startDns } from "./support/dns.ts";
import { startPebble, whyNoPebble } from "./support/pebble.ts";
import { freePorts, until } from "./support/ports.ts";
import { startServer, type TestServer } from "./support/server.ts";

const host = "mail.here.test";
const password = "correct horse";
const login = `Basic ${Buffer.from(`ada@here.test:${password}`).toString("base64")}`;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

const ask = (make: typeof request, options: RequestOptions) =>
  new Promise<Answer>((resolve, reject) => {
    const asked = make({ host: "127.0.0.1", agent: false, ...options }, async (res) =>
      resolve({ status: res.statusCode!, headers: res.headers, body: await text(res) }),
    );
    asked.on("error", reject);
    asked.end();
  });

const handshake = (options: ConnectionOptions) =>
  new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", servername: host, ...options }, () => resolve(socket));
    socket.once("error", reject);
  });

describe("with a certificate in files", () => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-https-"));
  let server: TestServer;
  let httpsPort: number;
  let redirectPort: number;
  let ca: string;

  beforeAll(async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: host }], {
      keySize: 2048,
      algorithm: "sha256",
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: host }] }],
    });
    ca = cert;
    writeFileSync(join(folder, "cert.pem"), cert);
    writeFileSync(join(folder, "key.pem"), key);
    [httpsPort, redirectPort] = (await freePorts(2)) as [number, number];
    server = await startServer({
      env: {
        POSTHORN_HTTPS: `127.0.0.1:${httpsPort}`,
        POSTHORN_HTTP_REDIRECT: `127.0.0.1:${redirectPort}`,
        POSTHORN_TLS_CERT: join(folder, "cert.pem"),
        POSTHORN_TLS_KEY: join(folder, "key.pem"),
        // Connections come to the children through their parent.
        POSTHORN_WORKERS: "2",
      },
    });
    await server.addAccount("ada@here.test", password);
  });
  afterAll(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true });
  });

  const overTls = (path: string, headers: Record<string, string> = {}) =>
    ask(request, {
      port: httpsPort,
      servername: host,
      ca,
      path,
      headers: { host: `${host}:${httpsPort}`, ...headers },
    });

  test("JMAP is served over TLS, and its URLs say so", async () => {
    const { status, headers, body } = await overTls("/.well-known/jmap", { authorization: login });
    expect(status).toBe(200);
    expect(headers["strict-transport-security"]).toBe("max-age=31536000");
    expect(JSON.parse(body).apiUrl).toBe(`https://${host}:${httpsPort}/jmap/api`);
  });

  test("so are WebSockets", async () => {
    const options = { ca, servername: host, headers: { authorization: login } };
    const socket = new WebSocket(`wss://127.0.0.1:${httpsPort}/jmap/ws`, "jmap", options);
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("open", () =>
        socket.send(
          '{"@type":"Request","using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":1},"0"]]}',
        ),
      );
      socket.once("message", (data) => resolve(String(data)));
    });
    socket.close();
    expect(JSON.parse(answer).methodResponses).toEqual([["Core/echo", { a: 1 }, "0"]]);
  });

  test("nothing below TLS 1.2 is spoken", async () => {
    const old = {
      port: httpsPort,
      ca,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1.1",
      ciphers: "ALL@SECLEVEL=0",
    } as const;
    await expect(handshake(old)).rejects.toThrow(/protocol version|alert/i);
    const socket = await handshake({ port: httpsPort, ca, ALPNProtocols: ["h2", "http/1.1"] });
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  test("the plain door leads to HTTPS, with the path that was asked for", async () => {
    const plain = (headers: Record<string, string>) =>
      ask(plainRequest as typeof request, { port: redirectPort, path: "/a?b=c", headers });
    const led = await plain({ host: `${host}:${redirectPort}` });
    expect([led.status, led.headers.location]).toEqual([308, `https://${host}:${httpsPort}/a?b=c`]);
    expect((await plain({ host: "a b" })).status).toBe(400);
    const challenge = await ask(plainRequest as typeof request, {
      port: redirectPort,
      path: "/.well-known/acme-challenge/a-token-of-nobody-at-all",
    });
    expect(challenge.status).toBe(308);
  });
});

describe.skipIf(whyNoPebble)("with an ACME authority", () => {
  let dns: DnsServer;
  beforeAll(async () => {
    dns = await startDns({ [host]: { A: "127.0.0.1" } });
  });
  afterAll(() => dns.stop());

  test("the hosts of MTA-STS policies get certificates of their own, and one whose name does not lead here costs no other its", async () => {
    const [httpsPort] = (await freePorts(1)) as [number];
    dns.set("mta-sts.here.test", "A", "127.0.0.1");
    const pebble = await startPebble({ http: 1, tls: httpsPort, dns: dns.address });
    const server = await startServer({
      env: {
        POSTHORN_HTTPS: `127.0.0.1:${httpsPort}`,
        POSTHORN_ACME: host,
        POSTHORN_ACME_DIRECTORY: pebble.directory,
        POSTHORN_ACME_CA: pebble.caFile,
      },
    });
    for (const domain of ["astray.test", "here.test"]) {
      await server.cli(["domain", "add", domain]);
      await server.cli(["domain", "mta-sts", domain, "--mode", "enforce", "--mx", host]);
    }
    const namesOf = async (servername: string) => {
      const socket = await handshake({ port: httpsPort, rejectUnauthorized: false, servername });
      const { subjectaltname } = socket.getPeerCertificate();
      socket.destroy();
      return subjectaltname;
    };
    try {
      const name = "mta-sts.here.test";
      const isThere = async () => (await namesOf(name)) === `DNS:${name}`;
      await until(`a certificate for ${name}`, isThere, { timeoutMs: 60_000 }).catch((error: Error) => {
        throw new Error(`${error.message}\n${server.output}`);
      });
      const answer = await ask(request, {
        ...{ port: httpsPort, servername: "mta-sts.here.test", rejectUnauthorized: false },
        ...{ path: "/.well-known/mta-sts.txt", headers: { host: "mta-sts.here.test" } },
      });
      expect(answer).toMatchObject({
        status: 200,
        body: expect.stringContaining("mode: enforce\r\nmx: mail.here.test"),
      });
    } finally {
      await server.dispose();
      pebble.stop();
    }
  }, 90_000);

  test.each(["http-01", "tls-alpn-01"])(
    "a certificate is got by %s, and used at once for HTTPS and SMTP",
    async (way) => {
      const [httpsPort, redirectPort] = (await freePorts(2)) as [number, number];
      const pebble = await startPebble({ http: redirectPort, tls: httpsPort, dns: dns.address });
      const server = await startServer({
        env: {
          POSTHORN_HTTPS: `127.0.0.1:${httpsPort}`,
          ...(way === "http-01" && { POSTHORN_HTTP_REDIRECT: `127.0.0.1:${redirectPort}` }),
          POSTHORN_ACME: host,
          POSTHORN_ACME_DIRECTORY: pebble.directory,
          POSTHORN_ACME_CA: pebble.caFile,
        },
      });
      try {
        const isGiven = ({ raw }: PeerCertificate) => {
          const { issuer, subjectAltName } = new X509Certificate(raw);
          return issuer.includes("Pebble") && subjectAltName === `DNS:${host}`;
        };
        const overHttps = async () => {
          const socket = await handshake({ port: httpsPort, rejectUnauthorized: false });
          const certificate = socket.getPeerCertificate();
          socket.destroy();
          return isGiven(certificate);
        };
        await until(`a certificate by ${way}`, overHttps, { timeoutMs: 20_000 }).catch((error: Error) => {
          throw new Error(`${error.message}\n${server.output}`);
        });
        const line = await SmtpConnection.greet({ host: "127.0.0.1", port: server.smtpPort });
        await line.startTls();
        expect(isGiven(line.peerCertificate)).toBe(true);
        await line.quit();
      } finally {
        await server.dispose();
        pebble.stop();
      }
    },
  );
});
