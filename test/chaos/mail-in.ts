import { deliver } from "../../conformance/client/smtp.ts";
import type { World } from "./world.ts";

/** Peers wait longer, but what takes so long is too late for this test as well. */
const maxReplyMs = 20_000;

/** A mail from outside to one user or several; sometimes a large one. Nobody sends it again. */
export async function mailIn({ installation, ledger, samples, random, name }: World): Promise<void> {
  const { users, fleet } = installation;
  const subject = name("in");
  const first = Math.floor(random() * users.length);
  const count = random() < 0.2 ? 3 : 1;
  const to = Array.from({ length: count }, (_, at) => users[(first + at) % users.length]!.address);
  const line = `${"x".repeat(76)}\r\n`;
  const octets = random() < 0.005 ? 1_500_000 : Math.floor(random() * 4_000);
  const head = `From: a@remote.test\r\nTo: ${to.join(", ")}\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@remote.test>\r\n`;
  const data = `${head}\r\n${line.repeat(1 + octets / line.length)}`;
  const entry: { to: string[]; outcome: "acknowledged" | "unknown" } = { to, outcome: "unknown" };
  ledger.mailIn.set(subject, entry);
  await samples.time("mail in", to, async () => {
    await deliver({ port: fleet.smtpPort, from: "a@remote.test", to, data, timeoutMs: maxReplyMs });
    entry.outcome = "acknowledged";
  });
}
