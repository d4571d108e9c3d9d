import { networkInterfaces } from "node:os";
import type { Site } from "../admin/dns-records.ts";
import type { Door, DoorKind } from "../admin/domain-check/doors.ts";
import { isPrivateAddress } from "../base/private-address.ts";
import type { Config } from "../config/schema.ts";

/** How this installation is reached, by its options; `given` are its public addresses, if the operator named them. */
export function siteOf(config: Config, given: readonly string[] = []): Site {
  const { hostname, submission, submissions } = config;
  return {
    hostname,
    addresses: given.length > 0 ? given : ownAddresses(),
    jmap: jmapOf(config),
    submissions: submissions?.port,
    submission: submission?.port,
  };
}

function jmapOf({ publicUrl, https, hostname }: Config): Site["jmap"] {
  const url = publicUrl.startsWith("https:") ? new URL(publicUrl) : undefined;
  if (url) return { host: url.hostname, port: Number(url.port || 443) };
  return https && { host: hostname, port: https.port };
}

/** The public addresses of this machine; none behind a router that translates. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return all.map(({ address }) => address).filter((address) => !isPrivateAddress(address));
}

const kinds = ["smtp", "submissions", "submission", "https", "httpRedirect"] as const satisfies readonly DoorKind[];

/** The doors that others use. Those at all addresses of the machine are tried at the public one, if it is known. */
export function doorsOf(config: Config, { addresses, jmap }: Site): Door[] {
  const doors = kinds.flatMap((kind) => {
    const place = config[kind];
    if (!place) return [];
    const isAnywhere = place.host === "0.0.0.0" || place.host === "::";
    const isHidden = !config.allowPrivateTargets && /^(127\.|::1$|localhost$)/.test(place.host);
    return [{ kind, host: isAnywhere ? (addresses[0] ?? "127.0.0.1") : place.host, port: place.port, isHidden }];
  });
  // A proxy serves JMAP over TLS.
  return config.https || !jmap ? doors : [...doors, { kind: "https", ...jmap }];
}
