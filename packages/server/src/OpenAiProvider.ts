/**
 * Answers by a model behind the chat completions of OpenAI, at the OpenAI service of the bot that is asked: OpenAI, Azure OpenAI, Ollama,
 * vLLM, llama.cpp, LM Studio.
 *
 * The service is read anew for every answer, so that what an admin changes holds from the next one on, in every process.
 */
import { ProviderFailed } from "@effect-chatbot/schema/Errors"
import type { OpenAiServiceId } from "@effect-chatbot/schema/Ids"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { CompletionProvider, type Done, type Part, type Request } from "./CompletionProvider.ts"
import { ask, emptyStory, type Story } from "./internal/asking.ts"
import { hits, sourcesOf } from "./internal/passages.ts"
import { leanedOn } from "./internal/SmallTalk.ts"
import * as Knowledge from "./Knowledge.ts"
import { OpenAiServices } from "./OpenAiServices.ts"
import * as Prompt from "./Prompt.ts"
import * as ProviderEndpoint from "./ProviderEndpoint.ts"
import * as ProviderPolicy from "./ProviderPolicy.ts"
import { ServerOptions } from "./ServerOptions.ts"
import * as ServerMetrics from "./ServerMetrics.ts"
import { Tokenizer } from "./Tokenizer.ts"

/** How many passages a prompt has at most, and what part of the best one's score the others have at least. */
const retrieved = { passages: 8, score: 0.25 } as const

const failed = (message: string) => new ProviderFailed({ message })

/** What kind of answer it is. */
const tagsOf = (finish: string | undefined): ReadonlyArray<string> => {
  if (finish === "length") return ["answer", "cut-off"]
  return finish === "content_filter" ? ["answer", "content-filter"] : ["answer"]
}

/** Answers by the OpenAI service of the bot. A bot without one gets `ProviderFailed`. */
export const layer: Layer.Layer<
  CompletionProvider,
  never,
  HttpClient.HttpClient | OpenAiServices | SqlClient.SqlClient | Tokenizer
> = Layer.effect(
  CompletionProvider,
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const knowledge = yield* Knowledge.Knowledge
    const policy = yield* ProviderPolicy.ProviderPolicy
    const services = yield* OpenAiServices
    const tokenizer = yield* Tokenizer
    const { allowLinkLocalProviders: allowLinkLocal = false, promptTokens = 8000 } = yield* ServerOptions
    const budgets = ProviderPolicy.makeBudgets()

    /** Where the bot is answered, and by which model. */
    const connect = Effect.fnUntraced(function* ({ bot: { modelName, openAiServiceId } }: Request) {
      if (openAiServiceId === undefined) return yield* failed("This bot has no OpenAI service.")
      const connection = yield* services
        .connection(openAiServiceId)
        .pipe(
          Effect.catchTag("SecretUnreadable", () =>
            failed("The API key of this bot's OpenAI service cannot be read any more; an admin has to set it again.")
          )
        )
      if (Option.isNone(connection)) return yield* failed("The OpenAI service of this bot is not active.")
      const { apiKey, displayName, endpoint: text } = connection.value
      if (text === undefined) return yield* failed("The OpenAI service of this bot has no endpoint.")
      // What was allowed when it was saved need not be so any more.
      const endpoint = ProviderEndpoint.parse(text, { allowLinkLocal })
      if (Result.isFailure(endpoint)) return yield* failed("The endpoint of this bot's OpenAI service is not allowed.")
      if (modelName === undefined || modelName === "embedded") {
        return yield* failed("This bot has an OpenAI service, but names no model of it.")
      }
      return { apiKey, displayName, endpoint: endpoint.success, id: openAiServiceId, model: modelName }
    })

    /** The passages that speak of the question, the best first, and how they were found. */
    const retrieve = Effect.fnUntraced(function* (request: Request) {
      const began = yield* Clock.currentTimeMillis
      const text = [request.userMessage, ...leanedOn(request)].join(" ")
      const found = yield* knowledge.search([request.bot.id], text, retrieved.passages)
      const best = found.passages[0]?.score ?? 0
      const passages = Knowledge.isAbout(found)
        ? found.passages.filter(({ score }) => score >= retrieved.score * best)
        : []
      const took = (yield* Clock.currentTimeMillis) - began
      return {
        passages,
        trace: [
          `retrieval: ${found.passages.length} passages in ${took} ms, ${passages.length} of them speak of the question`,
          ...hits(passages)
        ]
      }
    })

    const warn = (story: Story, openAiServiceId: OpenAiServiceId, model: string, message: string) =>
      Effect.logWarning(`A provider failed: ${message}`).pipe(
        Effect.annotateLogs({ openAiServiceId, model, attempts: story.attempts })
      )

    const complete = Effect.fnUntraced(function* (request: Request) {
      const { apiKey, displayName, endpoint, id, model } = yield* connect(request)
      const { passages, trace } = yield* retrieve(request)
      const prompt = yield* Prompt.make(tokenizer, request, passages, promptTokens)
      const story = emptyStory()

      const done = Effect.gen(function* () {
        const { finish, text, usage } = story.reading
        budgets.refund(id, policy)
        return {
          _tag: "Done",
          promptTokens: usage?.promptTokens ?? prompt.tokens,
          completionTokens: usage?.completionTokens ?? (yield* tokenizer.count(text)),
          sources: sourcesOf(prompt.passages),
          tags: tagsOf(finish),
          trace: [
            `provider: OpenAI service "${displayName}" (${endpoint.kind}), model ${model}`,
            ...trace,
            ...prompt.trace,
            ...story.trace,
            `usage: ${usage === undefined ? "counted here" : "told by the provider"}`
          ]
        } satisfies Done
      })

      return ask(
        client,
        {
          endpoint,
          apiKey,
          model,
          messages: prompt.messages,
          policy,
          spend: (isAfterTimeout) => budgets.spend(id, policy, isAfterTimeout)
        },
        story
      ).pipe(
        Stream.catch(({ error }) =>
          Stream.fromEffect(Effect.andThen(warn(story, id, model, error.message), Effect.fail(error)))
        ),
        Stream.concat(Stream.fromEffect(done)),
        Stream.onExit(() => Metric.update(ServerMetrics.providerRetries, Math.max(story.attempts - 1, 0)))
      ) satisfies Stream.Stream<Part, unknown>
    })

    return {
      complete: (request) =>
        Stream.unwrap(complete(request)).pipe(
          // The URL may hold what only admins should see, and the headers are no business of a provider.
          Stream.provideService(HttpClient.TracerDisabledWhen, () => true),
          Stream.withSpan("OpenAiProvider.complete")
        )
    }
  })
).pipe(Layer.provide(Knowledge.layer))
