import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

/** Reads bytes as they come. Each step puts what they complete into `out`, in order, and answers why there can be no more, if so. */
export interface Decoder<A, E> {
  readonly feed: (bytes: Uint8Array, out: Array<A>) => E | undefined
  readonly end: (out: Array<A>) => E | undefined
}

/** Puts a stream of bytes through a decoder: one Effect a read, however much it completes. What came before a failure is emitted first. */
export const through =
  <A, E2>(make: () => Decoder<A, E2>) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<A, E | E2, R> =>
    Stream.transformPull(self, (upstream) =>
      Effect.sync(() => {
        type Emit = Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E | E2>
        const decoder = make()
        let last: Emit | undefined

        const emit = (out: Array<A>): Emit => (Arr.isArrayNonEmpty(out) ? Effect.succeed(out) : pull)
        const read: Emit = Pull.matchEffect(upstream, {
          onSuccess: (chunks) => {
            const out: Array<A> = []
            for (const bytes of chunks) {
              const failure = decoder.feed(bytes, out)
              if (failure === undefined) continue
              last = Effect.fail(failure)
              break
            }
            return emit(out)
          },
          onFailure: Effect.failCause,
          onDone: () => {
            const out: Array<A> = []
            const failure = decoder.end(out)
            last = failure === undefined ? Cause.done() : Effect.fail(failure)
            return emit(out)
          }
        })
        const pull: Emit = Effect.suspend(() => last ?? read)
        return pull
      })
    )
