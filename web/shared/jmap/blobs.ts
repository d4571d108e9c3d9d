import { ownUrl } from "./client.ts";
import { ConnectionLost, RequestRefused, SignedOut } from "./errors.ts";
import type { Id, Session } from "./types.ts";

export interface Blob {
  blobId: Id;
  name: string | null;
  type: string;
}

/** The path of a download, which the session cookie opens. */
export function downloadPath(session: Session, accountId: Id, { blobId, name, type }: Blob): string {
  const values: Record<string, string> = { accountId, blobId, name: name || "attachment", type };
  return ownUrl(session.downloadUrl).replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(values[key] ?? ""));
}

export interface Upload {
  /** The blob; rejects with ConnectionLost, RequestRefused, SignedOut, or an AbortError. */
  done: Promise<{ blobId: Id; type: string; size: number }>;
  abort(): void;
}

/** Uploads a file. `onProgress` gets the share that has been sent, from 0 to 1: fetch cannot tell that. */
export function upload(
  session: Session,
  accountId: Id,
  file: globalThis.Blob,
  onProgress: (share: number) => void = () => {},
): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<{ blobId: Id; type: string; size: number }>((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new ConnectionLost("the upload broke off"));
    request.onabort = () => reject(new DOMException("the upload was stopped", "AbortError"));
    request.onload = () => {
      if (request.status === 201 || request.status === 200) resolve(JSON.parse(request.responseText));
      else if (request.status === 401) reject(new SignedOut("signed out"));
      else reject(refused(request));
    };
  });
  request.open("POST", ownUrl(session.uploadUrl).replace("{accountId}", encodeURIComponent(accountId)));
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.send(file);
  return { done, abort: () => request.abort() };
}

function refused({ status, responseText, statusText }: XMLHttpRequest): RequestRefused {
  try {
    const { type, detail } = JSON.parse(responseText) as { type?: string; detail?: string };
    return new RequestRefused(status, type ?? "about:blank", detail ?? statusText);
  } catch {
    return new RequestRefused(status, "about:blank", statusText);
  }
}
