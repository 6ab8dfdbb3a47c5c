import type { Metrics } from "./metrics.ts";
import { livenessChecks, probeAnswer, readinessChecks } from "./health.ts";
import type { ReadinessFacts } from "./health.ts";
import type { LoopReport } from "./loops.ts";
import type { Route } from "./routes.ts";

export interface ProbeSources {
  loops(): readonly LoopReport[];
  readiness(): Promise<ReadinessFacts>;
  readonly metrics: Pick<Metrics, "registry">;
}

/** `/livez`, `/readyz` and `/metrics`. */
export function probeRoutes(sources: ProbeSources): Route[] {
  return [
    {
      method: "GET",
      pattern: "/livez",
      handle: async () => probeAnswer(livenessChecks(sources.loops())),
    },
    {
      method: "GET",
      pattern: "/readyz",
      handle: async () => probeAnswer(readinessChecks(await sources.readiness())),
    },
    {
      method: "GET",
      pattern: "/metrics",
      handle: async () => ({
        status: 200,
        contentType: sources.metrics.registry.contentType,
        body: await sources.metrics.registry.metrics(),
      }),
    },
  ];
}
