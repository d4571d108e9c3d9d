import { type Command, InvalidArgumentError, Option } from "commander";
import { duration } from "../../config/values.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../domain.ts");

export function addDomainCommands(program: Command): void {
  const domain = program.command("domain").description("domains that this server takes mail for");
  onStore(
    domain
      .command("add <domain>")
      .description("take mail for a domain: creates its DKIM key and prints the DNS records to publish")
      .addHelpText("after", examples("domain add example.org --hostname mail.example.org")),
    async () => (await acts()).add,
    { begins: true },
  );
  onStore(
    domain
      .command("list")
      .description("list all domains and the DNS records to publish for them")
      .addHelpText("after", examples("domain list")),
    async () => (await acts()).list,
  );
  onStore(
    domain
      .command("show <domain>")
      .description(
        "print all DNS records of a domain: those to publish, and those that make other servers verify TLS or report on it",
      )
      .option("--json", "print JSON")
      .addHelpText("after", examples("domain show example.org")),
    async () => (await acts()).show,
  );
  addMtaStsCommand(domain);
  addRotationCommand(domain);
  onStore(
    domain
      .command("require-second-factor <domain>")
      .description("let no account of a domain do without a second factor")
      .option("--stop", "let them do without again")
      .addHelpText("after", examples("domain require-second-factor example.org")),
    async () => (await import("../second-factor.ts")).require,
  );
  onStore(
    domain
      .command("remove <domain>")
      .description("remove a domain that has no addresses, with its DKIM key: mail for it is refused from now on")
      .option("--yes", "do not ask for confirmation")
      .addHelpText("after", examples("domain remove example.org --yes")),
    async () => (await acts()).remove,
  );
}

function addMtaStsCommand(domain: Command): void {
  onStore(
    domain
      .command("mta-sts <domain>")
      .description("publish an MTA-STS policy of a domain over HTTPS, and print the DNS records that announce it")
      .addOption(
        new Option("--mode <mode>", "what other servers do when TLS cannot be verified")
          .choices(["testing", "enforce", "none", "off"])
          .makeOptionMandatory(),
      )
      .option("--mx <host...>", "the hosts that take the domain's mail (Default: --hostname)")
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        `
testing: they send all the same, and report it; enforce: they keep the mail back; none: the policy ends, to be published
for a day before off, which publishes nothing. The id in DNS changes with each policy. With --acme the certificate for
mta-sts.<domain> is got as soon as that name leads here.
${examples("domain mta-sts example.org --mode testing", "domain mta-sts example.org --mode enforce --mx mx1.example.org mx2.example.org")}`,
      ),
    async () => (await acts()).mtaSts,
  );
}

function addRotationCommand(domain: Command): void {
  onStore(
    domain
      .command("rotate-key <domain>")
      .description("replace a domain's DKIM keys, step by step; run again, it goes on where it was")
      .option("--wait", "wait until the new keys are in DNS, then let them sign")
      .option("--dry-run", "only say what the next step is")
      .option(
        "--retire-after <duration>",
        "how long old keys stay in DNS after they signed last",
        aDuration,
        14 * 86_400_000,
      )
      .addHelpText(
        "after",
        `
Steps: new keys (RSA and Ed25519) are made and their records printed; once DNS has them, they sign and the old ones
retire; when --retire-after (14d) is over, the old ones are forgotten and their records may be removed.
${examples("domain rotate-key example.org --wait", "domain rotate-key example.org --dry-run")}`,
      ),
    async () => (await import("../rotate-key.ts")).rotate,
  );
}

function aDuration(text: string): number {
  try {
    return duration(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
