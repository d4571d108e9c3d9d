import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Clamd, type ClamdPlace } from "../../src/mail/scan/clamd.ts";
import { freePorts, until } from "./ports.ts";

/** Why this machine cannot run ClamAV; undefined if it can. */
export const whyNoClamd = spawnSync("clamd", ["--version"]).status === 0 ? undefined : "clamd is not installed";
if (whyNoClamd) process.stderr.write(`\nLEFT OUT: what needs a real ClamAV: ${whyNoClamd}\n`);

/** The harmless text that all scanners take for a virus; in pieces, so that none takes this file for one. */
export const eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}", "$EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].join("");
export const eicarName = "Posthorn.Test.UNOFFICIAL";

/** A clamd of its own, whose only signature is that of EICAR. */
export class ClamdServer {
  readonly place: ClamdPlace;
  readonly #folder = mkdtempSync(join(tmpdir(), "posthorn-clamd-"));
  #child: ChildProcess | undefined;

  constructor(port: number) {
    this.place = { host: "127.0.0.1", port };
    writeFileSync(join(this.#folder, "own.ndb"), `Posthorn.Test:0:*:${Buffer.from(eicar).toString("hex")}\n`);
    const settings = [`TCPSocket ${port}`, "TCPAddr 127.0.0.1", `DatabaseDirectory ${this.#folder}`, "Foreground yes"];
    writeFileSync(join(this.#folder, "clamd.conf"), `${settings.join("\n")}\n`);
  }

  async start(): Promise<this> {
    this.#child = spawn("clamd", ["--config-file", join(this.#folder, "clamd.conf")], { stdio: "ignore" });
    const clamd = new Clamd(this.place);
    await until("clamd", () =>
      clamd.find(Buffer.from("x")).then(
        () => true,
        () => false,
      ),
    );
    return this;
  }

  /** It leaves nothing behind that another start would need. */
  kill(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  stop(): void {
    this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function startClamd(): Promise<ClamdServer> {
  const [port] = await freePorts(1);
  return new ClamdServer(port!).start();
}
