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
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("expected a positive whole number.");
  return value;
}

const more = (value: string, list: string[] = []): string[] => [...list, value];

const after = `
Everything is made in mailboxes of its own, which go at the end, also on Ctrl-C. Use accounts made for testing.

  posthorn-conformance --url https://mail.example.org --user test1@example.org --password SECRET --html report.html

Exit code: 0 all MUSTs hold, 1 a MUST failed (or, with --expected, something new), 2 the suite could not run,
130 it was stopped.`;

function command(): Command {
  return (
    new Command("posthorn-conformance")
      // Exit code 1 means that the server failed a test.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
      .description("Tests any JMAP server against RFC 8620, RFC 8621, RFC 8887 and their extensions.")
      .option("--url <url>", "the server's root, or its session resource")
      .option("--user <name>", "login of the account to test in")
      .option("--password <password>", "its password, often an app password")
      .option("--user2 <name>", "login of a second account that shares nothing with the first")
      .option("--password2 <password>", "its password")
      .option("--smtp <host:port>", "where mail for the first account is delivered")
      .option("--address <address>", "the first account's email address (Default: --user, if it is an address)")
      .option("--push-listener <host:port>", "where the suite listens for pushes")
      .option("--push-url <url>", "the listener's URL as the server reaches it (Default: http://host:port)")
      .option("--push-cert <file>", "PEM certificate of the listener, which then speaks TLS")
      .option("--push-key <file>", "PEM key of that certificate")
      .option("--name <name>", "the server's name in reports (Default: its host)")
      .option("--config <file>", "JSON with these options, in camelCase; the command line takes precedence")
      .option("--only <pattern>", "tests whose name contains this, `*` for anything; may be repeated", more)
      .option("--rfc <name>", "tests of this RFC, like 8620; may be repeated", more)
      .option("--jobs <n>", "tests at once (Default: 4, and never more than the server allows)", positive)
      .option("--timeout <seconds>", "the most time for one test (Default: 60)", positive)
      .option(
        "--expected <file>",
        "known failures, one name per line; the run fails on new failures and on unexpected passes",
      )
      .option("--json <file>", "write the results")
      .option("--junit <file>", "write JUnit XML")
      .option("--html <file>", "write a report of this run and of those in --compare")
      .option("--compare <files...>", "result files of other servers or runs for the report")
      .option("--list", "print the tests and what they test")
      .option("--coverage", "print which sentences of the RFCs are tested")
      .addHelpText("after", after)
  );
}

export function readOptions(argv: readonly string[]): Options {
  const parsed = command().parse(argv, { from: "user" }).opts<Partial<Options>>();
  const filed = parsed.config === undefined ? {} : readConfig(parsed.config);
  return { jobs: 4, timeout: 60, ...filed, ...parsed };
}

function readConfig(file: string): Partial<Options> {
  const filed: unknown = readJson(file);
  if (typeof filed !== "object" || filed === null) throw new Error(`${file} does not contain a JSON object`);
  const unknown = Object.keys(filed).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw new Error(`${file} has unknown options: ${unknown.join(", ")}`);
  return filed as Partial<Options>;
}

function readJson(file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

export function hostAndPort(text: string, option: string): { host: string; port: number } {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d+)$/.exec(text);
  if (!match?.groups) throw new Error(`${option} expects host:port, not ${text}`);
  return { host: (match.groups.v6 ?? match.groups.host) as string, port: Number(match.groups.port) };
}
