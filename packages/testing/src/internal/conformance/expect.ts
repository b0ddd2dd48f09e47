import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import { Blocked, Skipped, Violation } from "./Failure.ts"
import { type Answer, ask, type Input } from "./exchange.ts"
import type { OperationName } from "./operations.ts"
import type { Target } from "./Target.ts"

/** How much of a body stands in a report. */
const shown = 400

/** An answer in a line. */
export const inShort = ({ headers, status, text }: Pick<Answer, "headers" | "status" | "text">): string =>
  [
    status,
    headers["content-type"],
    text === "" ? "without a body" : text.length > shown ? `${text.slice(0, shown)}…` : text
  ]
    .filter((part) => part !== undefined)
    .join(" ")

/** Fails: the answer is not what the rule wants. */
export const violates = (
  answer: Pick<Answer, "request" | "headers" | "status" | "text">,
  expected: string,
  actual: string = inShort(answer)
): Effect.Effect<never, Violation> => Effect.fail(new Violation({ request: answer.request, expected, actual }))

/** What is prepared for a check, or looked at beside what it is about: that it fails is not the fault that the check tells of. */
export const prepared = <A, R>(effect: Effect.Effect<A, Violation, R>): Effect.Effect<A, Blocked, R> =>
  Effect.mapError(effect, ({ actual, expected, request }) => {
    const message = `${request === undefined ? "" : `${request}: `}expected ${expected}, came ${actual}`
    return new Blocked({ message })
  })

/** The check is passed over for the want of something that can be given. */
export const skip = (message: string): Effect.Effect<never, Skipped> => Effect.fail(new Skipped({ message }))

/** The answer has this status. */
export const hasStatus = (answer: Answer, status: number): Effect.Effect<Answer, Violation> =>
  answer.status === status ? Effect.succeed(answer) : violates(answer, `status ${status}`)

/** Asks, and wants success, whatever the body is. */
export const ok = (name: OperationName, input?: Input): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(ask(name, input), (answer) => hasStatus(answer, 200))

const mediaType = (answer: Answer): string =>
  (answer.headers["content-type"] ?? "").replace(/;.*$/s, "").trim().toLowerCase()

/** The body, as JSON. */
export const json = (answer: Answer): Effect.Effect<unknown, Violation> =>
  Effect.try({
    try: (): unknown => JSON.parse(answer.text),
    catch: () => new Violation({ request: answer.request, expected: "a body of JSON", actual: inShort(answer) })
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
          `${message.replaceAll("\n", " ")} in ${inShort(answer)}`
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
  return yield* violates(answer, "a body as the contract describes it", `${wrong.join("; ")} in ${inShort(answer)}`)
})

/** Asks, and wants a success as the contract describes it. */
export const success = (name: OperationName, input?: Input): Effect.Effect<Answer, Violation, Target> =>
  Effect.flatMap(ask(name, input), conforms)

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
