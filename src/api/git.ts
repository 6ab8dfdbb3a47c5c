import { z } from "zod";
import { durationBetween } from "./duration.ts";
import { secretReference } from "./references.ts";
import { described, matches, matchesNot } from "./schema.ts";
import type { Rule } from "./schema.ts";

const url = described(
  z.string().max(2048),
  "Address of the repository: https://host/org/repo.git or ssh://git@host/org/repo.git. It holds no credentials; those come from secretRef.",
  [
    matches(
      /^(https|ssh):\/\//,
      "url must begin with https:// or ssh://; git@host:org/repo.git is written ssh://git@host/org/repo.git",
    ),
    matchesNot(
      /^(https:\/\/[^\/]*@|ssh:\/\/[^\/@]*:[^\/]*@)/,
      "url must not hold credentials; put them into a Secret and name it in secretRef",
    ),
    matchesNot(
      /[?#]/,
      "url must not hold a query or a fragment; credentials belong into a Secret that secretRef names",
    ),
    // Judged only once the scheme is right, so that one mistake gets one sentence. ssh would read a host that begins with '-'
    // as an option.
    {
      cel: "!self.matches('^(https|ssh)://') || self.matches('^(https|ssh)://([^/@\\\\s]+@)?[a-zA-Z0-9\\\\[][^/@\\\\s]*/[^\\\\s]+$')",
      holds: (value) =>
        !/^(https|ssh):\/\//.test(value) || /^(https|ssh):\/\/([^/@\s]+@)?[a-zA-Z0-9[][^/@\s]*\/[^\s]+$/.test(value),
      message: "url must name a host and a path and hold no spaces, like https://git.example.com/org/fabric.git",
    },
  ],
);

const notADottedPath: Pick<Rule<string>, "cel" | "holds"> = {
  cel: "!self.contains('..') && !self.contains('//') && !self.endsWith('/') && !self.endsWith('.') && !self.endsWith('.lock')",
  holds: (value) => !/\.\.|\/\/|[\/.]$|\.lock$/.test(value),
};

function refName(word: "branch" | "tag", folder: string) {
  const message = `${word} must be a ${word} name as git allows it, like ${word === "branch" ? "main or release/1.2" : "v1.2.0"}, without ${folder}`;
  const shape = /^[A-Za-z0-9_][A-Za-z0-9._\/+-]*$/;
  return [
    {
      cel: `self.matches('^[A-Za-z0-9_][A-Za-z0-9._/+-]*$') && !self.startsWith('refs/') && ${notADottedPath.cel}`,
      holds: (value: string) => shape.test(value) && !value.startsWith("refs/") && notADottedPath.holds(value),
      message,
    },
  ];
}

const REF_WAYS = ["branch", "tag", "semver", "name", "commit"] as const;

const ref = described(
  z.object({
    branch: described(
      z.string().max(255),
      "Follow the head of this branch.",
      refName("branch", "refs/heads/"),
    ).optional(),
    tag: described(
      z.string().max(255),
      "Take this tag, and what it is moved to.",
      refName("tag", "refs/tags/"),
    ).optional(),
    semver: described(
      z.string().max(128),
      'Take the tag with the highest version in this range, like ">=1.2.0 <2.0.0". Pre-releases only where the range names one.',
      [matches(/^[-0-9A-Za-z.+*xX<>=~^| ]+$/, 'semver must be a version range, like "1.x" or ">=1.2.0 <2.0.0"')],
    ).optional(),
    name: described(z.string().max(255), "Follow this full reference, like refs/heads/main or refs/pull/7/head.", [
      {
        cel: `self.matches('^refs/[A-Za-z0-9._/+-]+$') && ${notADottedPath.cel}`,
        holds: (value) => /^refs\/[A-Za-z0-9._/+-]+$/.test(value) && notADottedPath.holds(value),
        message: "name must be a full reference that begins with refs/, like refs/heads/main",
      },
    ]).optional(),
    commit: described(z.string().max(64), "Stay at this commit, named by its whole id (40 or 64 hex digits).", [
      matches(/^([0-9a-f]{40}|[0-9a-f]{64})$/, "commit must be a whole commit id: 40 or 64 lower case hex digits"),
    ]).optional(),
  }),
  "Which revision is desired: exactly one of branch, tag, semver, name, commit.",
  [
    {
      cel: `[${REF_WAYS.map((way) => `has(self.${way})`).join(", ")}].filter(x, x).size() == 1`,
      holds: (value) => REF_WAYS.filter((way) => value[way] !== undefined).length === 1,
      message: "ref must hold exactly one of branch, tag, semver, name, commit",
    },
  ],
);

const path = described(
  z.string().max(1024),
  "Folder in the repository whose YAML is desired, with all folders below it. '.' is the whole repository.",
  [
    {
      cel: "self != '' && !self.startsWith('/') && !self.startsWith('-') && !self.startsWith(':') && !self.contains('\\\\') && !self.split('/').exists(s, s == '..')",
      holds: (value) => value !== "" && !/^[/:-]|\\/.test(value) && !value.split("/").includes(".."),
      message:
        "path must be relative to the root of the repository, with '/' between folders and without '..', like fabrics/dc1",
    },
  ],
);

function globs(description: string) {
  return described(
    z
      .array(
        described(z.string().max(256), "A glob over paths relative to path: * within a folder, ** across folders.", [
          matches(/^[^\/].*$/, "a glob is relative to path and not empty, like **/*.yaml"),
        ]),
      )
      .max(32),
    description,
    [],
    { listType: "atomic" },
  );
}

const limits = described(
  z.object({
    maxFiles: described(z.int().min(1).max(200_000), "Most files that are read.").default(20_000),
    maxFileBytes: described(z.int().min(1024).max(16_777_216), "Largest file that is read, in bytes.").default(
      1_048_576,
    ),
    maxTotalBytes: described(
      z.int().min(1024).max(1_073_741_824),
      "Most bytes of all files that are read, together.",
    ).default(67_108_864),
    maxTransferBytes: described(
      z.int().min(1_048_576).max(4_294_967_296),
      "Most bytes that one fetch may bring. What exceeds them is ended and thrown away, and not fetched again before the reference moves. Files of more than 16 MiB do not count where the Git server can leave them out.",
      [],
      { format: "int64" },
    ).default(268_435_456),
    maxDocuments: described(z.int().min(1).max(500_000), "Most YAML documents in all files together.").default(50_000),
  }),
  "Bounds that are checked before memory is spent. What exceeds them is refused and named in the GitReady condition; what was taken in before stays.",
);

const VERIFY_MODES = ["HEAD", "Tag", "TagAndHEAD"] as const;

const verify = described(
  z.object({
    mode: described(
      z.enum(VERIFY_MODES),
      "What must be signed: HEAD, the commit itself; Tag, the annotated tag that ref names; TagAndHEAD, both.",
    ).default("HEAD"),
    secretRef: secretReference(
      "Secret in the Fabric's namespace with the public keys of those who may sign. allowed_signers holds lines as ssh-keygen reads them, revoked_keys ssh keys that count no more; any other key holds an armored OpenPGP public key, or ssh public keys, one a line. It is read at each poll, so keys may rotate at any time.",
    ),
  }),
  "Takes only revisions that somebody signed whom the Secret names, with ssh or OpenPGP. Any other is not taken in: the rows stay, and GitReady says which commit or tag it was, and whose signature.",
);

/** Where desired state comes from. */
export const gitSpec = described(
  z.object({
    url,
    secretRef: secretReference(
      "Secret in the Fabric's namespace with the credentials. For https: username and password (or a token as password), or bearerToken, or the GitHub App's githubAppID, githubAppInstallationID and githubAppPrivateKey (and githubAppBaseURL for a server of one's own); ca.crt for a private authority. For ssh, always: identity (a private key without passphrase) and known_hosts (the server's host keys). It is read each time it is needed, so it may rotate at any time.",
    ).optional(),
    ref: ref.default({ branch: "main" }),
    path: path.default("."),
    include: globs(
      "Which files below path are read: by default those that kubectl apply -R reads. A .json file without the word apiVersion is another program's and is passed over.",
    ).default(["**/*.yaml", "**/*.yml", "**/*.json"]),
    exclude: globs("Which of the included files are left out.").optional(),
    interval: described(
      z.string().max(32),
      "How often the repository is asked for news. A webhook makes it sooner, never less often.",
      [durationBetween("interval", "15s", "24h", "5m or 1h30m")],
    ).default("5m"),
    timeout: described(z.string().max(32), "How long one exchange with the Git server may take.", [
      durationBetween("timeout", "1s", "10m", "60s"),
    ]).default("60s"),
    verify: verify.optional(),
    limits: limits.prefault({}),
    allowEmptying: described(
      z.boolean(),
      "Whether one revision may take away all objects that Git declared before, or 10 and more that are more than half of them: for instance an emptied or renamed folder. Without this word such a revision is not taken in, the rows stay, and GitReady says so.",
    ).default(false),
  }),
  "Where desired state comes from. Without it the Fabric mirrors the cluster alone.",
  [
    {
      cel: "!has(self.verify) || self.verify.mode == 'HEAD' || has(self.ref.tag) || has(self.ref.semver) || (has(self.ref.name) && self.ref.name.startsWith('refs/tags/'))",
      holds: ({ verify: asked, ref: { tag, semver, name } }) =>
        asked === undefined ||
        asked.mode === "HEAD" ||
        tag !== undefined ||
        semver !== undefined ||
        (name?.startsWith("refs/tags/") ?? false),
      message:
        "verify.mode Tag and TagAndHEAD need a tag: ref.tag, ref.semver, or a ref.name that begins with refs/tags/",
    },
  ],
);

export type GitSpec = z.output<typeof gitSpec>;
