import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Log } from "../../base/log.ts";
import type { Certificate, Certificates } from "../../smtp/inbound/certificate.ts";
import { Failure } from "../fail.ts";

/** Where a certificate comes from; undefined while there is none yet. */
type Source = () => Promise<Certificate | undefined>;

interface Given {
  first: Certificate;
  source: Source;
  log: Log;
}

const lookEveryMs = 30_000;

/** The certificate of this server, looked for again every half minute: a renewed one takes effect without a restart. */
export class ChangingCertificates implements Certificates {
  #current: Certificate;
  readonly #source: Source;
  readonly #log: Log;
  readonly #listeners: ((certificate: Certificate) => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #warned = "";

  constructor({ first, source, log }: Given) {
    this.#current = first;
    this.#source = source;
    this.#log = log;
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
    this.#timer.unref();
  }

  get current(): Certificate {
    return this.#current;
  }

  onChange(listener: (certificate: Certificate) => void): void {
    this.#listeners.push(listener);
  }

  /** Takes what is there now, unless it is unusable: then the old one stays. */
  async look(): Promise<void> {
    try {
      const found = await this.#source();
      if (!found || (found.cert === this.#current.cert && found.key === this.#current.key)) return;
      checkPair(found);
      this.#current = found;
      for (const listener of this.#listeners) listener(found);
      this.#log.info({ until: endOf(found).toISOString() }, "a new TLS certificate is in use");
      this.#warned = "";
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== this.#warned) this.#log.warn({ reason }, "the TLS certificate cannot be renewed from its place");
      this.#warned = reason;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Throws if the key is not that of the certificate, or either is no PEM. */
export function checkPair({ cert, key }: Certificate): void {
  createSecureContext({ cert, key });
}

export function endOf({ cert }: Certificate): Date {
  return new X509Certificate(cert).validToDate;
}

/** Reads a certificate and its key. Throws a Failure that names the file. */
export async function readPair({ tlsCert, tlsKey }: { tlsCert: string; tlsKey: string }): Promise<Certificate> {
  const read = (path: string) =>
    readFile(path, "utf8").catch((error: Error) => {
      throw new Failure(`the TLS certificate cannot be read: ${error.message}`);
    });
  const pair = { cert: await read(tlsCert), key: await read(tlsKey) };
  try {
    checkPair(pair);
  } catch (error) {
    throw new Failure(`${tlsCert} and ${tlsKey} are not a certificate and its key in PEM: ${(error as Error).message}`);
  }
  return pair;
}
