import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";

/** The package that `npm pack` makes, installed outside the checkout with the dependencies of users and no others. */
const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "posthorn-packed-"));
const modules = join(folder, "app/node_modules");
const program = (name: string) => join(modules, ".bin", name);
let server: TestServer | undefined;

beforeAll(async () => {
  const checkout = join(folder, "checkout");
  const { stdout } = await run("git", ["ls-files", "-z"], { cwd: root, maxBuffer: 10_000_000 });
  for (const file of stdout.split("\0").filter(Boolean)) cpSync(join(root, file), join(checkout, file));
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: checkout });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error(packed.stdout);
  mkdirSync(join(modules, "posthorn"), { recursive: true });
  await run("tar", ["-xzf", join(folder, tarball), "-C", join(modules, "posthorn"), "--strip-components", "1"]);
  for (const path of dependencies()) {
    mkdirSync(dirname(join(modules, path)), { recursive: true });
    symlinkSync(join(root, "node_modules", path), join(modules, path));
  }
  mkdirSync(join(modules, ".bin"));
  symlinkSync(join(root, "node_modules/.bin/node"), program("node"));
  const { bin } = JSON.parse(readFileSync(join(modules, "posthorn/package.json"), "utf8")) as {
    bin: Record<string, string>;
  };
  for (const [name, file] of Object.entries(bin)) symlinkSync(join("../posthorn", file), program(name));
  // Compiling takes 7 s of CPU.
}, 120_000);

afterAll(async () => {
  await server?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Where npm puts what users get, by the lock file: below node_modules, the outermost of each package. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: true }>;
  };
  const present = new Set(readdirSync(join(root, "node_modules")));
  return Object.entries(packages)
    .filter(([path, { dev }]) => path.startsWith("node_modules/") && !dev && !path.includes("/node_modules/"))
    .map(([path]) => path.slice("node_modules/".length))
    .filter((path) => present.has(path.split("/")[0]!))
    .filter(
      (path) =>
        !path.startsWith("@") || readdirSync(join(root, "node_modules", dirname(path))).includes(path.split("/")[1]!),
    );
}

test("posthorn runs from the package: it serves, with the inbox as it was packed", async () => {
  const version = spawnSync(program("posthorn"), ["--version"], { encoding: "utf8", cwd: folder });
  expect(version.stderr).toBe("");
  expect(version.stdout).toMatch(/^posthorn \d+\.\d+\.\d+ \(Node 26/);
  server = await startServer({ program: [program("posthorn")], env: { POSTHORN_WEB: "on" } });
  const page = await fetch(server.url);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(await page.text()).toContain("/assets/");
});

test("posthorn-conformance runs from the package, outside any checkout", async () => {
  await server!.addAccount("ann@packed.test", "a password of the test");
  const login = ["--url", server!.url, "--user", "ann@packed.test", "--password", "a password of the test"];
  const { stdout } = await run(program("posthorn-conformance"), [...login, "--rfc", "8620", "--only", "5.1"], {
    cwd: folder,
  });
  expect(stdout).toMatch(/^all +[1-9]/m);
});
