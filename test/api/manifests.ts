import type { JsonObject } from "../../src/core/json.ts";

/** A spec, and what the API server says to it: null = it is taken, else a part of the refusal. */
export type ManifestCase = readonly [name: string, spec: JsonObject | null, refusal: string | null];

const url = "https://git.example.com/org/fabric.git";
const git = (changes: JsonObject = {}): JsonObject => ({ git: { url, ...changes } });
const volatile = (path: string): JsonObject => ({ cluster: { volatilePaths: [{ paths: [path] }] } });
const resources = (changes: JsonObject): JsonObject => ({
  resources: [{ group: "a.example", kinds: ["*"], ...changes }],
});

export const CASES: readonly ManifestCase[] = [
  // as a whole
  ["an empty spec", {}, null],
  ["no spec", null, "spec: Required value"],
  ["a word that does not exist", { deletionPolicy: "Keep" }, 'supported values: "Delete", "Retain"'],
  ["a direction that does not exist yet", { direction: "GitToCluster" }, 'supported values: "Observe"'],
  ["a flag in quotes", { suspend: "true" }, "must be of type boolean"],
  [
    "a webhook without Git",
    { webhook: { type: "github", secretRef: { name: "hook" } } },
    "webhook needs git: add spec.git",
  ],
  ["a webhook with Git", { ...git(), webhook: { type: "github", secretRef: { name: "hook" } } }, null],
  [
    "a webhook of an unknown provider",
    { ...git(), webhook: { type: "svnhub", secretRef: { name: "h" } } },
    "Unsupported value",
  ],
  [
    "an age of what a sender signs",
    { ...git(), webhook: { type: "generic-hmac", secretRef: { name: "h" }, maxAge: "2m" } },
    null,
  ],
  [
    "an age of what nobody signs",
    { ...git(), webhook: { type: "github", secretRef: { name: "h" }, maxAge: "2m" } },
    "maxAge is for standard-webhooks and generic-hmac",
  ],
  [
    "an age without end",
    { ...git(), webhook: { type: "standard-webhooks", secretRef: { name: "h" }, maxAge: "24h" } },
    "maxAge must be a duration between 10s and 1h",
  ],
  ["a webhook without a secret", { ...git(), webhook: { type: "github" } }, "secretRef: Required value"],
  ["a ServiceAccount", { serviceAccountName: "reader" }, null],
  [
    "a ServiceAccount with its namespace",
    { serviceAccountName: "dc1/reader" },
    "must be the name of a ServiceAccount in the Fabric's namespace",
  ],
  ["another cluster", { cluster: { kubeConfig: { secretRef: { name: "dc1" } } } }, null],
  [
    "a kubeconfig key that no Secret can have",
    { cluster: { kubeConfig: { secretRef: { name: "a", key: "a/b" } } } },
    "must be a key of the Secret's data",
  ],
  [
    "volatile paths of one's own kinds",
    {
      cluster: {
        volatilePaths: [
          {
            target: { group: "example.com", kind: "Widget" },
            paths: ["/status/beat", "/spec/ports/*/count", "/data/a~1b"],
          },
          { paths: ["/metadata/annotations/example.com~1seen-at"] },
          { target: { group: "agent.githedgehog.com" }, paths: ["/status/lastAppliedTime"], volatile: false },
        ],
      },
    },
    null,
  ],
  ["a volatile path that is no pointer", volatile("status.beat"), "a path is a JSON pointer"],
  ["a volatile path with an empty segment", volatile("/status//beat"), "a path is a JSON pointer"],
  ["a volatile path with a bare tilde", volatile("/status/a~b"), "a path is a JSON pointer"],
  ["a volatile path of the identity", volatile("/metadata/name"), "only one label or annotation can be named"],
  ["all labels as a volatile path", volatile("/metadata/labels"), "only one label or annotation can be named"],
  ["the kind as a volatile path", volatile("/kind"), "only one label or annotation can be named"],
  ["retention", { retention: { history: "36h", tombstones: "7d" } }, null],
  ["retention in months", { retention: { history: "3mo" } }, "like 36h or 90d"],
  ["no retention", { retention: { tombstones: "0d" } }, "like 36h or 90d"],

  // git.url
  ["https", git(), null],
  ["ssh", git({ url: "ssh://git@git.example.com/org/fabric.git" }), null],
  ["ssh with a port", git({ url: "ssh://git@git.example.com:2222/org/fabric.git" }), null],
  ["https by address", git({ url: "https://[2001:db8::1]:8443/fabric.git" }), null],
  ["Git without a URL", { git: {} }, "git.url: Required value"],
  ["http", git({ url: "http://git.example.com/a.git" }), "url must begin with https:// or ssh://"],
  [
    "scp's way of writing",
    git({ url: "git@git.example.com:org/fabric.git" }),
    "is written ssh://git@host/org/repo.git",
  ],
  ["a path on the machine", git({ url: "file:///etc" }), "url must begin with https:// or ssh://"],
  ["a transport helper", git({ url: "ext::sh -c id" }), "url must begin with https:// or ssh://"],
  ["a token in the URL", git({ url: "https://token@git.example.com/a.git" }), "url must not hold credentials"],
  ["a password in an ssh URL", git({ url: "ssh://git:pw@git.example.com/a.git" }), "url must not hold credentials"],
  ["a token in the query", git({ url: "https://git.example.com/a.git?token=x" }), "url must not hold a query"],
  ["a host that is an option", git({ url: "ssh://-oProxyCommand=id/a.git" }), "url must name a host and a path"],
  [
    "a user and a host that is an option",
    git({ url: "ssh://git@-oProxyCommand=id/a.git" }),
    "url must name a host and a path",
  ],
  ["no path", git({ url: "https://git.example.com" }), "url must name a host and a path"],
  ["a space", git({ url: "https://git.example.com/my fabric" }), "url must name a host and a path and hold no spaces"],
  ["a line break", git({ url: "https://git.example.com/a\nb" }), "hold no spaces"],

  // git.ref
  ["a branch", git({ ref: { branch: "release/1.2" } }), null],
  ["a tag", git({ ref: { tag: "v1.2.0" } }), null],
  ["a range", git({ ref: { semver: ">=1.2.0 <2.0.0 || 3.x" } }), null],
  ["a name", git({ ref: { name: "refs/pull/7/head" } }), null],
  ["a commit", git({ ref: { commit: "0123456789abcdef0123456789abcdef01234567" } }), null],
  ["two at once", git({ ref: { branch: "main", tag: "v1" } }), "exactly one of branch, tag, semver, name, commit"],
  ["none", git({ ref: {} }), "exactly one of branch, tag, semver, name, commit"],
  ["a branch with refs/heads/", git({ ref: { branch: "refs/heads/main" } }), "without refs/heads/"],
  ["a branch that is an option", git({ ref: { branch: "--upload-pack=id" } }), "branch must be a branch name"],
  ["a branch with dots", git({ ref: { branch: "a..b" } }), "branch must be a branch name"],
  ["a tag with a space", git({ ref: { tag: "v 1" } }), "tag must be a tag name"],
  ["a short name", git({ ref: { name: "main" } }), "must be a full reference that begins with refs/"],
  ["a short commit", git({ ref: { commit: "0123456" } }), "commit must be a whole commit id"],
  ["a range in words", git({ ref: { semver: "latest!" } }), "semver must be a version range"],

  // git.path and files
  ["a folder", git({ path: "fabrics/dc1" }), null],
  ["an absolute path", git({ path: "/fabrics" }), "path must be relative"],
  ["a path that leads out", git({ path: "fabrics/../../etc" }), "without '..'"],
  ["a path that is an option", git({ path: "--output=x" }), "path must be relative"],
  ["a path with backslashes", git({ path: "fabrics\\dc1" }), "with '/' between folders"],
  ["an empty path", git({ path: "" }), "path must be relative"],
  ["globs", git({ include: ["**/*.yaml"], exclude: ["drafts/**"] }), null],
  ["an absolute glob", git({ include: ["/**/*.yaml"] }), "a glob is relative to path"],
  ["an empty glob", git({ exclude: [""] }), "a glob is relative to path and not empty"],

  // git's times and limits
  ["an interval of two parts", git({ interval: "1h30m" }), null],
  ["an interval without unit", git({ interval: "300" }), "interval must be a duration between 15s and 24h"],
  ["an interval in days", git({ interval: "1d" }), "interval must be a duration between 15s and 24h"],
  ["too short an interval", git({ interval: "1s" }), "interval must be a duration between 15s and 24h"],
  ["too long an interval", git({ interval: "25h" }), "interval must be a duration between 15s and 24h"],
  ["an interval as a number", git({ interval: 300 }), "must be of type string"],
  ["too long a timeout", git({ timeout: "11m" }), "timeout must be a duration between 1s and 10m"],
  ["a limit", git({ limits: { maxFiles: 10 } }), null],
  ["a limit of nothing", git({ limits: { maxFiles: 0 } }), "should be greater than or equal to 1"],
  ["leave to empty", git({ allowEmptying: true }), null],
  ["signed commits", git({ verify: { secretRef: { name: "keys" } } }), null],
  ["signed tags", git({ ref: { semver: "1.x" }, verify: { mode: "TagAndHEAD", secretRef: { name: "keys" } } }), null],
  [
    "signed tags of a branch",
    git({ verify: { mode: "Tag", secretRef: { name: "keys" } } }),
    "verify.mode Tag and TagAndHEAD need a tag",
  ],
  ["signatures without keys", git({ verify: { mode: "HEAD" } }), "verify.secretRef: Required value"],
  ["a bound of what a fetch brings", git({ limits: { maxTransferBytes: 4_294_967_296 } }), null],
  [
    "a bound that nothing passes",
    git({ limits: { maxTransferBytes: 1 } }),
    "should be greater than or equal to 1048576",
  ],

  // resources
  ["a group with a suffix", resources({ group: "*.githedgehog.com" }), null],
  ["the core group", resources({ group: "", kinds: ["ConfigMap"] }), null],
  ["every group", resources({ group: "*" }), null],
  ["a group with its version", resources({ group: "wiring.githedgehog.com/v1beta1" }), "without its version"],
  ["a star in the middle", resources({ group: "a.*.example" }), "must be an API group"],
  ["no selection", { resources: [] }, "should have at least 1 items"],
  ["no kinds", resources({ kinds: [] }), "should have at least 1 items"],
  ["a plural for a kind", resources({ kinds: ["switches"] }), "a kind is written as in the object's kind field"],
  ["a version", resources({ version: "v1beta1" }), null],
  ["a version with its group", resources({ version: "a.example/v1" }), "version must be an API version"],
  ["namespaces", resources({ namespaces: ["default", "dc1"] }), null],
  ["a star for a namespace", resources({ namespaces: ["*"] }), "a namespace is named with lower case letters"],
  ["a selector", resources({ labelSelector: "role=leaf,site in (dc1, dc2)" }), null],

  // drift
  ["drift disabled", { drift: { mode: "Disabled", extra: "Report" } }, null],
  ["drift by the API server", { drift: { mode: "ServerSide" } }, null],
  ["a mode that does not exist", { drift: { mode: "Remote" } }, 'supported values: "Disabled", "Local", "ServerSide"'],
  [
    "an ignore rule",
    {
      drift: {
        ignore: [{ target: { kind: "Switch", matchLabels: { a: "b" } }, paths: ["/spec/x/*"], managers: ["hpa"] }],
      },
    },
    null,
  ],
  ["an ignore rule for nothing", { drift: { ignore: [{ target: { kind: "Switch" } }] } }, "paths: Required value"],
  [
    "a path with dots",
    { drift: { ignore: [{ paths: ["spec.replicas"] }] } },
    "a path is a JSON pointer that begins with '/'",
  ],
];
