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

/** The provider refused how it was asked, and not what; there is a simpler way to ask. */
class FormRefused extends Data.TaggedError("FormRefused") {}

type Failed = Failure.AttemptFailed | FormRefused

const isEvents = (type: string): boolean => type === ServerSentEvents.contentType

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
const waits = (policy: ProviderPolicy.ProviderPolicy, clock: Clock.Clock, deadline: number) => {
  const firstEvent = Duration.toMillis(Duration.fromInputUnsafe(policy.firstEvent))
  const idle = Duration.toMillis(Duration.fromInputUnsafe(policy.idle))
  const began = clock.currentTimeMillisUnsafe()
  let hasBegun = false
  return {
    /** The answer has begun: from now on only silence is too long. */
    begin: () => {
      hasBegun = true
    },
    within: <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Failure.AttemptFailed, R> =>
      Effect.suspend(() => {
        const now = clock.currentTimeMillisUnsafe()
        const left = hasBegun ? idle : began + firstEvent - now
        return deadline - now <= left
          ? Effect.timeoutOrElse(self, {
              duration: Math.max(0, deadline - now),
              orElse: () => Effect.fail(Failure.timedOut("The provider did not finish its answer", policy.whole))
            })
          : Effect.timeoutOrElse(self, {
              duration: Math.max(0, left),
              orElse: () =>
                Effect.fail(
                  hasBegun
                    ? Failure.timedOut("The provider did not go on with its answer", policy.idle)
                    : Failure.timedOut("The provider did not begin its answer", policy.firstEvent)
                )
            })
      })
  }
}

/** The text of the answer to one question. What was read is in `story.reading` in the end. */
export const ask = (
  client: HttpClient.HttpClient,
  asking: Asking,
  story: Story
): Stream.Stream<Delta, Failure.AttemptFailed> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const { apiKey, messages, policy, spend } = asking
      const scoped = HttpClient.withScope(client)
      const deadline = clock.currentTimeMillisUnsafe() + Duration.toMillis(Duration.fromInputUnsafe(policy.whole))
      const secrets = {
        key: apiKey === undefined ? undefined : Redacted.value(apiKey),
        prompt: messages.map(({ content }) => content)
      }
      const ofTransport = (error: HttpClientError) => Failure.ofTransport(error, policy.connect)
      const toSay = (body: unknown) => {
        const message = messageOf(body)
        return message === undefined ? undefined : repeatable(message, secrets)
      }

      const troubled = (trouble: ChatCompletions.Trouble): Failure.AttemptFailed => {
        if (trouble._tag === "NotReadable") return Failure.final("The provider sent something that is no answer.")
        const said = toSay(trouble.error)
        const message = `The provider failed${said === undefined ? "." : `: ${said}`}`
        return trouble.status !== undefined && ProviderPolicy.isRetryable(trouble.status)
          ? Failure.passing(message)
          : Failure.final(message)
      }

      /** Fails with what a status means that is no success. */
      const refused = Effect.fnUntraced(function* (response: HttpClientResponse) {
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
          said: toSay(bodyOf(text)),
          hadKey: apiKey !== undefined,
          now: clock.currentTimeMillisUnsafe()
        })
      })

      /** What the answer lacks that was read to its end. */
      const lacks = ({ finish, isDone, text }: ChatCompletions.Reading): Failure.AttemptFailed | undefined => {
        if (!isDone && finish === undefined) return Failure.passing("The provider broke off its answer.")
        if (text !== "") return undefined
        return finish === "content_filter"
          ? Failure.final("The provider withheld its answer, by its content filter.")
          : Failure.final("The provider answered without any text.")
      }

      const attempt: Stream.Stream<Delta, Failed> = Stream.unwrap(
        Effect.gen(function* () {
          const reading = ChatCompletions.nothingRead()
          story.reading = reading
          const { begin, within } = waits(policy, clock, deadline)
          const response = yield* scoped
            .execute(toRequest(asking, story.form))
            .pipe(Effect.mapError(ofTransport), within)
          if (response.status < 200 || response.status >= 300) return yield* refused(response)

          const bytes = Stream.transformPull(Stream.mapError(response.stream, ofTransport), (pull) =>
            Effect.succeed(within(pull))
          )
          const type = typeOf(response)
          if (/^application\/(?:.+\+)?json$/.test(type)) {
            const { isWhole, text: json } = yield* textOf(bytes, bodyLimits.answer)
            if (!isWhole) return yield* Failure.final("The answer of the provider is too large.")
            const text = ChatCompletions.readWhole(reading, json)
            return Result.isFailure(text)
              ? Stream.fail(troubled(text.failure))
              : Stream.fromIterable(toDeltas(text.success))
          }
          if (!isEvents(type)) return yield* Failure.final("The provider sent something that is no answer.")

          return bytes.pipe(
            ServerSentEvents.decode(),
            Stream.mapError((error) =>
              error._tag === "EventTooLarge" ? Failure.final("The provider sent an event that is too large.") : error
            ),
            Stream.mapArrayEffect((events) =>
              Effect.suspend((): Effect.Effect<[ReadonlyArray<Delta>], Failure.AttemptFailed> => {
                const deltas: Array<Delta> = []
                for (const event of events) {
                  if (event._tag === "Retry" || reading.isDone) continue
                  begin()
                  const text = ChatCompletions.readEvent(reading, event)
                  if (Result.isFailure(text)) return Effect.fail(troubled(text.failure))
                  if (text.success !== "") deltas.push({ _tag: "Delta", text: text.success })
                }
                return Effect.succeed([deltas])
              })
            ),
            Stream.takeUntil(() => reading.isDone),
            Stream.flattenIterable,
            // An answer that said why it ends is whole, however its connection ends.
            Stream.catch((error) => (reading.finish === undefined ? Stream.fail(error) : Stream.empty))
          )
        })
      ).pipe(
        Stream.concat(
          Stream.suspend(() => {
            const failure = lacks(story.reading)
            return failure === undefined ? Stream.empty : Stream.fail(failure)
          })
        )
      )

      const inSomeForm: Stream.Stream<Delta, Failure.AttemptFailed> = Stream.catchTag(
        attempt,
        "FormRefused",
        () => inSomeForm
      )

      const told = Stream.suspend(() => {
        const number = ++story.attempts
        const began = clock.currentTimeMillisUnsafe()
        const tell = (outcome: string) => {
          story.trace.push(`attempt ${number}: ${outcome}, after ${clock.currentTimeMillisUnsafe() - began} ms`)
        }
        return inSomeForm.pipe(
          Stream.mapError((error) => {
            tell(error.error.message.replace(/\.$/, ""))
            return story.reading.text === "" ? error : Failure.afterHandingOn(error)
          }),
          Stream.onEnd(
            Effect.sync(() => tell(`an answer, ${story.form}, finish ${story.reading.finish ?? "not told"}`))
          )
        )
      })
      return Stream.retry(told, ProviderPolicy.schedule(policy, { deadline, spend }))
    })
  )
