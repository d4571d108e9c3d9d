#!/usr/bin/env node
import { launch } from "./launch.js";

// A terminal sends Ctrl-C to both already; passing it on would count as two.
process.on("SIGINT", () => {});
launch("../conformance/main.ts", "../dist/conformance/main.js", ["SIGTERM", "SIGHUP"]);
