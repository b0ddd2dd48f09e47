/**
 * The end of a backend that is told to stop: from then on nothing new is begun, and what was begun is waited for.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

/** Whether the backend is about to stop, and what it still does. */
export class Drain extends Context.Service<
  Drain,
  {
    /** Whether nothing new may be begun any more. */
    readonly hasBegun: () => boolean
    /** Lets nothing new begin, from now on and for good. */
    readonly begin: Effect.Effect<void>
    /** Calls this when the drain begins. */
    readonly onBegin: (listener: () => void) => void
    /** Counts something that was begun; call what it returns when that has ended. */
    readonly enter: () => () => void
    /** Waits until what was begun has ended. */
    readonly isIdle: Effect.Effect<void>
  }
>()("@effect-chatbot/server/Drain") {
  /** Nothing was begun yet. */
  static readonly layer: Layer.Layer<Drain> = Layer.sync(Drain, () => {
    const listeners: Array<() => void> = []
    let begun = false
    let active = 0
    let idle: Deferred.Deferred<void> | undefined
    return {
      hasBegun: () => begun,
      begin: Effect.sync(() => {
        if (begun) return
        begun = true
        for (const listener of listeners) listener()
      }),
      onBegin: (listener) => {
        listeners.push(listener)
      },
      enter: () => {
        active++
        return () => {
          active--
          if (active > 0 || idle === undefined) return
          Deferred.doneUnsafe(idle, Exit.void)
          idle = undefined
        }
      },
      isIdle: Effect.suspend(() => (active === 0 ? Effect.void : Deferred.await((idle ??= Deferred.makeUnsafe()))))
    }
  })
}
