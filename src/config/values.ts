import { isIP } from "node:net";
import { normalizeAddress } from "../base/address.ts";
import { eachHost } from "../base/database-url.ts";

/** Parsers of option values: each returns the value or throws an Error whose text completes "<option>: …". */
export type Parse<T> = (text: string) => T;

export interface Address {
  host: string;
  port: number;
}

export const text: Parse<string> = (value) => value;

/** true, false, yes, no, on, off, 1 or 0. "" is true: it comes from a flag without a value. */
export const boolean: Parse<boolean> = (value) => {
  if (/^(|true|yes|on|1)$/i.test(value)) return true;
  if (/^(false|no|off|0)$/i.test(value)) return false;
  throw new Error(`"${value}" is neither true nor false`);
};

export function integer(min: number, max: number): Parse<number> {
  return (value) => {
    const number = /^\d[\d_]*$/.test(value) ? Number(value.replaceAll("_", "")) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new Error(`"${value}" is not a whole number from ${min} to ${max}`);
  };
}

const sizeUnits: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A number of bytes, such as "50MB", "64 MiB" or "10_000_000". */
export const size: Parse<number> = (value) => {
  const match = /^(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)$/i.exec(value);
  const unit = sizeUnits[match?.[2]?.toLowerCase() ?? "?"];
  const bytes = match && unit ? Math.round(Number(match[1]?.replaceAll("_", "")) * unit) : Number.NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new Error(`"${value}" is not a size such as 500kB, 50MB or 64MiB`);
};

/** In the largest unit that fits, rounded: "1.5 GB". */
export function showSize(bytes: number): string {
  for (const [name, unit] of [
    ["TB", 1e12],
    ["GB", 1e9],
    ["MB", 1e6],
    ["kB", 1e3],
  ] as const) {
    if (bytes >= unit) return `${Math.round((bytes / unit) * 10) / 10} ${name}`;
  }
  return `${bytes} bytes`;
}

const durationUnits: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3 };

/** A duration such as "90s", "2m", "1h30m" or "5d", in milliseconds. */
export const duration: Parse<number> = (value) => {
  const valid = /^(\d+(?:\.\d+)?(ms|s|m|h|d|w))+$/i.test(value);
  if (!valid) throw new Error(`"${value}" is not a duration such as 90s, 10m, 1h30m or 5d`);
  let sum = 0;
  for (const [, number, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/gi)) {
    sum += Number(number) * (durationUnits[unit?.toLowerCase() ?? ""] ?? 0);
  }
  return sum;
};

export function showDuration(milliseconds: number): string {
  const units = Object.entries(durationUnits).reverse();
  let rest = milliseconds;
  let shown = "";
  for (const [unit, length] of units) {
    const count = Math.floor(rest / length);
    if (count > 0) shown += `${count}${unit}`;
    rest -= count * length;
  }
  return shown || "0s";
}

export function list<T>(item: Parse<T>): Parse<T[]> {
  return (value) =>
    value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map(item);
}

/** A list of at least one item. */
export function someOf<T>(item: Parse<T>): Parse<T[]> {
  return (value) => {
    const items = list(item)(value);
    if (items.length > 0) return items;
    throw new Error("the list is empty");
  };
}

export function oneOf<const T extends string>(...choices: T[]): Parse<T> {
  return (value) => {
    const choice = choices.find((entry) => entry === value);
    if (choice !== undefined) return choice;
    throw new Error(`"${value}" is not one of ${choices.join(", ")}`);
  };
}

/** host:port, with IPv6 in brackets. ":8080" and "8080" mean all addresses of this machine. */
export const listenAddress: Parse<Address> = (value) => {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? "";
  const bracketed = match?.[1] !== undefined && isIP(host) !== 6;
  if (match && port <= 65_535 && !bracketed && !/\s/.test(host)) return { host: host || "::", port };
  throw new Error(`"${value}" is not an address such as 127.0.0.1:8080 or [::1]:8080`);
};

export function showAddress(address: Address | undefined): string {
  if (address === undefined) return "";
  return `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
}

/** An address, or undefined for "" and "off". */
export const optionalAddress: Parse<Address | undefined> = (value) =>
  value === "" || value === "off" ? undefined : listenAddress(value);

/** An address, or a socket file of this machine. */
export type ListenPlace = Address | { path: string };

/** host:port or unix:/path/of/socket; undefined for "" and "off". */
export const optionalPlace: Parse<ListenPlace | undefined> = (value) => {
  const path = /^unix:(.*)$/.exec(value)?.[1];
  if (path === undefined) return optionalAddress(value);
  // The longest that every system can bind.
  if (path.startsWith("/") && Buffer.byteLength(path) <= maxSocketPath) return { path };
  throw new Error(`"${value}" is not a socket such as unix:/run/posthorn/lmtp.sock`);
};
const maxSocketPath = 103;

export function showPlace(place: ListenPlace | undefined): string {
  return place && "path" in place ? `unix:${place.path}` : showAddress(place);
}

/** ip or ip:port, in the form that node:dns takes. */
export const dnsServer: Parse<string> = (value) => {
  if (isIP(value) === 4) return value;
  if (isIP(value) === 6) return `[${value}]`;
  const { host, port } = /:\d+$/.test(value) ? listenAddress(value) : { host: "", port: 0 };
  if (isIP(host) === 0 || port === 0)
    throw new Error(`"${value}" is not a DNS server such as 192.0.2.1 or 127.0.0.1:5353`);
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
};

/** A DNS server, or "". */
export const optionalDnsServer: Parse<string> = (value) => (value === "" ? "" : dnsServer(value));

/** An address of mail, or "". */
export const optionalAddressOfMail: Parse<string> = (value) => {
  const address = value === "" ? "" : normalizeAddress(value);
  if (address !== undefined && !address.startsWith("@")) return address;
  throw new Error(`"${value}" is not an address such as postmaster@example.org`);
};

/** Also accepts a login without a host, as libpq does if the query names one: postgres://user@/db?host=/socket. */
export function parseUrl(value: string): URL | null {
  return URL.parse(value) ?? URL.parse(value.replace(/\/\/[^/?#]*@\//, "///"));
}

/** "" or a URL of one of the schemes. */
export function url(...schemes: string[]): Parse<string> {
  return (value) => {
    if (value === "") return value;
    const parsed = parseUrl(value);
    // The value may hold a password, so no message repeats it.
    if (!parsed || !schemes.includes(parsed.protocol.slice(0, -1)))
      throw new Error(`is not a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`);
    if (parsed.hostname === "" && !parsed.searchParams.has("host")) throw new Error("is a URL without a host");
    return value;
  };
}

/** "" or a URL of one of the schemes, which may name several hosts: scheme://one:port,two:port/path. */
export function urlOfHosts(...schemes: string[]): Parse<string> {
  return (value) => {
    for (const one of eachHost(value)) url(...schemes)(one);
    return value;
  };
}

/** The base URL that clients use, without a slash at its end. */
export const publicUrl: Parse<string> = (value) => {
  const parsed = url("http", "https")(value).replace(/\/+$/, "");
  if (/[?#]/.test(parsed)) throw new Error(`"${value}" must not have a query or a fragment`);
  return parsed;
};

/** An IP address, or a network such as 192.0.2.0/24. */
export const network: Parse<string> = (value) => {
  const [, address = "", prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(value) ?? [];
  const maxPrefix = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  if (maxPrefix > 0 && !address.includes("%") && Number(prefix ?? 0) <= maxPrefix) return value;
  throw new Error(`"${value}" is neither an IP address nor a network such as 192.0.2.0/24 or 2001:db8::/32`);
};

/** RFC 6454 §6.2: scheme, host and port, as a browser writes them. */
export const webOrigin: Parse<string> = (value) => {
  const parsed = URL.parse(value);
  const isOrigin = parsed?.pathname === "/" && !/[?#@]/.test(value) && /^https?:$/.test(parsed.protocol);
  if (isOrigin) return parsed.origin;
  throw new Error(`"${value}" is not an origin such as https://mail.example.com`);
};

export const hostName: Parse<string> = (value) => {
  if (/^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i.test(value) && value.length <= 253) return value;
  throw new Error(`"${value}" is not a host name`);
};

/** zone or zone=weight, of a list of addresses in DNS. */
export const dnsList: Parse<{ zone: string; weight: number }> = (value) => {
  const [, zone = "", weight = "10"] = /^([^=]+)(?:=(-?\d{1,3}))?$/.exec(value) ?? [];
  if (zone.includes(".")) return { zone: hostName(zone), weight: Number(weight) };
  throw new Error(`"${value}" is not a list such as bl.example.org or bl.example.org=4`);
};

/** A host name, or "". */
export const optionalName: Parse<string> = (value) => (value === "" ? "" : hostName(value));

/** Where bodies are kept. */
export type BodiesPlace = { kind: "disk" } | { kind: "s3"; bucket: string; prefix: string };

/** "disk", or s3://bucket/prefix; the prefix of keys is "" or ends in a slash. */
export const bodiesPlace: Parse<BodiesPlace> = (value) => {
  if (value === "disk") return { kind: "disk" };
  const [, bucket, path] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/((?:[\w!.*'()-]+\/)*[\w!.*'()-]*))?$/.exec(value) ?? [];
  if (bucket !== undefined) return { kind: "s3", bucket, prefix: path ? path.replace(/\/?$/, "/") : "" };
  throw new Error(`"${value}" is neither disk nor a place such as s3://bucket/prefix`);
};

/** A place, or undefined for "". */
export const optionalBodiesPlace: Parse<BodiesPlace | undefined> = (value) =>
  value === "" ? undefined : bodiesPlace(value);

export function showBodiesPlace(place: BodiesPlace | undefined): string {
  if (place?.kind !== "s3") return place?.kind ?? "";
  return `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, "");
}

/** A socket in the file system, or an address. */
export type ClamdPlace = { path: string } | Address;

export const optionalClamdPlace: Parse<ClamdPlace | undefined> = (given) =>
  given.startsWith("/") ? { path: given } : optionalAddress(given);

export function showClamdPlace(place: ClamdPlace | undefined): string {
  return place && "path" in place ? place.path : showAddress(place);
}

const rspamdUrl = url("http", "https");

/** "builtin", "off", or the URL of an rspamd. */
export const spamFilter: Parse<string> = (given) => {
  if (given === "builtin" || given === "off") return given;
  const parsed = rspamdUrl(given);
  if (parsed === "") throw new Error("must be builtin, off or a URL");
  return parsed;
};
