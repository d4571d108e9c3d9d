import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, until } from "./ports.ts";

const isThere = spawnSync("dovecot", ["--version"]).status === 0;

/** Why this machine cannot run Dovecot; undefined if it can. */
export const whyNoDovecot = !isThere
  ? "dovecot-imapd is not installed"
  : process.getuid?.() === 0
    ? undefined
    : "Dovecot needs root here";
if (whyNoDovecot) process.stderr.write(`\nLEFT OUT: mail from a real Dovecot: ${whyNoDovecot}\n`);

export interface Dovecot {
  port: number;
  /** Where a user's Maildir is. */
  maildir(user: string): string;
  stop(): Promise<void>;
}

/** Of every user the password is `password`. */
export async function startDovecot(): Promise<Dovecot> {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-dovecot-"));
  const [port] = (await freePorts(1)) as [number];
  const nobody = 65_534;
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "home"));
  chownSync(join(folder, "home"), nobody, nobody);
  const file = join(folder, "dovecot.conf");
  writeFileSync(file, configuration(folder, port, nobody));
  const child = spawn("dovecot", ["-F", "-c", file], { stdio: "ignore" });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("data", () => resolve(true)).once("error", () => resolve(false));
      socket.once("data", () => socket.destroy());
    });
  await until("Dovecot", answers, { timeoutMs: 15_000, everyMs: 50 }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { port, maildir: (user) => join(folder, "home", user, "Maildir"), stop };
}

const configuration = (folder: string, port: number, uid: number) => `
base_dir = ${folder}/run
state_dir = ${folder}/run
instance_name = ${folder}
log_path = ${folder}/log
protocols = imap
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
default_client_limit = 100
mail_location = maildir:~/Maildir
mailbox_list_index = no
passdb {
  driver = static
  args = password=password
}
userdb {
  driver = static
  args = uid=${uid} gid=${uid} home=${folder}/home/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Gesendet {
    special_use = \\Sent
    auto = create
  }
  mailbox Entwürfe {
    special_use = \\Drafts
    auto = create
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`;
