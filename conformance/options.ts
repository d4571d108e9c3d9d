import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";

export type Options = {
  url?: string;
  user?: string;
  password?: string;
  user2?: string;
  password2?: string;
  smtp?: string;
  address?: string;
  pushListener?: string;
  pushUrl?: string;
  pushCert?: string;
  pushKey?: string;
  name?: string;
  config?: string;
  only?: string[];
  rfc?: string[];
  jobs: number;
  timeout: number;
  expected?: string;
  json?: string;
  junit?: string;
  html?: string;
  compare?: string[];
  list?: boolean;
  coverage?: boolean;
};

const keys = [
  "url",
  "user",
  "password",
  "user2",
  "password2",
  "smtp",
  "address",
  "pushListener",
  "pushUrl",
  "pushCert",
  "pushKey",
  "name",
  "only",
  "rfc",
  "jobs",
  "timeout",
  "expected",
  "json",
  "junit",
  "html",
  "compare",
];

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("expected a number from 1.");
  return value;
}

const more = (value: string, list: string[] = []): string[] => [...list, value];

function command(): Command {
  return new Command("posthorn-conformance")
    .description("Tests any JMAP server against RFC 8620, RFC 8621, RFC 8887 and their extensions.")
    .option("--url <url>", "the server's root, or its session resource")
    .option("--user <name>", "login of the account to test in")
    .option("--password <password>")
    .option("--user2 <name>", "login of a second account that shares nothing with the first")
    .option("--password2 <password>")
    .option("--smtp <host:port>", "where mail for the first account is delivered")
    .option("--address <address>", "the first account's email address (Default: --user, if it is an address)")
    .option("--push-listener <host:port>", "where the suite listens for pushes")
    .option("--push-url <url>", "the listener's URL as the server reaches it (Default: http://host:port)")
    .option("--push-cert <file>", "PEM certificate of the listener, which then speaks TLS")
    .option("--push-key <file>", "PEM key of that certificate")
    .option("--name <name>", "what reports call the server (Default: its host)")
    .option("--config <file>", "JSON with these options, in camelCase; the command line goes first")
    .option("--only <pattern>", "tests whose name holds this, `*` for anything; may be repeated", more)
    .option("--rfc <name>", "tests of this RFC, like rfc8620; may be repeated", more)
    .option("--jobs <n>", "tests at once (Default: 4, and never more than the server allows)", positive)
    .option("--timeout <seconds>", "for one test (Default: 60)", positive)
    .option("--expected <file>", "known failures, one name a line; fails on new failures and on unexpected passes")
    .option("--json <file>", "write the results")
    .option("--junit <file>", "write JUnit XML")
    .option("--html <file>", "write a report of this run and of those in --compare")
    .option("--compare <files...>", "result files of other servers or runs for the report")
    .option("--list", "print the tests and what they test")
    .option("--coverage", "print which sentences of the RFCs are tested");
}

export function readOptions(argv: readonly string[]): Options {
  const parsed = command().parse(argv, { from: "user" }).opts<Partial<Options>>();
  const filed = parsed.config === undefined ? {} : readConfig(parsed.config);
  return { jobs: 4, timeout: 60, ...filed, ...parsed };
}

function readConfig(file: string): Partial<Options> {
  const filed: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof filed !== "object" || filed === null) throw new Error(`${file} holds no JSON object`);
  const unknown = Object.keys(filed).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw new Error(`${file} has unknown options: ${unknown.join(", ")}`);
  return filed as Partial<Options>;
}

export function hostAndPort(text: string, option: string): { host: string; port: number } {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d+)$/.exec(text);
  if (!match?.groups) throw new Error(`${option} expects host:port, not ${text}`);
  return { host: (match.groups.v6 ?? match.groups.host) as string, port: Number(match.groups.port) };
}
