import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../messages/shared.ts";
import { toast } from "../shared/toasts.tsx";

/** A component that is loaded when it is first shown. After an upgrade its file may be gone: the page says so. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [Component, setComponent] = useState<ComponentType<P> | undefined>(() => loaded);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (component) => {
          loaded = component;
          setComponent(() => component);
        },
        () => toast({ text: navigator.onLine ? t("newVersion") : t("needsLine"), isError: true }),
      );
    }, []);
    return Component ? <Component {...props} /> : <div class="loading" aria-busy="true" />;
  };
}
