import { completionIdHeader } from "@effect-chatbot/api/EventStream"
import * as ServerSentEvents from "@effect-chatbot/api/ServerSentEvents"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Check, checksOf, decision } from "./Check.ts"
import { ask, type Input, open, type Opened } from "./exchange.ts"
import { conforms, equals, fields, hasStatus, holds, json, ok, prepared, success } from "./expect.ts"
import { type Blocked, Violation } from "./Failure.ts"
import * as Given from "./given.ts"
import type { OperationName } from "./operations.ts"
import { nobodys } from "./patterns.ts"
import { Target } from "./Target.ts"

const check = checksOf("streaming")

/** Makes an answer take longer, where a model gives it. */
const atLength = "Answer at length."

const html = "WHATWG HTML, 9.2"

/** An event, as it was told. */
interface Event {
  /** Empty where it has none of its own. */
  readonly id: string
  readonly name: string
  readonly data: string
}

const isTerminal = ({ name }: Event): boolean => name === "completed" || name === "stopped" || name === "failed"

/** The events that are told, as they come. Fails where the connection breaks, and where nothing comes for too long. */
const eventsOf = ({ body, request }: Opened): Stream.Stream<Event, Violation, Target> =>
  Stream.unwrap(
    Effect.map(Target, ({ timeout }) =>
      body.pipe(
        ServerSentEvents.decode(),
        Stream.catchTag("EventTooLarge", ({ message }) =>
          Stream.fail(new Violation({ request, expected: "events of a size that can be read", actual: message }))
        ),
        Stream.filter((message) => message._tag === "Message"),
        Stream.map(({ data, hasOwnId, id = "", name }): Event => ({ id: hasOwnId ? id : "", name, data })),
        Stream.timeoutOrElse({
          duration: timeout,
          orElse: () =>
            Stream.fail(
              new Violation({
                request,
                expected: "events to the last one, and then the end of the answer",
                actual: `nothing for ${Duration.format(timeout)}`
              })
            )
        })
      )
    )
  )

/** A list of events in a report. */
const inShort = (events: ReadonlyArray<Event>): string =>
  events.length === 0 ? "no events" : events.map(({ id, name }) => `${id === "" ? "–" : id} ${name}`).join(", ")

/** The answer to a request for events. */
const telling = (name: OperationName, input: Input): Effect.Effect<Opened, Violation, Target | Scope.Scope> =>
  Effect.flatMap(
    open(name, { ...input, headers: { accept: ServerSentEvents.contentType, ...input.headers } }),
    (opened) => {
      const { headers, request, status } = opened
      const type = headers["content-type"] ?? "nothing"
      return status === 200 && type.startsWith(ServerSentEvents.contentType)
        ? Effect.succeed(opened)
        : Effect.fail(
            new Violation({
              request: `${request}, accepting ${ServerSentEvents.contentType}`,
              expected: `200 ${ServerSentEvents.contentType}`,
              actual: `${status} ${type}`
            })
          )
    }
  )

/** What must hold of events that were told. */
const shows = (
  { request }: Opened,
  isTrue: boolean,
  expected: string,
  actual: string
): Effect.Effect<void, Violation> => (isTrue ? Effect.void : Effect.fail(new Violation({ request, expected, actual })))

/** What went wrong is a violation where that is to blame, and else the fault of something else. */
const blamedIf =
  (isToBlame: () => boolean) =>
  (violation: Violation): Effect.Effect<never, Violation | Blocked> =>
    isToBlame() ? Effect.fail(violation) : prepared(Effect.fail(violation))

const Id = Schema.NonEmptyString
const decodeJson = Schema.decodeResult(Schema.fromJsonString(Schema.Unknown))
const Answered = Schema.Struct({ completionId: Id, assistantMessage: Schema.String })

/** Events that were told, of a question in a chat. */
interface Told {
  readonly chatId: string
  readonly opened: Opened
  readonly events: ReadonlyArray<Event>
}

/** Asks in a chat, for events. */
const asked = Effect.fnUntraced(function* (
  chatId: string,
  manner?: string
): Effect.fn.Return<Opened, Blocked, Target | Scope.Scope> {
  const { question } = yield* Target
  const userMessage = manner === undefined ? question : `${question} ${manner}`
  return yield* prepared(telling("chats.complete", { params: { chatId }, payload: { userMessage } }))
})

/** Asks in a new chat, for events. */
const askedAnew = Effect.flatMap(Given.chat(), ({ chatId }) => asked(chatId))

/** A question that is answered with events, up to the one that ends them. */
const answered: Effect.Effect<Told, Blocked, Target | Scope.Scope> = Effect.gen(function* () {
  const { chatId } = yield* Given.chat()
  const opened = yield* asked(chatId)
  const events = yield* prepared(Stream.runCollect(Stream.takeUntil(eventsOf(opened), isTerminal)))
  return { chatId, opened, events }
})

/** The data of the last event of this name, which has these fields. Other checks tell of events that are missing or not as described. */
const dataOf = <Fields extends Schema.Struct.Fields>(
  { events, opened }: Omit<Told, "chatId">,
  name: string,
  fields: Fields
) => {
  const event = events.findLast((event) => event.name === name)
  const expected = `an event ${name} with ${Object.keys(fields).join(", ")}`
  return prepared(
    Effect.mapError(
      Schema.decodeEffect(Schema.fromJsonString(Schema.Struct(fields)))(event?.data ?? ""),
      () => new Violation({ request: opened.request, expected, actual: event?.data ?? inShort(events) })
    )
  )
}

/** The whole answer, as the last event has it. */
const wholeOf = (told: Told) =>
  Effect.map(dataOf(told, "completed", { completion: Answered }), ({ completion }) => completion)

/** Each event has a number, and each a higher one than that before it. */
const isNumbered = ({ events, opened }: Told) => {
  const isRising = events.every(
    ({ id }, i) => /^\d{1,9}$/.test(id) && (i === 0 || Number(id) > Number(events[i - 1]!.id))
  )
  return shows(opened, isRising, "a number on each event, rising", inShort(events))
}

/** The id of the answer, as the first event has it. */
const idOf = (told: Omit<Told, "chatId">) =>
  Effect.map(dataOf(told, "started", { completionId: Id }), ({ completionId }) => completionId)

/** What was said, piece by piece. */
const textOf = ({ events, opened }: Told) =>
  Effect.map(
    Effect.forEach(
      events.filter(({ name }) => name === "delta"),
      (event) => dataOf({ opened, events: [event] }, "delta", { text: Schema.String })
    ),
    (pieces) => pieces.map(({ text }) => text).join("")
  )

/** The answers that a chat has. */
const kept = Effect.fnUntraced(function* (chatId: string) {
  const answer = yield* prepared(ok("chats.get", { params: { chatId } }))
  const { completions } = yield* prepared(fields(answer, { completions: Schema.Array(Answered) }))
  return { answer, completions }
})

/** An answer that is stopped as soon as something of it was said, up to the event that ends it. What goes wrong before that says nothing of it. */
const stopped: Effect.Effect<Told, Blocked | Violation, Target | Scope.Scope> = Effect.gen(function* () {
  const { chatId } = yield* Given.chat()
  const opened = yield* asked(chatId, atLength)
  const events: Array<Event> = []
  let isStopped = false
  yield* eventsOf(opened).pipe(
    Stream.takeUntil(isTerminal),
    Stream.runForEach((event) => {
      events.push(event)
      if (isStopped || event.name !== "delta") return Effect.void
      isStopped = true
      return Effect.flatMap(idOf({ opened, events }), (completionId) =>
        success("chats.stop", { params: { chatId, completionId } })
      )
    }),
    Effect.andThen(() => shows(opened, isStopped || events.some(isTerminal), "something to stop", inShort(events))),
    Effect.catchTag(
      "Violation",
      blamedIf(() => isStopped)
    )
  )
  return { chatId, opened, events }
})

/** The events of an answer after one of them, to the end. */
const followed = (told: Told, after?: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { chatId } = told
      const completionId = yield* idOf(told)
      const headers = after === undefined ? undefined : { "last-event-id": after }
      const opened = yield* telling("chats.events", { params: { chatId, completionId }, headers })
      const events = yield* Stream.runCollect(Stream.takeUntil(eventsOf(opened), isTerminal))
      return { opened, events }
    })
  )

/** Some places of many: at the beginning, in the middle and at the end. */
const placesOf = (count: number): ReadonlyArray<number> =>
  Array.from(new Set([1, 2, Math.floor(count / 2), count - 1])).filter((at) => at > 0 && at < count)

/** The checks of answers as streams of events. */
export const streaming: ReadonlyArray<Check> = [
  check(
    "chats.complete/streams",
    { title: "A question is answered with events where they are preferred", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { question } = yield* Target
      const { chatId } = yield* Given.chat()
      yield* telling("chats.complete", { params: { chatId }, payload: { userMessage: question } })
    })
  ),
  check(
    "chats.complete/streams-only-where-preferred",
    {
      title: "A question is answered with JSON where events are wanted no more than that",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { question } = yield* Target
      const { chatId } = yield* Given.chat()
      const payload = { userMessage: question }
      const headers = { accept: `application/json, ${ServerSentEvents.contentType}` }
      yield* json(yield* conforms(yield* ask("chats.complete", { params: { chatId }, payload, headers })))
    })
  ),
  check(
    "chats.complete/streams-to-nobody-else",
    { title: "No cache may keep the events of an answer", source: "RFC 9111, 5.2.2.5", needs: ["user", "bot"] },
    Effect.gen(function* () {
      const opened = yield* askedAnew
      const cacheControl = opened.headers["cache-control"] ?? ""
      yield* shows(opened, /\bno-store\b/i.test(cacheControl), "Cache-Control: no-store", cacheControl || "none")
    })
  ),
  check(
    "chats.complete/streams-no-refusal",
    {
      title: "A question that is refused is answered with a problem, also where events are preferred",
      source: decision,
      needs: ["user"]
    },
    Effect.flatMap(
      ask("chats.complete", {
        params: { chatId: nobodys },
        payload: { userMessage: "?" },
        headers: { accept: ServerSentEvents.contentType }
      }),
      (answer) => hasStatus(answer, 404)
    )
  ),
  check(
    "chats.complete/streams-a-beginning",
    { title: "The first event of an answer is started", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { events, opened } = yield* answered
      yield* shows(opened, events[0]?.name === "started", "started as the first event", inShort(events))
    })
  ),
  check(
    "chats.complete/streams-an-end",
    { title: "The last event of an answer is completed, stopped or failed", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const opened = yield* askedAnew
      const events = yield* Stream.runCollect(Stream.takeUntil(eventsOf(opened), isTerminal))
      const isWhole = events.some(isTerminal)
      yield* shows(opened, isWhole, "completed, stopped or failed as the last event", inShort(events))
    })
  ),
  check(
    "chats.complete/streams-nothing-after-the-end",
    { title: "After the last event of an answer its stream is closed", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const opened = yield* askedAnew
      let isOver = false
      const beyond: Array<Event> = []
      yield* Stream.runForEach(eventsOf(opened), (event) =>
        Effect.sync(() => {
          if (isOver) beyond.push(event)
          isOver ||= isTerminal(event)
        })
      ).pipe(
        Effect.catchTag(
          "Violation",
          blamedIf(() => isOver)
        )
      )
      yield* shows(opened, beyond.length === 0, "nothing after the last event", inShort(beyond))
    })
  ),
  check(
    "chats.complete/streams-numbers",
    {
      title: "Each event of an answer has a number, and each a higher one than that before it",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      yield* isNumbered(yield* answered)
    })
  ),
  check(
    "chats.complete/streams-as-described",
    { title: "The events of an answer are as the contract describes them", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { events, opened } = yield* answered
      const validate = opened.operation.bodies.get(ServerSentEvents.contentType)
      for (const { data, name } of events) {
        const json = decodeJson(data)
        // What a number has to be is said by another check.
        const wrong = Result.isFailure(json)
          ? ["Expected JSON"]
          : (validate?.({ id: "1", event: name, data: json.success }) ?? [])
        const expected = `an event ${name} as the contract describes it`
        yield* shows(opened, wrong.length === 0, expected, `${wrong.join("; ")} in ${data}`)
      }
    })
  ),
  check(
    "chats.complete/streams-the-text",
    { title: "The pieces of an answer are its text", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const told = yield* answered
      const { assistantMessage } = yield* wholeOf(told)
      const text = yield* textOf(told)
      yield* shows(told.opened, text === assistantMessage, assistantMessage, text)
    })
  ),
  check(
    "chats.complete/streams-the-sources",
    { title: "The sources of an answer are those that its last event has", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const told = yield* answered
      const { completion } = yield* dataOf(told, "completed", { completion: Schema.Struct({ metaData: Schema.Json }) })
      const { metaData } = yield* dataOf(told, "sources", { metaData: Schema.Json })
      const isSame = Equal.equals(metaData, completion.metaData)
      yield* shows(told.opened, isSame, JSON.stringify(completion.metaData), JSON.stringify(metaData))
    })
  ),
  check(
    "chats.complete/streams-one-id",
    {
      title: "The id of an answer is the same in its header, its first and its last event",
      source: decision,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* answered
      const { completionId } = yield* wholeOf(told)
      const begun = yield* idOf(told)
      const header = told.opened.headers[completionIdHeader.toLowerCase()] ?? "none"
      yield* shows(told.opened, header === completionId, `${completionIdHeader}: ${completionId}`, header)
      yield* shows(told.opened, begun === completionId, `started with ${completionId}`, begun)
    })
  ),
  check(
    "chats.complete/streams-what-is-kept",
    {
      title: "An answer that was told with events is in its chat",
      source: decision,
      also: ["chats.get"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* answered
      const whole = yield* wholeOf(told)
      const { answer, completions } = yield* kept(told.chatId)
      const isKept = completions.some((completion) => Equal.equals(completion, whole))
      yield* holds(answer, isKept, `the answer ${whole.completionId}, as it was told`)
    })
  ),
  check(
    "chats.complete/goes-on-when-left",
    {
      title: "An answer goes on when its reader leaves, and can be followed to its end",
      source: decision,
      also: ["chats.events"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      const told = yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* asked(chatId, atLength)
          const events = yield* prepared(Stream.runCollect(Stream.take(eventsOf(opened), 1)))
          return { chatId, opened, events }
        })
      )
      const { events, opened } = yield* followed(told)
      const isWhole = events.at(-1)?.name === "completed"
      yield* shows(opened, isWhole, "completed as the last event", inShort(events))
    })
  ),
  check(
    "chats.events/goes-on-after-any",
    {
      title: "An answer is told again after any of its events, with what followed it and nothing else",
      source: html,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* answered
      yield* prepared(isNumbered(told))
      for (const at of placesOf(told.events.length)) {
        const id = told.events[at - 1]!.id
        const { events, opened } = yield* followed(told, id)
        const rest = told.events.slice(at)
        yield* shows(opened, Equal.equals(events, rest), `after ${id}: ${inShort(rest)}`, inShort(events))
      }
    })
  ),
  check(
    "chats.events/begins-at-the-beginning",
    { title: "An answer is told again from its first event where none is named", source: html, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const told = yield* answered
      const { events, opened } = yield* followed(told)
      yield* shows(opened, Equal.equals(events, told.events), inShort(told.events), inShort(events))
    })
  ),
  check(
    "chats.events/ends-after-the-last",
    {
      title: "After the last event of an answer there is nothing, and it says so",
      source: html,
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* answered
      yield* prepared(isNumbered(told))
      const { events, opened } = yield* followed(told, told.events.at(-1)!.id)
      yield* shows(opened, events.length === 0, "no events", inShort(events))
    })
  ),
  check(
    "chats.events/refuses-no-number",
    { title: "What is no number of an event is refused with 400", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const told = yield* answered
      const { chatId } = told
      const answer = yield* ask("chats.events", {
        params: { chatId, completionId: yield* idOf(told) },
        headers: { "last-event-id": "the last" }
      })
      yield* hasStatus(answer, 400)
    })
  ),
  check(
    "chats.events/misses-with-404",
    { title: "The events of an answer that does not exist are 404", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      yield* hasStatus(yield* ask("chats.events", { params: { chatId, completionId: nobodys } }), 404)
    })
  ),
  check(
    "chats.stop/stops",
    {
      title: "An answer that is stopped ends with stopped, or with completed where it was quicker",
      source: decision,
      also: ["chats.complete"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const { events, opened } = yield* stopped
      const isEnded = /^(stopped|completed)$/.test(events.at(-1)?.name ?? "")
      yield* shows(opened, isEnded, "stopped or completed as the last event", inShort(events))
    })
  ),
  check(
    "chats.stop/keeps-what-was-said",
    {
      title: "What was said of an answer before it was stopped is kept",
      source: decision,
      also: ["chats.complete", "chats.get"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* Effect.catchTag(
        stopped,
        "Violation",
        blamedIf(() => false)
      )
      if (told.events.at(-1)?.name !== "stopped") return
      const said = yield* textOf(told)
      const { completionId, text } = yield* dataOf(told, "stopped", { completionId: Id, text: Schema.String })
      yield* shows(told.opened, text === said, said, text)
      const { answer, completions } = yield* kept(told.chatId)
      const isKept = completions.some((completion) =>
        Equal.equals(completion, { completionId, assistantMessage: said })
      )
      yield* holds(answer, isKept, `the answer ${completionId} with ${said}`)
    })
  ),
  check(
    "chats.stop/leaves-what-has-ended",
    {
      title: "An answer that has ended stays as it is when it is stopped",
      source: decision,
      also: ["chats.get"],
      needs: ["user", "bot"]
    },
    Effect.gen(function* () {
      const told = yield* answered
      const { chatId } = told
      const before = yield* kept(chatId)
      yield* success("chats.stop", { params: { chatId, completionId: yield* idOf(told) } })
      const { answer, completions } = yield* kept(chatId)
      yield* equals(answer, "the answers", completions, before.completions)
    })
  ),
  check(
    "chats.stop/misses-with-404",
    { title: "An answer that does not exist is 404 when it is stopped", source: decision, needs: ["user", "bot"] },
    Effect.gen(function* () {
      const { chatId } = yield* Given.chat()
      yield* hasStatus(yield* ask("chats.stop", { params: { chatId, completionId: nobodys } }), 404)
    })
  )
]
