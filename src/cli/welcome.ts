import { encodeId, idPrefix } from "../base/ids.ts";
import type { Running } from "./serve.ts";

/** What `serve` prints once the server is ready. */
export function welcome({ urls, demo, inbox }: Pick<Running, "urls" | "demo"> & { inbox: string | undefined }): string {
  const ports = [
    ["Inbox", inbox && `${inbox}  (open this in a browser)`],
    ["JMAP", urls.http],
    ["SMTP", urls.smtp],
    ["Sending", urls.submissions ?? urls.submission],
    ["Metrics", urls.metrics],
  ].filter(([, url]) => url !== undefined);
  const lines = ["Posthorn is ready.", ...ports.map(([name, url]) => `  ${name!.padEnd(8)} ${url}`)];
  const [alice] = demo;
  if (alice && urls.http) {
    lines.push("", "Added a demo domain with two accounts. Their passwords are shown only now:");
    for (const { address, password } of demo) lines.push(`  ${address}  ${password}`);
    lines.push("", ...trial(urls.http, urls.smtp, alice));
  }
  return `${lines.join("\n")}\n`;
}

type Demo = Running["demo"][number];

/** From another domain, since unauthenticated mail in the name of a local domain goes to Junk. */
const stranger = "carol@elsewhere.test";

function trial(http: string, smtp: string | undefined, alice: Demo): string[] {
  const login = `-u '${alice.address}:${alice.password}'`;
  const accountId = encodeId(idPrefix.account, alice.userId);
  const request = (calls: unknown[]) =>
    JSON.stringify({ using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"], methodCalls: calls });
  const post = (calls: unknown[]) => [
    `curl -s ${login} -H 'Content-Type: application/json' ${http}/jmap/api -d '${request(calls)}'`,
  ];
  const mailboxes = [["Mailbox/get", { accountId, ids: null, properties: ["name", "role", "totalEmails"] }, "0"]];
  const list = [
    ["Email/query", { accountId, sort: [{ property: "receivedAt", isAscending: false }], limit: 10 }, "0"],
    [
      "Email/get",
      {
        accountId,
        "#ids": { resultOf: "0", name: "Email/query", path: "/ids" },
        properties: ["from", "subject", "preview", "receivedAt"],
      },
      "1",
    ],
  ];
  const send = [
    `curl -s ${smtp} --mail-from ${stranger} --mail-rcpt ${alice.address} --crlf -T - <<'MAIL'`,
    `From: Carol <${stranger}>`,
    `To: Alice <${alice.address}>`,
    "Subject: Hello from curl",
    "",
    "It works.",
    "MAIL",
  ];
  return [
    "# Alice's session, then her mailboxes:",
    "",
    `curl -s ${login} ${http}/.well-known/jmap`,
    "",
    ...post(mailboxes),
    "",
    ...(smtp === undefined
      ? []
      : ["# A message to her, and a second later her inbox:", "", ...send, "sleep 1", "", ...post(list)]),
  ];
}
