import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { Blocked, Skipped, Violation } from "./Failure.ts"
import { type Answer, ask, type Input, whereOf } from "./exchange.ts"
import type { OperationName } from "./operations.ts"
import type { Target } from "./Target.ts"

/** The beginning of what may be of any length. */
const beginning = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text)

/** A body as far as it fits into a report. A ticket is a secret, and stands nowhere. */
const bodyInShort = ({ operation, text }: Answer): string => {
  if (text === "") return "without a body"
  if (operation.name === "chats.createTicket") return `with a body of ${text.length} characters`
  return beginning(text, 400)
}

/** An answer in a line. */
export const inShort = (answer: Answer): string =>
  [answer.status, answer.headers["content-type"], bodyInShort(answer)].filter((part) => part !== undefined).join(" ")

/** Fails: the answer is not what the rule wants. */
export const violates = (
  answer: Answer,
  expected: string,
  actual: string = inShort(answer)
): Effect.Effect<never, Violation> =>
  Effect.fail(new Violation({ ...whereOf(answer), expected, actual: beginning(actual, 1200) }))

/** What is prepared for a check, or looked at beside what it is about: that it fails is not the fault that the check tells of. */
export const prepared = <A, R>(effect: Effect.Effect<A, Violation, R>): Effect.Effect<A, Blocked, R> =>
  Effect.mapError(effect, ({ actual, expected, operation, request }) => {
    const message = `${request === undefined ? "" : `${request}: `}expected ${expected}, came ${actual}`
    return new Blocked({ message, operation })
  })

/** The check is passed over for the want of something that can be given. */
export const skip = (message: string): Effect.Effect<never, Skipped> => Effect.fail(new Skipped({ message }))

/** The answer has this status. */
export const hasStatus = (answer: Answer, status: number): Effect.Effect<Answer, Violation> =>
  answer.status === status ? Effect.succeed(answer) : violates(answer, `status ${status}`)

/** The answer is a success, of whatever status. */
export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300

/** The answer is a success. Which one it must be is a rule of its operation, and no reason for all that needs it to stop. */
export const succeeds = (answer: Answer): Effect.Effect<Answer, Violation> =>
  isSuccess(answer) ? Effect.succeed(answer) : violates(answer, "status 200")

/** Asks, and wants success, whatever the body is. */
export const ok = (name: OperationName, input?: Input): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(ask(name, input), (answer) => hasStatus(answer, 200))

const mediaType = (answer: Answer): string =>
  (answer.headers["content-type"] ?? "").replace(/;.*$/s, "").trim().toLowerCase()

/** The body, as JSON. */
export const json = (answer: Answer): Effect.Effect<unknown, Violation> =>
  Effect.try({
    try: (): unknown => JSON.parse(answer.text),
    catch: () => new Violation({ ...whereOf(answer), expected: "a body of JSON", actual: inShort(answer) })
  })

/** The body has these fields, of these types, and maybe others. */
export const fields = <Fields extends Schema.Struct.Fields>(
  answer: Answer,
  fields: Fields
): Effect.Effect<Schema.Struct.Type<Fields>, Violation, Schema.Struct.DecodingServices<Fields>> =>
  Effect.flatMap(json(answer), (body) =>
    Schema.decodeUnknownEffect(Schema.Struct(fields), { errors: "all" })(body).pipe(
      Effect.catch(({ message }) =>
        violates(
          answer,
          `a body with ${Object.keys(fields).join(", ")}`,
          `${beginning(message.replaceAll("\n", " "), 600)} in ${inShort(answer)}`
        )
      )
    )
  )

/** The answer is a success as the document of the contract describes it: status, media type, and every field that is there. */
export const conforms = Effect.fnUntraced(function* (answer: Answer): Effect.fn.Return<Answer, Violation> {
  const { bodies } = answer.operation
  yield* hasStatus(answer, 200)
  if (bodies.size === 0) {
    return answer.text === "" ? answer : yield* violates(answer, "status 200 without a body")
  }
  const validate = bodies.get(mediaType(answer))
  if (validate === undefined) return yield* violates(answer, `a body of type ${[...bodies.keys()].join(" or ")}`)
  if (mediaType(answer) !== "application/json") return answer
  const wrong = validate(yield* json(answer))
  if (wrong.length === 0) return answer
  const issues = beginning(wrong.join("; "), 600)
  return yield* violates(answer, "a body as the contract describes it", `${issues} in ${inShort(answer)}`)
})

/** Asks, and wants a success as the contract describes it. */
export const success = (name: OperationName, input?: Input): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(ask(name, input), conforms)

/** A text that may be absent, as every text of the contract. */
export const text = Schema.optional(Schema.NullOr(Schema.String))

/** What a check looks at beside what it is about: the answer of an operation that succeeds, and these fields of it. */
export const seen = <Fields extends Schema.Struct.Fields>(name: OperationName, input: Input, wanted: Fields) =>
  prepared(
    Effect.flatMap(ok(name, input), (answer) => Effect.map(fields(answer, wanted), (body) => ({ answer, body })))
  )

/** The items of a page, of which these fields must be there. */
export const itemsOf = <Fields extends Schema.Struct.Fields>(answer: Answer, wanted: Fields) =>
  Effect.map(
    fields(answer, { items: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct(wanted)))) }),
    ({ items }) => items ?? []
  )

/** What was there is what the rule wants. Lists and objects are compared by what is in them. */
export const equals = <A>(
  answer: Answer,
  what: string,
  actual: A,
  expected: NoInfer<A>
): Effect.Effect<void, Violation> =>
  Equal.equals(actual, expected)
    ? Effect.void
    : violates(answer, `${what} ${JSON.stringify(expected)}`, JSON.stringify(actual) ?? "nothing")

/** What must hold of an answer. */
export const holds = (
  answer: Answer,
  isTrue: boolean,
  expected: string,
  actual?: string
): Effect.Effect<void, Violation> => (isTrue ? Effect.void : violates(answer, expected, actual))

/** The answer is a problem (RFC 9457) that says what it is, and has the status that it was sent with. */
export const isProblem = Effect.fnUntraced(function* (answer: Answer): Effect.fn.Return<void, Violation> {
  yield* holds(answer, mediaType(answer) === "application/problem+json", "a body of type application/problem+json")
  const problem = yield* fields(answer, {
    type: Schema.NonEmptyString,
    title: Schema.NonEmptyString,
    status: Schema.Finite,
    detail: Schema.NonEmptyString
  })
  yield* equals(answer, "a problem with the status", problem.status, answer.status)
})
