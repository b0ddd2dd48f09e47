import { CompletionProvider, type Delta, fromParts, type Part } from "@effect-chatbot/server/CompletionProvider"
import { OpenAiServices } from "@effect-chatbot/server/OpenAiServices"
import * as ProviderPolicy from "@effect-chatbot/server/ProviderPolicy"
import * as Providers from "@effect-chatbot/server/Providers"
import * as ProviderTransport from "@effect-chatbot/server/ProviderTransport"
import { BotRepository } from "@effect-chatbot/server/repositories/BotRepository"
import type { Turn } from "@effect-chatbot/server/repositories/CompletionRepository"
import { OpenAiServiceRepository } from "@effect-chatbot/server/repositories/OpenAiServiceRepository"
import * as SecretBox from "@effect-chatbot/server/SecretBox"
import { ServerOptions } from "@effect-chatbot/server/ServerOptions"
import * as Tokenizer from "@effect-chatbot/server/Tokenizer"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import type { LookupFunction } from "node:net"
import * as Fake from "./support/FakeProvider.ts"
import * as Services from "./support/TestServices.ts"

const apiKey = "sk-proj-very-secret-0123456789"

const atOnce: ProviderPolicy.ProviderPolicy = { ...ProviderPolicy.standard, backoff: Schedule.spaced(0) }

interface Env {
  readonly policy?: Partial<ProviderPolicy.ProviderPolicy>
  readonly options?: Partial<ServerOptions>
  readonly transport?: typeof ProviderTransport.layer
}

const env = ({ options, policy, transport = ProviderTransport.layer }: Env = {}) =>
  Layer.mergeAll(
    Providers.layer,
    BotRepository.layer,
    OpenAiServices.layer.pipe(Layer.provide([OpenAiServiceRepository.layer, NodeCrypto.layerSecureRandom]))
  ).pipe(
    Layer.provide([transport, Tokenizer.layer]),
    Layer.provide(SecretBox.layer({ key: Services.secretKey, file: "no file" })),
    Layer.provide(Layer.succeed(ServerOptions, { requireTerms: false, ...options })),
    Layer.provide(Layer.succeed(ProviderPolicy.ProviderPolicy, { ...atOnce, ...policy })),
    Layer.provide(FileSystem.layerNoop({})),
    Layer.provideMerge(Services.database)
  )

type Services = Layer.Success<ReturnType<typeof env>>

/** On the clock of the machine, for sockets are not on that of a test. */
const test = <A, E>(name: string, effect: Effect.Effect<A, E, Services | import("effect/Scope").Scope>, options?: Env) =>
  it.live(name, () => Effect.provide(effect, env(options)))

const turn = (userMessage: string, assistantMessage: string): Turn => ({ userMessage, assistantMessage })

interface Question {
  /** The endpoint of the service; that of the provider by default. */
  readonly endpoint?: string
  readonly model?: string | null
  readonly key?: string | null
  readonly history?: ReadonlyArray<Turn>
  readonly base?: string
  readonly own?: string
  readonly message?: string
}

let bots = 0

/** A bot with a service, and the parts of its answer. */
const botAt = Effect.fnUntraced(function* (fake: Pick<Fake.FakeProvider, "url">, question: Question = {}) {
  const services = yield* OpenAiServices
  const provider = yield* CompletionProvider
  const repository = yield* BotRepository
  const service = {
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: question.endpoint ?? fake.url,
    azureOpenAiApiKey: question.key === null ? undefined : Redacted.make(question.key ?? apiKey)
  }
  const serviceId = yield* services.create(service)
  const botId = yield* Services.bot({
    code: `bot-${++bots}`,
    openAiServiceId: serviceId,
    modelName: question.model === undefined ? "llama3.2" : question.model,
    ...(question.base === undefined ? {} : { baseSystemMessage: question.base })
  })
  const parts: Stream.Stream<Part, Effect.Error<ReturnType<typeof answered>>> = Stream.unwrap(
    Effect.map(repository.find(botId), (bot) => {
      if (bot === undefined) throw new Error("The bot is gone")
      return provider.complete({
        bot,
        userMessage: question.message ?? "Why is the sky blue?",
        history: question.history ?? [],
        userSystemMessage: question.own
      })
    })
  )
  return { botId, parts, service, serviceId, services }
})

const answered = (parts: Stream.Stream<Part, import("@effect-chatbot/schema/Errors").ProviderFailed | import("@effect-chatbot/schema/Errors").ProviderTimedOut>) =>
  Stream.runCollect(parts)
