import * as fc from "fast-check";
import { PassThrough } from "node:stream";
import { gathered } from "../../../src/sources/cluster/body.ts";
import { LineSplitter } from "../../../src/sources/cluster/lines.ts";

describe("LineSplitter", () => {
  test("gives the same lines however the bytes are cut", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.replaceAll("\n", "")));
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 200 })), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const splitter = new LineSplitter();
        const out = places.slice(1).flatMap((end, i) => [...splitter.push(bytes.subarray(places[i], end))]);
        expect(out).toEqual(lines.filter((line) => line !== ""));
        expect(splitter.held).toBe(0);
      }),
    );
  });

  test("puts a line of 4 MiB together", () => {
    const splitter = new LineSplitter();
    const line = "x".repeat(4 * 1024 * 1024);
    const bytes = Buffer.from(`${line}\n`);
    const out: string[] = [];
    for (let i = 0; i < bytes.length; i += 65_536) out.push(...splitter.push(bytes.subarray(i, i + 65_536)));
    expect(out).toEqual([line]);
  });

  test("knows of the line that never ended", () => {
    const splitter = new LineSplitter();
    expect([...splitter.push(Buffer.from('{"a":1}\n{"b'))]).toEqual(['{"a":1}']);
    expect(splitter.held).toBe(3);
  });

  test("refuses a line without end", () => {
    const splitter = new LineSplitter(10);
    expect(() => [...splitter.push(Buffer.from("12345678901"))]).toThrow(
      expect.objectContaining({ code: "LineTooLong" }),
    );
  });
});

describe("a body that is gathered", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const rest = async (pieces: AsyncGenerator<Buffer>, into: string[]) => {
    for await (const piece of pieces) into.push(String(piece));
  };

  test("is given in one piece as far as it has come, and ends where it ends", async () => {
    const body = new PassThrough();
    const out: string[] = [];
    const read = rest(gathered(body), out);
    for (const text of ["a", "b", "c"]) body.write(text);
    await turn();
    await turn();
    body.end("d");
    await read;
    expect(out.join("")).toBe("abcd");
    expect(out.length).toBeLessThan(4);
  });

  test("gives what came before it broke, and then why", async () => {
    const body = new PassThrough();
    const out: string[] = [];
    const read = rest(gathered(body), out);
    body.write("before");
    await turn();
    body.destroy(new Error("reset"));
    await expect(read).rejects.toThrow("reset");
    expect(out).toEqual(["before"]);
    const cut = new PassThrough();
    const closed = rest(gathered(cut), []);
    await turn();
    cut.destroy();
    await expect(closed).rejects.toThrow("closed before its end");
  });

  test("holds what it comes from while nobody takes it, and ends it when the reader leaves", async () => {
    const body = new PassThrough();
    const pieces = gathered(body);
    const first = pieces.next();
    body.write(Buffer.alloc(70_000));
    expect((await first).value).toHaveLength(70_000);
    while (!body.isPaused()) {
      body.write(Buffer.alloc(10_000));
      await turn();
    }
    expect((await pieces.next()).value?.length).toBeGreaterThanOrEqual(65_536);
    expect(body.isPaused()).toBe(false);
    await pieces.return();
    expect(body.destroyed).toBe(true);
  });
});
