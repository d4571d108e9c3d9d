import { Command, CommanderError } from "commander";
import { version } from "../base/version.ts";
import { addAccountCommands } from "./account.ts";
import { addAddressCommands } from "./address.ts";
import { addAuditCommand } from "./audit.ts";
import { addBlobsCommands } from "./blobs.ts";
import { addChildCommand } from "./child-command.ts";
import { addClusterCommands } from "./cluster.ts";
import { examples } from "./command.ts";
import { addConfigCommand } from "./config.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addDomainCommands } from "./domain.ts";
import { explain } from "./fail.ts";
import { addFeedbackCommands } from "./feedback.ts";
import { addMigrateCommand } from "./migrate.ts";
import { addQuarantineCommands } from "./quarantine.ts";
import { addQueueCommands } from "./queue.ts";
import { addReindexCommand } from "./reindex.ts";
import { addServeCommand } from "./serve-command.ts";
import { addSpamCommands } from "./spam.ts";
import { addTokenCommands } from "./token.ts";
import { addTraceCommands } from "./trace.ts";

const program = new Command("posthorn")
  .description("Posthorn, a standards-first JMAP mail server")
  .version(version)
  .showHelpAfterError("(add --help for help)")
  // In a terminal of 80 columns, descriptions beside long names wrap too.
  .configureHelp({ minWidthToWrap: 20 })
  .addHelpText("after", examples("serve", "account add ann@example.org", "domain add example.org", "config"));
addServeCommand(program);
addChildCommand(program);
addAccountCommands(program);
addAddressCommands(program);
addDomainCommands(program);
addTokenCommands(program);
addAuditCommand(program);
addFeedbackCommands(program);
addBlobsCommands(program);
addClusterCommands(program);
addConfigCommand(program);
addDoctorCommand(program);
addMigrateCommand(program);
addQuarantineCommands(program);
addQueueCommands(program);
addReindexCommand(program);
addSpamCommands(program);
addTraceCommands(program);

// The reader of our output may stop early, as in `posthorn config | head`.
process.stdout.on("error", () => {});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  process.stderr.write(`posthorn: ${explain(error)}\n`);
  process.exit(1);
}
