/**
 * Asks a provider for a chat completion, as often as the policy allows until the answer begins, and gives its text as it comes.
 */
import * as ServerSentEvents from "@effect-chatbot/api/ServerSentEvents"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Delta, toDeltas } from "../CompletionProvider.ts"
import type { Message } from "../Prompt.ts"
import * as ProviderEndpoint from "../ProviderEndpoint.ts"
import * as ProviderPolicy from "../ProviderPolicy.ts"
import * as ChatCompletions from "./ChatCompletions.ts"
import * as Failure from "./providerFailure.ts"
import { bodyOf, messageOf, repeatable } from "./repeatable.ts"

/** How much of an answer that comes as a whole is read, in bytes: of an error only its beginning. */
const bodyLimits = { answer: 8 * 1024 * 1024, error: 64 * 1024 } as const

/** How long the body of an error is waited for. */
const errorPatience = Duration.seconds(10)

/** What is asked, and where. */
export interface Asking {
  readonly endpoint: ProviderEndpoint.ProviderEndpoint
  readonly apiKey: Redacted.Redacted | undefined
  readonly model: string
  readonly messages: ReadonlyArray<Message>
  readonly policy: ProviderPolicy.ProviderPolicy
  /** Takes a further attempt out of the budget of the service, if there is room. */
  readonly spend: (isAfterTimeout: boolean) => boolean
}

/** What came of it so far. */
export interface Story {
  form: ChatCompletions.Form
  attempts: number
  /** What the last attempt has read. */
  reading: ChatCompletions.Reading
  /** A line for each attempt. */
  readonly trace: Array<string>
}

/** Before anything was asked. */
export const emptyStory = (): Story => ({
  form: "events with usage",
  attempts: 0,
  reading: ChatCompletions.nothingRead(),
  trace: []
})

/** One question on its way. */
interface Call extends Asking {
  readonly client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>
  readonly clock: Clock.Clock
  /** When its answer must have come, in milliseconds of the clock. */
  readonly deadline: number
  readonly story: Story
}

type Bytes = Stream.Stream<Uint8Array, Failure.AttemptFailed>

type Text = Stream.Stream<Delta, Failure.AttemptFailed>

/** The provider refused how it was asked, and not what; there is a simpler way to ask. */
class FormRefused extends Data.TaggedError("FormRefused") {}

/** The media type of a body, without its parameters. There are servers that send events and do not say so. */
const typeOf = ({ headers }: HttpClientResponse): string =>
  (headers["content-type"] ?? ServerSentEvents.contentType).replace(/;.*/, "").trim().toLowerCase()

const toRequest = ({ apiKey, endpoint, messages, model }: Asking, form: ChatCompletions.Form) => {
  const request = HttpClientRequest.post(ProviderEndpoint.chatCompletions(endpoint, model)).pipe(
    HttpClientRequest.setHeaders({ accept: "text/event-stream, application/json", "user-agent": "effect-chatbot" }),
    HttpClientRequest.bodyText(ChatCompletions.requestBody(form, model, messages), "application/json")
  )
  if (apiKey === undefined) return request
  return endpoint.kind === "azure"
    ? HttpClientRequest.setHeader(request, "api-key", Redacted.value(apiKey))
    : HttpClientRequest.bearerToken(request, apiKey)
}

/** The text of a body, as far as it is not longer than it may be. */
const textOf = <E>(bytes: Stream.Stream<Uint8Array, E>, limit: number) =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    return bytes.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          size += chunk.length
          text += decoder.decode(chunk, { stream: true })
          return size <= limit
        })
      ),
      Effect.map(() => ({ text: text + decoder.decode(), isWhole: size <= limit }))
    )
  })

/** The ends of the waits of one attempt, of which the first counts. */
const waits = ({ clock, deadline, policy }: Call) => {
  const firstEvent = Duration.toMillis(Duration.fromInputUnsafe(policy.firstEvent))
  const idle = Duration.toMillis(Duration.fromInputUnsafe(policy.idle))
  const began = clock.currentTimeMillisUnsafe()
  let hasBegun = false

  const next = () => {
    const now = clock.currentTimeMillisUnsafe()
    const own = hasBegun ? idle : began + firstEvent - now
    if (deadline - now <= own) {
      return { left: deadline - now, failure: Failure.timedOut("The provider did not finish its answer", policy.whole) }
    }
    return hasBegun
      ? { left: own, failure: Failure.timedOut("The provider did not go on with its answer", policy.idle) }
      : { left: own, failure: Failure.timedOut("The provider did not begin its answer", policy.firstEvent) }
  }

  return {
    /** The answer has begun: from now on only silence is too long. */
    begin: () => {
      hasBegun = true
    },
    within: <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Failure.AttemptFailed, R> =>
      Effect.suspend(() => {
        const { failure, left } = next()
        return Effect.timeoutOrElse(self, { duration: Math.max(0, left), orElse: () => Effect.fail(failure) })
      })
  }
}

/** What may be told of an error that the provider sent. */
const said = ({ apiKey, messages }: Call, body: unknown): string | undefined => {
  const message = messageOf(body)
  return message === undefined
    ? undefined
    : repeatable(message, {
        key: apiKey === undefined ? undefined : Redacted.value(apiKey),
        prompt: messages.map(({ content }) => content)
      })
}

/** What something that came in the place of an answer means. */
const troubled = (call: Call, trouble: ChatCompletions.Trouble): Failure.AttemptFailed => {
  if (trouble._tag === "NotReadable") return Failure.final("The provider sent something that is no answer.")
  const what = said(call, trouble.error)
  const message = `The provider failed${what === undefined ? "." : `: ${what}`}`
  return trouble.status !== undefined && ProviderPolicy.isRetryable(trouble.status)
    ? Failure.passing(message)
    : Failure.final(message)
}

/** Fails with what a status means that is no success. */
const refused = Effect.fnUntraced(function* (call: Call, response: HttpClientResponse) {
  const { apiKey, clock, story } = call
  const { text } = yield* textOf(response.stream, bodyLimits.error).pipe(
    Effect.timeoutOrElse({ duration: errorPatience, orElse: () => Effect.succeed({ text: "" }) }),
    Effect.orElseSucceed(() => ({ text: "" }))
  )
  const simpler = ChatCompletions.simplerForm(story.form, response.status, text)
  if (simpler !== undefined) {
    story.form = simpler
    return yield* new FormRefused()
  }
  return yield* Failure.ofStatus(response, {
    said: said(call, bodyOf(text)),
    hadKey: apiKey !== undefined,
    now: clock.currentTimeMillisUnsafe()
  })
})

/** The text of an answer that comes as a whole. */
const readWhole = Effect.fnUntraced(function* (call: Call, bytes: Bytes) {
  const { isWhole, text: json } = yield* textOf(bytes, bodyLimits.answer)
  if (!isWhole) return yield* Failure.final("The answer of the provider is too large.")
  const text = ChatCompletions.readWhole(call.story.reading, json)
  return Result.isFailure(text) ? yield* troubled(call, text.failure) : Stream.fromIterable(toDeltas(text.success))
})

/** The text of an answer that comes as events. */
const readEvents = (call: Call, bytes: Bytes, begin: () => void): Text => {
  const { reading } = call.story
  // An answer that said why it ends is whole, whatever comes after that, and however its connection ends.
  const isWhole = () => reading.finish !== undefined

  const textsOf = (events: ReadonlyArray<ServerSentEvents.Received | ServerSentEvents.Retry>) =>
    Effect.suspend((): Effect.Effect<[ReadonlyArray<Delta>], Failure.AttemptFailed> => {
      const deltas: Array<Delta> = []
      for (const event of events) {
        if (event._tag === "Retry") continue
        begin()
        const text = ChatCompletions.readEvent(reading, event)
        if (Result.isFailure(text)) {
          if (!isWhole()) return Effect.fail(troubled(call, text.failure))
          reading.isDone = true
        } else if (text.success !== "") deltas.push({ _tag: "Delta", text: text.success })
        if (reading.isDone) break
      }
      return Effect.succeed([deltas])
    })

  return bytes.pipe(
    ServerSentEvents.decode(),
    Stream.mapError((error) =>
      error._tag === "EventTooLarge" ? Failure.final("The provider sent an event that is too large.") : error
    ),
    Stream.mapArrayEffect(textsOf),
    Stream.takeUntil(() => reading.isDone),
    Stream.flattenIterable,
    Stream.catch((error) => (isWhole() ? Stream.empty : Stream.fail(error)))
  )
}

/** Fails with what an answer lacks that was read to its end. */
const checkEnd = ({ finish, isDone, text }: ChatCompletions.Reading): Stream.Stream<never, Failure.AttemptFailed> => {
  if (!isDone && finish === undefined) return Stream.fail(Failure.passing("The provider broke off its answer."))
  if (text !== "") return Stream.empty
  return Stream.fail(
    finish === "content_filter"
      ? Failure.final("The provider withheld its answer, by its content filter.")
      : Failure.final("The provider answered without any text.")
  )
}

/** One request, and the text of its answer. */
const send = (call: Call): Stream.Stream<Delta, Failure.AttemptFailed | FormRefused> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { client, policy, story } = call
      story.reading = ChatCompletions.nothingRead()
      const ofTransport = (error: HttpClientError) => Failure.ofTransport(error, policy.connect)
      const { begin, within } = waits(call)
      const response = yield* client.execute(toRequest(call, story.form)).pipe(Effect.mapError(ofTransport), within)
      if (response.status < 200 || response.status >= 300) return yield* refused(call, response)

      const bytes = Stream.transformPull(Stream.mapError(response.stream, ofTransport), (pull) =>
        Effect.succeed(within(pull))
      )
      const type = typeOf(response)
      if (type === ServerSentEvents.contentType) return readEvents(call, bytes, begin)
      if (/^application\/(?:.+\+)?json$/.test(type)) return yield* readWhole(call, bytes)
      return yield* Failure.final("The provider sent something that is no answer.")
    })
  ).pipe(Stream.concat(Stream.suspend(() => checkEnd(call.story.reading))))

/** The same, in a form that the provider takes. */
const sendInSomeForm = (call: Call): Text => Stream.catchTag(send(call), "FormRefused", () => sendInSomeForm(call))

/** One attempt, told in the story. */
const attempt = (call: Call): Text =>
  Stream.suspend(() => {
    const { clock, story } = call
    const number = ++story.attempts
    const began = clock.currentTimeMillisUnsafe()
    const tell = (outcome: string) => {
      story.trace.push(`attempt ${number}: ${outcome}, after ${clock.currentTimeMillisUnsafe() - began} ms`)
    }
    return sendInSomeForm(call).pipe(
      Stream.mapError((error) => {
        tell(error.error.message.replace(/\.$/, ""))
        return story.reading.text === "" ? error : Failure.afterHandingOn(error)
      }),
      Stream.onEnd(Effect.sync(() => tell(`an answer, ${story.form}, finish ${story.reading.finish ?? "not told"}`)))
    )
  })

/** The text of the answer to one question. What was read is in `story.reading` in the end. */
export const ask = (client: HttpClient.HttpClient, asking: Asking, story: Story): Text =>
  Stream.unwrap(
    Effect.map(Clock.Clock, (clock) => {
      const { policy, spend } = asking
      const deadline = clock.currentTimeMillisUnsafe() + Duration.toMillis(Duration.fromInputUnsafe(policy.whole))
      const call: Call = { ...asking, client: HttpClient.withScope(client), clock, deadline, story }
      return Stream.retry(attempt(call), ProviderPolicy.schedule(policy, { deadline, spend }))
    })
  )
