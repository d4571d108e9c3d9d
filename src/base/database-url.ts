/** postgres://user:password@host:port,host:port/name?options: what is before the hosts, the hosts, what is after them. */
const form = /^([a-z]+:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/is;

/** One URL for each host that the URL names, in its order; they share everything else. */
export function eachHost(url: string): string[] {
  const [, before, hosts = "", after] = form.exec(url) ?? [];
  return before === undefined ? [url] : hosts.split(",").map((host) => `${before}${host}${after}`);
}

/** The same login, database and options at another host. */
export function atHost(url: string, host: string, port: number): string {
  const [, before = "", , after = ""] = form.exec(url) ?? [];
  const [path = "", query = ""] = after.split(/\?(.*)/s);
  // Options may name a host as well, which would win.
  const options = query.split("&").filter((option) => option !== "" && !/^(host|port|hostaddr)=/i.test(option));
  const name = host.includes(":") ? `[${host}]` : encodeURIComponent(host);
  return `${before}${name}:${port}${path}${options.length > 0 ? `?${options.join("&")}` : ""}`;
}
