import { quote, readable, Wrong } from "./config-value.ts";

/** libpq's modes but `allow`, which has no counterpart here, and the driver's own `no-verify`. */
const TLS_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

/** What libpq reads from variables, and the URL parameter of the same meaning. */
const TLS_PARTS = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/**
 * A checked postgres:// URL. Messages never hold any part of it.
 * @throws Wrong
 */
export function databaseUrl(text: string): string {
  const right = "give postgres://user:password@host:port/database";
  if (!/^postgres(ql)?:\/\//.test(text)) throw new Wrong(`does not begin with postgres://; ${right}`);
  // The host may be missing (a socket, or ?host=), which the URL parser refuses after a user.
  const url = URL.parse(text.replace(/^postgres(ql)?:\/\/([^/?#]*@)?(?=[/?#]|$)/, "$&localhost"));
  if (!url) throw new Wrong(`is not a URL (special characters of a password are percent-encoded); ${right}`);
  return withTls(text, url);
}

/**
 * The URL that libpq's variables describe: undefined when none of them says where to go. `problems` names each variable
 * whose value is wrong.
 */
export function databaseUrlOfParts(given: (name: string) => string | undefined): {
  url: string | undefined;
  problems: { name: string; problem: string }[];
} {
  const host = given("PGHOST") ?? given("PGHOSTADDR");
  if (host === undefined && given("PGDATABASE") === undefined) return { url: undefined, problems: [] };
  const problems: { name: string; problem: string }[] = [];
  const port = given("PGPORT") ?? "5432";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    problems.push({ name: "PGPORT", problem: `${quote(port)} is not a port; give a number such as 5432` });
  }
  const part = (name: string): string => encodeURIComponent(given(name) ?? "");
  const password = given("PGPASSWORD") === undefined ? "" : `:${part("PGPASSWORD")}`;
  const user = given("PGUSER") === undefined ? "" : `${part("PGUSER")}${password}@`;
  const query = new URLSearchParams({ host: host ?? "localhost", port });
  for (const name of TLS_PARTS) {
    const value = given(`PG${name.toUpperCase()}`);
    if (value !== undefined) query.set(name, value);
  }
  try {
    return { url: databaseUrl(`postgres://${user}/${part("PGDATABASE")}?${query}`), problems };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { url: undefined, problems: [...problems, { name: "PGSSLMODE", problem: error.message }] };
  }
}

/** Checks the TLS parameters. `sslmode` means what it means to psql: the driver reads `require` as `verify-full` unless told. */
function withTls(text: string, url: URL): string {
  const mode = url.searchParams.get("sslmode");
  if (mode !== null && !TLS_MODES.includes(mode)) {
    throw new Wrong(`sslmode ${quote(mode)} is not one of ${TLS_MODES.slice(0, -1).join(", ")}`);
  }
  for (const file of TLS_PARTS.slice(1)) {
    const path = url.searchParams.get(file);
    if (path !== null) readable(path, `${file} `);
  }
  if (mode === "verify-ca" && !url.searchParams.has("sslrootcert")) {
    throw new Wrong("sslmode verify-ca needs sslrootcert, the file of the CA; or give verify-full");
  }
  const told = mode === null || mode === "no-verify" || url.searchParams.has("uselibpqcompat");
  return told ? text : `${text}&uselibpqcompat=true`;
}
