import * as Activities from "@effect-chatbot/client/Activities"
import { ChatbotClient, type Groups } from "@effect-chatbot/client/ChatbotClient"
import type { Bots } from "@effect-chatbot/client/Bots"
import type { CallError } from "@effect-chatbot/client/CallError"
import type { Chats } from "@effect-chatbot/client/Chats"
import type { Statistics } from "@effect-chatbot/client/Statistics"
import type { Completion } from "@effect-chatbot/schema/Chat"
import * as Errors from "@effect-chatbot/schema/Errors"
import { CompletionId } from "@effect-chatbot/schema/Ids"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Activity from "effect/workflow/Activity"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { botId, chatId } from "./support/Methods.ts"
import { failing, json, type Script, scripted, status } from "./support/Scripted.ts"

const failure = Schema.Union([Activities.anyError, Errors.OutcomeUnknown, Schema.Literal("no")])

type Failure = typeof failure.Type

/** A workflow that fails with what its activities fail with. */
const Flow = Workflow.make("Flow", {
  payload: { id: Schema.String },
  idempotencyKey: ({ id }) => id,
  success: Schema.String,
  error: failure
})

type Given = Groups | Scope.Scope | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance

/** Runs a workflow in an engine of its own, against a backend that answers from a script. Its success is a text of JSON. */
const running = <A>(flow: Effect.Effect<A, Failure, Given>, script: Script) => {
  const { layer, sent } = scripted(script)
  const app = Flow.toLayer(() => Effect.map(flow, (value) => JSON.stringify(value ?? null))).pipe(
    Layer.provideMerge(WorkflowEngine.layerMemory),
    Layer.provide(ChatbotClient.layer({ baseUrl: "http://chatbot.test", token: "t" }).pipe(Layer.provide(layer)))
  )
  return { app, sent, run: (id = "1") => Effect.provide(Flow.execute({ id }), app) }
}

/** Lets time pass until it ends, a second at a time: what it does takes the time of the machine too. */
const passing = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(self)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })

/** Where a workflow waits for a signal while it does something else, the signal breaks off what it does, and it begins again. */
const Signal = DurableDeferred.make("signal")

const breakOff = Effect.flatMap(
  DurableDeferred.tokenFromPayload(Signal, { workflow: Flow, payload: { id: "1" } }),
  (token) => DurableDeferred.succeed(Signal, { token, value: undefined })
)

const honoured = { headers: { "idempotency-supported": "true" } }
const keysOf = (sent: ReturnType<typeof scripted>["sent"]) => sent.map(({ headers }) => headers["idempotency-key"])
const inUse = () =>
  json({ type: "urn:effect-chatbot:problem:IdempotencyKeyInUse", status: 409, retryAfter: 1 }, { status: 409 })

/** What a backend answers that has everything. */
const willing = ({ url }: { readonly url: string }) => {
  if (url.endsWith("/tickets")) return json("ticket-canary", honoured)
  if (url.includes("/downloads/")) return new Response("bytes", honoured)
  if (url.endsWith("/feedback")) return json({ feedbackId: "f" }, honoured)
  if (url.endsWith("/search")) return json("bot", honoured)
  return json({ chatId: "c", completionId: "q" }, honoured)
}

const text = {
  success: Schema.String,
  error: Schema.Never,
  save: ({ stream }: { readonly stream: Stream.Stream<Uint8Array, Errors.TransportFailed | Errors.RequestTimedOut> }) =>
    Stream.mkString(Stream.decodeText(stream))
}

/** An activity for each call. */
const all = {
  create: Activities.create("a", botId),
  createByBotCode: Activities.createByBotCode("a", "code"),
  complete: Activities.complete("a", chatId, "Hello?"),
  feedback: Activities.feedback("a", chatId, { voteId: 1 }),
  getChat: Activities.getChat("a", chatId),
  rename: Activities.rename("a", chatId, "name"),
  stop: Activities.stop("a", chatId, CompletionId.make("q")),
  deleteChat: Activities.deleteChat("a", chatId),
  search: Activities.search("a", botId, "Who?"),
  tokenUsage: Activities.tokenUsage("a", { pageSize: 5 }),
  recompute: Activities.recompute("a")
}

const keyed = new Set(["create", "createByBotCode", "complete", "feedback"])

describe("the key of an activity", () => {
  it.effect.each(Object.entries(all))("of %s is its own, and the same in another process", ([name, activity]) =>
    Effect.gen(function* () {
      const flow: Effect.Effect<unknown, Failure, Given> = activity
      const first = running(flow, willing)
      const second = running(flow, willing)
      yield* first.run()
      yield* second.run()
      yield* second.run("another")
      const [key] = keysOf(first.sent)
      assert.strictEqual(first.sent.length, 1)
      const [again, ofAnother] = keysOf(second.sent)
      assert.strictEqual(again, key)
      if (keyed.has(name)) {
        assert.match(key!, /^[\x21-\x7e]{16,255}$/)
        assert.notStrictEqual(ofAnother, key)
      } else assert.strictEqual(key, undefined)
    })
  )

  it.effect("is another for another name", () =>
    Effect.gen(function* () {
      const { run, sent } = running(Effect.all([Activities.create("a", botId), Activities.create("b", botId)]), willing)
      yield* run()
      assert.strictEqual(new Set(keysOf(sent)).size, 2)
    })
  )

  it.effect("stays for another attempt of it, whose answer may be the one that was lost", () =>
    Effect.gen(function* () {
      const { run, sent } = running(Activity.retry(Activities.create("a", botId), { times: 2 }), (request, number) =>
        number < 3 ? failing(request, "ECONNRESET") : json({ chatId: "c" })
      )
      yield* run()
      assert.strictEqual(sent.length, 3)
      assert.strictEqual(new Set(keysOf(sent)).size, 1)
    })
  )

  it.effect("is sent again when a run is broken off and goes on", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const flow = Effect.all([Activities.create("a", botId), DurableDeferred.await(Signal)], { concurrency: 2 })
      const { app, sent } = running(flow, (_, number) =>
        number === 1 ? Effect.andThen(Deferred.succeed(asked, undefined), Effect.never) : json({ chatId: "c" })
      )
      yield* Effect.all([Flow.execute({ id: "1" }), Effect.andThen(Deferred.await(asked), breakOff)], {
        concurrency: 2
      }).pipe(passing, Effect.provide(app))
      assert.strictEqual(sent.length, 2)
      assert.strictEqual(new Set(keysOf(sent)).size, 1)
    })
  )

  it.effect("that is in use is waited for, as long as the call may take", () =>
    Effect.gen(function* () {
      const answering = running(Activities.complete("a", chatId, "Hello?"), (_, number) =>
        number < 20 ? inUse() : json({ completionId: "q" })
      )
      assert.include(yield* passing(answering.run()), `"completionId":"q"`)
      assert.strictEqual(answering.sent.length, 20)

      const stuck = running(Activities.create("a", botId), inUse)
      assert.instanceOf(yield* passing(Effect.flip(stuck.run())), Errors.IdempotencyKeyInUse)
      const times = stuck.sent.map(({ at }) => at)
      assert.isAbove(times.length, 3)
      assert.isBelow(times.at(-1)! - times[0]!, 60_000)
    })
  )

  it.effect("is given to the keyed call of an activity of one's own", () =>
    Effect.gen(function* () {
      const make = Activities.make({
        name: "a",
        success: Schema.String,
        error: Activities.errors(
          Errors.InvalidRequest,
          Errors.PayloadTooLarge,
          Errors.IdempotencyKeyInUse,
          Errors.IdempotencyKeyReused
        ),
        execute: ChatbotClient.use(({ users }) => users.systemMessages.create({ displayName: "a", systemMessage: "b" }))
      })
      const { layer, sent } = scripted(() => json("id"))
      const client = ChatbotClient.layer({ baseUrl: "http://chatbot.test" }).pipe(Layer.provide(layer))
      const app = Flow.toLayer(() => make).pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provide(client))
      yield* Effect.provide(Flow.execute({ id: "1" }), app)
      yield* Effect.provide(Flow.execute({ id: "1" }), Layer.fresh(app))
      assert.strictEqual(sent.length, 2)
      assert.strictEqual(new Set(keysOf(sent)).size, 1)
    })
  )
})

/** Those of a call that declares four. */
const classes = {
  InvalidRequest: Errors.InvalidRequest,
  Unauthorized: Errors.Unauthorized,
  ChatNotFound: Errors.ChatNotFound,
  IdempotencyKeyInUse: Errors.IdempotencyKeyInUse,
  RateLimited: Errors.RateLimited,
  BotsStopped: Errors.BotsStopped,
  InternalError: Errors.InternalError,
  Unavailable: Errors.Unavailable,
  TransportFailed: Errors.TransportFailed,
  RequestTimedOut: Errors.RequestTimedOut,
  UnexpectedStatus: Errors.UnexpectedStatus,
  InvalidResponse: Errors.InvalidResponse,
  CircuitOpen: Errors.CircuitOpen
}

describe("the errors of an activity", () => {
  const any = Schema.Union(Object.values(classes))
  const whole = Schema.toCodecJson(any)
  const schema = Schema.toCodecJson(
    Activities.errors(Errors.InvalidRequest, Errors.ChatNotFound, Errors.IdempotencyKeyInUse, Errors.BotsStopped)
  )

  it.effect.prop(
    "come out of the storage as they went in, but for their bodies",
    // Of what a backend may say: a duration of the wire is never negative.
    { json: Arbitrary.schema(Schema.toEncoded(whole)) },
    ({ json }) =>
      Effect.gen(function* () {
        const error = yield* Schema.decodeEffect(whole)(json)
        const stored = yield* Schema.encodeEffect(schema)(error)
        const restored = yield* Schema.decodeUnknownEffect(schema)(JSON.parse(JSON.stringify(stored)))
        assert.strictEqual(restored.constructor, error.constructor)
        assert.notProperty(restored, "body")
        const sent = JSON.stringify(yield* Schema.encodeEffect(whole)(error), (name, value) =>
          name === "body" ? undefined : value
        )
        assert.strictEqual(JSON.stringify(yield* Schema.encodeEffect(whole)(restored)), sent)
      })
  )

  it.effect("can be stored whatever a backend asks for", () =>
    Effect.gen(function* () {
      const body = { type: "urn:effect-chatbot:problem:BotsStopped", status: 503, retryAfter: 1e306 }
      const { run } = running(all.complete, () => json(body, { status: 503 }))
      assert.instanceOf(yield* Effect.flip(run()), Errors.BotsStopped)
    })
  )

  it.effect("are those of the call, and a body of a foreign backend is not stored", () =>
    Effect.gen(function* () {
      const { run } = running(all.getChat, () => new Response("<h1>canary</h1>", { status: 404 }))
      const error = yield* Effect.flip(run())
      assert.instanceOf(error, Errors.ChatNotFound)
      assert.strictEqual(error.body, undefined)
    })
  )

  it("are exactly those of the call", () => {
    type ErrorOf<Name extends keyof typeof all> = Effect.Error<(typeof all)[Name]>
    type Of<
      Service extends { readonly Service: unknown },
      Name extends keyof Service["Service"]
    > = Service["Service"][Name] extends (...args: never) => infer Call
      ? Effect.Error<Call>
      : Effect.Error<Service["Service"][Name]>
    expectTypeOf<ErrorOf<"create">>().toEqualTypeOf<Of<Chats, "create">>()
    expectTypeOf<ErrorOf<"createByBotCode">>().toEqualTypeOf<Of<Chats, "createByBotCode">>()
    expectTypeOf<ErrorOf<"complete">>().toEqualTypeOf<Of<Chats, "complete">>()
    expectTypeOf<ErrorOf<"feedback">>().toEqualTypeOf<Of<Chats, "feedback">>()
    expectTypeOf<ErrorOf<"getChat">>().toEqualTypeOf<Of<Chats, "get">>()
    expectTypeOf<ErrorOf<"rename">>().toEqualTypeOf<Of<Chats, "rename">>()
    expectTypeOf<ErrorOf<"stop">>().toEqualTypeOf<Of<Chats, "stop">>()
    expectTypeOf<ErrorOf<"search">>().toEqualTypeOf<Of<Bots, "search">>()
    expectTypeOf<ErrorOf<"tokenUsage">>().toEqualTypeOf<Of<Statistics, "tokenUsage">>()
    expectTypeOf<ErrorOf<"recompute">>().toEqualTypeOf<Of<Statistics, "recompute">>()
    // What is gone already is deleted.
    expectTypeOf<ErrorOf<"deleteChat">>().toEqualTypeOf<Exclude<Of<Chats, "delete">, Errors.ChatNotFound>>()
    expectTypeOf<Effect.Success<typeof all.complete>>().toEqualTypeOf<Completion>()
    expectTypeOf<Effect.Services<typeof all.complete>>().toEqualTypeOf<
      Chats | WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance
    >()
    const fetched = Activities.download("a", chatId, "a.md", text)
    expectTypeOf<Effect.Error<typeof fetched>>().toEqualTypeOf<Of<Chats, "download"> | Of<Chats, "createTicket">>()
    expectTypeOf<Effect.Success<typeof fetched>>().toEqualTypeOf<string>()
    const once = Activities.atMostOnce(all.recompute)
    expectTypeOf<Effect.Error<typeof once>>().toEqualTypeOf<Errors.Forbidden | CallError | Errors.OutcomeUnknown>()
  })
})

describe("what is done again", () => {
  it.effect("is no failure for a chat that is deleted already", () =>
    Effect.gen(function* () {
      const { run, sent } = running(all.deleteChat, () => status(404))
      assert.strictEqual(yield* run(), "null")
      assert.deepStrictEqual(
        sent.map(({ method }) => method),
        ["DELETE"]
      )
    })
  )

  it.effect("takes another ticket for a file", () =>
    Effect.gen(function* () {
      let isCut = true
      const flow = Activity.retry(Activities.download("a", chatId, "folder/a.md", text), { times: 1 })
      const { run, sent } = running(flow, (request, number) => {
        if (request.url.endsWith("/tickets")) return json(`ticket-${number}`, honoured)
        const answer = isCut ? failing(request, "ECONNRESET") : new Response("bytes")
        isCut = false
        return answer
      })
      assert.strictEqual(yield* run(), `"bytes"`)
      assert.deepStrictEqual(
        sent.map(({ url }) => new URL(url).search),
        ["", "?ticket=ticket-1", "", "?ticket=ticket-3"]
      )
      // The answer to a key that was used before would be the ticket that was used before.
      assert.strictEqual(new Set(keysOf(sent).filter((key) => key !== undefined)).size, 2)
    })
  )

  it.effect("is not asked where that must not be done twice", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const ask = Effect.match(Activities.atMostOnce(all.complete), {
        onSuccess: () => "answered",
        onFailure: ({ _tag }) => _tag
      })
      const flow = Effect.map(
        Effect.all([ask, DurableDeferred.await(Signal)], { concurrency: 2 }),
        ([outcome]) => outcome
      )
      const { app, sent } = running(flow, () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never))
      const [result] = yield* Effect.all([Flow.execute({ id: "1" }), Effect.andThen(Deferred.await(asked), breakOff)], {
        concurrency: 2
      }).pipe(passing, Effect.provide(app))
      assert.strictEqual(result, `"OutcomeUnknown"`)
      assert.strictEqual(sent.length, 1)
    })
  )

  it.effect("is asked at most once and once at least where nothing happens", () =>
    Effect.gen(function* () {
      const { run, sent } = running(Activities.atMostOnce(all.create), willing)
      assert.include(yield* run(), `"chatId":"c"`)
      assert.strictEqual(sent.length, 1)
    })
  )
})

describe("the chat of a workflow that fails", () => {
  const opened = Activities.create("open", botId).pipe(Activities.deleteOnFailure("clean up"))
  const failed = Effect.andThen(opened, Effect.fail("no" as const))
  const methods = (sent: ReturnType<typeof scripted>["sent"]) =>
    sent.map(({ method, url }) => `${method} ${new URL(url).pathname}`)

  it.effect("is deleted, and stays where it does not fail", () =>
    Effect.gen(function* () {
      const bad = running(failed, willing)
      assert.strictEqual(yield* Effect.flip(bad.run()), "no")
      assert.deepStrictEqual(methods(bad.sent), ["POST /api/chats", "DELETE /api/chats/c"])
      const good = running(opened, willing)
      yield* good.run()
      assert.deepStrictEqual(methods(good.sent), ["POST /api/chats"])
    })
  )

  it.effect("is deleted when it is interrupted", () =>
    Effect.gen(function* () {
      const created = yield* Deferred.make<void>()
      const flow = Effect.andThen(opened, DurableDeferred.await(Signal))
      const { app, sent } = running(flow, (request) =>
        Effect.as(Deferred.succeed(created, undefined), willing(request))
      )
      const interrupting = Effect.andThen(
        Deferred.await(created),
        Effect.flatMap(Flow.executionId({ id: "1" }), (id) => Flow.interrupt(id))
      )
      const [exit] = yield* Effect.all([Effect.exit(Flow.execute({ id: "1" })), interrupting], {
        concurrency: 2
      }).pipe(passing, Effect.provide(app))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.deepStrictEqual(methods(sent), ["POST /api/chats", "DELETE /api/chats/c"])
    })
  )

  it.effect("is deleted later where the backend is away", () =>
    Effect.gen(function* () {
      const { run, sent } = running(failed, (request, number) =>
        number === 1 ? willing(request) : number < 20 ? failing(request, "ECONNREFUSED") : json({})
      )
      assert.strictEqual(yield* passing(Effect.flip(run())), "no")
      assert.strictEqual(sent.length, 20)
    })
  )

  it.effect("is left where it cannot be deleted, which is logged without its id", () =>
    Effect.gen(function* () {
      const { run } = running(failed, (request, number) => (number === 1 ? willing(request) : status(401)))
      const logs: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logs.push(message))
      const error = yield* Effect.flip(run()).pipe(Effect.provide(Logger.layer([logger])))
      assert.strictEqual(error, "no")
      assert.deepStrictEqual(logs, [["A chat of a workflow that failed was not deleted: Unauthorized."]])
    })
  )
})
