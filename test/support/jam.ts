/** Types for the part of `jmap-jam` that the tests use: its own are TypeScript sources, which fail our strict settings. */
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
