import { Api } from "@effect-chatbot/api/Api"
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Conformance from "@effect-chatbot/testing/Conformance"
import * as ConformanceReport from "@effect-chatbot/testing/ConformanceReport"
import * as Faults from "@effect-chatbot/testing/Faults"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** A bot with a document, whatever it is asked. */
const memory = ChatbotTest.layer({
  bots: { zoo: { documents: { "zebras/stripes.md": "# Stripes\n\nZebras have stripes." } }, other: {} },
  chats: { before: { bot: "zoo", user: "ada", questions: ["Have zebras stripes?"] } },
  answers: () => ({ text: "They have stripes.", sources: ["zebras/stripes.md"] })
})

/** All that there is to give. */
const given = Effect.gen(function* () {
  const { baseUrl, tokenOf } = yield* ChatbotTest.Backend
  return {
    baseUrl,
    token: yield* tokenOf("admin"),
    userToken: yield* tokenOf("ada"),
    otherToken: yield* tokenOf("grace"),
    botCode: "zoo"
  } satisfies Conformance.TargetOptions
})

/** The transport to the backend in memory. */
const transport = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(ChatbotTest.Backend, ({ http }) => http)
)

/** A transport on which all requests that are meant are answered with something else. */
const instead = (
  isMeant: (request: HttpClientRequest.HttpClientRequest) => boolean,
  answer: () => HttpServerResponse.HttpServerResponse
) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(ChatbotTest.Backend, ({ http }) =>
      HttpClient.make((request) =>
        isMeant(request)
          ? Effect.succeed(HttpServerResponse.toClientResponse(answer(), { request }))
          : Effect.orDie(http.execute(request))
      )
    )
  )

const outcomes = (report: ConformanceReport.Report) =>
  Object.fromEntries(report.results.map(({ check, outcome }) => [check, outcome]))

const only = (check: string) => Conformance.choose({ check })

const run = (options: Partial<Conformance.RunOptions> = {}) =>
  Effect.flatMap(given, (given) => Conformance.run({ ...given, ...options }))

describe("the checks", () => {
  it("have ids of their own, and titles that are sentences", () => {
    const ids = Conformance.checks.map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
    for (const { id, operations, title } of Conformance.checks) {
      assert.match(id, /^[a-z]+\.[a-z]+\/[a-z0-9-]+$/i)
      assert.isTrue(id.startsWith(`${operations[0]}/`), id)
      assert.match(title, /^[A-Z].+[^.]$/, id)
    }
  })

  it("are of every operation of the published contract", () => {
    const checked = new Set<string>(
      Conformance.choose({ groups: ["core", "administration"] }).map(({ operations: [first] }) => first)
    )
    const operations = Object.values(Api.groups).flatMap((group) =>
      Object.keys(group.endpoints).map((name) => `${group.identifier}.${name}`)
    )
    assert.deepStrictEqual(
      operations.filter((name) => !checked.has(name)),
      ["chats.events", "chats.stop"]
    )
  })

  it("can be chosen by group, by pattern and by source", () => {
    const { checks, choose } = Conformance
    assert.deepStrictEqual(choose({}), checks)
    assert.isTrue(choose({ groups: ["core"] }).every(({ group }) => group === "core"))
    assert.isTrue(choose({ check: "chats.*/misses" }).every(({ id }) => /^chats\..*\/misses/.test(id)))
    assert.isNotEmpty(choose({ check: "CHATS.*/misses" }))
    assert.deepStrictEqual(
      choose({ skip: "chats." }),
      checks.filter(({ id }) => !id.includes("chats."))
    )
    assert.deepStrictEqual(choose({ check: "chats.get/(.*)" }), [])
    assert.isTrue(choose({ onlyContract: true }).every(({ source }) => source === "AiChatBot.Api 1.0"))
  })
})

describe("a run", () => {
  it.effect(
    "finds nothing to mend of the backend in memory but what that has not: images",
    () =>
      Effect.gen(function* () {
        const report = yield* run({ isDestructive: true })
        const { Blocked, Failed } = ConformanceReport.count(report.results)
        assert.deepStrictEqual({ Blocked, Failed }, { Blocked: 0, Failed: 0 }, ConformanceReport.text(report))
        assert.deepStrictEqual(
          report.results.filter(({ outcome }) => outcome._tag === "Skipped").map(({ check }) => check),
          ["bots.image/gives-an-image"]
        )
        assert.deepStrictEqual(
          report.results.map(({ check }) => check),
          Conformance.checks.map(({ id }) => id)
        )
      }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory)))),
    120_000
  )

  it.effect(
    "leaves what it finds as it is, unless it may destroy",
    () =>
      Effect.gen(function* () {
        const backend = yield* ChatbotTest.Backend
        const { chats, users } = yield* backend.as("ada")
        const { adminBots, system } = yield* backend.as("admin")
        const there = Effect.gen(function* () {
          return {
            chat: yield* chats.get(yield* backend.chatId("before")),
            chats: (yield* users.chats()).totalItemCount,
            user: yield* users.current,
            bots: (yield* adminBots.list()).items,
            status: yield* system.status
          }
        })
        yield* system.setStatus("All is well.")
        const before = yield* there
        const report = yield* run()
        assert.deepStrictEqual(yield* there, before)
        assert.isTrue(ConformanceReport.isGreen(report))
        assert.isFalse(ConformanceReport.isGreen(report, { strict: true }))
        const skipped = report.results.filter(({ outcome }) => outcome._tag === "Skipped").map(({ check }) => check)
        for (const name of [
          "users.deleteChats",
          "users.acceptTerms",
          "system.setStatus",
          "bots.stopAll",
          "cache.clear"
        ]) {
          assert.include(skipped, `${name}/answers-as-described`)
        }
      }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory)))),
    120_000
  )

  it.effect("puts the status and the settings back, where it may destroy", () =>
    Effect.gen(function* () {
      const backend = yield* ChatbotTest.Backend
      const { users } = yield* backend.as("ada")
      const { system } = yield* backend.as("admin")
      yield* system.setStatus("All is well.")
      const { isTermsAccepted: _, ...before } = yield* users.current
      const checks = Conformance.checks.filter(({ needs }) => needs.includes("destruction"))
      yield* run({ checks: [...checks, ...only("users.update")], isDestructive: true })
      const { isTermsAccepted, ...after } = yield* users.current
      assert.deepStrictEqual(after, before)
      assert.isTrue(isTermsAccepted)
      assert.strictEqual(yield* system.status, "All is well.")
    }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory))))
  )

  it.effect("says what to give for what it passes over", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* given
      const report = yield* Conformance.run({ baseUrl })
      const reasons = new Set(
        report.results.flatMap(({ outcome }) => (outcome._tag === "Skipped" ? [outcome.reason] : []))
      )
      assert.include(reasons, "give the token of an admin (--token)")
      assert.include(reasons, "give the token of a user (--user-token)")
      assert.isTrue(ConformanceReport.isGreen(report))
      assert.isFalse(ConformanceReport.isGreen(report, { strict: true }))
    }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory))))
  )

  it.effect("looks at the contract alone, of a backend that has its 46 core operations and nothing else", () => {
    const lean = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(ChatbotTest.Backend, ({ http }) =>
        HttpClient.make((request) => {
          const url = new URL(request.url)
          const answer = (status: number) =>
            HttpServerResponse.toClientResponse(HttpServerResponse.empty({ status }), { request })
          if (/^\/api\/admin\/bots|\/(events|stop)$/.test(url.pathname)) return Effect.succeed(answer(404))
          // It searches and orders in no way, and has no words for what is wrong.
          for (const name of ["SearchFor", "OrderBy"]) url.searchParams.delete(name)
          return http.execute(HttpClientRequest.setUrl(request, url)).pipe(
            Effect.orDie,
            Effect.map((response) => (response.status < 400 ? response : answer(response.status)))
          )
        })
      )
    )
    return Effect.gen(function* () {
      const report = yield* run({
        checks: Conformance.choose({ groups: ["core"], onlyContract: true }),
        canMakeBots: false
      })
      assert.isTrue(ConformanceReport.isGreen(report), ConformanceReport.text(report))
      const { Passed, Skipped } = ConformanceReport.count(report.results)
      assert.isAbove(Passed, Skipped)
    }).pipe(Effect.provide(lean.pipe(Layer.provideMerge(memory))))
  })
})

describe("whatever a backend answers", () => {
  /** What comes of checks of a chat when something is wrong with getting one. */
  const faulty = (fault: Faults.Fault) =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(run({ checks: only("chats.get/answers-as-described") }))
      yield* TestClock.adjust("10 minutes")
      const [result] = (yield* Fiber.join(running)).results
      const outcome = result?.outcome
      return outcome?._tag === "Failed" ? { expected: outcome.expected, actual: outcome.actual } : outcome
    }).pipe(
      Effect.provide(
        Faults.layer({ rules: [Faults.on({ method: "GET", path: /^\/api\/chats\/[^/]+$/ }, fault)] }).pipe(
          Layer.provide(transport),
          Layer.provideMerge(memory)
        )
      )
    )

  const html = { headers: { "content-type": "text/html" }, body: "<h1>It works!</h1>" }

  it.effect.each([
    ["no answer", Faults.stall(), "an answer", "no whole answer within 30s"],
    ["half an answer", Faults.stall({ afterBytes: 10 }), "an answer", "no whole answer within 30s"],
    ["a connection that breaks", Faults.resetAfter, "an answer", "the connection broke"],
    ["a body that breaks off", Faults.truncate({ afterBytes: 10, isReset: true }), "an answer", "the connection broke"],
    [
      "a body that ends too soon",
      Faults.truncate({ afterBytes: 10 }),
      "a body of JSON",
      '200 application/json {"chatId":'
    ],
    ["HTML", Faults.status(200, html), "a body of type application/json", "200 text/html <h1>It works!</h1>"],
    ["an error of HTML", Faults.status(500, html), "status 200", "500 text/html <h1>It works!</h1>"],
    [
      "a redirect",
      Faults.status(302, { headers: { location: "https://login.invalid/" } }),
      "status 200",
      "302 text/plain without a body"
    ],
    [
      "another JSON",
      Faults.status(200, { headers: { "content-type": "application/json" }, body: "[null]" }),
      "a body as the contract describes it",
      "Expected GetChatResponseDto in 200 application/json [null]"
    ]
  ] as const)("%s is a violation that says what came", ([, fault, expected, actual]) =>
    Effect.gen(function* () {
      const outcome = yield* faulty(fault)
      assert.deepInclude(outcome, { expected })
      assert.include(outcome !== undefined && "actual" in outcome ? outcome.actual : "", actual)
    })
  )

  it.effect.each([
    ["null", '{"chatId":"1","createdUtc":null}', "createdUtc: Expected string"],
    [
      "without an offset",
      '{"chatId":"1","createdUtc":"2026-01-31T12:00:00"}',
      "createdUtc: Expected a time with its offset"
    ],
    ["a number", '{"chatId":7}', "chatId: Expected string"],
    ["missing", "{}", "chatId: Missing key"],
    ["under another name", '{"chatId":"1","chat_id":"1"}', "chat_id: Expected no excess property"],
    [
      "in a list",
      '{"chatId":"1","completions":[{"completionId":"1","metaData":null}]}',
      "completions.0.metaData: Expected"
    ]
  ] as const)("a field that is %s is told by its path", ([, body, message]) =>
    Effect.gen(function* () {
      const outcome = yield* faulty(Faults.status(200, { headers: { "content-type": "application/json" }, body }))
      assert.include(outcome !== undefined && "actual" in outcome ? outcome.actual : "", message)
    })
  )

  it.effect("however much is wrong, what is said of it is short", () =>
    Effect.gen(function* () {
      const chat = { chatId: "1", completions: Array.from({ length: 10_000 }, () => ({ completionId: 7 })) }
      const outcome = yield* faulty(
        Faults.status(200, { headers: { "content-type": "application/json" }, body: JSON.stringify(chat) })
      )
      assert.isBelow(outcome !== undefined && "actual" in outcome ? outcome.actual.length : Infinity, 1300)
    })
  )

  it.effect("a body without end is a violation, and is not read to its end", () => {
    let read = 0
    const piece = new Uint8Array(2 ** 20)
    const endless = Stream.forever(Stream.sync(() => (read++, piece)))
    return Effect.gen(function* () {
      const report = yield* run({ checks: only("users.current/answers-as-described") })
      assert.deepInclude(report.results[0]?.outcome, {
        _tag: "Failed",
        expected: "a body of at most 8388608 bytes",
        actual: "more than 8388608 bytes"
      })
      assert.isBelow(read, 100)
    }).pipe(
      Effect.provide(
        instead(
          ({ url }) => url.endsWith("/api/users/current"),
          () => HttpServerResponse.stream(endless, { contentType: "application/json" })
        ).pipe(Layer.provideMerge(memory))
      )
    )
  })

  it.effect("a check that needs what is broken is blocked, and the broken one to blame", () =>
    Effect.gen(function* () {
      const report = yield* run({ checks: [...only("chats.create/answers"), ...only("chats.rename/answers")] })
      const found = outcomes(report)
      assert.strictEqual(found["chats.create/answers-as-described"]?._tag, "Failed")
      assert.deepStrictEqual(found["chats.rename/answers-as-described"], {
        _tag: "Blocked",
        operation: "POST /api/chats",
        reason: 'POST /api/chats as user, with {"botId":"…"}: expected status 200, came 500 without a body'.replace(
          "…",
          yield* Effect.flatMap(ChatbotTest.Backend, ({ botId }) => botId("zoo"))
        )
      })
      assert.isFalse(ConformanceReport.isGreen(report))
      // What is blocked is not green by itself either.
      assert.isFalse(ConformanceReport.isGreen(yield* run({ checks: only("chats.rename/answers") })))
    }).pipe(
      Effect.provide(
        instead(
          ({ method, url }) => method === "POST" && url.endsWith("/api/chats"),
          () => HttpServerResponse.empty({ status: 500 })
        ).pipe(Layer.provideMerge(memory))
      )
    )
  )

  it.effect("a check that is broken itself is blocked, and the run goes on", () =>
    Effect.gen(function* () {
      const [check, ...others] = only("system.status/answers")
      assert.isDefined(check)
      assert.isEmpty(others)
      const broken = { ...check, run: Effect.die(new Error("no")) }
      const report = yield* run({ checks: [broken, check] })
      assert.deepStrictEqual(
        report.results.map(({ outcome }) => outcome),
        [{ _tag: "Blocked", reason: "the check itself is broken: Error: no" }, { _tag: "Passed" }]
      )
    }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory))))
  )

  it.effect("no token gets into a report", () => {
    const echo = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(ChatbotTest.Backend, ({ http }) =>
        HttpClient.make((request) =>
          request.url.endsWith("/api/chats/OpenChatBotId") || request.url.endsWith("/api/users/current")
            ? Effect.succeed(
                HttpServerResponse.toClientResponse(
                  HttpServerResponse.text(`Who is ${request.headers["authorization"]}?`, { status: 500 }),
                  { request }
                )
              )
            : Effect.orDie(http.execute(request))
        )
      )
    )
    return Effect.gen(function* () {
      const { otherToken, token, userToken } = yield* given
      const tokens = { otherToken, token, userToken }
      const checks = [
        ...only("chats.openBot/answers"),
        ...only("users.current/answers"),
        ...only("users.update/answers")
      ]
      const report = yield* run({ ...tokens, checks })
      assert.isAtLeast(ConformanceReport.count(report.results).Failed, 2)
      const written = [
        ConformanceReport.text(report),
        ConformanceReport.json(report),
        yield* ConformanceReport.junit(report)
      ]
      for (const text of written) {
        assert.include(text, "Who is Bearer …?")
        for (const secret of Object.values(tokens)) assert.notInclude(text, Redacted.value(secret))
      }
    }).pipe(Effect.provide(echo.pipe(Layer.provideMerge(memory))))
  })
})

describe("what a run has made", () => {
  const named = Effect.gen(function* () {
    const backend = yield* ChatbotTest.Backend
    const { admin, adminBots } = yield* backend.as("admin")
    const { users } = yield* backend.as("ada")
    const search = { searchFor: "conformance-" }
    return {
      bots: (yield* adminBots.list(search)).totalItemCount,
      services: (yield* admin.openAiServices.list(search)).totalItemCount,
      messages: (yield* users.systemMessages.list(search)).totalItemCount,
      chats: (yield* users.chats()).totalItemCount
    }
  })

  const nothing = { bots: 0, services: 0, messages: 0, chats: 1 }

  it.effect(
    "is removed when it is interrupted at any request",
    () =>
      Effect.gen(function* () {
        const { http } = yield* ChatbotTest.Backend
        // The first check that makes bots, a service, a chat and a message, cut off at each of its requests.
        const checks = [
          ...only("admin.updateOpenAiService/answers"),
          ...only("bots.search/finds"),
          ...only("chats.setUserSystemMessage/answers")
        ]
        for (let at = 1; ; at++) {
          let count = 0
          const reached = yield* Deferred.make<void>()
          const counting = HttpClient.make((request) =>
            Effect.gen(function* () {
              const isLast = ++count === at
              const response = yield* Effect.orDie(http.execute(request))
              // The work is done, and the answer on its way.
              if (isLast) {
                yield* Deferred.succeed(reached, undefined)
                yield* Effect.repeat(Effect.yieldNow, { times: 9 })
              }
              return response
            })
          )
          const running = yield* Effect.forkChild(
            Effect.provideService(run({ checks, concurrency: 1, botCode: undefined }), HttpClient.HttpClient, counting)
          )
          yield* Effect.raceFirst(Deferred.await(reached), Effect.exit(Fiber.join(running)))
          if (count < at) {
            // It ran to its end.
            assert.isAbove(at, 20)
            break
          }
          yield* Fiber.interrupt(running)
          assert.deepStrictEqual(yield* named, nothing, `interrupted at request ${at}`)
        }
      }).pipe(Effect.provide(memory)),
    120_000
  )

  it.effect("is removed too where other statuses of success are answered, which are told once for each operation", () =>
    Effect.gen(function* () {
      const { http } = yield* ChatbotTest.Backend
      const statuses: Readonly<Record<string, number>> = { POST: 201, DELETE: 204 }
      const others = HttpClient.make((request) =>
        Effect.map(Effect.orDie(http.execute(request)), (response) => {
          const status = response.status === 200 ? (statuses[request.method] ?? 200) : response.status
          const { headers } = response
          const answer =
            status === 204
              ? HttpServerResponse.empty({ status })
              : HttpServerResponse.stream(response.stream, { status, headers })
          return HttpServerResponse.toClientResponse(answer, { request })
        })
      )
      const report = yield* Effect.provideService(
        run({
          botCode: undefined,
          checks: [
            ...only("adminBots.create/answers-as-described"),
            ...only("chats.create/answers-as-described"),
            ...only("chats.rename/answers")
          ]
        }),
        HttpClient.HttpClient,
        others
      )
      const { "chats.rename/answers-as-described": rename, ...creations } = outcomes(report)
      assert.strictEqual(rename?._tag, "Passed")
      for (const outcome of Object.values(creations)) assert.deepInclude(outcome, { expected: "status 200" })
      assert.deepStrictEqual(report.leftovers, [])
      assert.deepStrictEqual(yield* named, nothing)
    }).pipe(Effect.provide(memory))
  )

  it.effect("and has no id is told", () =>
    Effect.gen(function* () {
      const { leftovers, results } = yield* run({ checks: only("users.createSystemMessage/answers-as-described") })
      assert.strictEqual(results[0]?.outcome._tag, "Failed")
      assert.lengthOf(leftovers, 1)
      assert.strictEqual(leftovers[0]?.what, "user system message without an id")
    }).pipe(
      Effect.provide(
        instead(
          ({ method, url }) => method === "POST" && url.endsWith("/userSystemMessage"),
          () => HttpServerResponse.jsonUnsafe({})
        ).pipe(Layer.provideMerge(memory))
      )
    )
  )

  it.effect("and cannot be removed is told, and is not green", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const report = yield* run({
        checks: only("chats.rename/answers"),
        onLeftover: ({ what }) => Effect.sync(() => told.push(what))
      })
      assert.deepStrictEqual(ConformanceReport.count(report.results), { Passed: 1, Failed: 0, Blocked: 0, Skipped: 0 })
      assert.strictEqual(report.leftovers.length, 2)
      for (const { reason, what } of report.leftovers) {
        assert.match(what, /^chat [\w-]+$/)
        assert.include(reason, "it was still there after DELETE /api/chats/")
      }
      assert.deepStrictEqual(
        report.leftovers.map(({ what }) => what),
        told
      )
      assert.isFalse(ConformanceReport.isGreen(report))
    }).pipe(
      Effect.provide(
        instead(
          ({ method }) => method === "DELETE",
          () => HttpServerResponse.empty({ status: 200 })
        ).pipe(Layer.provideMerge(memory))
      )
    )
  )
})

describe("a backend that cannot be checked", () => {
  it.effect("is one that is not there, by its URL or by its answers", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* given
      const messageOf = (options: Partial<Conformance.RunOptions>) =>
        Effect.map(Effect.flip(run(options)), ({ message }) => message)
      assert.strictEqual(yield* messageOf({}), `${baseUrl} cannot be reached: the connection broke: ECONNREFUSED`)
      assert.include(yield* messageOf({ baseUrl: "ftp://127.0.0.1" }), "begins with http:// or https://")
      assert.include(yield* messageOf({ baseUrl: "nonsense" }), "begins with http:// or https://")
      assert.notInclude(yield* messageOf({ baseUrl: "http://me:secret@127.0.0.1" }), "secret")
      assert.include(yield* messageOf({ baseUrl: "http://127.0.0.1/#/api" }), "no user, password, query or fragment")
      for (const token of ["ecb_\r", "ecb_ abc", ""]) {
        const message = yield* messageOf({ userToken: Redacted.make(token) })
        assert.strictEqual(message, "The token of the user has characters that no token may have")
      }
    }).pipe(
      Effect.provide(
        Faults.layer({ rules: [Faults.on({}, Faults.refuse)] }).pipe(
          Layer.provide(transport),
          Layer.provideMerge(memory)
        )
      )
    )
  )

  it.effect.each([
    ["a page that is not found", 404, { "content-type": "text/html" }, "404 text/html <h1>No</h1>"],
    ["a page for all that is asked", 200, { "content-type": "text/html; charset=utf-8" }, "200 text/html"],
    ["the way to somewhere else", 302, { location: "https://login.invalid/" }, "302 "]
  ] as const)("is a web server that answers with %s", ([, status, headers, came]) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(run())
      assert.include(
        message,
        "At http://chatbot.test is no backend: GET /api/System/status/current as nobody is answered"
      )
      assert.include(message, came)
    }).pipe(
      Effect.provide(
        Faults.layer({ rules: [Faults.on({}, Faults.status(status, { headers, body: "<h1>No</h1>" }))] }).pipe(
          Layer.provide(transport),
          Layer.provideMerge(memory)
        )
      )
    )
  )

  it.effect("is one that answers without end", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(run())
      assert.strictEqual(message, "http://chatbot.test cannot be reached: more than 8388608 bytes")
    }).pipe(
      Effect.provide(
        instead(
          () => true,
          () => HttpServerResponse.stream(Stream.forever(Stream.succeed(new Uint8Array(2 ** 20))))
        ).pipe(Layer.provideMerge(memory))
      )
    )
  )

  it.effect("is one that never answers", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(Effect.flip(run({ timeout: "5 seconds" })))
      yield* TestClock.adjust("5 seconds")
      const { message } = yield* Fiber.join(running)
      assert.strictEqual(message, "http://chatbot.test cannot be reached: no whole answer within 5s")
    }).pipe(
      Effect.provide(
        Faults.layer({ rules: [Faults.on({}, Faults.stall())] }).pipe(
          Layer.provide(transport),
          Layer.provideMerge(memory)
        )
      )
    )
  )

  it.effect("is one that does not take a token, and it is said whose", () =>
    Effect.gen(function* () {
      for (const [name, whose] of [
        ["token", "admin"],
        ["userToken", "user"],
        ["otherToken", "other"]
      ] as const) {
        const { message } = yield* Effect.flip(run({ [name]: Redacted.make("ecb_nobody") }))
        assert.strictEqual(message, `The backend does not take the token of the ${whose}: it answers 401`)
      }
      const { tokenOf } = yield* ChatbotTest.Backend
      const twice = yield* Effect.flip(run({ otherToken: yield* tokenOf("ada") }))
      assert.strictEqual(twice.message, "The tokens of the user and of the other are of the same user")
      const none = yield* Effect.flip(run({ token: yield* tokenOf("nobody in particular") }))
      assert.include(none.message, "may not administer")
    }).pipe(Effect.provide(transport.pipe(Layer.provideMerge(memory))))
  )
})
