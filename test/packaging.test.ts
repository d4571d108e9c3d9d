import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { schema } from "../src/config/schema.ts";
import { environmentOf, faultIn, instructionsOf, portIn, read, settingsOf } from "./support/packaging.ts";

/** The files of packaging/, against the options of this program and against each other. */
const root = resolve(import.meta.dirname, "..");
const roles = ["http", "push", "smtp-in", "smtp-out", "worker"];
const instructions = instructionsOf(read("packaging/docker/Dockerfile"));
const image = environmentOf(instructions);
const imagePorts = [image.POSTHORN_HTTP!, image.POSTHORN_SMTP!, image.POSTHORN_METRICS!].map(portIn);
const [httpPort, smtpPort, metricsPort] = imagePorts as [number, number, number];

test("an option or a value that does not exist is found", () => {
  expect(faultIn({ env: { POSTHORN_ROLES: "http,cook" } })).toMatch(/^POSTHORN_ROLES: "cook" is not one of http/);
  expect(faultIn({ env: { POSTHORN_ROLE: "http" } })).toBe("POSTHORN_ROLE: no such option");
  expect(faultIn({ args: ["--rolls", "http"] })).toBe("--rolls: no such option");
  expect(faultIn({ args: ["--http", "nowhere"] })).toMatch(/^--http: "nowhere" is not an address/);
  expect(faultIn({ env: { PATH: "/bin", POSTHORN_CONFIG: "x" }, args: ["--config", "x"] })).toBeUndefined();
});

describe("the image", () => {
  const of = (name: string) => instructions.filter((one) => one.name === name).map(({ rest }) => rest);

  test("has options that exist, and exposes the ports that they name", () => {
    expect(faultIn({ env: image })).toBeUndefined();
    expect(of("EXPOSE")).toEqual([imagePorts.join(" ")]);
    expect(of("HEALTHCHECK")[0]).toContain(`127.0.0.1:${metricsPort}/healthz`);
    expect(of("VOLUME")).toEqual([image.POSTHORN_DATA]);
  });

  test("copies what is there and what its .dockerignore lets in", () => {
    const ignored = read("packaging/docker/Dockerfile.dockerignore").split("\n");
    expect(ignored[0]).toBe("*");
    const copied = of("COPY")
      .filter((rest) => !rest.startsWith("--from"))
      .flatMap((rest) => rest.split(" ").slice(0, -1));
    expect(copied).toEqual(expect.arrayContaining(["src", "bin", "migrations"]));
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(ignored).toContain(`!${path}`);
    }
  });

  test("starts a file that it has, as a user that is not root", () => {
    const [, file] = JSON.parse(of("ENTRYPOINT")[0]!) as string[];
    expect(of("WORKDIR").at(-1)).toBe("/opt/posthorn");
    expect(existsSync(join(root, file!.replace("/opt/posthorn/", "")))).toBe(true);
    expect(of("USER")).toEqual(["posthorn"]);
  });
});

interface Service {
  build?: { dockerfile: string };
  environment?: Record<string, string>;
  ports?: string[];
  networks?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: object;
}

describe("the compose file", () => {
  const compose = parse(read("packaging/docker/compose.yaml"), { merge: true }) as {
    services: Record<string, Service>;
    networks: Record<string, unknown>;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);
  const ours = services.filter(([, { build }]) => build);

  test("has two processes for clients, two for mail in, and each role somewhere", () => {
    const served = ours.flatMap(([, { environment }]) => schema.roles.parse(environment!.POSTHORN_ROLES!) as string[]);
    expect([...new Set(served)].toSorted()).toEqual(roles);
    expect(served.filter((role) => role === "http" || role === "smtp-in")).toHaveLength(4);
  });

  test.each(ours)("%s has options that exist and ports of the image", (_, { build, environment, ports = [] }) => {
    expect(existsSync(join(root, build!.dockerfile))).toBe(true);
    expect(faultIn({ env: { ...image, ...environment } })).toBeUndefined();
    for (const port of ports) expect(imagePorts).toContain(portIn(port));
    expect(portIn(ports.at(-1)!)).toBe(metricsPort);
  });

  test("names only services, networks and volumes that it has; no port twice", () => {
    for (const [name, { networks = [], volumes = [], depends_on = {} }] of services) {
      for (const network of networks) expect(Object.keys(compose.networks), name).toContain(network);
      for (const volume of volumes) expect(Object.keys(compose.volumes), name).toContain(volume.split(":")[0]);
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const other = compose.services[needed];
        expect(other, `${name} needs ${needed}`).toBeDefined();
        if (condition === "service_healthy") expect(other!.healthcheck ?? other!.build, needed).toBeDefined();
      }
    }
    const outside = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(":").at(-2)));
    expect(new Set(outside).size).toBe(outside.length);
  });
});

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec: {
    selector: { matchLabels: Record<string, string> } & Record<string, string>;
    ports: { port: number; targetPort: string }[];
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        containers: {
          args: string[];
          ports: { name: string; containerPort: number }[];
          volumeMounts: { name: string; mountPath: string }[];
          [probe: string]: unknown;
        }[];
        volumes: { name: string }[];
      };
    };
  };
}

describe("the Kubernetes manifests", () => {
  const folder = "packaging/kubernetes";
  const files = readdirSync(join(root, folder));
  const manifests = files.flatMap((file) =>
    parseAllDocuments(read(`${folder}/${file}`)).map((document) => {
      expect(document.errors, file).toEqual([]);
      return document.toJS() as Manifest;
    }),
  );
  const ofKind = (kind: string) => manifests.filter((one) => one.kind === kind);
  const deployments = ofKind("Deployment");
  const env = { ...image, ...ofKind("ConfigMap")[0]!.data };
  const labels = (selected: Record<string, string>) => JSON.stringify(Object.entries(selected).toSorted());

  test("have each role somewhere, and options that exist", () => {
    const served = deployments.flatMap(({ spec }) => {
      const [command, ...args] = spec.template.spec.containers[0]!.args;
      expect(command).toBe("serve");
      expect(faultIn({ env, args })).toBeUndefined();
      return schema.roles.parse(args[args.indexOf("--roles") + 1]!) as string[];
    });
    expect(served.toSorted()).toEqual(roles);
  });

  test.each(deployments.map((one) => [one.metadata.name, one] as const))("%s fits together", (_, { spec }) => {
    const pod = spec.template;
    expect(labels(spec.selector.matchLabels)).toBe(labels(pod.metadata.labels));
    const [{ ports, volumeMounts, ...container }] = pod.spec.containers as [(typeof pod.spec.containers)[0]];
    const { args } = container as unknown as { args: string[] };
    const doorOf = (name: string) => [name, Number(args[args.indexOf(`--${name}`) + 1]?.split(":")[1])];
    const doors = Object.fromEntries(["submission", "submissions"].map(doorOf)) as Record<string, number>;
    const known: Record<string, number> = { http: httpPort, smtp: smtpPort, metrics: metricsPort, ...doors };
    for (const { name, containerPort } of ports) expect(containerPort, name).toBe(known[name]);
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      const { httpGet } = container[probe] as { httpGet: { path: string; port: string } };
      expect(httpGet.path).toMatch(/^\/(healthz|readyz)$/);
      expect(ports.map(({ name }) => name)).toContain(httpGet.port);
    }
    expect(volumeMounts.map(({ name }) => name).toSorted()).toEqual(
      pod.spec.volumes.map(({ name }) => name).toSorted(),
    );
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain(image.POSTHORN_DATA);
  });

  test("services and budgets select pods that there are, and ports that these have", () => {
    for (const { metadata, spec } of ofKind("Service")) {
      const pods = deployments.find((one) => labels(one.spec.selector.matchLabels) === labels(spec.selector));
      expect(pods, metadata.name).toBeDefined();
      const names = pods!.spec.template.spec.containers[0]!.ports.map(({ name }) => name);
      for (const { targetPort } of spec.ports) expect(names).toContain(targetPort);
    }
    const guarded = ofKind("PodDisruptionBudget").map(({ spec }) => labels(spec.selector.matchLabels));
    expect(guarded.toSorted()).toEqual(deployments.map(({ spec }) => labels(spec.selector.matchLabels)).toSorted());
  });
});

describe("the units of systemd", () => {
  const single = read("packaging/systemd/posthorn.service");
  const byRole = read("packaging/systemd/posthorn@.service");

  test.each([
    ["posthorn.service", single],
    ["posthorn@.service", byRole],
  ])("%s starts a file that there is, with options that exist", (_, unit) => {
    const command = new Map(settingsOf(unit, "Service")).get("ExecStart")!;
    const [node, main, serve, ...args] = command.split(" ");
    expect(node).toBe("/opt/posthorn/node_modules/.bin/node");
    expect(existsSync(join(root, main!.replace("/opt/posthorn/", "")))).toBe(true);
    expect(serve).toBe("serve");
    for (const role of roles) expect(faultIn({ args: args.map((arg) => (arg === "%i" ? role : arg)) })).toBeUndefined();
    const [name] = new Map(settingsOf(unit, "Service")).get("LoadCredential")!.split(":");
    expect(args[args.indexOf("--config") + 1]).toBe(`%d/${name}`);
    expect(args[args.indexOf("--data") + 1]).toBe("/var/lib/posthorn");
  });

  test("both are locked down alike", () => {
    const shared = (unit: string) =>
      settingsOf(unit, "Service").filter(([name]) => !["ExecStart", "EnvironmentFile"].includes(name));
    expect(shared(byRole)).toEqual(shared(single));
    expect(shared(single).length).toBeGreaterThan(20);
  });

  test.skipIf(spawnSync("systemd-analyze", ["--version"]).error)("systemd finds no fault in them", () => {
    const folder = mkdtempSync(join(tmpdir(), "posthorn-units-"));
    try {
      const units = { "posthorn.service": single, "posthorn@http.service": byRole };
      for (const [name, unit] of Object.entries(units)) {
        const runnable = unit.replaceAll("/opt/posthorn/node_modules/.bin/node", process.execPath);
        writeFileSync(join(folder, name), runnable);
      }
      const paths = Object.keys(units).map((name) => join(folder, name));
      const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths]);
      expect({ status, text: `${stdout}${stderr}` }).toEqual({ status: 0, text: "" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
