import type pg from "pg";

export interface DescribedColumn {
  name: string;
  type: string;
  /** Undefined for a computed column. */
  isNullable: boolean | undefined;
}

/** Asks Postgres to describe a statement, without running it. */
export interface Described {
  parameters: string[];
  columns: DescribedColumn[];
}

interface Field {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
}
/** Fields of pg that its types lack. */
interface Wire {
  parse(query: { name: string; text: string }): void;
  describe(what: { type: "S"; name: string }): void;
  sync(): void;
  once(event: "parameterDescription", told: (message: { dataTypeIDs: number[] }) => void): void;
}

export class Describer {
  readonly #client: pg.ClientBase;
  readonly #types: Map<number, string>;
  readonly #nullable: Map<string, boolean>;

  private constructor(client: pg.ClientBase, types: Map<number, string>, nullable: Map<string, boolean>) {
    this.#client = client;
    this.#types = types;
    this.#nullable = nullable;
  }

  static async of(client: pg.ClientBase): Promise<Describer> {
    const types = await client.query<{ oid: number; name: string }>("SELECT oid, typname AS name FROM pg_type");
    const columns = await client.query<{ key: string; nullable: boolean }>(
      "SELECT attrelid || '.' || attnum AS key, NOT attnotnull AS nullable FROM pg_attribute",
    );
    return new Describer(
      client,
      new Map(types.rows.map(({ oid, name }) => [Number(oid), name.replace(/^_(.*)/, "$1[]")])),
      new Map(columns.rows.map(({ key, nullable }) => [key, nullable])),
    );
  }

  async describe(text: string): Promise<Described> {
    const { parameters, fields } = await ask(this.#client, text);
    return {
      parameters: parameters.map((oid) => this.#types.get(oid) ?? String(oid)),
      columns: fields.map(({ name, dataTypeID, tableID, columnID }) => ({
        name,
        type: this.#types.get(dataTypeID) ?? String(dataTypeID),
        isNullable: this.#nullable.get(`${tableID}.${columnID}`),
      })),
    };
  }
}

function ask(client: pg.ClientBase, text: string): Promise<{ parameters: number[]; fields: Field[] }> {
  return new Promise((resolve, reject) => {
    let parameters: number[] = [];
    let fields: Field[] = [];
    client.query({
      submit(connection: Wire) {
        connection.once("parameterDescription", ({ dataTypeIDs }) => {
          parameters = dataTypeIDs;
        });
        connection.parse({ name: "", text });
        connection.describe({ type: "S", name: "" });
        connection.sync();
      },
      handleRowDescription: (message: { fields: Field[] }) => {
        fields = message.fields;
      },
      handleError: reject,
      handleReadyForQuery: () => resolve({ parameters, fields }),
    } as never);
  });
}
