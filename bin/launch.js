// The machine's own Node may be too old: programs run under the one that npm brought with this package.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldest = 26;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Runs a program of this package: its source in a checkout, else what was built of it, which Node runs in node_modules. */
export function launch(source, built, signals) {
  // In a checkout, and as a dependency of another folder.
  const bundled = [path("../node_modules/.bin/node"), path("../../.bin/node")].find(existsSync);
  if (!bundled && Number(process.versions.node.split(".")[0]) < oldest) {
    console.error(
      `This needs Node ${oldest}; ${process.execPath} is ${process.version}, and npm has brought none for this machine.`,
    );
    process.exit(1);
  }
  const program = [path(source), path(built)].find(existsSync);
  const child = spawn(bundled ?? process.execPath, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
