import { document } from "@effect-chatbot/api/Document"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { TestBackend } from "./support/TestBackend.ts"

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8")

/** Its programs. */
const examples = [
  ["with Effect", "support/readme.ts"],
  ["with promises", "support/readmePromise.ts"]
] as const

layer(TestBackend.layer, { excludeTestServices: true })("the README", (it) => {
  it.effect.each(examples)("shows a program that runs, %s", ([, file]) =>
    Effect.gen(function* () {
      const example = new URL(file, import.meta.url)
      assert.include(readme, readFileSync(example, "utf8").replace(/^\/\/ oxlint-.*\n/, ""))
      const { baseUrl, tokenOf } = yield* TestBackend
      const token = Redacted.value(yield* tokenOf("reader"))
      const printed = yield* Effect.callback<string>((resume) => {
        execFile(
          process.execPath,
          [fileURLToPath(example)],
          { env: { CHATBOT_BASE_URL: baseUrl, CHATBOT_TOKEN: token } },
          (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
        )
      })
      assert.match(printed, /^client: Client library$/m)
      assert.include(printed, "items")
    })
  )

  it.effect("lists every operation once, by its method and path", () =>
    Effect.sync(() => {
      const listed = [...readme.matchAll(/^\| `([A-Z]+) (\S+)` +\| `/gm)].map(([, method, path]) => `${method} ${path}`)
      const operations = Object.entries(document.paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
      )
      assert.sameMembers(listed, operations)
    })
  )
})
