import { Command } from "commander";
import { examples } from "./command.ts";
import { addAccountCommands } from "./commands/account.ts";
import { addAddressCommands } from "./commands/address.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addBackupCommands, addRestoreCommand } from "./commands/backup.ts";
import { addBlobsCommands } from "./commands/blobs.ts";
import { addCheckCommand } from "./commands/check.ts";
import { addChildCommand } from "./commands/child.ts";
import { addClusterCommands } from "./commands/cluster.ts";
import { addCompletionCommand } from "./commands/completion.ts";
import { addConfigCommand } from "./commands/config.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addDomainCommands } from "./commands/domain.ts";
import { addExportCommand } from "./commands/export.ts";
import { addFeedbackCommands } from "./commands/feedback.ts";
import { addImportCommand } from "./commands/import.ts";
import { addInviteCommands } from "./commands/invite.ts";
import { addKeepingCommands } from "./commands/keeping.ts";
import { addManCommand } from "./commands/man.ts";
import { addMigrateCommand } from "./commands/migrate.ts";
import { addOauthClientCommands } from "./commands/oauth-client.ts";
import { addOperatorCommands } from "./commands/operator.ts";
import { addPoolsCommand } from "./commands/pools.ts";
import { addQuarantineCommands } from "./commands/quarantine.ts";
import { addQueueCommands } from "./commands/queue.ts";
import { addReindexCommand } from "./commands/reindex.ts";
import { addReportCommands } from "./commands/reports.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addSetupCommand } from "./commands/setup.ts";
import { addSpamCommands } from "./commands/spam.ts";
import { addStandingCommands } from "./commands/standing.ts";
import { addTokenCommands } from "./commands/token.ts";
import { addTraceCommands } from "./commands/trace.ts";
import { addUndeleteCommand } from "./commands/undelete.ts";
import { addVersionCommand, addVersionOption } from "./commands/version.ts";

/** What adds commands, by their names. Only those that are called for are made: with all their options they take 5 MB. */
const families: readonly [names: string, add: (program: Command) => void][] = [
  ["serve", addServeCommand],
  ["child", addChildCommand],
  ["account", addAccountCommands],
  ["address", addAddressCommands],
  ["domain", addDomainCommands],
  ["token", addTokenCommands],
  ["invite", addInviteCommands],
  ["import", addImportCommand],
  ["audit", addAuditCommand],
  ["bounces suppression", addFeedbackCommands],
  ["standing", addStandingCommands],
  ["backup", addBackupCommands],
  ["restore", addRestoreCommand],
  ["blobs", addBlobsCommands],
  ["cluster", addClusterCommands],
  ["config", addConfigCommand],
  ["doctor", addDoctorCommand],
  ["export", addExportCommand],
  ["migrate", addMigrateCommand],
  ["oauth-client", addOauthClientCommands],
  ["operator", addOperatorCommands],
  ["pools", addPoolsCommand],
  ["quarantine", addQuarantineCommands],
  ["reports", addReportCommands],
  ["queue", addQueueCommands],
  ["reindex", addReindexCommand],
  ["spam", addSpamCommands],
  ["trace why", addTraceCommands],
  ["undelete", addUndeleteCommand],
  ["hold retention", addKeepingCommands],
  ["setup", addSetupCommand],
  ["check", addCheckCommand],
  ["completion", (program) => addCompletionCommand(program, makeProgram)],
  ["man", (program) => addManCommand(program, makeProgram)],
  ["version", addVersionCommand],
];

/** The command `called` with its family, or else all commands. */
export function makeProgram(called = ""): Command {
  const program = new Command("posthorn")
    .description("Posthorn, a standards-first JMAP mail server")
    .showHelpAfterError("(add --help for help)")
    // In a terminal of 80 columns, descriptions beside long names wrap too.
    .configureHelp({ minWidthToWrap: 20 })
    .addHelpText("after", examples("serve", "setup", "account add ann@example.org", "check example.org"));
  addVersionOption(program);
  const wanted = families.filter(([names]) => names.split(" ").includes(called));
  for (const [, add] of wanted.length > 0 ? wanted : families) add(program);
  return program;
}
