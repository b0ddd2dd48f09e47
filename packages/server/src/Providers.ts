/**
 * Which provider answers: a bot with an OpenAI service is answered by its model there, and any other by the embedded provider.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import type { ProviderFailed, ProviderTimedOut } from "@effect-chatbot/schema/Errors"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { CompletionProvider } from "./CompletionProvider.ts"
import * as EmbeddedProvider from "./EmbeddedProvider.ts"
import * as OpenAiProvider from "./OpenAiProvider.ts"
import { OpenAiServices } from "./OpenAiServices.ts"
import { OpenAiServiceRepository } from "./repositories/OpenAiServiceRepository.ts"
import * as ServerMetrics from "./ServerMetrics.ts"
import type { SecretBox } from "./SecretBox.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** Measures what a provider does. */
const observed = (name: string, { complete }: CompletionProvider["Service"]): CompletionProvider["Service"] => ({
  complete: (request) =>
    Stream.unwrap(
      Effect.map(Clock.currentTimeNanos, (began) =>
        complete(request).pipe(
          Stream.tap((part) =>
            part._tag === "Done"
              ? Effect.andThen(
                  ServerMetrics.tokens(part.promptTokens, name, "input"),
                  ServerMetrics.tokens(part.completionTokens, name, "output")
                )
              : Effect.void
          ),
          Stream.onExit((exit) =>
            Effect.flatMap(Clock.currentTimeNanos, (now) =>
              ServerMetrics.providerDuration(Number(now - began) / 1e9, name, errorOf(exit))
            )
          )
        )
      )
    )
})

/** What a call failed with; of one that was left because it was stopped, that. */
const errorOf = (exit: Exit.Exit<unknown, ProviderFailed | ProviderTimedOut>): string => {
  if (Exit.isSuccess(exit)) return ""
  const error = Exit.findError(exit)
  return error._tag === "Success" ? error.success._tag : Exit.hasInterrupts(exit) ? "Stopped" : "InternalError"
}

/** Answers by the provider of each bot. Requests to models travel by the `HttpClient`, see `ProviderTransport`. */
export const layer: Layer.Layer<
  CompletionProvider,
  never,
  HttpClient.HttpClient | SecretBox | SqlClient.SqlClient | Tokenizer
> = Layer.effect(
  CompletionProvider,
  Effect.gen(function* () {
    const embedded = Context.get(yield* Layer.build(EmbeddedProvider.layer), CompletionProvider)
    const openAi = Context.get(yield* Layer.build(OpenAiProvider.layer), CompletionProvider)
    const observedEmbedded = observed("embedded", embedded)
    const observedOpenAi = observed("openai", openAi)
    return {
      // A service that is not there, or does not answer, is a failure to be seen, and never answered for by another.
      complete: (request) =>
        (request.bot.openAiServiceId === undefined ? observedEmbedded : observedOpenAi).complete(request)
    }
  })
).pipe(
  Layer.provide(OpenAiServices.layer.pipe(Layer.provide([OpenAiServiceRepository.layer, NodeCrypto.layerSecureRandom])))
)
