import { type Client, connect } from "./client/client.ts";
import { HttpFailure } from "./client/http.ts";

/** Like `connect`, with errors worded for a reader who is new to this suite. */
export async function login(url: string, user: string, password: string, timeoutMs: number): Promise<Client> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new Error(`--url expects a URL like https://mail.example.org, not ${url}`);
  }
  try {
    return await connect({ url, user, password, timeoutMs });
  } catch (error) {
    throw new Error(`No session for ${user} at ${url}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof HttpFailure) return httpReason(error);
  if (error instanceof SyntaxError || error instanceof TypeError) return "the answer is not a JMAP Session object";
  return "code" in error ? `the server cannot be reached (${error.message || error.code})` : error.message;
}

function httpReason({ status, message }: HttpFailure): string {
  if (status === 401 || status === 403) {
    return `the login was refused. Many servers require an app password for Basic authentication.\n${message}`;
  }
  if (status === 404) {
    return `there is no such resource. --url may also be the session resource itself, with its path.\n${message}`;
  }
  return message;
}
