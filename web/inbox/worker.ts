interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(text: string): string };
}

const path = "/worker.js";
/** The one script that the page's policy lets it name at run time. */
const policy = (window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("worker", {
  createScriptURL: () => path,
});

/** Lets a script of our own keep the page's files, so that it opens without a line. Only a secure context has such scripts. */
export function startWorker(): void {
  const url = policy?.createScriptURL(path) ?? path;
  void navigator.serviceWorker?.register(url).catch(() => {});
}
