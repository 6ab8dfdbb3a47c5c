import type { JsonValue } from "../../src/core/json.ts";
import { redact, REDACTED, redactText } from "../../src/core/redact.ts";
import { isSensitiveName } from "../../src/core/sensitive.ts";

describe("a field's name", () => {
  it.each([
    "password",
    "adminPassword",
    "ADMIN_PASSWORD",
    "passwd",
    "token",
    "bearerToken",
    "joinToken",
    "example.com/api-token",
    "clientSecret",
    "secret",
    "apiKey",
    "api_key",
    "AWS_SECRET_ACCESS_KEY",
    "privateKey",
    "sshKeys",
    "authorizedKeys",
    "certPEM",
    "caPEM",
    "tls.key",
    "credentials",
    ".dockerconfigjson",
    "passwordHash",
    "password2",
    "snmpCommunity",
    "psk",
  ])("%s says that the value is secret", (name) => {
    expect(isSensitiveName(name)).toBe(true);
  });

  it.each([
    "secretName",
    "secretRef",
    "secretKeyRef",
    "passwordFile",
    "tokenTTL",
    "tokenExpirationSeconds",
    "serviceAccountToken",
    "automountServiceAccountToken",
    "imagePullSecrets",
    "publicKey",
    "key",
    "inboundCommunity",
    "baseVPCCommunity",
    "authMode",
    "item",
    "author",
    "keyboard",
  ])("%s does not", (name) => {
    expect(isSensitiveName(name)).toBe(false);
  });
});

describe("redact", () => {
  const cases: readonly (readonly [string, JsonValue, JsonValue])[] = [
    ["texts", { password: "hunter2" }, { password: REDACTED }],
    ["numbers", { password: 1234 }, { password: REDACTED }],
    [
      "lists",
      { users: [{ name: "op", sshKeys: ["ssh-ed25519 AAAA"] }] },
      { users: [{ name: "op", sshKeys: [REDACTED] }] },
    ],
    ["objects", { token: { value: "abc", enabled: true } }, { token: { value: REDACTED, enabled: true } }],
    ["environment variables", [{ name: "DB_PASSWORD", value: "x" }], [{ name: "DB_PASSWORD", value: REDACTED }]],
    ["headers", [{ name: "Authorization", value: "abc" }], [{ name: "Authorization", value: REDACTED }]],
    [
      "embedded Secrets",
      { items: [{ kind: "Secret", data: { a: "YQ==" } }] },
      { items: [{ kind: "Secret", data: { a: REDACTED } }] },
    ],
    ["arguments", { args: ["--db-password=x", "--level=3"] }, { args: [`--db-password=${REDACTED}`, "--level=3"] }],
  ];
  it.each(cases)("hides secrets in %s", (_where, value, clean) => {
    expect(redact(value)).toEqual(clean);
  });

  const kept: readonly (readonly [string, JsonValue])[] = [
    ["flags", { token: true, secret: "false", password: "" }],
    [
      "a volume's reference to a Secret",
      { secret: { secretName: "web", defaultMode: 420, items: [{ key: "a", path: "b" }] } },
    ],
    ["a variable's reference to a Secret", { password: { valueFrom: { secretKeyRef: { name: "db", key: "pw" } } } }],
    ["a projected token", { serviceAccountToken: { audience: "api", expirationSeconds: 3600, path: "token" } }],
    ["a plain URL", { url: "https://example.com/a@b?page=2" }],
    ["an ssh account", { url: "ssh://git@example.com/a.git" }],
    ["a certificate", { ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" }],
  ];
  it.each(kept)("keeps %s, in the same object", (_what, value) => {
    expect(redact(value)).toBe(value);
  });

  it("keeps a __proto__ key a key", () => {
    const value = JSON.parse(
      '{"kind":"Secret","data":{"__proto__":"eA=="},"x":{"__proto__":{"password":"y"}}}',
    ) as JsonValue;
    expect(JSON.stringify(redact(value))).toBe(
      `{"kind":"Secret","data":{"__proto__":"${REDACTED}"},"x":{"__proto__":{"password":"${REDACTED}"}}}`,
    );
  });

  it("refuses an object that is nested too deep, instead of exhausting the stack", () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(() => redact(deep)).toThrow(expect.objectContaining({ code: "MalformedObject", policy: "dead-letter" }));
  });
});

describe("redactText", () => {
  it.each([
    ["fetch https://ada:pw@example.com/x failed", `fetch https://${REDACTED}@example.com/x failed`],
    ["https://ghp_0123@example.com", `https://${REDACTED}@example.com`],
    ["ssh://git:pw@example.com", `ssh://${REDACTED}@example.com`],
    ["https://e.com/?a=1&access_token=xyz#f", `https://e.com/?a=1&access_token=${REDACTED}#f`],
    ["https://e.com/?X-Amz-Signature=abc", `https://e.com/?X-Amz-Signature=${REDACTED}`],
    ["Authorization: Bearer abc.def.ghi", `Authorization: Bearer ${REDACTED}`],
    ["a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", `a ${REDACTED} b`],
    ["-----BEGIN PRIVATE KEY-----\ncut off", REDACTED],
  ])("cleans %s", (text, clean) => {
    expect(redactText(text)).toBe(clean);
  });
});
