/**
 * The bots as models, for programs that speak the chat completions of OpenAI: `/v1/models` and `/v1/chat/completions`, JSON and streamed.
 * They are not part of the contract.
 *
 * A model is a bot by its code, for callers with the tokens that the contract has. A request brings its whole conversation, and nothing of
 * it is kept, see `OneTimeChats`. The system and developer messages are what the caller wishes; the instructions of the bot stand before
 * them.
 *
 * A bot takes texts and gives one. What asks for more is refused, with the name of the parameter: tools, several choices, log probabilities,
 * audio, images, structured output. How a model is tuned (`temperature`, `max_tokens`, `stop` …) is the bot's affair, and such parameters
 * are ignored, as those that are not known.
 */
import { contentType as eventStream } from "@effect-chatbot/api/ServerSentEvents"
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { Bot } from "@effect-chatbot/schema/Bot"
import type { Completion } from "@effect-chatbot/schema/Chat"
import type { CompletionEvent } from "@effect-chatbot/schema/CompletionEvent"
import { BotNotFound, BotsStopped, InvalidRequest, type RequestIssue } from "@effect-chatbot/schema/Errors"
import type { CompletionId } from "@effect-chatbot/schema/Ids"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import { stoppedTag } from "../Answering.ts"
import { BotService } from "../BotService.ts"
import { type Conversation, OneTimeChats } from "../OneTimeChats.ts"
import * as OpenAiErrors from "./OpenAiErrors.ts"
import * as ProblemResponses from "./ProblemResponses.ts"
import { tell } from "./RequestStory.ts"
import * as SignIn from "./SignIn.ts"

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const Message = Schema.Struct({
  role: Schema.Literals(["system", "developer", "user", "assistant", "tool", "function"]),
  content: optional(
    Schema.Union([
      Schema.String,
      Schema.Array(Schema.Struct({ type: Schema.String, text: Schema.optionalKey(Schema.String) }))
    ])
  ),
  tool_calls: optional(Schema.Array(Schema.Unknown)),
  function_call: optional(Schema.Unknown)
})

/** What is read of a request. Everything else in it is ignored. */
const Request = Schema.Struct({
  model: Schema.NonEmptyString,
  messages: Schema.Array(Message).check(Schema.isMinLength(1)),
  stream: optional(Schema.Boolean),
  stream_options: optional(Schema.Struct({ include_usage: optional(Schema.Boolean) })),
  n: optional(Schema.Int),
  tools: optional(Schema.Array(Schema.Unknown)),
  tool_choice: optional(Schema.Unknown),
  functions: optional(Schema.Array(Schema.Unknown)),
  response_format: optional(Schema.Struct({ type: Schema.String })),
  logprobs: optional(Schema.Boolean),
  modalities: optional(Schema.Array(Schema.String)),
  audio: optional(Schema.Unknown)
})

interface Request extends Schema.Schema.Type<typeof Request> {}

const decodeRequest = Schema.decodeUnknownEffect(Schema.fromJsonString(Request))

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const refused = (message: string, ...path: ReadonlyArray<string | number>) => ({ path, message })

const invalid = (...issues: ReadonlyArray<RequestIssue>) => new InvalidRequest({ issues })

/** What a bot cannot do, of what is asked for. */
const unsupported = (request: Request): ReadonlyArray<RequestIssue> => {
  const { audio, functions, logprobs, modalities, n, response_format, tool_choice, tools } = request
  return [
    ...((tools?.length ?? 0) > 0 && tool_choice !== "none" ? [refused("Bots call no tools", "tools")] : []),
    ...((functions?.length ?? 0) > 0 ? [refused("Bots call no functions", "functions")] : []),
    ...((n ?? 1) === 1 ? [] : [refused("Expected 1: a bot gives one answer", "n")]),
    ...((response_format?.type ?? "text") === "text"
      ? []
      : [refused('Expected "text": bots have no structured output', "response_format", "type")]),
    ...(logprobs === true ? [refused("Bots tell no log probabilities", "logprobs")] : []),
    ...((modalities ?? []).every((modality) => modality === "text")
      ? []
      : [refused('Expected ["text"]: bots answer by texts', "modalities")]),
    ...((audio ?? undefined) === undefined ? [] : [refused("Bots answer by texts", "audio")])
  ]
}

/** The conversation that is told by the messages of a request. */
const toConversation = Effect.fnUntraced(function* (request: Request) {
  const issues = [...unsupported(request)]
  const instructions: Array<string> = []
  const history: Array<{ userMessage: string; assistantMessage: string }> = []
  let asked: Array<string> = []
  for (const [index, { content, function_call, role, tool_calls }] of request.messages.entries()) {
    const parts = typeof content === "string" ? [{ type: "text", text: content }] : (content ?? [])
    const wrong = parts.findIndex(({ type }) => type !== "text")
    if (wrong !== -1) {
      issues.push(refused("Expected a text: bots read nothing else", "messages", index, "content", wrong))
    } else if (role === "tool" || role === "function") {
      issues.push(refused("Bots call no tools, and read no results of tools", "messages", index, "role"))
    } else if ((tool_calls?.length ?? 0) > 0 || (function_call ?? undefined) !== undefined) {
      issues.push(refused("Bots call no tools, and read no calls of tools", "messages", index))
    }
    const text = parts.map((part) => part.text ?? "").join("\n")
    if (role === "user") asked.push(text)
    else if (role === "assistant") {
      // What is said in several messages belongs together.
      const last = history.at(-1)
      if (asked.length === 0 && last !== undefined) last.assistantMessage += `\n\n${text}`
      else history.push({ userMessage: asked.join("\n\n"), assistantMessage: text })
      asked = []
    } else instructions.push(text)
  }
  const question = asked.join("\n\n")
  if (question.trim() === "") issues.push(refused("Expected a message of the user at the end, with a text", "messages"))
  if (issues.length > 0) return yield* invalid(...issues)
  return { botCode: request.model, instructions: instructions.join("\n\n"), history, question } satisfies Conversation
})

/** Reads the body as text, which is looked at before: see `PlainTexts`. */
const readRequest = Effect.gen(function* () {
  const { text } = yield* HttpServerRequest.HttpServerRequest
  return yield* Effect.mapError(Effect.flatMap(text, decodeRequest), (error) =>
    error._tag === "SchemaError"
      ? invalid(
          ...formatIssues(error.issue).issues.map(({ message, path = [] }) => ({
            path: path.map((segment) => {
              const key = typeof segment === "object" ? segment.key : segment
              return typeof key === "number" ? key : String(key)
            }),
            message
          }))
        )
      : error
  )
})

const stopped = new BotsStopped({ message: "The answer was stopped." })

const finishReason = ({ metaData }: Completion) => {
  if (metaData?.tags.includes("cut-off") === true) return "length"
  return metaData?.tags.includes("content-filter") === true ? "content_filter" : "stop"
}

const usageOf = ({ completionTokens, promptTokens, totalTokens }: Completion) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: totalTokens
})

const data = (json: unknown): string => `data: ${JSON.stringify(json)}\n\n`

interface Head {
  readonly id: string
  readonly created: number
  readonly model: string
}

/** The events of an answer as OpenAI sends them. */
const toChunks = (head: Head, includeUsage: boolean) => {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    data({
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(includeUsage ? { usage: null } : undefined)
    })
  return (event: CompletionEvent): string => {
    switch (event._tag) {
      case "Started":
        return chunk({ role: "assistant", content: "", refusal: null })
      case "Delta":
        return chunk({ content: event.text })
      case "Completed":
        return [
          chunk({}, finishReason(event.completion)),
          ...(includeUsage
            ? [data({ ...head, object: "chat.completion.chunk", choices: [], usage: usageOf(event.completion) })]
            : []),
          "data: [DONE]\n\n"
        ].join("")
      case "Stopped":
        return data(OpenAiErrors.bodyOf(stopped))
      case "Failed":
        return data(OpenAiErrors.bodyOfFailure(event))
      case "Sources":
      case "Unknown":
        return ""
    }
  }
}

const toModel = ({ code, createdUtc }: Bot) => ({
  id: code ?? "",
  object: "model",
  created: createdUtc === undefined ? 0 : Math.floor(DateTime.toEpochMillis(createdUtc) / 1000),
  owned_by: "effect-chatbot"
})

/** The most models that are listed. */
const maxModels = 1000

const pageSize = 100

/** The routes. */
export const layer = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const bots = yield* BotService
    const oneTimeChats = yield* OneTimeChats
    const random = yield* SecureRandom.SecureRandom
    const signIn = yield* SignIn.make

    const callerOf = (called: SignIn.Called) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
        const [, token = ""] = /^bearer +(\S+) *$/i.exec(headers["authorization"] ?? "") ?? []
        return signIn(Redacted.make(token), called)
      })

    /** Answers what fails as OpenAI does. */
    const answered = <E, R>(
      operation: string,
      route: string,
      handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
      model: () => string | undefined = () => undefined
    ) =>
      Effect.andThen(
        tell({ operation, route }),
        Effect.catchCauseIf(
          handler,
          (cause) => !Cause.hasInterruptsOnly(cause),
          (cause) =>
            Effect.flatMap(ProblemResponses.toError(random, cause), (error) => OpenAiErrors.fromError(error, model()))
        )
      )

    const modelsOf = Effect.fnUntraced(function* (caller: Caller) {
      const models: Array<ReturnType<typeof toModel>> = []
      let hasNext = true
      for (let pageNumber = 1; hasNext && models.length < maxModels; pageNumber++) {
        const page = yield* bots.list(caller, { pageNumber, pageSize, orderBy: "code" })
        models.push(...page.items.map(toModel))
        hasNext = page.hasNext
      }
      return models
    })

    const models = Effect.flatMap(callerOf({ isAnonymousAllowed: false, isCompletion: false }), modelsOf)

    yield* router.add(
      "GET",
      "/v1/models",
      answered(
        "openai.models",
        "/v1/models",
        Effect.map(models, (data) => HttpServerResponse.jsonUnsafe({ object: "list", data }))
      )
    )

    yield* router.add(
      "GET",
      "/v1/models/:model",
      Effect.gen(function* () {
        const { model = "" } = yield* HttpRouter.params
        const find = Effect.gen(function* () {
          const found = (yield* models).find(({ id }) => id === model)
          return HttpServerResponse.jsonUnsafe(found ?? (yield* new BotNotFound({})))
        })
        return yield* answered("openai.model", "/v1/models/:model", find, () => model)
      })
    )

    const answerWhole = (events: Stream.Stream<CompletionEvent>, head: Head) =>
      Effect.gen(function* () {
        const last = Option.getOrUndefined(yield* Stream.runLast(events))
        if (last?._tag === "Failed") return OpenAiErrors.fromFailure(last)
        if (last?._tag !== "Completed") return yield* stopped
        const { completion } = last
        if (completion.metaData?.tags.includes(stoppedTag) === true) return yield* stopped
        return HttpServerResponse.jsonUnsafe({
          ...head,
          object: "chat.completion",
          choices: [
            {
              index: 0,
              message: { role: "assistant", content: completion.assistantMessage ?? "", refusal: null },
              logprobs: null,
              finish_reason: finishReason(completion)
            }
          ],
          usage: usageOf(completion)
        })
      })

    const answerStreamed = (events: Stream.Stream<CompletionEvent>, head: Head, includeUsage: boolean) =>
      Effect.gen(function* () {
        // What fails before a word was said still gets its status.
        const first = yield* Stream.runHead(Stream.filter(events, ({ _tag }) => _tag !== "Started"))
        if (Option.isSome(first) && first.value._tag === "Failed") return OpenAiErrors.fromFailure(first.value)
        if (Option.isSome(first) && first.value._tag === "Stopped") return yield* stopped
        const chunks = events.pipe(
          Stream.map(toChunks(head, includeUsage)),
          Stream.filter((chunk) => chunk !== ""),
          Stream.encodeText
        )
        return HttpServerResponse.stream(chunks, {
          contentType: eventStream,
          headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
        })
      })

    yield* router.add(
      "POST",
      "/v1/chat/completions",
      Effect.suspend(() => {
        let model: string | undefined
        const complete = Effect.gen(function* () {
          const caller = yield* callerOf({ isAnonymousAllowed: true, isCompletion: true })
          const request = yield* readRequest
          model = request.model
          const asked = oneTimeChats.ask(caller, yield* toConversation(request))
          const created = Math.floor((yield* Clock.currentTimeMillis) / 1000)
          const headOf = (id: CompletionId): Head => ({ id: `chatcmpl-${id}`, created, model: request.model })
          if (request.stream !== true) {
            // An answer that is whole is given when nothing of it is left.
            return yield* Effect.scoped(
              Effect.flatMap(asked, ({ completionId, events }) => answerWhole(events, headOf(completionId)))
            )
          }
          const { completionId, events } = yield* asked
          return yield* answerStreamed(events, headOf(completionId), request.stream_options?.include_usage === true)
        })
        return answered("openai.chat", "/v1/chat/completions", complete, () => model)
      })
    )
  })
)
