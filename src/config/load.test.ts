import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, describe as group, test } from "vitest";
import { describe } from "./describe.ts";
import { ConfigError, load } from "./load.ts";
import { type OptionName, schema } from "./schema.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "posthorn-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(content: unknown): string {
  const file = join(folder, `${Math.random()}.json`);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

function problems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

group("the schema", () => {
  const options = Object.entries(schema);

  test.each(options)("%s has help that ends with its default, and a default that parses", (_name, option) => {
    expect(option.help).toMatch(/ \(Default: .+\)$/);
    expect(() => option.parse(option.default)).not.toThrow();
  });

  test("no two options share a name in the environment or on the command line", () => {
    expect(new Set(options.map(([, option]) => option.env)).size).toBe(options.length);
    expect(new Set(options.map(([, option]) => option.flag)).size).toBe(options.length);
    expect(options.map(([, option]) => option.flag)).not.toContain("config");
  });

  test("names follow from the option's name", () => {
    expect(schema.maxSizeUpload).toMatchObject({ env: "POSTHORN_MAX_SIZE_UPLOAD", flag: "max-size-upload" });
    expect(schema.databaseUrl).toMatchObject({ env: "DATABASE_URL", flag: "database-url" });
  });
});

group("load", () => {
  test("without any source, options have their defaults", () => {
    const { config, sources } = load({}, { data: folder });
    expect(config).toMatchObject({
      data: folder,
      http: { host: "127.0.0.1", port: 8080 },
      smtp: { host: "127.0.0.1", port: 2525 },
      metrics: { host: "127.0.0.1", port: 9090 },
      databaseUrl: "",
      resolver: [],
      mxPort: 25,
      roles: ["http", "smtp-in", "smtp-out", "worker"],
      maxSizeUpload: 50_000_000,
      maxCallsInRequest: 50,
      allowPrivateTargets: false,
      retrySchedule: [2, 5, 10, 15, 30, 60, 120, 240].map((minutes) => minutes * 60_000),
      retryFor: 5 * 86_400_000,
      cacheBytes: 64_000_000,
      demo: true,
    });
    expect(sources).toMatchObject({ data: "flag", http: "default" });
  });

  test("a flag overrides the environment, which overrides the file", () => {
    const file = written({ mxPort: 1001, smtp: "0.0.0.0:25", hostname: "file.example", roles: ["http", "worker"] });
    const env = { POSTHORN_MX_PORT: "1002", POSTHORN_HOSTNAME: "env.example", PATH: "/bin" };
    const { config, sources } = load(env, { hostname: "flag.example" }, file);
    expect(config).toMatchObject({
      mxPort: 1002,
      hostname: "flag.example",
      smtp: { host: "0.0.0.0", port: 25 },
      roles: ["http", "worker"],
    });
    expect(sources).toMatchObject({ mxPort: "env", hostname: "flag", smtp: "file", http: "default" });
  });

  test("posthorn.json in the data folder is read unless another file is named", () => {
    writeFileSync(join(folder, "posthorn.json"), JSON.stringify({ demo: false }));
    expect(load({ POSTHORN_DATA: folder }, {}).config.demo).toBe(false);
    const other = written({ mxPort: 26 });
    expect(load({ POSTHORN_DATA: folder }, { config: other }).config).toMatchObject({ demo: true, mxPort: 26 });
    rmSync(join(folder, "posthorn.json"));
  });

  test("all problems are reported at once, with the name the user wrote", () => {
    const file = written({ retryFor: "soon", colour: "red", http: { port: 1 } });
    const env = { POSTHORN_MXPORT: "25", POSTHORN_MAX_SIZE_UPLOAD: "big", DATABASE_URL: "mysql://u:secret@h/d" };
    const found = problems(() => load(env, { "retry-four": "1d", demo: "perhaps" }, file));
    expect(found).toEqual([
      "--retry-four: no such option (did you mean --retry-for?)",
      "POSTHORN_MXPORT: no such option (did you mean POSTHORN_MX_PORT?)",
      `${file}: "colour": no such option`,
      `${file}: "http": must be text, a number, true, false or a list`,
      "DATABASE_URL: is not a URL that begins with postgres:// or postgresql://",
      'POSTHORN_MAX_SIZE_UPLOAD: "big" is not a size such as 500kB, 50MB or 64MiB',
      `${file}: "retryFor": "soon" is not a duration such as 90s, 10m, 1h30m or 5d`,
      '--demo: "perhaps" is neither true nor false',
    ]);
  });

  test("a file that is named must exist and hold an object", () => {
    expect(problems(() => load({}, {}, join(folder, "absent.json")))[0]).toContain("there is no such file");
    expect(problems(() => load({}, {}, written("{")))[0]).toContain("JSON");
    expect(problems(() => load({}, {}, written([])))[0]).toContain("is not a JSON object");
  });

  test("a certificate needs its key, and a key its certificate", () => {
    expect(problems(() => load({}, { data: folder, "tls-cert": "a.pem" }))).toEqual(["--tls-cert: needs tlsKey too"]);
    const file = written({ tlsKey: "key.pem", data: "" });
    expect(problems(() => load({}, {}, file))).toEqual([
      `${file}: "data": must not be empty`,
      `${file}: "tlsKey": needs tlsCert too`,
    ]);
  });

  test("a process that only reads has one role, and a database elsewhere", () => {
    const flags = { data: folder, "read-only": "", roles: "http" };
    expect(problems(() => load({}, { ...flags, roles: "http,worker" }))).toEqual([
      "--read-only: needs databaseUrl",
      "--read-only: needs roles to be http alone",
    ]);
    expect(load({}, { ...flags, "database-url": "postgres://standby/mail" }).config.readOnly).toBe(true);
  });

  test("a secret may stand in a file that a variable names, or in a credential of systemd", () => {
    const [secret, url] = [written("hush\n"), written(" postgres://app:hush@db/mail\n")];
    writeFileSync(join(folder, "posthorn.s3-access-key"), "key\n");
    writeFileSync(join(folder, "posthorn.database-url"), "postgres://other/mail\n");
    const env = { POSTHORN_S3_SECRET_KEY_FILE: secret, DATABASE_URL_FILE: url, CREDENTIALS_DIRECTORY: folder };
    const { config, sources } = load(env, { data: folder }, written({ s3AccessKey: "file" }));
    expect(config).toMatchObject({
      s3SecretKey: "hush",
      s3AccessKey: "key",
      databaseUrl: "postgres://app:hush@db/mail",
    });
    expect(sources).toMatchObject({ s3SecretKey: "env", s3AccessKey: "credential", databaseUrl: "env" });
    rmSync(join(folder, "posthorn.s3-access-key"));
    rmSync(join(folder, "posthorn.database-url"));
  });

  test("files of secrets must exist, and only secrets may stand in them", () => {
    const env = {
      POSTHORN_S3_ACCESS_KEY_FILE: join(folder, "absent"),
      POSTHORN_HOSTNAME_FILE: join(folder, "absent"),
      POSTHORN_SMARTHOST: "smtp://relay",
      POSTHORN_SMARTHOST_FILE: join(folder, "absent"),
    };
    expect(problems(() => load(env, { data: folder }))).toEqual([
      `POSTHORN_S3_ACCESS_KEY_FILE: ${join(folder, "absent")}: there is no such file`,
      "POSTHORN_HOSTNAME_FILE: no such option",
      "POSTHORN_SMARTHOST_FILE: POSTHORN_SMARTHOST is set too",
    ]);
  });

  test("options of bodies that contradict each other are refused", () => {
    const flags = { data: folder, bodies: "s3://mail/a/", "bodies-fallback": "s3://mail/a" };
    expect(problems(() => load({}, flags))).toEqual(["--bodies-fallback: is the same place as bodies"]);
    expect(problems(() => load({}, { data: folder, "s3-access-key": "a", "s3-kms-key": "k" }))).toEqual([
      "--s3-access-key: needs s3SecretKey too",
      "--s3-kms-key: needs s3Encryption aws:kms",
    ]);
    expect(problems(() => load({}, { data: folder, "s3-secret-key": "a" }))).toEqual([
      "--s3-secret-key: needs s3AccessKey too",
    ]);
  });

  test("the result says which file was used and what named it", () => {
    const file = written({});
    expect(load({}, { data: folder }).file).toEqual({ path: join(folder, "posthorn.json"), source: "default" });
    expect(load({ POSTHORN_CONFIG: file }, { data: folder }).file).toEqual({ path: file, source: "env" });
    expect(load({ POSTHORN_CONFIG: "absent" }, { data: folder }, file).file).toEqual({ path: file, source: "flag" });
  });
});

group("values", () => {
  const parse = (name: OptionName, value: string) => schema[name].parse(value);

  test.each([
    ["maxSizeUpload", "64MiB", 67_108_864],
    ["maxSizeUpload", "1.5 GB", 1_500_000_000],
    ["maxSizeUpload", "10_000", 10_000],
    ["retryFor", "1h30m", 5_400_000],
    ["retryFor", "90s", 90_000],
    ["http", "[::1]:80", { host: "::1", port: 80 }],
    ["http", ":80", { host: "::", port: 80 }],
    ["http", "localhost:0", { host: "localhost", port: 0 }],
    ["metrics", "", undefined],
    ["submission", "off", undefined],
    ["submissions", "0.0.0.0:465", { host: "0.0.0.0", port: 465 }],
    ["lmtp", "127.0.0.1:24", { host: "127.0.0.1", port: 24 }],
    ["lmtp", "unix:/run/posthorn/lmtp.sock", { path: "/run/posthorn/lmtp.sock" }],
    [
      "dnsLists",
      "zen.example.org,good.example.net=-5",
      [
        { zone: "zen.example.org", weight: 10 },
        { zone: "good.example.net", weight: -5 },
      ],
    ],
    [
      "dmarcOverride",
      "Bank.example=junk,partner.example.=accept",
      [
        { domain: "bank.example", word: "junk" },
        { domain: "partner.example", word: "accept" },
      ],
    ],
    ["trustedArc", "Lists.example", ["lists.example"]],
    ["demo", "no", false],
    ["demo", "", true],
    ["resolver", "192.0.2.1, 127.0.0.1:5353,2001:db8::1", ["192.0.2.1", "127.0.0.1:5353", "[2001:db8::1]"]],
    ["publicUrl", "https://mail.example.com/", "https://mail.example.com"],
    ["trustedProxies", "", []],
    ["trustedProxies", "127.0.0.1/32, ::1,2001:db8::/32", ["127.0.0.1/32", "::1", "2001:db8::/32"]],
    ["trustedOrigins", "https://Mail.example/,http://localhost:80", ["https://mail.example", "http://localhost"]],
    ["bodies", "disk", { kind: "disk" }],
    ["bodies", "s3://mail", { kind: "s3", bucket: "mail", prefix: "" }],
    ["bodies", "s3://mail.example/a/b", { kind: "s3", bucket: "mail.example", prefix: "a/b/" }],
    ["bodiesFallback", "", undefined],
    ["databaseUrl", "postgres:///mail?host=/run/postgresql", "postgres:///mail?host=/run/postgresql"],
    ["databaseUrl", "postgres://me:a@b@/db?host=/sock", "postgres://me:a@b@/db?host=/sock"],
    ["databaseUrl", "postgres://me@one:1,[::1]:2/db", "postgres://me@one:1,[::1]:2/db"],
  ] as const)("%s takes %s", (name, value, expected) => {
    expect(parse(name, value)).toEqual(expected);
  });

  test.each([
    ["maxSizeUpload", "-1"],
    ["maxSizeUpload", "5 apples"],
    ["maxSizeUpload", ""],
    ["retryFor", "5"],
    ["retrySchedule", ""],
    ["retrySchedule", "1m,x"],
    ["http", "80:90:1"],
    ["http", "[127.0.0.1]:80"],
    ["http", "host:70000"],
    ["submission", "unix:/run/x"],
    ["lmtp", "unix:lmtp.sock"],
    ["lmtp", `unix:/${"x".repeat(103)}`],
    ["dmarcOverride", "example.org=maybe"],
    ["dmarcOverride", "example.org"],
    ["trustedArc", "lists example.org"],
    ["greylist", "sometimes"],
    ["dnsLists", "zen"],
    ["dnsLists", "zen.example.org=x"],
    ["mxPort", "0"],
    ["mxPort", "2.5"],
    ["roles", "http,imap"],
    ["roles", ""],
    ["resolver", "dns.example"],
    ["hostname", "a b"],
    ["publicUrl", "ftp://x"],
    ["publicUrl", "https://x/?a"],
    ["trustedProxies", "proxy.example"],
    ["trustedProxies", "10.0.0.0/33"],
    ["trustedProxies", "10.0.0/8"],
    ["trustedProxies", "fe80::1%eth0"],
    ["trustedProxies", "::/129"],
    ["trustedOrigins", "mail.example"],
    ["trustedOrigins", "https://mail.example/path"],
    ["trustedOrigins", "*"],
    ["bodies", ""],
    ["bodies", "s3://"],
    ["bodies", "s3://mail//a"],
    ["bodies", "s3://mail/a?b"],
    ["bodies", "/var/bodies"],
    ["s3Endpoint", "s3.example"],
    ["s3Encryption", "aes"],
    ["routes", "example.org"],
    ["routes", "example.org="],
    ["routes", "a b=relay.example"],
    ["routes", "example.org=relay.example:0"],
    ["routes", "example.org=relay.example:587:login"],
    ["smarthost", "smtp://"],
    ["smarthost", "smtp://me@/relay"],
    ["databaseUrl", "postgres://me@/db"],
    ["databaseUrl", "postgres://me@one,/db"],
    ["databaseUrl", "postgres://me@one:1,two:x/db"],
    ["logLevel", "loud"],
  ] as const)("%s refuses %s", (name, value) => {
    expect(() => parse(name, value)).toThrow();
  });
});

group("describe", () => {
  test("shows name, value, source and help, and no password", () => {
    const env = {
      POSTHORN_BODIES: "s3://mail/a",
      POSTHORN_S3_ACCESS_KEY: "hush",
      POSTHORN_S3_SECRET_KEY: "hush",
      DATABASE_URL: "postgres://app:hush@db/mail?password=hush",
      POSTHORN_SMARTHOST: "smtp://me:hush@relay:587",
    };
    const lines = describe(load(env, { data: folder, http: "[::1]:80", metrics: "" }));
    expect(JSON.stringify(lines)).not.toContain("hush");
    const byName = Object.fromEntries(lines.map((line) => [line.name, line]));
    expect(byName.databaseUrl).toMatchObject({ value: "postgres://***@db/mail?***", source: "env" });
    expect(byName.smarthost?.value).toBe("smtp://***@relay:587");
    expect(byName.http).toMatchObject({ value: "[::1]:80", source: "flag", help: schema.http.help });
    expect(byName.metrics?.value).toBe("");
    expect(byName.bodies?.value).toBe("s3://mail/a");
    expect(byName.bodiesFallback?.value).toBe("");
    expect(byName.s3SecretKey?.value).toBe("***");
    expect(byName.retrySchedule?.value).toBe(schema.retrySchedule.default);
    expect(byName.retryFor?.value).toBe("5d");
    expect(byName.roles?.value).toBe("http,smtp-in,smtp-out,worker");
    expect(byName.config).toMatchObject({
      value: join(folder, "posthorn.json"),
      source: "default",
      env: "POSTHORN_CONFIG",
      flag: "config",
      help: expect.stringMatching(/\(Default: .+\)$/),
    });
    expect(lines).toHaveLength(Object.keys(schema).length + 1);
  });

  test("names every host of a database", () => {
    const loaded = load({}, { data: folder, "database-url": "postgres://app:hush@one:1,two/mail?password=hush" });
    const line = describe(loaded).find(({ name }) => name === "databaseUrl");
    expect(line?.value).toBe("postgres://***@one:1,two/mail?***");
  });

  test("hides the login of a database behind a socket", () => {
    const loaded = load({}, { data: folder, "database-url": "postgres://app:hush@/mail?host=/sock" });
    const line = describe(loaded).find(({ name }) => name === "databaseUrl");
    expect(line?.value).toBe("postgres://***@/mail?***");
  });
});
