import { generate } from "selfsigned";
import type { Certificate } from "./smtp-sink.ts";

/** An authority that makes certificates for hosts. */
export interface Authority extends Certificate {
  certify(name: string, options?: { until?: Date }): Promise<Certificate>;
}

const common = { keySize: 2048, algorithm: "sha256" };

export async function makeAuthority(name = "Test authority"): Promise<Authority> {
  const own = await generate([{ name: "commonName", value: name }], {
    ...common,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const certify = async (host: string, { until }: { until?: Date } = {}) => {
    const made = await generate([{ name: "commonName", value: host }], {
      ...common,
      ca: { key: own.private, cert: own.cert },
      ...(until && { notBeforeDate: new Date(until.getTime() - 86_400_000), notAfterDate: until }),
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: [{ type: 2, value: host }] },
      ],
    });
    return { cert: `${made.cert.trim()}\n${own.cert}`, private: made.private };
  };
  return { cert: own.cert, private: own.private, certify };
}
