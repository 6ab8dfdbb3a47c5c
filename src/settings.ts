/** What can be set, and how it is told: the table of `docs/configuration.md` and the flags of the commands are made of it. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Setting {
  readonly variable: string;
  /** Long flag without dashes; commander gives its value under the camel-cased name. */
  readonly flag: string;
  /** What the flag's value looks like. */
  readonly placeholder: string;
  readonly default: string;
  readonly description: string;
}

export const SETTINGS = [
  {
    variable: "DATABASE_URL",
    flag: "database-url",
    placeholder: "url",
    default: "from PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY",
    description: "PostgreSQL 15 or newer, as postgres://user:password@host:port/database?sslmode=verify-full",
  },
  {
    variable: "KUBECONFIG",
    flag: "kubeconfig",
    placeholder: "file",
    default: "the pod's service account",
    description: "kubeconfig of the cluster that holds the Fabrics; its current context is used",
  },
  {
    variable: "FABRIC_SYNC_NAMESPACES",
    flag: "namespaces",
    placeholder: "names",
    default: "all",
    description: "Namespaces whose Fabrics are served, separated by commas",
  },
  {
    variable: "FABRIC_SYNC_LISTEN",
    flag: "listen",
    placeholder: "address",
    default: ":8080",
    description: "Address of probes, metrics and webhooks, as host:port or :port; port 0 takes a free one",
  },
  {
    variable: "FABRIC_SYNC_CACHE_DIR",
    flag: "cache-dir",
    placeholder: "directory",
    default: "fabric-sync in XDG_CACHE_HOME or ~/.cache",
    description: "Bare Git repositories; may be deleted at any time, costs one fetch",
  },
  {
    variable: "FABRIC_SYNC_CACHE_BYTES",
    flag: "cache-bytes",
    placeholder: "bytes",
    default: "1073741824",
    description:
      "Most bytes of all bare repositories together; what no Fabric uses is removed first. Give the volume twice as much: packing a repository anew takes its room twice",
  },
  {
    variable: "LOG_LEVEL",
    flag: "log-level",
    placeholder: "level",
    default: "info",
    description: `One of ${LOG_LEVELS.join(", ")}; lines of JSON on standard error`,
  },
  {
    variable: "POD_NAMESPACE",
    flag: "pod-namespace",
    placeholder: "name",
    default: "of the pod's service account, else default",
    description: "Namespace of the leases",
  },
  {
    variable: "POD_NAME",
    flag: "pod-name",
    placeholder: "name",
    default: "host name and process id",
    description: "Holder's name in the leases; must differ between replicas",
  },
] as const satisfies readonly Setting[];

export type Variable = (typeof SETTINGS)[number]["variable"];
/** Values of flags by the variable that they replace. */
export type Flags = Readonly<Partial<Record<Variable, string>>>;
