import { type Command, Option } from "commander";
import { examples, onStore } from "../command.ts";

const acts = () => import("../operators.ts");

export function addOperatorCommands(program: Command): void {
  const operator = program
    .command("operator")
    .description("accounts that may sign in to the operators' page, and what they may do there");
  onStore(
    operator
      .command("add <account>")
      .description("make an account an operator, or change what it may do")
      .addOption(
        new Option("--role <role>", "admin: everything; domain-admin: what concerns some domains; read-only: look")
          .choices(["admin", "domain-admin", "read-only"])
          .default("admin"),
      )
      .option("--domain <domains>", "the domains of a domain-admin (a comma list)", commaList)
      .option("--json", "print JSON")
      .addHelpText(
        "after",
        examples(
          "operator add ann@example.org",
          "operator add bob@example.org --role domain-admin --domain example.org,example.net",
          "operator add eve@example.org --role read-only",
        ),
      ),
    async () => (await acts()).add,
  );
  onStore(
    operator
      .command("list")
      .description("list the operators")
      .option("--json", "print JSON")
      .addHelpText("after", examples("operator list")),
    async () => (await acts()).list,
  );
  onStore(
    operator
      .command("remove <account>")
      .description(
        "make the account an ordinary one again: it keeps its mail, and is signed out of the operators' page",
      )
      .option("--json", "print JSON")
      .addHelpText("after", examples("operator remove bob@example.org")),
    async () => (await acts()).remove,
  );
}

const commaList = (text: string): string[] => text.split(",").map((part) => part.trim());
