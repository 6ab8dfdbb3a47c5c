import type pg from "pg";

/** The parts of pg's wire connection that COPY needs; its published types leave them out. */
interface WireConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** `COPY … FROM STDIN` in text format, for the baseline that stands for the practical limit. */
export function copyIn(client: pg.PoolClient, statement: string, lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const submittable = {
      submit: (connection: WireConnection) => connection.query(statement),
      handleCopyInResponse(connection: WireConnection) {
        connection.sendCopyFromChunk(Buffer.from(lines));
        connection.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleError: (error: Error) => {
        failure = error;
        reject(error);
      },
      handleReadyForQuery: () => {
        if (failure === null) resolve();
      },
    };
    client.query(submittable as unknown as pg.Submittable);
  });
}

/** One value in COPY's text format. */
export function copyText(value: unknown): string {
  if (value === null) return "\\N";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}
