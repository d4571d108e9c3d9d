import type { Command } from "commander";
import {
  deleteFromQuarantine,
  findInQuarantine,
  headerInQuarantine,
  quarantined,
  releaseFromQuarantine,
} from "../admin/quarantine.ts";
import { systemClock } from "../base/clock.ts";
import { encodeId, idPrefix } from "../base/ids.ts";
import { showSize } from "../config/values.ts";
import { Blobs } from "../store/blobs/blobs.ts";
import type { Quarantined } from "../store/queues/quarantine.ts";
import { type Context, examples, onStore } from "./command.ts";
import { say, table } from "./prompt.ts";

export function addQuarantineCommands(program: Command): void {
  const quarantine = program.command("quarantine").description("infected mail, which is kept for 30 days");
  onStore(
    quarantine
      .command("list")
      .description("list the newest 1,000 infected messages")
      .addHelpText("after", examples("quarantine list")),
    list,
  );
  onStore(
    quarantine
      .command("show <message>")
      .description("show an infected message's envelope and header")
      .addHelpText("after", examples("quarantine show q12")),
    show,
  );
  onStore(
    quarantine
      .command("release <message>")
      .description("deliver an infected message to its recipients all the same")
      .addHelpText("after", examples("quarantine release q12")),
    release,
  );
  onStore(
    quarantine
      .command("delete <message>")
      .description("delete an infected message")
      .addHelpText("after", examples("quarantine delete q12")),
    remove,
  );
}

const maxListed = 1_000;
const nameOf = ({ id }: Quarantined) => encodeId(idPrefix.incoming, id);
const recipientsOf = ({ recipients }: Quarantined) => recipients.map(({ address }) => address).join(" ");

async function list({ admin }: Context): Promise<void> {
  const found = await quarantined(admin, maxListed);
  if (found.length === 0) return say("The quarantine is empty.");
  const rows = found.map((one) => [
    nameOf(one),
    one.createdAt.toISOString(),
    one.virus,
    one.mailFrom || "<>",
    recipientsOf(one),
  ]);
  say(table([["MESSAGE", "SINCE", "VIRUS", "FROM", "TO"], ...rows]));
}

async function show({ admin, objects }: Context, text: string): Promise<void> {
  const message = await findInQuarantine(admin, text);
  say(`Virus: ${message.virus}`);
  say(`From: ${message.mailFrom || "<>"}`);
  say(`To: ${recipientsOf(message)}`);
  say(`Size: ${showSize(message.size)}`);
  const blobs = new Blobs({ objects, clock: systemClock, cacheBytes: 0 });
  // The header is the sender's text: no control characters reach the terminal.
  say(`\n${(await headerInQuarantine(blobs, message)).replace(/[^\P{C}\n]/gu, "")}`);
}

async function release({ admin }: Context, text: string): Promise<void> {
  await releaseFromQuarantine(admin, text);
  say(`Released ${text}; a running server delivers it within half a minute.`);
}

async function remove({ admin }: Context, text: string): Promise<void> {
  await deleteFromQuarantine(admin, text);
  say(`Deleted ${text}.`);
}
