/** Breaks of requests that are sent again. */
import { keyHeader, replayedHeader, supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { createHash } from "node:crypto"
import { type OperationName, operations } from "../../src/internal/conformance/operations.ts"
import {
  type Answer,
  answers,
  asks,
  type Break,
  type Change,
  heads,
  meeting,
  payloadOf,
  read,
  remembering,
  respond,
  row,
  where
} from "./Break.ts"

const header = keyHeader.toLowerCase()

/** The operation that stands for all of them. */
const made = "users.createSystemMessage"

/** A key as the kit has them, in quotes or without. */
const valid = /^("?)([\w-]{1,100})\1$/

/** Keys that are keys are other ones. */
const keys = (
  of: OperationName | ReadonlyArray<OperationName>,
  change: (key: string, request: HttpClientRequest.HttpClientRequest) => string
) =>
  asks(of, (request) => {
    const [, , key] = valid.exec(request.headers[header] ?? "") ?? []
    return key === undefined ? request : HttpClientRequest.setHeader(request, header, change(key, request))
  })

const ignoring = (of: OperationName | ReadonlyArray<OperationName>) =>
  asks(of, (request) => HttpClientRequest.removeHeader(request, header))

const lessHeader = (name: string) =>
  heads(made, ({ headers: { [name.toLowerCase()]: _value, ...headers }, status }) => ({ status, headers }))

/** A text of the letters that a key may have. */
const hash = (text: string) => createHash("sha256").update(text).digest("hex")

interface Sent {
  readonly key: string | undefined
  readonly token: string | undefined
  readonly path: string
  readonly body: string
}

const sentOf = (request: HttpClientRequest.HttpClientRequest): Sent => ({
  key: valid.exec(request.headers[header] ?? "")?.[2],
  token: request.headers["authorization"],
  path: request.url,
  body: JSON.stringify(payloadOf(request)) ?? ""
})

/** A backend that gives its answers again by something else than it should, and else does as it should. */
const repeating = (by: (sent: Sent) => string | undefined): Change =>
  remembering(made, () => {
    const given = new Map<string, Answer>()
    return Effect.fnUntraced(function* ({ request }, send) {
      const name = by(sentOf(request))
      const before = name === undefined ? undefined : given.get(name)
      if (before !== undefined) return respond(request, before)
      const answer = yield* Effect.flatMap(send(request), read)
      if (name !== undefined && answer.status === 200) {
        given.set(name, { ...answer, headers: { ...answer.headers, [replayedHeader.toLowerCase()]: "true" } })
      }
      return respond(request, answer)
    })
  })

/** A backend that does not see the requests with a key that are there at the same time. */
const blind: Change = remembering(made, () => {
  const running = new Set<string>()
  return Effect.fnUntraced(function* ({ request }, send) {
    const { key = "" } = sentOf(request)
    if (running.has(key)) return yield* send(HttpClientRequest.removeHeader(request, header))
    running.add(key)
    return yield* Effect.ensuring(
      // The others come while this one is being done.
      Effect.andThen(Effect.yieldNow, send(request)),
      Effect.sync(() => running.delete(key))
    )
  })
})

const keyed = (parts: (sent: Sent) => ReadonlyArray<string | undefined>) => (sent: Sent) =>
  sent.key === undefined ? undefined : [sent.key, ...parts(sent)].join("\n")

/** A request that is done again, though the answer is that which was given before. */
const doingAgain = (of: OperationName) =>
  meeting(
    of,
    Effect.fnUntraced(function* ({ request }, send) {
      const response = yield* send(request)
      if (response.headers[replayedHeader.toLowerCase()] === "true") {
        yield* Effect.flatMap(send(HttpClientRequest.removeHeader(request, header)), read)
      }
      return response
    })
  )

/** What else finds that an operation ignores keys. */
const alsoFound: { readonly [name in OperationName]?: ReadonlyArray<string> } = {
  "chats.complete": ["chats.complete/asks-once-with-its-key"],
  "chats.createTicket": ["chats.createTicket/refuses-its-key-for-another"],
  "users.createSystemMessage": [
    "users.createSystemMessage/makes-one-with-its-key",
    "users.createSystemMessage/makes-one-at-once",
    "users.createSystemMessage/says-that-it-answered-before",
    "users.createSystemMessage/refuses-its-key-for-another",
    "users.createSystemMessage/refuses-what-is-no-key",
    "users.createSystemMessage/reads-a-key-in-quotes"
  ]
}

/** Every break of this kind. */
export const idempotencyBreaks: ReadonlyArray<Break> = [
  ...operations
    .filter(({ retry }) => retry === "keyed")
    .map(({ name }) =>
      row(`keys are ignored: ${name}`, ignoring(name), `${name}/answers-again-with-its-key`, ...(alsoFound[name] ?? []))
    ),
  row(
    "a question with a key is asked again, whatever is answered",
    doingAgain("chats.complete"),
    "chats.complete/asks-once-with-its-key"
  ),
  row(
    "what has a key is made again, whatever is answered",
    doingAgain(made),
    "users.createSystemMessage/makes-one-with-its-key"
  ),
  row(
    "keys are not said to be honoured",
    lessHeader(supportedHeader),
    "users.createSystemMessage/says-that-keys-are-honoured"
  ),
  row(
    "an answer that was given before does not say so",
    lessHeader(replayedHeader),
    "users.createSystemMessage/says-that-it-answered-before"
  ),
  row(
    "every answer was given before",
    heads(made, ({ headers, status }) => ({ status, headers: { ...headers, [replayedHeader.toLowerCase()]: "true" } })),
    "users.createSystemMessage/says-that-it-answered-before"
  ),
  row(
    "an answer that is given again is written anew",
    answers(made, (answer) =>
      answer.headers[replayedHeader.toLowerCase()] === "true" ? { ...answer, text: ` ${answer.text}` } : answer
    ),
    "users.createSystemMessage/answers-again-with-its-key",
    "users.createSystemMessage/makes-one-at-once",
    "users.createSystemMessage/reads-a-key-in-quotes"
  ),
  row(
    "a key with another request is another key",
    keys(made, (key, request) => hash(`${key} ${JSON.stringify(payloadOf(request))}`)),
    "users.createSystemMessage/refuses-its-key-for-another"
  ),
  row(
    "a key with another path is another key",
    keys("chats.createTicket", (key, request) => hash(`${key} ${request.url}`)),
    "chats.createTicket/refuses-its-key-for-another"
  ),
  row(
    "a key answers another request",
    repeating(keyed(({ path, token }) => [token, path])),
    "users.createSystemMessage/refuses-its-key-for-another"
  ),
  row(
    "a key answers another user",
    repeating(keyed(({ body, path }) => [path, body])),
    "users.createSystemMessage/keeps-keys-of-users-apart"
  ),
  row("requests at the same time have the effect of all", blind, "users.createSystemMessage/makes-one-at-once"),
  row(
    "a request is answered once, with a key or without",
    repeating(({ body, path, token }) => `${token} ${path} ${body}`),
    "users.createSystemMessage/makes-two-without-a-key"
  ),
  row(
    "another request with a key is 409",
    where(made, 422, (answer) => ({ ...answer, status: 409, text: answer.text.replace(":422", ":409") })),
    "users.createSystemMessage/refuses-its-key-for-another"
  ),
  row(
    "keys may be anything",
    asks(made, (request) => {
      const key = request.headers[header]
      return key === undefined || valid.test(key) ? request : HttpClientRequest.setHeader(request, header, hash(key))
    }),
    "users.createSystemMessage/refuses-what-is-no-key"
  ),
  row(
    "quotes are part of a key",
    asks(made, (request) => {
      const key = request.headers[header] ?? ""
      return /^"[\w-]+"$/.test(key) ? HttpClientRequest.setHeader(request, header, hash(key)) : request
    }),
    "users.createSystemMessage/reads-a-key-in-quotes"
  ),
  row(
    "a key that was refused is used up",
    remembering(made, () => {
      const refused = new Set<string>()
      return Effect.fnUntraced(function* ({ request }, send) {
        const { key = "" } = sentOf(request)
        const response = yield* send(refused.has(key) ? HttpClientRequest.setHeader(request, header, '"') : request)
        if (response.status === 400 && key !== "") refused.add(key)
        return response
      })
    }),
    "users.createSystemMessage/takes-its-key-after-a-refusal"
  )
]
