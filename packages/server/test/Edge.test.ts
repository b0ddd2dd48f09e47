/** What every answer has, whatever was asked: headers, limits and origins. */
import { Problems } from "@effect-chatbot/api/Problems"
import { counted } from "@effect-chatbot/server/http/ClientAddress"
import * as RetryPolicy from "@effect-chatbot/client/RetryPolicy"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as Schema from "effect/Schema"
import { type Answer, send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

const backend = TestBackend.layerWith

const live = { excludeTestServices: true } as const

const isRateLimited = Schema.is(Problems.RateLimited)
const decodeProblem = Schema.decodeUnknownEffect(Problems.RateLimited)

const assertProblem = ({ headers, json, status }: Answer, expected: number) => {
  assert.strictEqual(status, expected)
  assert.strictEqual(headers["content-type"], "application/problem+json")
  assert.strictEqual(json().status, expected)
  assert.strictEqual(json().requestId, headers["x-request-id"])
}

const assertSecured = ({ headers }: Answer) => {
  assert.strictEqual(headers["x-content-type-options"], "nosniff")
  assert.strictEqual(headers["referrer-policy"], "no-referrer")
  assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
  assert.include(headers["content-security-policy"], "default-src 'none'")
  assert.include(headers["content-security-policy"], "frame-ancestors 'none'")
  assert.strictEqual(headers["cache-control"], "no-store")
  assert.isDefined(headers["x-request-id"])
}

layer(backend({}), live)("an answer", (it) => {
  it.effect("has the security headers, whatever it is", () =>
    Effect.gen(function* () {
      const { adminToken: token } = yield* TestBackend
      const answers = yield* Effect.all([
        send("GET", "/api/users/current", { token }),
        send("GET", "/api/users/current"),
        send("GET", "/api/nowhere"),
        send("GET", "/openapi.json"),
        send("HEAD", "/api/bots", { token }),
        send("POST", "/api/chats", { token, body: "{" }),
        send("POST", "/api/chats", { token, headers: { "content-type": "text/plain" }, body: "x" }),
        send("PUT", "/api/System/status/current", { token, body: { value: "x".repeat(2 ** 21) } }),
        send("GET", `/api/bots?SearchFor=${"x".repeat(9000)}`, { token })
      ])
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [200, 401, 404, 200, 200, 400, 415, 413, 414]
      )
      for (const answer of answers) {
        assertSecured(answer)
        assert.isUndefined(answer.headers["strict-transport-security"])
        assert.isUndefined(answer.headers["access-control-allow-origin"])
        assert.isUndefined(answer.headers["ratelimit"])
      }
      assertProblem(answers[8]!, 414)
    })
  )

  it.effect("keeps what its endpoint says of itself", () =>
    Effect.gen(function* () {
      const { adminToken: token, client } = yield* TestBackend
      const nobody = yield* client("nobody")
      const { openChatBotId } = yield* nobody.chats.openBot
      const image = yield* send("GET", `/api/bots/botimage/${openChatBotId}`, { token })
      assert.strictEqual(image.status, 200)
      assert.strictEqual(image.headers["cache-control"], "private, max-age=3600")
      assert.strictEqual(image.headers["x-content-type-options"], "nosniff")
    })
  )

  it.effect("tells no browser anything of other origins where none is listed", () =>
    Effect.gen(function* () {
      const headers = { origin: "https://app.example.com", "access-control-request-method": "GET" }
      const preflight = yield* send("OPTIONS", "/api/users/current", { headers })
      assert.strictEqual(preflight.status, 405)
      assert.isFalse(Object.keys(preflight.headers).some((name) => name.startsWith("access-control")))
    })
  )
})

layer(backend({ corsOrigins: ["https://app.example.com", "http://localhost:3000"], hsts: true }), live)(
  "origins that are listed",
  (it) => {
    it.effect("may call and read the answers, and no others", () =>
      Effect.gen(function* () {
        const { adminToken: token } = yield* TestBackend
        const ask = (origin: string) => send("GET", "/api/users/current", { token, headers: { origin } })
        for (const origin of ["https://app.example.com", "http://localhost:3000"]) {
          const { headers } = yield* ask(origin)
          assert.strictEqual(headers["access-control-allow-origin"], origin)
          assert.strictEqual(headers["access-control-allow-credentials"], "true")
          assert.strictEqual(headers["vary"], "Origin")
          const exposed = headers["access-control-expose-headers"]?.toLowerCase().split(",") ?? []
          for (const name of ["x-request-id", "completion-id", "ratelimit", "retry-after", "idempotency-replayed"]) {
            assert.include(exposed, name)
          }
        }
        for (const origin of ["https://app.example.com.evil.test", "https://APP.example.com", "null", "*"]) {
          const { headers } = yield* ask(origin)
          assert.isUndefined(headers["access-control-allow-origin"])
          assert.strictEqual(headers["vary"], "Origin")
        }
      })
    )

    it.effect("are answered preflights, with problems too", () =>
      Effect.gen(function* () {
        const preflight = yield* send("OPTIONS", "/api/chats/x/completions", {
          headers: {
            origin: "https://app.example.com",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,idempotency-key"
          }
        })
        assert.strictEqual(preflight.status, 204)
        assert.strictEqual(preflight.headers["access-control-allow-origin"], "https://app.example.com")
        assert.include(preflight.headers["access-control-allow-methods"], "DELETE")
        const allowed = preflight.headers["access-control-allow-headers"]?.toLowerCase().split(",") ?? []
        for (const name of ["authorization", "content-type", "idempotency-key", "last-event-id"]) {
          assert.include(allowed, name)
        }
        assert.strictEqual(preflight.headers["access-control-max-age"], "600")
        const problem = yield* send("GET", "/api/nowhere", { headers: { origin: "http://localhost:3000" } })
        assert.strictEqual(problem.headers["access-control-allow-origin"], "http://localhost:3000")
        assertSecured(problem)
        assert.match(problem.headers["strict-transport-security"] ?? "", /^max-age=31536000/)
      })
    )
  }
)

layer(backend({ corsOrigins: ["*"] }), live)("every origin", (it) => {
  it.effect("may read the answers, without credentials of the browser", () =>
    Effect.gen(function* () {
      const { headers } = yield* send("GET", "/openapi.json", { headers: { origin: "https://any.example" } })
      assert.strictEqual(headers["access-control-allow-origin"], "*")
      assert.isUndefined(headers["access-control-allow-credentials"])
    })
  )
})

layer(
  backend({
    rateLimitUser: 6,
    rateLimitAddress: 40,
    rateLimitCompletions: 2,
    rateLimitSignInFailures: 3,
    trustedProxies: [IpNetwork.fromStringUnsafe("127.0.0.0/8")]
  }),
  live
)("rate limits", (it) => {
  const from = (address: string) => ({ "x-forwarded-for": address })

  it.effect("count the requests of a user, and say what is left", () =>
    Effect.gen(function* () {
      const { tokenOf } = yield* TestBackend
      const token = yield* tokenOf("ann")
      const other = yield* tokenOf("ben")
      // A second token of the user does not help.
      const tokens = [token, yield* tokenOf("ann")]
      for (let call = 1; call <= 6; call++) {
        const { headers, status } = yield* send("GET", "/api/bots", { token: tokens[call % 2]! })
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["ratelimit-policy"], '"address";q=40;w=60, "user";q=6;w=60')
        assert.match(headers["ratelimit"] ?? "", new RegExp(`^"address";r=\\d+;t=\\d+, "user";r=${6 - call};t=\\d+$`))
      }
      const refused = yield* send("GET", "/api/bots", { token })
      assertProblem(refused, 429)
      assertSecured(refused)
      assert.match(refused.headers["ratelimit"] ?? "", /"user";r=0;t=\d+$/)
      assert.isAtMost(Number(refused.headers["retry-after"]), 10)
      const problem = yield* decodeProblem(refused.json())
      assert.isTrue(problem.retryAfter !== undefined && Duration.toSeconds(problem.retryAfter) <= 10)
      assert.strictEqual((yield* send("GET", "/api/bots", { token: other })).status, 200)
    })
  )

  it.effect("count questions by themselves, and those of callers without a token by address", () =>
    Effect.gen(function* () {
      const { client } = yield* TestBackend
      const nobody = yield* client("nobody")
      const { chatId } = yield* nobody.chats.createByBotCode("guide")
      const ask = (address: string) =>
        send("POST", `/api/chats/${chatId}/completions`, { headers: from(address), body: { userMessage: "Hello" } })
      assert.strictEqual((yield* ask("198.51.100.1")).status, 200)
      const second = yield* ask("198.51.100.1")
      assert.strictEqual(second.status, 200)
      assert.match(second.headers["ratelimit"] ?? "", /"completions";r=0;t=\d+$/)
      assertProblem(yield* ask("198.51.100.1"), 429)
      assert.strictEqual((yield* ask("198.51.100.2")).status, 200)
      // What is no question is not counted as one.
      assert.strictEqual((yield* send("GET", `/api/chats/${chatId}`, { headers: from("198.51.100.1") })).status, 200)
    })
  )

  it.effect("count an address over everything, one of IPv6 by its network", () =>
    Effect.gen(function* () {
      const statuses = yield* Effect.forEach(Array.from({ length: 41 }), (_, index) =>
        Effect.map(
          send("GET", "/api/nowhere", { headers: from(`2001:db8:1:2::${(index + 1).toString(16)}`) }),
          ({ status }) => status
        )
      )
      assert.deepStrictEqual(statuses, [...Array.from({ length: 40 }, () => 404), 429])
      const elsewhere = yield* send("GET", "/api/nowhere", { headers: from("2001:db8:1:3::1") })
      assert.strictEqual(elsewhere.status, 404)
    })
  )

  it.effect("let no address try tokens without end", () =>
    Effect.gen(function* () {
      const { adminToken } = yield* TestBackend
      const ask = (token: typeof adminToken | string, address: string) =>
        send("GET", "/api/users/current", { token, headers: from(address) })
      for (let guess = 0; guess < 3; guess++) {
        assert.strictEqual((yield* ask(`ecb_guess${guess}`, "203.0.113.5")).status, 401)
      }
      assertProblem(yield* ask("ecb_guess", "203.0.113.5"), 429)
      // Not even a right guess is told apart then; elsewhere it is.
      assertProblem(yield* ask(adminToken, "203.0.113.5"), 429)
      assert.strictEqual((yield* ask(adminToken, "203.0.113.6")).status, 200)
      // Good tokens cost nothing.
      for (let call = 0; call < 4; call++) assert.notStrictEqual((yield* ask(adminToken, "203.0.113.7")).status, 401)
    })
  )

  it.effect("reach the client as RateLimited, with when to ask again", () =>
    Effect.gen(function* () {
      const { client } = yield* TestBackend
      const { users } = yield* client({ login: "cat" })
      const error = yield* users.current.pipe(
        Effect.repeat({ times: 10 }),
        Effect.provideService(RetryPolicy.RetryPolicy, RetryPolicy.none),
        Effect.flip
      )
      assert.strictEqual(error._tag, "RateLimited")
      assert.isTrue(isRateLimited(error) && error.retryAfter !== undefined)
    })
  )
})

layer(backend({ rateLimitAddress: 2 }), live)("a proxy that is not trusted", (it) => {
  it.effect("cannot say where a request comes from", () =>
    Effect.gen(function* () {
      const statuses = yield* Effect.forEach(["192.0.2.1", "192.0.2.2", "192.0.2.3"], (address) =>
        Effect.map(send("GET", "/api/nowhere", { headers: { "x-forwarded-for": address } }), ({ status }) => status)
      )
      assert.deepStrictEqual(statuses, [404, 404, 429])
      // Whoever looks after the process is told in any case.
      assert.strictEqual((yield* send("GET", "/health/live")).status, 200)
    })
  )
})

describe("counted", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["::1", "::/64"],
    ["", ""],
    ["unix", "unix"]
  ])("%s as %s", (address, expected) => {
    assert.strictEqual(counted(address), expected)
  })
})
