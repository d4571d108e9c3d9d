import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where `scripts/test-services.sh` installs Exim and Postfix. */
export const services = process.env.POSTHORN_TEST_SERVICES ?? "/var/cache/posthorn-tests";

/** Why this machine cannot run Exim and Postfix; undefined if it can. */
export function whyNoPeers(): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root";
  if (!existsSync(join(services, "complete"))) return "scripts/test-services.sh has not brought the servers";
  const { status, stderr } = spawnSync("unshare", ["--net", "--mount", "true"], { encoding: "utf8" });
  return status === 0 ? undefined : `there are no namespaces: ${stderr?.trim() || "unshare is missing"}`;
}
