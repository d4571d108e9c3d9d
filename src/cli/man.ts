import { version } from "../base/version.ts";
import { fileOption } from "../config/load.ts";
import { schema } from "../config/schema.ts";
import type { TableCommand, TableOption } from "./command-table.ts";

/** The manual page posthorn(1), for man and groff. */
export function manPage(table: readonly TableCommand[]): string {
  const [program, ...commands] = table;
  const runnable = commands.filter(({ below }) => below.length === 0);
  return `${[
    `.TH POSTHORN 1 "" "Posthorn ${version}" "User Commands"`,
    ".SH NAME",
    `posthorn \\- ${plain("a standards-first JMAP mail server")}`,
    ".SH SYNOPSIS",
    ".B posthorn",
    ".I command",
    "[\\fIarguments\\fR] [\\fIoptions\\fR]",
    ".SH DESCRIPTION",
    plain(`${program!.help}: JMAP (RFC 8620, 8621, 8887) for clients, SMTP for other servers.`),
    "All commands but",
    ".B serve",
    "work beside a running server or without one. Each prints its own help with",
    ".BR \\-\\-help .",
    ".SH COMMANDS",
    ...runnable.flatMap(commandLines),
    ".SH OPTIONS OF THE SERVER",
    "Each is an option of",
    ".B serve",
    "and of all other commands, a variable of the environment, or a line of the file of options. The option takes",
    "precedence over the variable, and the variable over the file. A variable with _FILE at its end names a file with a secret.",
    ...[...Object.values(schema), fileOption].flatMap(({ flag, env, help }) => [
      ".TP",
      `\\fB\\-\\-${plain(flag)}\\fR \\fIvalue\\fR (${plain(env)})`,
      plain(help),
    ]),
    ".SH FILES",
    ".TP",
    ".I posthorn.json",
    "in the data folder: options, by their names as",
    ".B posthorn config",
    "prints them.",
    ".SH EXIT STATUS",
    "0 on success; 1 when something failed or, for commands that look for faults, when one was found.",
    ".SH SEE ALSO",
    "The documentation in the folder docs of the package: operations.md, smtp.md, jmap.md.",
  ].join("\n")}\n`;
}

function commandLines({ path, args, help, options, more }: TableCommand): string[] {
  return [
    `.SS "posthorn ${plain([...path, args].join(" ").trim())}"`,
    plain(`${help[0]!.toUpperCase()}${help.slice(1)}.`),
    // The options of the server stand together at the end.
    ...options.filter(({ help: text }) => !/\[(POSTHORN_\w+|DATABASE_URL)\]$/.test(text)).flatMap(optionLines),
    ...(more === "" ? [] : [".PP", ".nf", ...more.split("\n").map(plain), ".fi"]),
  ];
}

function optionLines({ names, value, help }: TableOption): string[] {
  const shown = names.map((name) => `\\fB${plain(name)}\\fR`).join(", ");
  return [".TP", value === undefined ? shown : `${shown} \\fI${plain(value)}\\fR`, plain(help)];
}

/** Text that troff prints as it is. */
function plain(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("…", "\\&...")
    .replace(/^(?=[.'])/gm, "\\&");
}
