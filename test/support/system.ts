import type { Client } from "../../conformance/client/client.ts";
import type { CliResult } from "./commands.ts";

/** An installation as its clients, its peers and its operator see it: one process, or many. */
export interface System {
  readonly url: string;
  readonly httpPort: number;
  readonly smtpPort: number;
  /** Runs `posthorn ARGS` with its options. */
  cli(args: string[], stdin?: string): Promise<CliResult>;
  addAccount(address: string, password: string): Promise<void>;
  login(user: string, password: string): Promise<Client>;
  /** By SIGTERM; an exit code other than 0 is an error. */
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

/** `env`: options of Posthorn. */
export type StartSystem = (options: { env: Record<string, string> }) => Promise<System>;
