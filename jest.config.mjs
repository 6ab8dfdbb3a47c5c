// Set by .ci/run, which adds up the results of several runs.
const results = process.env["FABRIC_SYNC_TEST_RESULTS"];

export default {
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  // Minutes of load on both cores, which other suites would feel: `npm run test:soak` runs them by themselves.
  testPathIgnorePatterns: process.env["FABRIC_SYNC_SOAK"] ? [] : ["<rootDir>/test/soak/"],
  // Node, and a suite that leaves a handle open fails.
  testEnvironment: "<rootDir>/test/support/jest/environment.ts",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { target: "es2024", parser: { syntax: "typescript" }, experimental: { keepImportAttributes: true } },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  // Starts only the broker; servers start when the first suite asks it for one.
  globalSetup: "<rootDir>/test/support/jest/global-setup.ts",
  globalTeardown: "<rootDir>/test/support/jest/global-teardown.ts",
  reporters: [
    "default",
    ...(results ? [["<rootDir>/test/support/jest/results-reporter.mjs", { directory: results }]] : []),
  ],
  // More than that only makes the servers slower on a machine of two cores.
  maxWorkers: 2,
  // ms, hooks included. Against real servers on a busy machine; what works is done in a fraction of it.
  testTimeout: 120_000,
};
