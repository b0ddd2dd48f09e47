/**
 * A bot as a `LanguageModel` of `effect/ai`, for any program that is written for one.
 *
 * ```ts
 * const program = Effect.map(LanguageModel.generateText({ prompt: "How do I page?" }), ({ text }) => text)
 *
 * program.pipe(Effect.provide(ChatbotModel.layer({ botCode: "client" }).pipe(Layer.provide(Client))))
 * ```
 *
 * A bot is asked in a chat that is made for the prompt, and deleted when the answer is there. A prompt of one message is asked word for word.
 * A longer one becomes one question: the system messages as instructions, what was said before, and what the user says last. So everything
 * that the program says is in the prompt of the bot, beside its own instructions, and a bot that searches its knowledge searches for all
 * of that.
 *
 * What a bot cannot do fails, and nothing is left out quietly: a prompt with a toolkit is an `InvalidRequestError` (pass
 * `toolChoice: "none"` to go without), one with files or calls of tools an `InvalidUserInputError`. `generateObject` tells the bot the JSON
 * Schema and reads its answer; whether a bot follows that is up to its model, and the embedded provider, which only quotes, never does.
 */
import { Chats } from "@effect-chatbot/client/Chats"
import * as Completion from "@effect-chatbot/client/Completion"
import type { InformationSource, Completion as WholeCompletion } from "@effect-chatbot/schema/Chat"
import { ChatId } from "@effect-chatbot/schema/Ids"
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Model from "effect/ai/Model"
import type * as Response from "effect/ai/Response"
import * as AiTelemetry from "effect/ai/Telemetry"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Mime from "effect/http/Mime"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { toReason } from "./internal/aiErrors.ts"
import { discard } from "./internal/discard.ts"
import { toQuestion, unfenced } from "./internal/question.ts"

declare module "effect/ai/Response" {
  /** Where a source of a bot can be downloaded from the chat, which is there only when it is kept. */
  export interface DocumentSourcePartMetadata {
    readonly chatbot?: { readonly url?: string; readonly language?: string } | null
  }
}

/** Which bot, and what becomes of its chats. */
export interface Options {
  /** The code of the bot, as in `Chats.createByBotCode`. */
  readonly botCode: string
  /**
   * Whether the chats stay, as those that a user has. Their ids are then those of the responses, and with a `ResponseIdTracker` of `effect/ai`
   * a conversation goes on in its chat, where only what is new is asked. By default every chat is deleted after its answer, also after one that
   * failed or was left.
   */
  readonly keepChats?: boolean | undefined
}

type Sources = ReadonlyArray<InformationSource>

const finishReason = (
  ended: Completion.Answer["ended"],
  completion: WholeCompletion | undefined
): Response.FinishReason => {
  const tags = completion?.metaData?.tags ?? []
  if (ended === "Stopped" || tags.includes("stopped")) return "other"
  if (tags.includes("cut-off")) return "length"
  return tags.includes("content-filter") ? "content-filter" : "stop"
}

/** Of an answer that somebody stopped it is not known what it used. */
const usageOf = (completion: WholeCompletion | undefined): Response.FinishPartEncoded["usage"] => ({
  inputTokens: { total: completion?.promptTokens },
  outputTokens: { total: completion?.completionTokens, text: completion?.completionTokens }
})

/**
 * The language model that asks a bot.
 *
 * Interrupting it stops the answer, and waits for that and for the deletion of the chat 5 seconds each at most; a chat that cannot be
 * deleted is left, with a warning in the log.
 */
export const make = Effect.fnUntraced(function* ({ botCode, keepChats = false }: Options) {
  const chats = yield* Chats

  const created = Effect.map(chats.createByBotCode(botCode), ({ chatId }) => chatId)

  /** Asks what is asked for, in the chat of the conversation or in one of its own, which goes with the scope. */
  const ask = Effect.fnUntraced(function* (options: LanguageModel.ProviderOptions) {
    const { incrementalPrompt, previousResponseId, prompt, responseFormat, toolChoice, tools } = options
    if (tools.length > 0 && toolChoice !== "none") {
      return yield* new AiError.InvalidRequestError({
        parameter: "toolkit",
        description: 'Bots call no tools. Leave the toolkit out, or pass `toolChoice: "none"`.'
      })
    }
    const isContinued = keepChats && previousResponseId !== undefined && incrementalPrompt !== undefined
    const question = yield* toQuestion(isContinued ? incrementalPrompt : prompt, responseFormat)
    const chatId = isContinued
      ? ChatId.make(previousResponseId)
      : yield* Effect.mapError(
          keepChats ? created : Effect.acquireRelease(created, (chatId) => discard(chats, chatId)),
          toReason
        )
    const first: Response.ResponseMetadataPartEncoded = {
      type: "response-metadata",
      id: keepChats ? chatId : undefined,
      modelId: botCode,
      timestamp: DateTime.formatIso(yield* DateTime.now)
    }
    const events = Stream.mapError(chats.stream(chatId, question, { onInterrupt: "stop" }), toReason)
    return { first, events }
  })

  const toSource = (
    { fileName, id, language, url }: InformationSource,
    index: number
  ): Response.DocumentSourcePartEncoded => {
    const title = fileName ?? id ?? `source ${index + 1}`
    return {
      type: "source",
      sourceType: "document",
      id: id ?? title,
      mediaType: Option.getOrElse(Mime.getType(title), () => "application/octet-stream"),
      title,
      ...(fileName === undefined ? undefined : { fileName }),
      metadata: {
        chatbot: {
          ...(url === undefined || !keepChats ? undefined : { url }),
          ...(language === undefined ? undefined : { language })
        }
      }
    }
  }

  /** What follows the text of an answer. */
  const last = (
    { span }: LanguageModel.ProviderOptions,
    { completion, ended, sources }: Pick<Completion.Answer, "completion" | "ended" | "sources">
  ) => {
    const reason = finishReason(ended, completion)
    AiTelemetry.addGenAIAnnotations(span, {
      provider: { name: "chatbot" },
      operation: { name: "chat" },
      request: { model: botCode },
      response: { model: botCode, finishReasons: [reason] },
      usage: { inputTokens: completion?.promptTokens, outputTokens: completion?.completionTokens }
    })
    const finish: Response.FinishPartEncoded = {
      type: "finish",
      reason,
      usage: usageOf(completion),
      response: undefined
    }
    return [...sources.map(toSource), finish]
  }

  const failWith = (method: string) => (reason: AiError.AiErrorReason) =>
    AiError.make({ module: "ChatbotModel", method, reason })

  return yield* LanguageModel.make({
    generateText: (options) => {
      const isText = options.responseFormat.type === "text"
      return ask(options).pipe(
        Effect.flatMap(({ events, first }) =>
          Effect.map(Completion.collect(events), (answer): Array<Response.PartEncoded> => [
            first,
            { type: "text", text: isText ? answer.text : unfenced(answer.text) },
            ...last(options, answer)
          ])
        ),
        Effect.scoped,
        Effect.mapError(failWith(isText ? "generateText" : "generateObject"))
      )
    },
    streamText: (options) =>
      ask(options).pipe(
        Effect.map(({ events, first }) => {
          const parts = Stream.mapAccum(
            events,
            (): Sources => [],
            (sources, event): readonly [Sources, ReadonlyArray<Response.StreamPartEncoded>] => {
              switch (event._tag) {
                case "Delta":
                  return [sources, [{ type: "text-delta", id: textId, delta: event.text }]]
                case "Sources":
                  return [event.metaData.sources, []]
                case "Completed": {
                  const { completion } = event
                  const found = { completion, ended: event._tag, sources: completion.metaData?.sources ?? sources }
                  return [sources, [{ type: "text-end", id: textId }, ...last(options, found)]]
                }
                case "Stopped": {
                  const found = { completion: undefined, ended: event._tag, sources }
                  return [sources, [{ type: "text-end", id: textId }, ...last(options, found)]]
                }
                case "Started":
                case "Unknown":
                  return [sources, []]
              }
            }
          )
          return Stream.concat(
            Stream.make<[Response.StreamPartEncoded, Response.StreamPartEncoded]>(first, {
              type: "text-start",
              id: textId
            }),
            parts
          )
        }),
        Stream.unwrap,
        Stream.mapError(failWith("streamText"))
      )
  })
})

/** An answer is one text. */
const textId = "answer"

/** A bot as the `LanguageModel` of a program, see {@link make}. */
export const layer = (options: Options): Layer.Layer<LanguageModel.LanguageModel, never, Chats> =>
  Layer.effect(LanguageModel.LanguageModel, make(options))

/** The same as a `Model`, which also tells the names of its provider (`chatbot`) and of itself (the code of the bot). */
export const model = (
  botCode: string,
  options?: Omit<Options, "botCode">
): Model.Model<"chatbot", LanguageModel.LanguageModel, Chats> =>
  Model.make("chatbot", botCode, layer({ ...options, botCode }))
