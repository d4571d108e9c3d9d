import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, one } from "../../conformance/client/client.ts";
import type { GetResult, Json, QueryResult } from "../../conformance/client/types.ts";
import { emailProperties } from "../../src/jmap/email/properties.ts";
import { headerEnd, parseHeader } from "../../src/mime/field.ts";
import { leaves } from "../../src/mime/structure.ts";
import { summarise } from "../../src/mime/summary.ts";
import { nastyMessages } from "../mime/corpus.ts";
import { until } from "../support/ports.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { SmtpConnection } from "../support/smtp-client.ts";

/** All but the one that only a capability of our own brings. */
const properties = [
  "id",
  ...Object.keys(emailProperties).filter((name) => name !== "scan" && name !== "authentication"),
];
const traceFields = ["Return-Path", "Authentication-Results", "Received"];

interface ShownPart {
  partId: string;
  size: number;
  type: string;
  subParts?: ShownPart[];
}
const shownLeaves = (part: ShownPart): ShownPart[] => part.subParts?.flatMap(shownLeaves) ?? [part];

let server: TestServer;
let ada: Client;
const seen = new Set<string>();
/** Mails of 5 MB are among them. */
const patient = { timeoutMs: 25_000 };

beforeAll(async () => {
  server = await startServer({ isShared: true, env: { POSTHORN_DEMO: "false" } });
  await server.addAccount("ada@here.test", "correct horse");
  ada = await server.login("ada@here.test", "correct horse");
}, 120_000);
afterAll(() => server?.dispose());

/** Sends a message unchanged, bare line feeds included; no message of the corpus has a line that begins with a dot. */
async function send(message: Buffer): Promise<void> {
  const connection = await SmtpConnection.greet({ port: server.smtpPort });
  await connection.command("MAIL FROM:<eve@there.test>", [250]);
  await connection.command("RCPT TO:<ada@here.test>", [250]);
  await connection.command("DATA", [354]);
  connection.write(message);
  connection.write(".\r\n");
  await connection.expect("message", [250]);
  await connection.quit();
}

/** The id of the one new email. */
const arrived = () =>
  until(
    "the mail",
    async () => {
      const { ids } = await one<QueryResult>(ada, "Email/query", { accountId: ada.accountId });
      const fresh = ids.filter((id) => !seen.has(id));
      if (fresh.length === 0) return undefined;
      expect(fresh).toHaveLength(1);
      seen.add(fresh[0]!);
      return fresh[0]!;
    },
    patient,
  );

describe("the nasty corpus, through SMTP and JMAP", () => {
  test.each(nastyMessages())("$name: stored whole and shown", async ({ bytes }) => {
    const sent = bytes.subarray(-2).toString("latin1") === "\r\n" ? bytes : Buffer.concat([bytes, Buffer.from("\r\n")]);
    await send(sent);
    const id = await arrived();
    const args = { accountId: ada.accountId, ids: [id], properties, fetchAllBodyValues: true };
    const { list } = await one<GetResult>(ada, "Email/get", args);
    const email = list[0] as Json;
    const raw = Buffer.from((await ada.download(email.blobId as string)).body);
    expect(raw.subarray(-sent.length).equals(sent)).toBe(true);
    const trace = raw.subarray(0, raw.length - sent.length);
    expect(headerEnd(trace)).toBe(trace.length);
    expect([...new Set(parseHeader(trace).map(({ name }) => name))]).toEqual(traceFields);

    const { structure, ...summary } = summarise(raw);
    expect(email).toMatchObject({ id, size: raw.length, subject: summary.subject, preview: summary.preview });
    expect(email.from).toEqual(summary.from);
    const parts = shownLeaves(email.bodyStructure as unknown as ShownPart);
    const stored = leaves(structure);
    expect(parts.map(({ partId, size }) => [partId, size])).toEqual(stored.map(({ partId, size }) => [partId, size]));
    const text = parts.filter(({ type }) => type.startsWith("text/")).map(({ partId }) => partId);
    expect(Object.keys(email.bodyValues as Json).sort()).toEqual(text.sort());
  });
});
