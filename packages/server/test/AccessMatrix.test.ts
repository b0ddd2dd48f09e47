/**
 * Who may call what: every endpoint of the contract, by every kind of caller, on what is theirs and what is not. What is expected follows
 * from the access rule of the endpoint, from what its parameters name, and from the errors it declares.
 */
import { Tokens } from "@effect-chatbot/server/Tokens"
import { assert, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Endpoint, endpoints, type Kind, mix, notFound, requestOf } from "./support/Endpoints.ts"
import { type Answer, send } from "./support/raw.ts"
import * as Resources from "./support/Resources.ts"
import { TestBackend } from "./support/TestBackend.ts"

let logins = 0

/** Somebody with a token. */
const somebody = Effect.fnUntraced(function* (role: "Admin" | "User") {
  const tokens = yield* Tokens
  const login = `matrix-${++logins}`
  const { token, userId } = yield* tokens.create({
    login,
    roles: role === "Admin" ? ["Admin", "User"] : ["User"],
    name: "test"
  })
  return { id: userId, login, token, role }
})

type Somebody = Effect.Success<ReturnType<typeof somebody>>

/** The values of `Authorization` that are no valid token. */
const badTokens = Effect.gen(function* () {
  const tokens = yield* Tokens
  const now = yield* DateTime.now
  const user = { login: `matrix-${++logins}`, roles: ["Admin", "User"] as const, name: "test" }
  const expired = yield* tokens.create({ ...user, expires: DateTime.subtract(now, { seconds: 1 }) })
  const revoked = yield* tokens.create(user)
  const { token: valid } = yield* tokens.create(user)
  yield* tokens.revoke(revoked.id)
  return {
    expired: `Bearer ${Redacted.value(expired.token)}`,
    revoked: `Bearer ${Redacted.value(revoked.token)}`,
    "of nobody": `Bearer ecb_${"A".repeat(43)}`,
    malformed: Redacted.value(valid),
    unsigned: `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"admin","roles":["Admin"]}')}.`
  }
})

/** Whose the resources are: the caller's, somebody else's, or nobody's. */
type Whose = "own" | "foreign" | "anonymous"

type Expected = { readonly status: 200 } | { readonly status: 401 | 403 | 404; readonly tag: string }

/** What a caller is answered whose request names resources of which those of one kind, or of all, are not theirs. */
const expected = (endpoint: Endpoint, role: "None" | "User" | "Admin", whose: (kind: Kind) => Whose): Expected => {
  const { access, errors, kinds, query } = endpoint
  if (role === "None" && access !== "Anyone") return { status: 401, tag: "Unauthorized" }
  if (role === "User" && access === "Admin") return { status: 403, tag: "Forbidden" }
  if (role === "Admin" && access === "Admin") return { status: 200 }
  const reaches = (kind: Kind) => {
    switch (whose(kind)) {
      case "own":
        return role !== "None"
      // What is nobody's is for everybody where no token is needed, and else for users only as far as a bot goes.
      case "anonymous":
        return kind === "bot" || access === "Anyone"
      // An admin may use every bot, and has no more of a user than anybody else.
      case "foreign":
        return kind === "bot" && role === "Admin"
    }
  }
  const kind = kinds.find((kind) => errors.includes(notFound[kind]) && !reaches(kind))
  if (kind === undefined) return { status: 200 }
  // A file is for who has a ticket or the token of its owner.
  return role === "None" && query.includes("ticket")
    ? { status: 401, tag: "Unauthorized" }
    : { status: 404, tag: notFound[kind] }
}

const assertAnswer = (answer: Answer, expected: Expected, what: string) => {
  assert.strictEqual(answer.status, expected.status, `${what}: ${answer.text}`)
  if (expected.status === 200) return
  assert.strictEqual(answer.json().type, `urn:effect-chatbot:problem:${expected.tag}`, what)
  assert.strictEqual(answer.headers["www-authenticate"], expected.status === 401 ? "Bearer" : undefined, what)
}

layer(TestBackend.layer, { excludeTestServices: true })("the access matrix", (it) => {
  it.effect.each(endpoints.map((endpoint) => [endpoint.name, endpoint] as const))("%s", ([name, endpoint]) =>
    Effect.gen(function* () {
      const [ann, bob, boss] = [yield* somebody("User"), yield* somebody("User"), yield* somebody("Admin")]
      const seed = (owner: Somebody | undefined) => Resources.make(owner, endpoint.method !== "POST")

      const call = (resources: Resources.Resources, headers: Record<string, string>) => {
        const { body, method, path } = requestOf(endpoint, resources)
        return send(method, path, { body, headers })
      }
      const as = (caller: Somebody | undefined): Record<string, string> =>
        caller === undefined ? {} : { authorization: `Bearer ${Redacted.value(caller.token)}` }

      /** Calls, and sees to it that what is refused writes nothing, and that what is another's stays as it is. */
      const check = Effect.fnUntraced(function* (
        what: string,
        caller: Somebody | undefined,
        whose: (kind: Kind) => Whose,
        named: Resources.Resources,
        others: Resources.Resources | undefined
      ) {
        const wanted = expected(endpoint, caller?.role ?? "None", whose)
        const before = others && (yield* Resources.stored(others))
        const written = yield* Resources.written
        const answer = yield* call(named, as(caller))
        assertAnswer(answer, wanted, `${name}, ${what}`)
        if (wanted.status !== 200) assert.strictEqual(yield* Resources.written, written, `${name}, ${what}`)
        // An admin may change the bots of everybody, and whoever is an admin of all is meant to.
        const isTheirs = caller?.role === "Admin" && endpoint.access === "Admin"
        if (others && !isTheirs) assert.deepStrictEqual(yield* Resources.stored(others), before, `${name}, ${what}`)
      })

      // No valid token, on what would be their own.
      const anns = yield* seed(ann)
      for (const [what, authorization] of Object.entries(yield* badTokens)) {
        const written = yield* Resources.written
        const answer = yield* call(anns, { authorization })
        assertAnswer(answer, { status: 401, tag: "Unauthorized" }, `${name}, a token ${what}`)
        assert.strictEqual(yield* Resources.written, written, `${name}, a token ${what}`)
      }

      yield* check("no token, on a user's", undefined, () => "foreign", anns, anns)
      yield* check("a user, on another's", bob, () => "foreign", anns, anns)
      const bosss = yield* seed(boss)
      yield* check("a user, on an admin's", bob, () => "foreign", bosss, bosss)
      for (const kind of endpoint.kinds) {
        const whose = (other: Kind): Whose => (other === kind ? "foreign" : "own")
        for (const [who, caller] of [
          ["a user", bob],
          ["an admin", boss]
        ] as const) {
          const others = yield* seed(ann)
          const named = mix(yield* seed(caller), others, kind)
          yield* check(`${who}, where the ${kind} is another's`, caller, whose, named, others)
        }
      }
      const others = yield* seed(ann)
      yield* check("an admin, on a user's", boss, () => "foreign", others, others)

      yield* check("no token, on nobody's", undefined, () => "anonymous", yield* seed(undefined), undefined)
      yield* check("a user, on nobody's", bob, () => "anonymous", yield* seed(undefined), undefined)
      yield* check("a user, on their own", bob, () => "own", yield* seed(bob), undefined)
      yield* check("an admin, on their own", boss, () => "own", yield* seed(boss), undefined)
    })
  )
})
