import { readFile } from "node:fs/promises";
import type { Credentials } from "../admin/import/jmap-client.ts";
import { Failure } from "./fail.ts";
import { askSecret, isTerminal } from "./prompt.ts";

/** The options of commands that sign in at another server. */
export interface OtherLogin {
  user?: string;
  passwordFile?: string;
  tokenFile?: string;
}

/** A bearer token, or else a name and password. */
export async function loginThere(given: OtherLogin): Promise<Credentials> {
  return given.tokenFile === undefined ? passwordThere(given) : { token: await secretIn(given.tokenFile) };
}

export async function passwordThere({ user, passwordFile }: OtherLogin): Promise<{ user: string; password: string }> {
  if (user === undefined) throw new Failure("name with --user who signs in at the other server");
  if (passwordFile !== undefined) return { user, password: await secretIn(passwordFile) };
  if (!isTerminal()) throw new Failure("name with --password-file a file that has the password");
  return { user, password: await askSecret(`Password of ${user} there: `) };
}

async function secretIn(file: string): Promise<string> {
  const [secret = ""] = (await readFile(file, "utf8")).split(/\r?\n/);
  if (secret === "") throw new Failure(`${file} is empty`);
  return secret;
}
