import { effect } from "@preact/signals";
import { render } from "preact";
import { language } from "../shared/messages.ts";
import { prefs } from "../shared/prefs.ts";
import { App } from "./app.tsx";
import { listen } from "./news.ts";
import { begin } from "./session.ts";

effect(() => {
  const { theme } = prefs.value;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
});
effect(() => {
  document.documentElement.lang = language.value;
});

render(<App />, document.getElementById("app")!);
listen();
void begin();
