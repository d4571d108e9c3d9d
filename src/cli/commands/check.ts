import type { Command } from "commander";
import { commaList, ipAddresses } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

export function addCheckCommand(program: Command): void {
  onStore(
    program
      .command("check [domain]")
      .description("check a domain's DNS records (or all domains'), reverse DNS, ports, certificates and the way out")
      .option("--ip <addresses>", "public addresses of this server (Default: the machine's own)", ipAddresses, [])
      .option("--probe <domain>", "whose mail server shows that mail can leave", "gmail.com")
      .option("--blocklists <zones>", "zones that list bad addresses, such as zen.spamhaus.org", commaList, [])
      .option("--dns-only", "look at DNS alone, not at the server's ports")
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        `
Prints what is right, missing or wrong, and the line to publish. The exit code is 1 if something that is needed is amiss.
It goes by the options of the server: those in posthorn.json, or given as for posthorn serve.
${examples("check example.org", "check --json", "check example.org --blocklists zen.spamhaus.org")}`,
      ),
    async () => (await import("../check.ts")).check,
  );
}
