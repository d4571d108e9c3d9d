/** For all that pages are made of. */
const common = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** For assets, which are not documents. */
export const assetHeaders: Record<string, string> = {
  ...common,
  "Cache-Control": "public, max-age=31536000, immutable",
};

/** For the script that keeps the page's files: it may fetch these, and nothing of others. */
export const workerHeaders: Record<string, string> = {
  ...common,
  "Cache-Control": "no-cache",
  "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
};

/**
 * For the page itself. `host` is what the client asked for: 'self' does not mean the WebSocket in old Safari. Styles in attributes are for
 * the editor alone.
 */
export function pageHeaders(host: string | undefined): Record<string, string> {
  // A Host field may hold what would end a directive.
  const isPlain = host !== undefined && /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(host);
  const sockets = isPlain ? ` ws://${host} wss://${host}` : "";
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    `connect-src 'self'${sockets}`,
    "frame-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types dompurify worker",
  ];
  return {
    ...common,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": policy.join("; "),
    "Cross-Origin-Opener-Policy": "same-origin",
    // For browsers that do not know frame-ancestors.
    "X-Frame-Options": "DENY",
  };
}

/** Whether the pictures of a mail are fetched from where they lie. */
export type FrameKind = "blocked" | "remote";

/** For the empty page that a mail is shown in: nothing in it runs, and nothing is loaded but pictures, if those. */
export function frameHeaders(kind: FrameKind): Record<string, string> {
  const policy = [
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox",
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `img-src data: blob:${kind === "remote" ? " https: http:" : ""}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
  ];
  return { ...common, "Cache-Control": "no-cache", "Content-Security-Policy": policy.join("; ") };
}
