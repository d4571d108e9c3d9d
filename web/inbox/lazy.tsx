import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../messages/shared.ts";
import { toast } from "../shared/toasts.tsx";
import { startWorker } from "./worker.ts";

type Load<P> = () => Promise<ComponentType<P>>;

/** What somebody will want soon: fetched when the first screen is there, since it may be wanted without a line. */
const soon: (() => Promise<unknown>)[] = [];

/**
 * A component that is loaded when it is first shown. After an upgrade its file may be gone: the page says so.
 * `isDialog`: it covers the page, so nothing in the page stands for it meanwhile.
 */
export function lazy<P extends object>(load: Load<P>, { isDialog = false } = {}): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  const fetched = async () => {
    loaded ??= await load();
    return loaded;
  };
  soon.push(fetched);
  return function Lazy(props: P) {
    const [Component, setComponent] = useState<ComponentType<P> | undefined>(() => loaded);
    useEffect(() => {
      if (Component) return;
      fetched().then(
        (component) => setComponent(() => component),
        () => toast({ text: navigator.onLine ? t("newVersion") : t("needsLine"), isError: true }),
      );
    }, []);
    if (Component) return <Component {...props} />;
    return isDialog ? null : <div class="loading" aria-busy="true" />;
  };
}

/** Fetches what comes after the first screen, one part at a time. What fails is tried again when it is shown. */
export async function fetchTheRest(): Promise<void> {
  if (soon.length === 0) return;
  for (const fetched of soon.splice(0)) await fetched().catch(() => {});
  startWorker();
}
