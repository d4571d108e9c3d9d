import { type Command, Option } from "commander";
import { trace, why } from "../admin/trace.ts";
import { span } from "./arguments.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say } from "./prompt.ts";
import { toJson } from "./queue-forms.ts";
import { storyText } from "./story-text.ts";

export function addTraceCommands(program: Command): void {
  onStore(
    program
      .command("trace <what>")
      .description("the story of a mail by its id (in its Received field), its Message-ID in <…>, or an address")
      .addOption(within())
      .option("--whole", "with all that was said to other servers")
      .option("--json", "print JSON")
      .addHelpText("after", examples("trace q7k2", 'trace "<1234@example.org>" --within 7d', "trace ann@example.org")),
    tell,
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
    tellWhy,
  );
}

function within(): Option {
  const option = new Option("--within <duration>", "for a Message-ID or an address: how far back to look");
  return option.argParser(span).default(86_400_000, "1d");
}

async function tell({ admin, options }: Context, what: string): Promise<void> {
  const { within, whole, json } = options as { within: number; whole?: true; json?: true };
  const stories = await trace(admin, what, within);
  if (json) return say(toJson(stories));
  if (stories.length === 0) return say(`Nothing is known of ${what}.`);
  say(stories.map((story) => storyText(story, { isWhole: whole === true })).join("\n\n"));
}

async function tellWhy({ admin, options }: Context, id: string): Promise<void> {
  const reasons = await why(admin, id, options.within as number);
  if (options.json) return say(toJson(reasons));
  if (reasons.length === 0) return say(`Nothing kept ${id} from arriving, or it is not known.`);
  for (const { at, to, event, reply, reason } of reasons) {
    const words = [reply, reason && `because: ${reason}`].filter(Boolean).join("; ");
    say(`${at.toISOString()}  ${event}  ${to.join(", ")}  ${words}`);
  }
}
