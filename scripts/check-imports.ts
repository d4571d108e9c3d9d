import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

const folders = ["src", "conformance", "bench", "test", "scripts", "web"];

interface Configuration {
  forbidden: IFlattenedRuleSet["forbidden"];
  options: ICruiseOptions & { tsConfig: { fileName: string } };
}

/** Prints the imports of the project in the working folder that break the rules of .dependency-cruiser.cjs, one per line. */
async function checkImports(): Promise<{ modules: number; breaches: string[] }> {
  const file = pathToFileURL(resolve(".dependency-cruiser.cjs")).href;
  const { forbidden = [], options } = ((await import(file)) as { default: Configuration }).default;
  const result = await cruise(
    folders.filter((folder) => existsSync(folder)),
    { ...options, ruleSet: { forbidden }, validate: true },
    options.enhancedResolveOptions,
    { tsConfig: extractTSConfig(options.tsConfig.fileName) },
  );
  const { modules, summary } = result.output as ICruiseResult;
  // Modules of packages do not count: they would hide that none of ours was read.
  const ours = modules.filter((module) => folders.includes(module.source.split("/")[0] ?? ""));
  const breaches = summary.violations.map(({ rule, from, to, cycle }) => {
    const path = cycle ? cycle.map((step) => step.name) : [to];
    return `${rule.name}: ${[from, ...path].join(" → ")}`;
  });
  return { modules: ours.length, breaches };
}

const { modules, breaches } = await checkImports();
for (const breach of breaches) console.error(breach);
if (modules === 0)
  console.error("no module was read: is the package typescript of a version that dependency-cruiser knows?");
console.log(`${modules} modules, ${breaches.length} breaches of the import rules`);
process.exitCode = modules === 0 || breaches.length > 0 ? 1 : 0;
