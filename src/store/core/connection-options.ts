import { atHost, eachHost } from "../../base/database-url.ts";

/** How a server is reached. */
export type ConnectionOptions =
  | { connectionString: string }
  | { host: string; port?: number; user: string; database: string };

/** Each address at which the server may be. */
export function addressesOf(options: ConnectionOptions): ConnectionOptions[] {
  if (!("connectionString" in options)) return [options];
  return eachHost(options.connectionString).map((connectionString) => ({ connectionString }));
}

/** The same login and database at another host. */
export function elsewhere(options: ConnectionOptions, host: string, port: number): ConnectionOptions {
  if (!("connectionString" in options)) return { ...options, host, port };
  return { connectionString: atHost(options.connectionString, host, port) };
}
