import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { S3Client } from "@aws-sdk/client-s3";
import { Circuit } from "../../../base/circuit.ts";
import type { Log } from "../../../base/log.ts";
import { retry } from "../../../base/retry.ts";
import { BodiesAway } from "../../core/errors.ts";

type Sdk = typeof import("@aws-sdk/client-s3");

export interface S3ServiceOptions {
  /** (Default: Amazon's, by region) */
  endpoint: string | undefined;
  region: string;
  /** Whether the bucket stands in the path of a URL, not in its host. */
  isPathStyle: boolean;
  /** PEM of the authorities that sign the endpoint's certificate. (Default: Node's) */
  ca: string | undefined;
  /** (Default: what the SDK finds, such as the role of the machine) */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  log: Log;
  /** (Default: `usualPatience`) */
  patience?: S3Patience;
  /** Called after each request with the seconds until its answer began. */
  onRequest?: (operation: string, outcome: "ok" | "failed", seconds: number) => void;
}

export interface S3Patience {
  connectTimeoutMs: number;
  /** From a request to the beginning of its answer, or from one piece of a body to the next. */
  answerTimeoutMs: number;
  /** A failure later than this is final. */
  retryForMs: number;
  /** The circuit opens when everything has failed for this long; how long it is open at first and at most. */
  failingForMs: number;
  firstPauseMs: number;
  maxPauseMs: number;
}

export const usualPatience: S3Patience = {
  connectTimeoutMs: 2_000,
  answerTimeoutMs: 5_000,
  retryForMs: 8_000,
  failingForMs: 3_000,
  firstPauseMs: 1_000,
  maxPauseMs: 5_000,
};

/** What one attempt of a request works with. */
export interface Asking {
  client: S3Client;
  sdk: Sdk;
  /** Aborted when there was no sign of life for too long. */
  signal: AbortSignal;
  /** Tells that bytes went up or down. */
  alive(): void;
}

/** The attempt failed for a reason that is not the service's; callers are given the cause. */
export class NotTheService extends Error {
  constructor(cause: unknown) {
    super("not the service's fault", { cause });
  }
}

/**
 * Sends requests to an S3 service: with a time limit for each attempt, retries of what may pass, and a circuit. All but
 * "no such object" becomes BodiesAway. The SDK is loaded at the first request.
 */
export class S3Service {
  readonly patience: S3Patience;
  readonly #options: S3ServiceOptions;
  readonly #circuit: Circuit;
  #opened: Promise<{ client: S3Client; sdk: Sdk }> | undefined;

  constructor(options: S3ServiceOptions) {
    this.#options = options;
    this.patience = options.patience ?? usualPatience;
    const { log } = options;
    this.#circuit = new Circuit({
      ...this.patience,
      onOpen: (reason) =>
        log.error({ reason }, "bodies can't be reached: clients and peers are asked to try again later"),
      onClose: () => log.info({}, "bodies can be reached again"),
    });
  }

  /** Undefined when there is no such object. `attempt` must be safe to repeat. Throws BodiesAway. */
  async ask<T>(operation: string, attempt: (asking: Asking) => Promise<T>): Promise<T | undefined> {
    const opened = await this.#open();
    const once = () => this.#once(operation, (given) => attempt({ ...opened, ...given }));
    const patienceMs = this.patience.retryForMs;
    try {
      return await retry(() => this.#circuit.run(once, isAway), {
        firstPauseMs: 100,
        maxPauseMs: 2_000,
        patienceMs,
        hasJitter: true,
        isPassing,
      });
    } catch (error) {
      if (isNoSuchObject(error)) return undefined;
      throw error instanceof NotTheService ? error.cause : new BodiesAway(error);
    }
  }

  async #once<T>(operation: string, work: (given: Pick<Asking, "signal" | "alive">) => Promise<T>): Promise<T> {
    const begin = performance.now();
    const told = (outcome: "ok" | "failed") =>
      this.#options.onRequest?.(operation, outcome, (performance.now() - begin) / 1000);
    const limitMs = this.patience.answerTimeoutMs;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), limitMs);
    try {
      const result = await work({ signal: controller.signal, alive: () => timer.refresh() });
      told("ok");
      return result;
    } catch (error) {
      const isLate = controller.signal.aborted;
      // Frees the connection if the request was left alone.
      controller.abort();
      const isAnswer = isNoSuchObject(error) || error instanceof NotTheService;
      told(isAnswer ? "ok" : "failed");
      if (isAnswer) throw error;
      throw new RequestFailed(isLate ? new Error(`no answer within ${limitMs} ms`) : (error as ServiceError));
    } finally {
      clearTimeout(timer);
    }
  }

  #open(): Promise<{ client: S3Client; sdk: Sdk }> {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load() {
    const { endpoint, region, isPathStyle, ca, credentials } = this.#options;
    const sdk = await import("@aws-sdk/client-s3");
    // A download may hold its connection for as long as its client is slow, so connections are not limited.
    const connections = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 64 };
    const client = new sdk.S3Client({
      region,
      forcePathStyle: isPathStyle,
      requestHandler: {
        connectionTimeout: this.patience.connectTimeoutMs,
        socketTimeout: 0,
        httpAgent: new HttpAgent(connections),
        httpsAgent: new HttpsAgent({ ...connections, ...(ca !== undefined && { ca }) }),
      },
      // Retries are ours, since the SDK can't send a stream twice.
      maxAttempts: 1,
      // With the SDK's own default, streams have a form that many services refuse.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      expectContinueHeader: false,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && { credentials }),
    });
    return { client, sdk };
  }
}

/** The service's answer, if there was one, was not what was asked for. */
class RequestFailed extends Error {
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** One of S3's, or the system's. */
  readonly code: string;

  constructor(cause: ServiceError) {
    const status = cause.$metadata?.httpStatusCode;
    const code = (status === undefined && cause.code) || cause.name;
    super(status === undefined ? cause.message || code : `${status} ${code}`, { cause });
    this.status = status;
    this.code = code;
  }
}

type ServiceError = Error & { code?: string; $metadata?: { httpStatusCode?: number } };

/** Codes below 500 that may not come again. */
const passingCodes = new Set([
  "BadDigest",
  "IncompleteBody",
  "OperationAborted",
  "RequestTimeout",
  "RequestTimeTooSkewed",
  "XAmzContentSHA256Mismatch",
]);

function isNoSuchObject(error: unknown): boolean {
  const { name } = error as Error;
  return name === "NoSuchKey" || name === "NotFound";
}

/** Whether the service is away, or too busy, rather than answering no. */
function isAway(error: unknown): boolean {
  if (!(error instanceof RequestFailed)) return false;
  const { status, code } = error;
  return status === undefined ? code !== "CredentialsProviderError" : status >= 500 || status === 429;
}

/** Whether the same request may succeed a moment later. */
function isPassing(error: unknown): boolean {
  return isAway(error) || (error instanceof RequestFailed && passingCodes.has(error.code));
}

/** Whether a BodiesAway came from an answer: the service refuses us, or has no such bucket. */
export function isRefusal({ cause }: Error): boolean {
  return cause instanceof RequestFailed && !isAway(cause);
}
