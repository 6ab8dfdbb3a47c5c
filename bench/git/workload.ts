import type { TestRepository } from "../../test/support/git-server.ts";

/** Files in a folder; a repository of fabrics is laid out by site and rack. */
const FILES_PER_FOLDER = 100;

/** A manifest of some 700 bytes, one document a file, as configuration repositories hold them. */
export function manifest(index: number, generation: number): string {
  const lines = Array.from(
    { length: 12 },
    (_, port) => `    E1/${port + 1}: {speed: "100G", mtu: ${9000 + (generation % 200)}}`,
  );
  return `# switch ${index}
apiVersion: wiring.example.net/v1
kind: Port
metadata:
  name: leaf-${index}
  namespace: fabric
  labels: {site: dc-${index % 4}, generation: "${generation}"}
spec:
  description: "leaf ${index} in rack ${Math.floor(index / 40)}"
  ports:
${lines.join("\n")}
`;
}

export function pathOf(index: number): string {
  return `site-${Math.floor(index / FILES_PER_FOLDER)}/leaf-${index}.yaml`;
}

/** Pushes `count` files in one commit. */
export async function fill(repository: TestRepository, count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, index) => [pathOf(index), manifest(index, 0)] as const);
  return repository.push(Object.fromEntries(files), "Begin");
}

/** Pushes a change of three files. */
export async function change(repository: TestRepository, count: number, generation: number): Promise<string> {
  const indices = [0, 1, 2].map((step) => (generation * 7 + step * 1_009) % count);
  const files = indices.map((index) => [pathOf(index), manifest(index, generation)] as const);
  return repository.push(Object.fromEntries(files), `Generation ${generation}`);
}
