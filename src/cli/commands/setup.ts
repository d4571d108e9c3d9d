import { type Command, InvalidArgumentError, Option } from "commander";
import { commaList, ipAddresses, span } from "../arguments.ts";
import { examples } from "../command.ts";
import { addConfigOptions } from "../options.ts";

export function addSetupCommand(program: Command): void {
  const command = program
    .command("setup")
    .description("from nothing to a working domain: options, account, keys, certificate, DNS records, and a test mail")
    .option("--domain <domain>", "the domain; what is not given is asked for")
    .option("--address <address>", "the first account's address in it")
    .option("--name <text>", "its display name", "")
    .option("--password-file <file>", "file whose first line is its password (Default: asked for, or a random one)")
    .addOption(
      new Option("--certificate <kind>", "acme: from Let's Encrypt, whose terms of service this agrees to").choices([
        "acme",
        "self-signed",
      ]),
    )
    .option("--ip <addresses>", "public addresses of this server (Default: the machine's own)", ipAddresses, [])
    .option("--dns-update <server>", "publish by RFC 2136: address, or address:port, of the zone's primary", place)
    .option("--dns-key-file <file>", "TSIG key for that, as tsig-keygen prints it")
    .option("--dns-hook <program>", "publish by a program, which is run for each record")
    .option("--replace", "replace records that say something else; without it they are left alone, and named")
    .option("--zone-file <file>", "write the records to publish into a file too")
    .option("--wait <duration>", "how long to wait until DNS has them (Default: 5m if they were published here)", span)
    .option("--test-to <address>", "send a test mail to this address elsewhere too")
    .option("--probe <domain>", "whose mail server shows that mail can leave", "gmail.com")
    .option("--blocklists <zones>", "zones that list bad addresses, such as zen.spamhaus.org", commaList, [])
    .option("--no-start", "leave out what needs the server, if it does not run")
    .option("--yes", "ask nothing")
    .option("--dry-run", "only say what would be done")
    .option("--json", "print JSON; asks nothing")
    .addHelpText(
      "after",
      `
Run it again at any time: what is done stays, and it goes on from there. The options of the server that it is given or
chooses are kept in posthorn.json in the data folder, so that posthorn serve needs --data alone. The exit code is 1 while
something that is needed is amiss.

The hook is called as PROGRAM add|replace NAME TYPE TTL VALUE, with the same as JSON on its standard input; an exit code
other than 0 means that the record could not be published.
${examples(
  "setup",
  "setup --domain example.org --address ann@example.org --password-file password.txt --data /var/lib/posthorn --yes",
  "setup --domain example.org --dns-update 192.0.2.53 --dns-key-file posthorn.key",
  "setup --domain example.org --dry-run",
)}`,
    );
  addConfigOptions(command).action(async () => (await import("../setup.ts")).setup(command));
}

/** An address with a port, by default 53. */
function place(text: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const address = bracketed ?? plain ?? (/^[0-9a-f:.]+$/i.test(text) ? text : undefined);
  if (address === undefined) throw new InvalidArgumentError("It must be an address, or an address and a port.");
  return { address, port: Number(port ?? 53) };
}
