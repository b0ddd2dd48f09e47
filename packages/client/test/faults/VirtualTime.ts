/** Time that passes when there is nothing else to do: a call with minutes of waiting takes none, and every wait is exact. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** As many turns of the event loop as promises, streams and fibers take to come to rest. */
const settle = Effect.repeat(turn, { times: 4 })

/** How often is looked again before it is said that an effect hangs. */
const patience = 100

/**
 * Runs an effect by a `TestClock` that goes on to the next moment somebody waits for, whenever all is at rest. Only for what waits for nothing
 * but time: not for sockets. An effect that waits for nothing, and does not end, is a defect.
 */
export const inVirtualTime = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const clock = yield* TestClock.testClockWith(Effect.succeed)
    const awaited = new Set<{ readonly at: number }>()
    const noting: Clock.Clock = {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            const moment = { at: clock.currentTimeMillisUnsafe() + Duration.toMillis(duration) }
            awaited.add(moment)
            return moment
          }),
          () => clock.sleep(duration),
          (moment) => Effect.sync(() => awaited.delete(moment))
        )
    }
    const fiber = yield* Effect.forkChild(Effect.provideService(self, Clock.Clock, noting))
    let idle = 0
    while (fiber.pollUnsafe() === undefined) {
      yield* settle
      if (fiber.pollUnsafe() !== undefined) break
      const next = Math.min(...Array.from(awaited, ({ at }) => at))
      if (Number.isFinite(next)) {
        idle = 0
        yield* clock.setTime(next)
      } else if (++idle > patience) {
        yield* Fiber.interrupt(fiber)
        return yield* Effect.die(new Error("It hangs: it does not end, and waits for no time."))
      }
    }
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestClock.layer()))
