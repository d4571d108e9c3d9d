import type { Command } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../keeping.ts");

export function addKeepingCommands(program: Command): void {
  const hold = program.command("hold").description("legal holds: what accounts destroy is kept, unseen by them");
  onStore(
    hold
      .command("place <scope>")
      .description("keep what an account, or each account of a domain, destroys from now on")
      .requiredOption("--reason <text>", "why, such as a case number")
      .addHelpText(
        "after",
        examples("hold place ann@example.org --reason 'case 17'", "hold place example.org --reason 'case 18'"),
      ),
    async () => (await acts()).place,
  );
  onStore(
    hold.command("list").description("list the holds").addHelpText("after", examples("hold list")),
    async () => (await acts()).holds,
  );
  onStore(
    hold
      .command("lift <hold>")
      .description("lift a hold; what it kept beyond its time goes")
      .option("--yes", "do not ask for confirmation")
      .addHelpText("after", examples("hold lift 1a2b3c4d5e6f --yes")),
    async () => (await acts()).lift,
  );

  const retention = program.command("retention").description("rules for how long mail is kept");
  onStore(
    retention
      .command("set <scope>")
      .description("set a rule for an account, or each account of a domain, in the place of an earlier one")
      .option("--mailbox <name>", "only for this mailbox: a role such as trash, or a name")
      .option("--destroy-after <days>", "destroy mail so many days after it came")
      .option("--keep-for <days>", "keep mail at least so many days after it came, whoever destroys it")
      .addHelpText(
        "after",
        examples(
          "retention set example.org --mailbox trash --destroy-after 30",
          "retention set example.org --keep-for 3650",
        ),
      ),
    async () => (await acts()).set,
  );
  onStore(
    retention.command("list").description("list the rules").addHelpText("after", examples("retention list")),
    async () => (await acts()).rules,
  );
  onStore(
    retention
      .command("remove <rule>")
      .description("remove a rule")
      .addHelpText("after", examples("retention remove 1a2b3c4d5e6f")),
    async () => (await acts()).remove,
  );
  onStore(
    retention
      .command("run")
      .description("destroy what the rules say now; servers do it once a day")
      .option("--dry-run", "only show what would be destroyed")
      .option("--yes", "do not ask for confirmation")
      .addHelpText("after", examples("retention run --dry-run")),
    async () => (await acts()).run,
  );
}
