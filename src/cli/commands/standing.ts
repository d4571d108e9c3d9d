import { type Command, InvalidArgumentError } from "commander";
import { whole } from "../arguments.ts";
import { examples, onStore } from "../command.ts";

const acts = () => import("../standing.ts");

export function addStandingCommands(program: Command): void {
  const standing = program
    .command("standing")
    .description("users as senders: what they may send, and whose mail is held for bounces, complaints or spam");
  onStore(
    standing
      .command("list")
      .description("list the accounts whose mail is held, and those with limits of their own")
      .option("--limit <number>", "the most accounts to list", whole, 1000)
      .option("--json", "print JSON")
      .addHelpText("after", examples("standing list", "standing list --json")),
    async () => (await acts()).list,
  );
  onStore(
    standing
      .command("show <account>")
      .description("show what an account may send, has sent, and what came back")
      .option("--json", "print JSON")
      .addHelpText("after", examples("standing show ann@example.org")),
    async () => (await acts()).show,
  );
  onStore(
    standing
      .command("hold <account>")
      .description("hold all mail of an account, and what it submits from now on; it is told so")
      .option("--reason <text>", "shown to the user", "by the operator")
      .option("--dry-run", "only count the mail")
      .option("--json", "print JSON")
      .addHelpText("after", examples("standing hold ann@example.org --reason 'ask for help at 555-0100'")),
    async () => (await acts()).hold,
  );
  onStore(
    standing
      .command("lift <account>")
      .description("let the held mail of an account go, and begin to count anew")
      .option("--dry-run", "only count the mail")
      .option("--json", "print JSON")
      .addHelpText("after", examples("standing lift ann@example.org --dry-run", "standing lift ann@example.org")),
    async () => (await acts()).lift,
  );
  onStore(
    standing
      .command("limit <account>")
      .description("set how many recipients an account may send to; 0 forbids it to send")
      .option("--hour <number>", 'in an hour of the clock; "usual": by age and good behaviour', limit)
      .option("--day <number>", 'in 24 hours; "usual": by age and good behaviour', limit)
      .option("--json", "print JSON")
      .addHelpText("after", examples("standing limit news@example.org --hour 5000 --day 40000")),
    async () => (await acts()).setLimits,
  );
}

function limit(text: string): number | null {
  if (text === "usual") return null;
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number or "usual".');
  return Number(text);
}
