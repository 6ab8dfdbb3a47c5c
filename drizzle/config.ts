import { defineConfig } from "drizzle-kit";

/** `drizzle-kit check|generate|export --config drizzle/config.ts`, from the root of the checkout. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/store/schema/tables.ts",
  out: "./drizzle",
  schemaFilter: ["fabric_sync"],
});
