/**
 * The closed word lists of the model. The zod types, the CHECK constraints and the metrics labels are made from these arrays;
 * a test compares them with the catalogue. A column's default is the member named in its comment.
 */

/** Default `pending`. See the drawing in `reduce.ts`. */
export const RESOURCE_STATES = [
  "pending",
  "committed",
  "synced",
  "drifted",
  "orphaned",
  "terminating",
  "deleted",
  "external",
] as const;
export type ResourceState = (typeof RESOURCE_STATES)[number];

/** Default `unknown`. */
export const DRIFT_STATUSES = ["unknown", "in_sync", "drifted", "missing", "extra", "untracked", "invalid"] as const;
export type DriftStatus = (typeof DRIFT_STATUSES)[number];

/** Default `none`. */
export const DRIFT_SEVERITIES = ["none", "low", "medium", "high", "critical"] as const;
export type DriftSeverity = (typeof DRIFT_SEVERITIES)[number];

/** Default `observe`: nothing but Postgres is written. */
export const SYNC_DIRECTIONS = ["observe", "git_to_cluster", "cluster_to_git", "bidirectional"] as const;
export type SyncDirection = (typeof SYNC_DIRECTIONS)[number];

/** Default `none`. */
export const CONFLICT_STATUSES = ["none", "detected", "resolved"] as const;
export type ConflictStatus = (typeof CONFLICT_STATUSES)[number];

/**
 * How a row came to be written last. `watch` and `list` are the cluster's streams, `git_poll` and `git_webhook` what made us look at Git, in `run` and in
 * `sync --once` alike; `cli` is what a command writes of its own (`db selftest`), `import` rows that a tool loads by the builder; `repair` a row that was
 * judged anew under another policy. Default `repair`: a row made by hand.
 */
export const WRITE_PATHS = ["watch", "list", "git_poll", "git_webhook", "cli", "import", "repair"] as const;
export type WritePath = (typeof WRITE_PATHS)[number];

/** The two sides of a resource; each has its own columns and one writer. */
export const SIDES = ["desired", "actual"] as const;
export type Side = (typeof SIDES)[number];

/** What happened to one side of one resource. `reclassified`: nothing but our own judgement (policy, state) changed. */
export const EVENT_TYPES = ["added", "modified", "deleted", "recreated", "reclassified"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** How a run ended; derived from its counters, never set by hand (invariant 15). */
export const RUN_RESULTS = ["running", "succeeded", "partial", "failed"] as const;
export type RunResult = (typeof RUN_RESULTS)[number];

/** Whose webhooks are understood; each has its file in `http/webhooks`, and the Fabric's `webhook.type` names one. */
export const WEBHOOK_PROVIDERS = [
  "github",
  "gitlab",
  "gitea",
  "forgejo",
  "bitbucket",
  "bitbucket-server",
  "azure-devops",
  "generic-hmac",
  "standard-webhooks",
] as const;
export type WebhookProvider = (typeof WEBHOOK_PROVIDERS)[number];

/** Where observations come from; each stream of each has its cursor. */
export const SOURCES = ["cluster", "git"] as const;
export type Source = (typeof SOURCES)[number];

/** Administrative and operational status of an interface, as in RFC 8343. Default `unknown`. */
export const LINK_STATUSES = ["unknown", "up", "down"] as const;
export type LinkStatus = (typeof LINK_STATUSES)[number];

/** How a device learnt a route. Default `unknown`. */
export const ROUTE_PROTOCOLS = ["unknown", "connected", "static", "ospf", "bgp"] as const;
export type RouteProtocol = (typeof ROUTE_PROTOCOLS)[number];

/** How a device learnt of its neighbour. Default `unknown`. */
export const NEIGHBOR_PROTOCOLS = ["unknown", "lldp", "cdp"] as const;
export type NeighborProtocol = (typeof NEIGHBOR_PROTOCOLS)[number];

/** Whether an ARP, ND or MAC table entry was learnt or configured. Default `unknown`. */
export const ENTRY_ORIGINS = ["unknown", "dynamic", "static"] as const;
export type EntryOrigin = (typeof ENTRY_ORIGINS)[number];

/** States of the BGP finite state machine (RFC 4271, 8.2.2). Default `unknown`. */
export const BGP_STATES = ["unknown", "idle", "connect", "active", "open_sent", "open_confirm", "established"] as const;
export type BgpState = (typeof BGP_STATES)[number];

/** States of a BFD session (RFC 5880, 4.1). Default `unknown`: none is told of. */
export const BFD_STATES = ["unknown", "admin_down", "down", "init", "up"] as const;
export type BfdState = (typeof BFD_STATES)[number];

/** What a comparison of declared and observed cabling says of one link. Default `unknown`. */
export const LINK_VERDICTS = [
  "unknown",
  "match",
  "missing",
  "wrong_device",
  "wrong_port",
  "one_sided",
  "unexpected",
  "down",
  "ambiguous",
] as const;
export type LinkVerdict = (typeof LINK_VERDICTS)[number];

/** What an observed link rests on. Default `none`: declared only. */
export const LINK_EVIDENCE = ["none", "both_ends", "one_end", "name_only", "address_only"] as const;
export type LinkEvidence = (typeof LINK_EVIDENCE)[number];
