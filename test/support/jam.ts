/** What the tests use of the npm client `jmap-jam`; its own types bring TypeScript sources that strict settings refuse. */
export interface Jam {
  getPrimaryAccount(): Promise<string>;
  api: {
    Email: {
      query(args: object): Promise<[{ ids: string[] }]>;
      get(args: object): Promise<[{ list: object[] }]>;
    };
  };
}
type JamConstructor = new (options: { bearerToken: string; sessionUrl: string }) => Jam;

const name: string = "jmap-jam";

export async function createJam(options: { bearerToken: string; sessionUrl: string }): Promise<Jam> {
  const module = (await import(name)) as { default: JamConstructor };
  return new module.default(options);
}
