#!/usr/bin/env node
import { launch } from "./launch.js";

launch("../src/cli/main.ts", "../dist/cli/main.js", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]);
