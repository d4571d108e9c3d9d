import type { IncomingMessage, ServerResponse } from "node:http";
import type { Login } from "../../auth/login.ts";
import type { Arrival } from "../arrivals.ts";
import { dispatch } from "../dispatch.ts";
import { RequestError } from "../errors.ts";
import type { Octets } from "../octets.ts";
import type { Invocation } from "../references.ts";
import { arriving, wantPlain } from "./body.ts";
import type { ApiDeps } from "./deps.ts";
import { parseIJson } from "./json.ts";
import { tooLarge, tooManyOctets } from "./refusals.ts";
import { sendJson, sent } from "./respond.ts";
import { sessionState, supports } from "./session.ts";

/** RFC 8620 §3.4 */
export interface ResponseObject {
  methodResponses: Invocation[];
  createdIds?: Record<string, string>;
  sessionState: string;
}

interface RequestObject {
  using: string[];
  methodCalls: Invocation[];
  createdIds?: Record<string, string>;
}

/** RFC 8620 §3.3: answers a request whose body is parsed. Throws RequestError. */
export async function processRequest(
  deps: ApiDeps,
  login: Login,
  body: unknown,
  octets: Octets,
  agent?: string,
): Promise<ResponseObject> {
  const request = checkRequest(body);
  const unknown = request.using.find((name) => !supports(deps, name));
  if (unknown !== undefined) {
    throw new RequestError("unknownCapability", 400, `This server does not have the capability "${unknown}".`);
  }
  const { maxCallsInRequest } = deps.services.limits;
  if (request.methodCalls.length > maxCallsInRequest) {
    throw new RequestError("limit", 400, `At most ${maxCallsInRequest} calls in a request.`, "maxCallsInRequest");
  }
  const { responses, createdIds } = await dispatch(deps.registry, deps.services, {
    login,
    agent,
    using: new Set(request.using),
    relaxedUsing: deps.relaxedUsing,
    calls: request.methodCalls,
    createdIds: request.createdIds ?? {},
    octets,
  });
  return {
    methodResponses: responses,
    ...(request.createdIds && { createdIds }),
    sessionState: sessionState(deps, login),
  };
}

function checkRequest(value: unknown): RequestObject {
  const refuse = (why: string) => new RequestError("notRequest", 400, why);
  if (!isObject(value)) throw refuse("A request must be an object.");
  const { using, methodCalls, createdIds } = value;
  if (!Array.isArray(using) || !using.every((name) => typeof name === "string")) {
    throw refuse('"using" must be a list of strings.');
  }
  if (!Array.isArray(methodCalls) || !methodCalls.every(isInvocation)) {
    throw refuse('"methodCalls" must be a list of [name, arguments, call id].');
  }
  if (createdIds === undefined || createdIds === null) return { using, methodCalls };
  if (!isObject(createdIds) || !Object.values(createdIds).every((id) => typeof id === "string")) {
    throw refuse('"createdIds" must be a map of ids.');
  }
  return { using, methodCalls, createdIds: createdIds as Record<string, string> };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInvocation(value: unknown): value is Invocation {
  if (!Array.isArray(value) || value.length !== 3) return false;
  return typeof value[0] === "string" && isObject(value[1]) && typeof value[2] === "string";
}

/** RFC 8620 §3.1: answers a POST, and returns when the client has taken the answer. */
export async function handleApi(deps: ApiDeps, req: IncomingMessage, res: ServerResponse, login: Login): Promise<void> {
  wantPlain(req);
  if (!/^application\/json\s*(;|$)/i.test(req.headers["content-type"] ?? "")) {
    throw new RequestError("notJSON", 400, "The content type must be application/json.");
  }
  const { limits, octets: pool } = deps.services;
  const body = new Body(limits.maxSizeRequest);
  // Counted until the answer is taken, so a client that does not read its large answers gets few of them.
  const arrival = pool.arrivals.begin(login.login, () => body.refuse(tooManyOctets()));
  try {
    await pool.leased(async (octets) => {
      await answer(deps, { req, res, body, arrival, login, octets });
      await sent(req, res);
    });
  } finally {
    arrival.end();
  }
}

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  body: Body;
  arrival: Arrival;
  login: Login;
  octets: Octets;
}

/** A function of its own, so that request and response are free for collection while the answer waits to be taken. */
async function answer(deps: ApiDeps, { req, res, body, arrival, login, octets }: Exchange): Promise<void> {
  const request = await arriving(req, async () => parseIJson(await body.read(req, arrival)));
  const response = await processRequest(deps, login, request, octets, req.headers["user-agent"]);
  await sendJson(req, res, 200, response, {}, octets.taken);
}

const cutOff = () => new RequestError("about:blank", 400, "The request was cut off.");

class Body {
  readonly #max: number;
  readonly #whole = Promise.withResolvers<void>();

  constructor(max: number) {
    this.#max = max;
    // Nobody may be reading the body yet when it is refused.
    this.#whole.promise.catch(() => {});
  }

  /** Drops whatever else arrives of the body. */
  refuse(error: RequestError): void {
    this.#whole.reject(error);
  }

  async read(req: IncomingMessage, arrival: Arrival): Promise<Buffer> {
    const announced = Number(req.headers["content-length"] ?? 0);
    if (announced > this.#max) throw tooLarge(this.#max);
    if (!(await arrival.announce(announced))) throw tooManyOctets();
    // The client may have gone during the wait.
    if (req.destroyed) throw cutOff();
    // Memory of a large buffer is used only where it is written to.
    const bytes = announced >= worthOneBuffer ? Buffer.allocUnsafe(announced) : undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      if (bytes) chunk.copy(bytes, size);
      else chunks.push(chunk);
      size += chunk.length;
      if (size > this.#max) this.refuse(tooLarge(this.#max));
      else arrival.grow(size);
    };
    const refuse = () => this.refuse(cutOff());
    req.on("data", take);
    req.once("end", () => {
      req.off("close", refuse);
      this.#whole.resolve();
    });
    req.once("error", this.#whole.reject);
    req.once("close", refuse);
    try {
      await this.#whole.promise;
    } finally {
      req.off("data", take);
    }
    if (!arrival.settle(size)) throw tooManyOctets();
    if (bytes) return bytes;
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }
}

const worthOneBuffer = 131_072;
