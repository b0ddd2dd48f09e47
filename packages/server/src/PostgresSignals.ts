/**
 * The {@link Signals} of processes that share a PostgreSQL: `LISTEN` and `NOTIFY`.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type * as SqlError from "effect/sql/SqlError"
import { run } from "./internal/rows.ts"
import { makeListeners, Signals, topics } from "./Signals.ts"

const channel = "chatbot"

/** How long to wait before the next try to listen again. */
const retryAfter = Duration.millis(200)

/** Who signals, about what. */
const Signal = Schema.fromJsonString(
  Schema.Struct({
    from: Schema.String,
    topic: Schema.Literals(topics),
    subject: Schema.optionalKey(Schema.String)
  })
)
const decode = Schema.decodeUnknownOption(Signal)
const encode = Schema.encodeSync(Signal)

/**
 * Listens on a connection of its own. When it is lost, another is opened, and every listener looks at everything: what was said meanwhile
 * was not heard.
 */
export const layer: Layer.Layer<Signals, SqlError.SqlError, PgClient.PgClient> = Layer.effect(
  Signals,
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const random = yield* SecureRandom.SecureRandom
    const { dispatch, on } = makeListeners()
    const self = yield* random.uuidV4()

    const hear = (payload: string) => {
      const signal = decode(payload)
      return signal._tag === "None" || signal.value.from === self
        ? Effect.void
        : dispatch(signal.value.topic, signal.value.subject)
    }
    const everything = Effect.forEach(topics, (topic) => dispatch(topic), { discard: true })
    const quietly = (effect: Effect.Effect<void>) =>
      Effect.catchCause(effect, (cause) => Effect.logWarning("Failed to follow a signal of another process", cause))

    const follow = (notifications: Effect.Success<ReturnType<typeof sql.listen>>) =>
      Effect.forever(Effect.flatMap(Queue.take(notifications), ({ payload }) => quietly(hear(payload))))
    const again = Effect.scoped(
      Effect.flatMap(sql.listen(channel), (notifications) => Effect.andThen(quietly(everything), follow(notifications)))
    )

    // Nothing is served before the others can be heard.
    const scope = yield* Effect.scope
    const first = yield* Scope.fork(scope)
    const notifications = yield* Scope.provide(sql.listen(channel), first)
    yield* follow(notifications).pipe(
      Effect.onExit((exit) => Scope.close(first, exit)),
      Effect.catch((error) => Effect.logWarning("The connection to hear the other processes by is lost", error)),
      Effect.andThen(Effect.retry(again, Schedule.spaced(retryAfter))),
      Effect.forkScoped
    )

    const publish = Effect.fn("Signals.publish")(function* (
      ...[topic, subject]: Parameters<Signals["Service"]["publish"]>
    ) {
      const payload = encode({ from: self, topic, ...(subject === undefined ? undefined : { subject }) })
      yield* dispatch(topic, subject)
      // On the connection of an open transaction it is heard when that is committed.
      yield* run("signal the other processes", sql`SELECT pg_notify(${channel}, ${payload})`)
    })

    return { publish, on }
  })
).pipe(Layer.provide(NodeCrypto.layerSecureRandom))
