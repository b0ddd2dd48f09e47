/**
 * Prints the OpenAPI document on standard output. `--write` puts it into `openapi.json` instead; `--check` fails when that file is not current.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { document } from "../packages/api/src/Document.ts"

const file = new URL("../packages/api/openapi.json", import.meta.url)
const text = `${JSON.stringify(document, null, 2)}\n`

if (process.argv.includes("--write")) {
  writeFileSync(file, text)
} else if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    process.stderr.write("packages/api/openapi.json is not current: run `pnpm openapi --write`.\n")
    process.exitCode = 1
  }
} else {
  process.stdout.write(text)
}
