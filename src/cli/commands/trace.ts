import { type Command, Option } from "commander";
import { span } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../trace.ts");

export function addTraceCommands(program: Command): void {
  onStore(
    program
      .command("trace <what>")
      .description("the story of a mail by its id (in its Received field), its Message-ID in <…>, or an address")
      .addOption(within())
      .option("--whole", "with all that was said to other servers")
      .option("--json", "print JSON")
      .addHelpText("after", examples("trace q7k2", 'trace "<1234@example.org>" --within 7d', "trace ann@example.org")),
    async () => (await acts()).tell,
  );
  onStore(
    program
      .command("why <what>")
      .description(
        "why a mail was refused, put off, returned or filed to Junk, by its id, its Message-ID or an address",
      )
      .addOption(within())
      .option("--json", "print JSON")
      .addHelpText("after", examples("why q7k2")),
    async () => (await acts()).tellWhy,
  );
}

function within(): Option {
  const option = new Option("--within <duration>", "for a Message-ID or an address: how far back to look");
  return option.argParser(span).default(86_400_000, "1d");
}
