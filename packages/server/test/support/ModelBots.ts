/** Bots with an OpenAI service at a provider of a test, and what they answer. */
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import { type Answer, CompletionProvider, type Part } from "@effect-chatbot/server/CompletionProvider"
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
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Services from "./TestServices.ts"

/** The key of every service of a test, unless it says otherwise. */
export const apiKey = "sk-proj-very-secret-0123456789"

/** How the providers of a test are set up; without waits between attempts by default. */
export interface Options {
  readonly policy?: Partial<ProviderPolicy.ProviderPolicy>
  readonly server?: Partial<ServerOptions>
  readonly transport?: typeof ProviderTransport.layer
}

/** The providers of the backend over a database in memory. */
export const layer = ({ policy, server, transport = ProviderTransport.layer }: Options = {}) =>
  Layer.mergeAll(
    Providers.layer,
    BotRepository.layer,
    OpenAiServices.layer.pipe(Layer.provide([OpenAiServiceRepository.layer, NodeCrypto.layerSecureRandom]))
  ).pipe(
    Layer.provide([transport, Tokenizer.layer]),
    Layer.provide(SecretBox.layer({ key: Services.secretKey, file: "no file" })),
    Layer.provide(Layer.succeed(ServerOptions, { requireTerms: false, ...server })),
    Layer.provide(
      Layer.succeed(ProviderPolicy.ProviderPolicy, {
        ...ProviderPolicy.standard,
        backoff: Schedule.spaced(0),
        ...policy
      })
    ),
    Layer.provide(FileSystem.layerNoop({})),
    Layer.provideMerge(Services.database)
  )

/** What the layer gives. */
export type Env = Layer.Success<ReturnType<typeof layer>>

/** What is asked of which bot. */
export interface Question {
  readonly model?: string | null
  /** The key of its service; `null` for none. */
  readonly key?: string | null
  readonly history?: ReadonlyArray<Turn>
  readonly baseSystemMessage?: string
  readonly userSystemMessage?: string
  readonly userMessage?: string
}

let count = 0

/** Makes a bot at this endpoint. */
export const make = Effect.fnUntraced(function* (endpoint: string, question: Question = {}) {
  const { baseSystemMessage, history = [], key = apiKey, model = "llama3.2", userSystemMessage } = question
  const services = yield* OpenAiServices
  const provider = yield* CompletionProvider
  const bots = yield* BotRepository
  const service = {
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: endpoint,
    azureOpenAiApiKey: key === null ? undefined : Redacted.make(key)
  }
  const serviceId = yield* services.create(service)
  const botId = yield* Services.bot({
    code: `model-${++count}`,
    openAiServiceId: serviceId,
    modelName: model,
    ...(baseSystemMessage === undefined ? undefined : { baseSystemMessage })
  })
  const parts: Stream.Stream<Part, ProviderFailed | ProviderTimedOut> = Stream.unwrap(
    Effect.map(bots.find(botId), (bot) =>
      bot === undefined
        ? Stream.die(new Error("The bot is gone"))
        : provider.complete({
            bot,
            userMessage: question.userMessage ?? "Why is the sky blue?",
            history,
            userSystemMessage
          })
    )
  )
  const texts = parts.pipe(
    Stream.filter((part) => part._tag === "Delta"),
    Stream.map((part) => part.text)
  )
  const answer = Effect.flatMap(Stream.runCollect(parts), (parts): Effect.Effect<Answer> => {
    let assistantMessage = ""
    for (const part of parts) {
      if (part._tag === "Delta") assistantMessage += part.text
      else {
        const { _tag, ...done } = part
        return Effect.succeed({ assistantMessage, ...done })
      }
    }
    return Effect.die(new Error("The answer has no end"))
  })
  return { answer, botId, parts, service, serviceId, services, texts }
})
