import { OpenAiServices } from "@effect-chatbot/server/OpenAiServices"
import * as ProviderEndpoint from "@effect-chatbot/server/ProviderEndpoint"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Services from "./support/TestServices.ts"

const parse = (text: string) => Result.getOrThrow(ProviderEndpoint.parse(text, { allowLinkLocal: false }))

const refused = [
  "http://169.254.169.254/latest/meta-data",
  "http://169.254.0.1",
  "http://2852039166",
  "http://0xa9fea9fe",
  "http://0251.0376.0251.0376",
  "http://169.254.169.254.",
  "http://[fe80::1]",
  "http://[FEBF::1]:8080",
  "http://[::ffff:169.254.169.254]",
  "http://[::ffff:a9fe:a9fe]",
  "http://[::a9fe:a9fe]",
  "http://[64:ff9b::169.254.169.254]",
  "http://[2002:a9fe:a9fe::]",
  "http://[fd00:ec2::254]",
  "http://[fd00:0ec2:0:0:0:0:0:254]",
  "http://metadata.google.internal",
  "http://METADATA.google.internal./computeMetadata/v1",
  "http://metadata",
  "http://168.63.129.16",
  "http://100.100.100.200"
]

const allowed = [
  "http://localhost:11434",
  "http://127.0.0.1:1234/v1",
  "http://[::1]:8000",
  "http://10.0.0.7",
  "http://192.168.1.20:11434",
  "http://169.253.255.255",
  "http://169.255.0.1",
  "http://[fec0::1]",
  "http://[fd00::1]",
  "https://metadata.example.com",
  "https://api.openai.com/v1"
]

describe("an endpoint", () => {
  for (const [endpoint, kind, url] of [
    ["https://api.openai.com/v1", "openai", "https://api.openai.com/v1/chat/completions"],
    ["http://localhost:11434", "openai", "http://localhost:11434/v1/chat/completions"],
    ["http://localhost:11434/#top", "openai", "http://localhost:11434/v1/chat/completions"],
    ["https://api.groq.com/openai/v1", "openai", "https://api.groq.com/openai/v1/chat/completions"],
    [
      "https://me.openai.azure.com",
      "azure",
      "https://me.openai.azure.com/openai/deployments/m%2F1/chat/completions?api-version=2024-10-21"
    ],
    ["https://me.openai.azure.com/openai/v1/", "azure", "https://me.openai.azure.com/openai/v1/chat/completions"],
    [
      "https://me.services.ai.azure.com/api/projects/p/openai/v1",
      "azure",
      "https://me.services.ai.azure.com/api/projects/p/openai/v1/chat/completions"
    ],
    [
      "https://gateway.example/ai/openai/deployments/d",
      "azure",
      "https://gateway.example/ai/openai/deployments/d/chat/completions?api-version=2024-10-21"
    ],
    ["https://openai.azure.com.example", "openai", "https://openai.azure.com.example/v1/chat/completions"]
  ] as const) {
    it.effect(`${endpoint} is of the kind ${kind}`, () =>
      Effect.sync(() => {
        const parsed = parse(endpoint)
        assert.strictEqual(parsed.kind, kind)
        assert.strictEqual(ProviderEndpoint.chatCompletions(parsed, "m/1"), url)
      })
    )
  }

  it.effect("is refused where it has a user, or is where no provider is", () =>
    Effect.gen(function* () {
      const services = yield* OpenAiServices
      const create = (azureOpenAiEndpoint: string) =>
        services.create({ displayName: "x", isActive: true, azureOpenAiEndpoint, azureOpenAiApiKey: undefined })
      for (const endpoint of [...refused, "https://user:secret@example.com", "https://user@example.com"]) {
        const error = yield* Effect.flip(create(endpoint))
        assert.deepStrictEqual(
          error.issues.map(({ path }) => path),
          [["payload", "azureOpenAiEndpoint"]],
          endpoint
        )
        assert.notInclude(JSON.stringify(error), "secret@")
      }
      assert.strictEqual(yield* Services.count("open_ai_services"), 0)
      for (const endpoint of allowed) yield* create(endpoint)
    }).pipe(Effect.provide(Services.layer))
  )

  it.effect("may be link-local where an operator says so", () =>
    Effect.gen(function* () {
      const services = yield* OpenAiServices
      for (const azureOpenAiEndpoint of refused) {
        yield* services.create({ displayName: "x", isActive: true, azureOpenAiEndpoint, azureOpenAiApiKey: undefined })
      }
    }).pipe(Effect.provide(Services.layerWith({ requireTerms: false, allowLinkLocalProviders: true })))
  )
})

describe("a key", () => {
  it.effect("is taken without the white space around it, and refused where it fits into no header", () =>
    Effect.gen(function* () {
      const services = yield* OpenAiServices
      const create = (key: string) =>
        services.create({
          displayName: "x",
          isActive: true,
          azureOpenAiEndpoint: undefined,
          azureOpenAiApiKey: Redacted.make(key)
        })
      for (const key of ["line\nbreak", "schlüssel", "x".repeat(4001)]) {
        const error = yield* Effect.flip(create(key))
        assert.deepStrictEqual(
          error.issues.map(({ path }) => path),
          [["payload", "azureOpenAiApiKey"]]
        )
        assert.notInclude(JSON.stringify(error), key)
      }
      const connection = yield* Effect.flatMap(create(" sk-1\n"), services.connection)
      assert.deepStrictEqual(
        Option.getOrUndefined(Option.map(connection, ({ apiKey }) => apiKey && Redacted.value(apiKey))),
        "sk-1"
      )
    }).pipe(Effect.provide(Services.layer))
  )
})
