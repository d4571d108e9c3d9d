/** Who may import whom: see docs/architecture.md. Each folder of src lists the others it may reach. */
const may = {
  base: [],
  config: ["base"],
  mime: ["base"],
  postgres: ["base"],
  redis: ["base"],
  store: ["base", "mime", "redis"],
  backup: ["base", "postgres", "store"],
  auth: ["base", "store"],
  search: ["base", "mime", "store"],
  mail: ["base", "mime", "store", "search"],
  push: ["base", "store", "redis"],
  admin: ["base", "mime", "store", "auth", "mail", "push"],
  jmap: ["base", "mime", "store", "auth", "search", "mail", "push", "admin"],
  smtp: ["base", "mime", "store", "auth", "mail"],
  ops: ["base", "store"],
  web: ["base", "store", "auth", "push"],
};
/** The rooms of src/store, likewise. */
const rooms = {
  core: [],
  blobs: ["core"],
  mail: ["core", "blobs"],
  "email-query": ["core"],
  queues: ["core", "blobs"],
  directory: ["core", "mail"],
  cluster: ["core"],
  upkeep: ["core", "blobs", "mail", "queues", "directory", "cluster"],
};
const tests = "[.]test[.]ts$";
/** Of src/jmap, whatever is not named here: so a new one is known. */
const typeFolder = "(?!(?:http|standard)/)[^/]+";

const folders = Object.entries(may).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  severity: "error",
  from: { path: `^src/${folder}/`, pathNot: tests },
  to: { path: "^(src|conformance|bench|test|scripts|web)/", pathNot: `^src/(${[folder, ...allowed].join("|")})/` },
}));

const storeRooms = Object.entries(rooms).map(([room, allowed]) => ({
  name: `store-${room}-imports`,
  severity: "error",
  from: { path: `^src/store/${room}/`, pathNot: tests },
  to: { path: "^src/store/", pathNot: `^src/store/(${[room, ...allowed].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...folders,
    ...storeRooms,
    {
      name: "operators-alone-administer",
      severity: "error",
      from: { path: "^src/jmap/(?!operator/)", pathNot: tests },
      to: { path: "^src/admin/" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nobody-imports-cli",
      severity: "error",
      from: { path: "^(src/(?!cli/)|conformance/|bench/)" },
      to: { path: "^src/cli/" },
    },
    {
      name: "conformance-stands-alone",
      severity: "error",
      from: { path: "^conformance/" },
      to: { path: "^(src|bench|test)/" },
    },
    { name: "bench-uses-conformance-only", severity: "error", from: { path: "^bench/" }, to: { path: "^(src|test)/" } },
    {
      name: "sql-stays-in-store",
      severity: "error",
      from: { path: "^src/(?!(?:store|postgres)/)", pathNot: tests },
      to: { path: "node_modules/(@types/)?(pg|pg-[a-z]+|kysely)/" },
    },
    {
      name: "redis-stays-in-its-folder",
      severity: "error",
      from: { path: "^src/(?!redis/)", pathNot: tests },
      to: { path: "node_modules/ioredis/" },
    },
    {
      name: "standard-names-no-type",
      severity: "error",
      from: { path: "^src/jmap/standard/" },
      to: { path: "^src/jmap/(?!standard/|(dispatch|errors|method|references|schema)[.]ts)" },
    },
    {
      name: "types-do-not-meet",
      severity: "error",
      from: { path: `^src/jmap/(${typeFolder})/`, pathNot: tests },
      to: { path: `^src/jmap/(${typeFolder}|http)/`, pathNot: "^src/jmap/$1/" },
    },
    { name: "no-barrels", severity: "error", from: {}, to: { path: "^src/.*/index[.]ts$" } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "src-stands-alone",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: "^(conformance|bench|test|scripts|web)/" },
    },
    {
      name: "pages-stand-alone",
      severity: "error",
      from: { path: "^web/(?!test/)" },
      to: { path: "^(src|conformance|bench|test|scripts)/" },
    },
    {
      name: "shared-names-no-page",
      severity: "error",
      from: { path: "^web/(shared|messages)/" },
      to: { path: "^web/(inbox|operator)/" },
    },
    {
      name: "pages-do-not-meet",
      severity: "error",
      from: { path: "^web/(inbox|operator)/" },
      to: { path: "^web/(inbox|operator)/", pathNot: "^web/$1/" },
    },
    {
      name: "only-cli-serves-pages",
      severity: "error",
      from: { path: "^src/(?!(?:cli|web)/)", pathNot: tests },
      to: { path: "^src/web/" },
    },
    {
      name: "no-test-tools-in-src",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^web/dist/" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};
