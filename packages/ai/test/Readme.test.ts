import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { delimiter, dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { served } from "./support/Sockets.ts"

const root = new URL("../../../", import.meta.url)

const readme = readFileSync(new URL("README.md", root), "utf8")

/** Where the Node of this workspace comes first. */
const PATH = dirname(process.execPath) + delimiter + (process.env["PATH"] ?? "")

/** Its programs for language models. */
const examples = [
  ["over a bot as a language model", "support/readmeModel.ts"],
  ["over the MCP server", "support/readmeMcp.ts"],
  ["over the OpenAI façade", "support/readmeOpenAi.ts"]
] as const

const backend = served({
  bots: { client: {} },
  answers: ({ userMessage }) => (userMessage.includes("page") ? "With `items`." : "Values over time.")
})

layer(backend, { excludeTestServices: true })("the README on AI programs", (it) => {
  it.effect.each(examples)("shows a program that runs, %s", ([, file]) =>
    Effect.gen(function* () {
      const example = new URL(file, import.meta.url)
      assert.include(readme, readFileSync(example, "utf8").replace(/^\/\/ oxlint-.*\n/, ""))
      const { asked, baseUrl, tokenOf } = yield* ChatbotTest.Backend
      const env = {
        CHATBOT_BASE_URL: baseUrl,
        CHATBOT_TOKEN: Redacted.value(yield* tokenOf("reader")),
        PATH
      }
      const printed = yield* Effect.callback<string>((resume) => {
        execFile(process.execPath, [fileURLToPath(example)], { cwd: fileURLToPath(root), env }, (error, stdout) =>
          resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
        )
      })
      assert.include(printed, "With `items`.")
      assert.include((yield* asked).at(0)?.userMessage ?? "", "How do I page through a list?")
    })
  )
})
