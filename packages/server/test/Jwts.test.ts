/** JSON Web Tokens of another issuer, against the real backend and a real server of keys. */
import { claim, hasRole } from "@effect-chatbot/server/Jwts"
import * as JwtKeys from "@effect-chatbot/server/JwtKeys"
import type { SecurityConfig } from "@effect-chatbot/server/SecurityConfig"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Issuer from "./support/Issuer.ts"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

class Keys extends Context.Service<
  Keys,
  { readonly rsa: Issuer.Key; readonly ec: Issuer.Key; readonly state: Effect.Success<typeof Issuer.serve>["state"] }
>()("test/Keys") {}

const layerWith = (options: Partial<SecurityConfig>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { state, url } = yield* Issuer.serve
      const rsa = yield* Issuer.makeKey("rsa")
      const ec = yield* Issuer.makeKey("ec", "ES256")
      state.keys.push(rsa.jwk, ec.jwk)
      return TestBackend.layerWith({
        jwtIssuer: Issuer.issuer,
        jwtAudience: Issuer.audience,
        jwtJwksUrl: url,
        jwtClockTolerance: Duration.zero,
        ...options
      }).pipe(Layer.provideMerge(Layer.succeed(Keys, { rsa, ec, state })))
    })
  )

const live = { excludeTestServices: true } as const

const me = (token: string) => send("GET", "/api/users/current", { token })
const statusOf = (token: string) => Effect.map(me(token), ({ status }) => status)

layer(layerWith({}), live)("a JSON Web Token", (it) => {
  it.effect("makes its bearer the user it names, at first sight and ever after", () =>
    Effect.gen(function* () {
      const { ec, rsa } = yield* Keys
      const first = (yield* me(yield* Issuer.sign(rsa))).json()
      assert.deepInclude(first, { login: "jwt:ann", roles: ["User"] })
      const second = (yield* me(yield* Issuer.sign(ec, { claims: { jti: "2" } }))).json()
      assert.strictEqual(second.id, first.id)
      const other = (yield* me(yield* Issuer.sign(rsa, { claims: { sub: "ben" } }))).json()
      assert.notStrictEqual(other.id, first.id)
    })
  )

  it.effect("never makes its bearer a user that was made here", () =>
    Effect.gen(function* () {
      const { rsa } = yield* Keys
      const { tokenOf } = yield* TestBackend
      const local = (yield* me(Redacted.value(yield* tokenOf("cat")))).json()
      const admin = (yield* me(Redacted.value((yield* TestBackend).adminToken))).json()
      for (const [sub, here] of [
        ["cat", local],
        ["boss", admin]
      ] as const) {
        const { id, roles } = (yield* me(yield* Issuer.sign(rsa, { claims: { sub } }))).json()
        assert.notStrictEqual(id, here.id)
        assert.deepStrictEqual(roles, ["User"])
      }
    })
  )

  it.effect("is refused when anything is wrong with it", () =>
    Effect.gen(function* () {
      const { rsa } = yield* Keys
      const stranger = yield* Issuer.makeKey("rsa")
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const good = yield* Issuer.sign(rsa)
      const [head = "", payload = "", signature = ""] = good.split(".")
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
      const claims = (changed: Record<string, unknown>) => Issuer.sign(rsa, { claims: changed })
      const wrong: Record<string, string> = {
        expired: yield* claims({ exp: now - 1 }),
        "not yet valid": yield* claims({ nbf: now + 60 }),
        "without an end": yield* claims({ exp: undefined }),
        "an end that is no number": `${head}.${encode({ iss: Issuer.issuer, aud: Issuer.audience, sub: "ann", exp: "9e9" })}.${signature}`,
        "of another issuer": yield* claims({ iss: "https://evil.example.com/" }),
        "without an issuer": yield* claims({ iss: undefined }),
        "for somebody else": yield* claims({ aud: "another" }),
        "for nobody": yield* claims({ aud: undefined }),
        "signed by a stranger": yield* Issuer.sign(stranger),
        "changed after": `${head}.${encode({ iss: Issuer.issuer, aud: Issuer.audience, sub: "boss", exp: now + 60 })}.${signature}`,
        "without its signature": `${head}.${payload}.`,
        "with a key nobody knows": yield* Issuer.sign(rsa, { header: { kid: "unknown" } }),
        unsigned: `${encode({ alg: "none", typ: "JWT" })}.${payload}.`,
        "unsigned in capitals": `${encode({ alg: "NONE" })}.${payload}.${signature}`,
        "with what must be understood and is not": yield* Effect.sync(() =>
          [encode({ alg: "RS256", kid: "rsa", crit: ["new"], new: 1 }), payload, signature].join(".")
        ),
        "without a login": yield* claims({ sub: undefined }),
        "with an empty login": yield* claims({ sub: "" }),
        "with a login of two lines": yield* claims({ sub: "ann\nboss" }),
        "with a login that is no text": yield* claims({ sub: { toString: "ann" } }),
        "with a login too long": yield* claims({ sub: "x".repeat(201) }),
        "that is too long": yield* claims({ padding: "x".repeat(9000) }),
        "that is nonsense": "eyJ.e30.e30"
      }
      assert.strictEqual(yield* statusOf(good), 200)
      for (const [what, token] of Object.entries(wrong)) {
        const { headers, json, status } = yield* me(token)
        assert.strictEqual(status, 401, what)
        // All alike: nothing tells what was wrong.
        assert.strictEqual(json().detail, "A valid bearer token is needed.", what)
        assert.strictEqual(headers["www-authenticate"], "Bearer", what)
      }
    })
  )

  it.effect("is refused when it is signed with the public key as if that were a secret", () =>
    Effect.gen(function* () {
      const { rsa } = yield* Keys
      for (const text of [JSON.stringify(rsa.jwk), String(rsa.jwk.n)]) {
        for (const alg of ["HS256", "HS384", "HS512"]) {
          const forged = yield* Issuer.sign({ alg, jwk: rsa.jwk, privateKey: new TextEncoder().encode(text) })
          assert.strictEqual(yield* statusOf(forged), 401)
        }
      }
    })
  )

  it.effect("is not believed with a key or an address of keys that it brings itself", () =>
    Effect.gen(function* () {
      const stranger = yield* Issuer.makeKey("mine")
      const { jwk } = stranger
      assert.strictEqual(yield* statusOf(yield* Issuer.sign(stranger, { header: { jwk } })), 401)
      assert.strictEqual(yield* statusOf(yield* Issuer.sign(stranger, { header: { jku: "http://127.0.0.1:1/" } })), 401)
    })
  )

  it.effect("makes an admin for as long as it says so", () =>
    Effect.gen(function* () {
      const { rsa } = yield* Keys
      const admin = yield* Issuer.sign(rsa, { claims: { sub: "dan", roles: ["Reader", "Admin"] } })
      assert.deepStrictEqual((yield* me(admin)).json().roles, ["Admin", "User"])
      assert.strictEqual((yield* send("GET", "/api/admin/bots", { token: admin })).status, 200)
      const user = yield* Issuer.sign(rsa, { claims: { sub: "dan", roles: ["administrator", "admin"] } })
      assert.deepStrictEqual((yield* me(user)).json().roles, ["User"])
      assert.strictEqual((yield* send("GET", "/api/admin/bots", { token: user })).status, 403)
    })
  )

  it.effect("does its work beside the tokens that were made here", () =>
    Effect.gen(function* () {
      const { client, tokenOf } = yield* TestBackend
      assert.strictEqual(yield* statusOf(Redacted.value(yield* tokenOf("eve"))), 200)
      const { chats } = yield* client({ login: "eve" })
      yield* chats.createByBotCode("guide")
    })
  )
})

layer(
  layerWith({
    jwtLoginClaim: "preferred_username",
    jwtLoginPrefix: "corp/",
    jwtRoleClaim: "realm_access.roles",
    jwtAdminRole: "chatbot-admin"
  }),
  live
)("claims as they are configured", (it) => {
  it.effect("say who calls and what that one may do", () =>
    Effect.gen(function* () {
      const { rsa } = yield* Keys
      const claims = { preferred_username: "ann@corp", realm_access: { roles: ["chatbot-admin"] } }
      const user = (yield* me(yield* Issuer.sign(rsa, { claims }))).json()
      assert.deepInclude(user, { login: "corp/ann@corp", roles: ["Admin", "User"] })
    })
  )
})

layer(layerWith({}), live)("keys that change", (it) => {
  it.effect("are looked up when a token names a new one, and only then", () =>
    Effect.gen(function* () {
      const { rsa, state } = yield* Keys
      yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.flatMap(Issuer.sign(rsa), me), {
        concurrency: "unbounded"
      })
      assert.strictEqual(state.asked, 1)
      // Many tokens with keys that do not exist make for no further question, so soon after.
      for (let guess = 0; guess < 5; guess++) {
        assert.strictEqual(yield* statusOf(yield* Issuer.sign(rsa, { header: { kid: `guess ${guess}` } })), 401)
      }
      assert.strictEqual(state.asked, 1)
    })
  )
})

layer(layerWith({}), live)("an issuer that does not answer", (it) => {
  it.effect("is no reason to refuse a token for good, nor one that was made here", () =>
    Effect.gen(function* () {
      const { rsa, state } = yield* Keys
      const { tokenOf } = yield* TestBackend
      state.status = 500
      const { headers, json, status } = yield* me(yield* Issuer.sign(rsa))
      assert.strictEqual(status, 503)
      assert.strictEqual(json().type, "urn:effect-chatbot:problem:Unavailable")
      assert.isAtLeast(Number(headers["retry-after"]), 1)
      assert.strictEqual(yield* statusOf(Redacted.value(yield* tokenOf("fay"))), 200)
      // It is left alone for a while.
      yield* Effect.forEach(Array.from({ length: 5 }), () => Effect.flatMap(Issuer.sign(rsa), me))
      assert.strictEqual(state.asked, 1)
    })
  )
})

describe("JwtKeys", () => {
  /** An issuer that answers what the test says, and counts. */
  const scripted = () => {
    const issuer = { status: 200, kid: "a", asked: 0 }
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        issuer.asked++
        const body = JSON.stringify({ keys: [{ kid: issuer.kid, kty: "RSA" }] })
        return HttpClientResponse.fromWeb(request, new Response(body, { status: issuer.status }))
      })
    )
    const keys = JwtKeys.make(new URL("https://id.example.com/keys"), ({ keys }) =>
      Effect.succeed({ kid: String(keys[0]?.["kid"]) })
    ).pipe(Effect.provideService(HttpClient.HttpClient, client))
    return { issuer, keys }
  }

  it.effect("asks again after ten minutes, and bears an hour without an answer", () =>
    Effect.gen(function* () {
      const { issuer, keys } = scripted()
      const { current } = yield* keys
      assert.strictEqual((yield* current).kid, "a")
      issuer.kid = "b"
      yield* TestClock.adjust("9 minutes")
      assert.strictEqual((yield* current).kid, "a")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* current).kid, "b")
      assert.strictEqual(issuer.asked, 2)
      issuer.status = 503
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* current).kid, "b")
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(current)
      assert.strictEqual(error._tag, "Unavailable")
      issuer.status = 200
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* current).kid, "b")
    })
  )

  it.effect("finds a key that came since, at most every 30 seconds", () =>
    Effect.gen(function* () {
      const { issuer, keys } = scripted()
      const { after, current } = yield* keys
      const first = yield* current
      issuer.kid = "b"
      assert.isUndefined(yield* after(first))
      assert.strictEqual(issuer.asked, 1)
      yield* TestClock.adjust("30 seconds")
      const found = yield* Effect.all([after(first), after(first), after(first)], { concurrency: "unbounded" })
      assert.deepStrictEqual(found, [{ kid: "b" }, { kid: "b" }, { kid: "b" }])
      assert.strictEqual(issuer.asked, 2)
      issuer.status = 500
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Effect.flip(after(yield* current)))._tag, "Unavailable")
      assert.strictEqual((yield* Effect.flip(after(yield* current)))._tag, "Unavailable")
      assert.strictEqual(issuer.asked, 3)
    })
  )

  it.effect("takes nothing that is too large or no set of keys", () =>
    Effect.gen(function* () {
      const bodies = ["", "{}", "[]", '{"keys":1}', `{"keys":[],"x":"${"x".repeat(2 ** 20)}"}`, "<html>"]
      for (const body of bodies) {
        const client = HttpClient.make((request) =>
          Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body)))
        )
        const { current } = yield* JwtKeys.make(new URL("https://id.example.com/keys"), Effect.succeed).pipe(
          Effect.provideService(HttpClient.HttpClient, client)
        )
        assert.strictEqual((yield* Effect.flip(current))._tag, "Unavailable")
      }
    })
  )
})

describe("claims", () => {
  it("are found by their names and by paths, and nowhere else", () => {
    const payload = { a: { b: { c: 1 } }, "x.y": 2, x: { y: 3 }, "https://example.com/roles": 4 }
    assert.strictEqual(claim(payload, "a.b.c"), 1)
    assert.strictEqual(claim(payload, "x.y"), 2)
    assert.strictEqual(claim(payload, "https://example.com/roles"), 4)
    for (const name of ["b", "a.c", "a.b.c.d", "constructor", "__proto__", "a.toString", ""]) {
      assert.isUndefined(claim(payload, name))
    }
  })

  it("hold a role as a text, a word or in a list", () => {
    for (const value of ["Admin", "User Admin", ["Admin"], ["User", "Admin"]]) assert.isTrue(hasRole(value, "Admin"))
    for (const value of [undefined, null, "admin", "Administrator", ["User Admin"], [["Admin"]], { Admin: true }, 1]) {
      assert.isFalse(hasRole(value, "Admin"))
    }
    assert.isTrue(hasRole("Chatbot Admins", "Chatbot Admins"))
  })
})

layer(TestBackend.layer, live)("without an issuer", (it) => {
  it.effect("no JSON Web Token is taken", () =>
    Effect.gen(function* () {
      const token = yield* Issuer.sign(yield* Issuer.makeKey("rsa"))
      assert.strictEqual(yield* statusOf(token), 401)
    })
  )
})
