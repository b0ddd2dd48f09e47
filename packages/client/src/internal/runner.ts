/**
 * Runs what a client does for programs that know promises: effects as promises, streams as async iterators.
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Runs effects and streams until it is closed. */
export interface Runner<R> {
  /**
   * Rejects with the very error of the effect, or with the reason of the signal, and only when all that the effect has opened is closed. A
   * signal that is aborted already lets nothing begin.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E, R>, signal: AbortSignal | undefined) => Promise<A>
  /**
   * Runs the stream from the first item on that is asked for, and never further than to the next one. Other than with
   * `Stream.toAsyncIterable`, a signal and the end of the runner close it at once, and not only when another item is asked for.
   */
  readonly iterate: <A, E>(stream: Stream.Stream<A, E, R>, signal: AbortSignal | undefined) => AsyncIterator<A, void>
  /** Interrupts all that runs, waits for it, and lets nothing begin any more. */
  readonly close: () => Promise<void>
}

/** A runner over a layer, which is built when it is first needed. */
export const makeRunner = <R, E>(layer: Layer.Layer<R, E>): Runner<R> => {
  const runtime = ManagedRuntime.make(layer)
  let isClosed = false

  const closed = () => new DOMException("The client is closed.", "AbortError")

  const throwIfOver = (signal: AbortSignal | undefined) => {
    signal?.throwIfAborted()
    if (isClosed) throw closed()
  }

  /** Nothing else interrupts what is run here. */
  const throwCause = (cause: Cause.Cause<unknown>, signal: AbortSignal | undefined): never => {
    if (Cause.hasInterruptsOnly(cause)) throwIfOver(signal)
    throw Cause.squash(cause)
  }

  const run: Runner<R>["run"] = async (effect, signal) => {
    throwIfOver(signal)
    const exit = await runtime.runPromiseExit(effect, { signal })
    return Exit.isSuccess(exit) ? exit.value : throwCause(exit.cause, signal)
  }

  const iterate = <A, E>(stream: Stream.Stream<A, E, R>, signal: AbortSignal | undefined): AsyncIterator<A, void> => {
    let scope: Scope.Closeable | undefined
    let closing: Promise<void> | undefined
    let isLeft = false

    const close = async () => {
      if (scope !== undefined) await (closing ??= Effect.runPromise(Scope.close(scope, Exit.void)))
    }

    /** Who asks for the next item is told. */
    const abort = () => void close().catch(() => {})

    const listen = Effect.acquireRelease(
      Effect.sync(() => signal?.addEventListener("abort", abort, { once: true })),
      () => Effect.sync(() => signal?.removeEventListener("abort", abort))
    )

    const generate = async function* () {
      throwIfOver(signal)
      const open = (scope = Scope.forkUnsafe(runtime.scope))

      let pull: Pull.Pull<NonEmptyReadonlyArray<A>, E, void, R> = Effect.andThen(listen, Stream.toPull(stream)).pipe(
        Scope.provide(open),
        Effect.flatMap((opened) => (pull = opened))
      )

      /** Nothing when the stream has ended, or was left meanwhile. */
      const take = async () => {
        const exit = await runtime.runPromiseExit(pull, { signal, onFiberStart: (fiber) => Fiber.runIn(fiber, open) })
        if (Exit.isSuccess(exit)) return exit.value
        return isLeft || Pull.isDoneCause(exit.cause) ? undefined : throwCause(exit.cause, signal)
      }

      try {
        for (;;) {
          // oxlint-disable-next-line no-await-in-loop -- The next items are only asked for when these are used up.
          const items = await take()
          if (items === undefined) return
          for (const item of items) {
            yield item
            throwIfOver(signal)
          }
        }
      } finally {
        await close()
      }
    }

    const items = generate()

    // A generator would first wait for the item that it was asked for.
    const leave = () => {
      isLeft = true
      return close()
    }

    return {
      next: () => items.next(),
      return: async () => {
        await leave()
        return items.return()
      },
      throw: async (error: unknown) => {
        await leave()
        return items.throw(error)
      }
    }
  }

  return {
    run,
    iterate,
    close: () => {
      isClosed = true
      return runtime.dispose()
    }
  }
}
