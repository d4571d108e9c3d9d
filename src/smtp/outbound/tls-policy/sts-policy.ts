import { domainToASCII } from "node:url";

/** RFC 8461 §3.2 */
export interface StsPolicy {
  mode: "enforce" | "testing" | "none";
  maxAgeSeconds: number;
  /** Names, or *.name, in lower case. */
  mx: string[];
}

/** The policy is not one. */
export class BadStsPolicy extends Error {}

/** A domain without mail may have a policy of mode none without hosts; one with so many has made a mistake. */
const maxHosts = 1_000;
const maxMaxAge = 31_557_600;

/** RFC 8461 §3.1: the id in the domain's TXT records (each the strings of one record); undefined if it has no policy. */
export function stsId(records: readonly (readonly string[])[]): string | undefined {
  const found = records.map((strings) => strings.join("")).filter((text) => /^v=STSv1\s*;/.test(text));
  if (found.length !== 1) return undefined;
  const fields = found[0]!.split(";").map((field) => field.trim());
  return fields.map((field) => /^id\s*=\s*([A-Za-z0-9]{1,32})$/.exec(field)?.[1]).find((id) => id !== undefined);
}

/** RFC 8461 §3.2: reads a policy's text. Throws BadStsPolicy. */
export function parseStsPolicy(text: string): StsPolicy {
  const fields = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, key, value] = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (key === undefined) throw new BadStsPolicy("a line that is no field");
    fields.set(key, [...(fields.get(key) ?? []), value!]);
  }
  const only = (name: string) => fields.get(name)?.[0] ?? "";
  if (only("version") !== "STSv1") throw new BadStsPolicy("its version is not STSv1");
  const mode = only("mode");
  if (mode !== "enforce" && mode !== "testing" && mode !== "none")
    throw new BadStsPolicy("it has no mode that is known");
  if (!/^\d{1,10}$/.test(only("max_age"))) throw new BadStsPolicy("it has no max_age");
  const mx = (fields.get("mx") ?? []).map(hostPattern);
  if (mx.length > maxHosts) throw new BadStsPolicy("it names too many hosts");
  if (mx.length === 0 && mode !== "none") throw new BadStsPolicy("it names no host");
  return { mode, mx, maxAgeSeconds: Math.min(Number(only("max_age")), maxMaxAge) };
}

function hostPattern(text: string): string {
  const name = text.replace(/\.$/, "");
  if (!/^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(name)) throw new BadStsPolicy("an mx that is no host name");
  return name.toLowerCase();
}

/** RFC 8461 §4.1: whether the policy names the host. A wildcard stands for one label. */
export function namesHost({ mx }: StsPolicy, host: string): boolean {
  const name = (domainToASCII(host) || host).toLowerCase().replace(/\.$/, "");
  const parent = name.slice(name.indexOf("."));
  return mx.some((pattern) => (pattern.startsWith("*.") ? parent === pattern.slice(1) : name === pattern));
}
