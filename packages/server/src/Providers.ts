/**
 * Which provider answers: a bot with an OpenAI service is answered by its model there, and any other by the embedded provider.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { CompletionProvider } from "./CompletionProvider.ts"
import * as EmbeddedProvider from "./EmbeddedProvider.ts"
import * as OpenAiProvider from "./OpenAiProvider.ts"
import { OpenAiServices } from "./OpenAiServices.ts"
import { OpenAiServiceRepository } from "./repositories/OpenAiServiceRepository.ts"
import type { SecretBox } from "./SecretBox.ts"
import type { Tokenizer } from "./Tokenizer.ts"

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
    return {
      // A service that is not there, or does not answer, is a failure to be seen, and never answered for by another.
      complete: (request) => (request.bot.openAiServiceId === undefined ? embedded : openAi).complete(request)
    }
  })
).pipe(
  Layer.provide(OpenAiServices.layer.pipe(Layer.provide([OpenAiServiceRepository.layer, NodeCrypto.layerSecureRandom])))
)
