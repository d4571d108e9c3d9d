import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Of JSON; undefined for an empty body. */
  body: Record<string, unknown>;
}

/** The pages of a server as a browser sees them that keeps no cookies. It came encrypted, by way of a trusted proxy. */
export function webGuest(port: number, host: string, from = "192.0.2.1") {
  const own = { host, "sec-fetch-site": "same-origin", "x-forwarded-proto": "https", "x-forwarded-for": from };
  const ask = async (method: string, path: string, headers: Record<string, string>, body?: object): Promise<Answer> => {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const asked = request({ port, host: "127.0.0.1", path, method, headers: { ...own, ...type, ...headers } });
    asked.end(body && JSON.stringify(body));
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const text = Buffer.concat((await answer.toArray()) as Buffer[]).toString();
    return { status: answer.statusCode!, headers: answer.headers, body: text === "" ? {} : JSON.parse(text) };
  };
  return {
    origin: `https://${host}`,
    post: (path: string, body: object, cookie = "", headers: Record<string, string> = {}) =>
      ask("POST", path, { ...(cookie !== "" && { cookie }), ...headers }, body),
    /** The status of the session, for the cookie or the header. */
    session: async (headers: Record<string, string>) => (await ask("GET", "/jmap/session", headers)).status,
  };
}

/** The cookie that an answer gives; "" if none. */
export const cookieOf = ({ headers }: Answer): string => headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
