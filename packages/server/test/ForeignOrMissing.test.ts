/**
 * What is somebody else's and what is not there are the same to a caller: in the answer, in what the backend does for it, and, with
 * `CHATBOT_TEST_FULL=true`, in the time that takes.
 */
import { Tokens } from "@effect-chatbot/server/Tokens"
import { assert, layer } from "@effect/vitest"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Agent, request } from "node:http"
import { StatementSync } from "node:sqlite"
import { vi } from "vitest"
import { type Endpoint, endpoints, type Kind, mix, notFound, requestOf } from "./support/Endpoints.ts"
import { type Answer, send } from "./support/raw.ts"
import * as Resources from "./support/Resources.ts"
import { TestBackend } from "./support/TestBackend.ts"

const isFull = process.env["CHATBOT_TEST_FULL"] === "true"

/** How often each of the two is asked for, and how far their medians may be apart. */
const rounds = 2000
const tolerance = 0.05

/** The statements that are run. */
const statements = vi.spyOn(StatementSync.prototype, "all")

/** What was run since the last look, and how many rows each statement gave. */
const run = () => {
  const { contexts, results } = statements.mock
  const told = contexts.map((statement, index) => {
    const result = results[index]
    return [
      statement instanceof StatementSync ? statement.sourceSQL : "",
      result?.type === "return" ? result.value.length : result?.type
    ]
  })
  statements.mockClear()
  return told
}

type Case = readonly [name: string, endpoint: Endpoint, kind: Kind, who: "user" | "nobody"]

/** The ways to ask for something of a kind that the caller does not reach. */
const cases = endpoints
  .filter(({ access }) => access !== "Admin")
  .flatMap((endpoint) => {
    const kinds = endpoint.kinds.filter((kind) => endpoint.errors.includes(notFound[kind]))
    const byUser = kinds.map((kind): Case => [`${endpoint.name}, a user, the ${kind}`, endpoint, kind, "user"])
    // Who has no token has nothing but what is nobody's.
    const byNobody = kinds
      .slice(0, endpoint.access === "Anyone" ? 1 : 0)
      .map((kind): Case => [`${endpoint.name}, no token, the ${kind}`, endpoint, kind, "nobody"])
    return byUser.concat(byNobody)
  })

let logins = 0

/** The two requests, and the headers to send them with. */
const pair = Effect.fnUntraced(function* (endpoint: Endpoint, kind: Kind, who: "user" | "nobody") {
  const tokens = yield* Tokens
  const make = Effect.fnUntraced(function* () {
    const login = `foreign-${++logins}`
    const { token, userId } = yield* tokens.create({ login, roles: ["User"], name: "test" })
    return { token, resources: yield* Resources.make({ id: userId, login }, endpoint.method !== "POST") }
  })
  const [own, other] = [yield* make(), yield* make()]
  const named = {
    foreign: mix(own.resources, other.resources, kind),
    missing: mix(own.resources, Resources.missing(), kind)
  }
  const headers: Record<string, string> = who === "user" ? { authorization: `Bearer ${Redacted.value(own.token)}` } : {}
  return { named, headers }
})

/** An answer without what is of this request alone, and without what the caller said. */
const plain = ({ headers, status, text }: Answer, named: Resources.Resources) => {
  const { date: _, "x-request-id": requestId, ...rest } = headers
  const said = Object.values(named)
    .map(String)
    .toSorted((one, other) => other.length - one.length)
  return {
    status,
    headers: rest,
    text: said.reduce((text, id) => text.replaceAll(id, "ID"), text.replaceAll(requestId ?? "-", "REQUEST"))
  }
}

layer(TestBackend.layer, { excludeTestServices: true })("what is another's, and what is missing", (it) => {
  it.effect.each(cases)("are answered alike, by statements that find the same: %s", ([, endpoint, kind, who]) =>
    Effect.gen(function* () {
      const { headers, named } = yield* pair(endpoint, kind, who)
      const ask = Effect.fnUntraced(function* (resources: Resources.Resources) {
        const { body, method, path } = requestOf(endpoint, resources)
        // A token that was not seen lately is looked up.
        yield* send("GET", "/api/chats/OpenChatBotId", { headers })
        run()
        const answer = yield* send(method, path, { body, headers })
        return { answer: plain(answer, resources), statements: run() }
      })
      const foreign = yield* ask(named.foreign)
      assert.include([401, 404], foreign.answer.status)
      assert.isNotEmpty(foreign.statements)
      assert.deepStrictEqual(foreign, yield* ask(named.missing))
    })
  )
})

/** The time that a request takes on a connection that is open, in milliseconds. */
const timed = (
  agent: Agent,
  baseUrl: string,
  { body, method, path }: ReturnType<typeof requestOf>,
  headers: Record<string, string>
) =>
  Effect.callback<number>((resume) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const length =
      text === undefined ? {} : { "content-type": "application/json", "content-length": String(text.length) }
    const begin = performance.now()
    request(new URL(baseUrl), { agent, method, path, headers: { ...headers, ...length } }, (response) =>
      response.resume().on("end", () => resume(Effect.succeed(performance.now() - begin)))
    ).end(text)
  })

const median = (times: ReadonlyArray<number>): number =>
  times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN

if (isFull) {
  layer(TestBackend.layer, { excludeTestServices: true })("the time of what is another's and what is missing", (it) => {
    it.effect.each(cases)(
      "has the same median: %s",
      ([name, endpoint, kind, who]) =>
        Effect.gen(function* () {
          const { baseUrl } = yield* TestBackend
          const { headers, named } = yield* pair(endpoint, kind, who)
          const [foreign, missing] = [requestOf(endpoint, named.foreign), requestOf(endpoint, named.missing)]
          const agent = new Agent({ keepAlive: true, maxSockets: 1 })
          const times = { foreign: Array.of<number>(), missing: Array.of<number>() }
          for (let round = -200; round < rounds; round++) {
            // Each comes first as often as the other, so that what one leaves behind meets both.
            const order = round % 2 === 0 ? (["foreign", "missing"] as const) : (["missing", "foreign"] as const)
            for (const which of order) {
              const time = yield* timed(agent, baseUrl, which === "foreign" ? foreign : missing, headers)
              if (round >= 0) times[which].push(time)
            }
          }
          agent.destroy()
          const [one, other] = [median(times.foreign), median(times.missing)]
          const difference = (one - other) / other
          yield* Console.log(
            `${name.padEnd(72)} foreign ${one.toFixed(3)} ms, missing ${other.toFixed(3)} ms, ${(100 * difference).toFixed(1)} %`
          )
          assert.isAtMost(Math.abs(difference), tolerance)
        }),
      120_000
    )
  })
}
