import { TransportFailed } from "@effect-chatbot/schema/Errors"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Headers } from "effect/http/Headers"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BinaryContent } from "../BinaryContent.ts"
import { fileNameOf } from "./contentDisposition.ts"
import { timedOut } from "./limits.ts"
import type { Ongoing } from "./ongoing.ts"
import { bytesOf } from "./response.ts"
import { tell } from "./story.ts"

/** Ends an answer whose body nobody reads: a transport closes it when its stream is left. */
export const close = (response: HttpClientResponse): Effect.Effect<void> =>
  Effect.scoped(Effect.asVoid(Stream.toPull(response.stream)))

/** The length of what a transport decompresses is not known: the header counts what travels. */
const lengthOf = ({ "content-encoding": encoding, "content-length": length }: Headers): number | undefined =>
  encoding === undefined && length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined

/**
 * The content of an answer. Its connection stays open until the bytes are read, so it is closed when nobody begins to within the limit of
 * an attempt, and with `scope`, which is that of the client.
 */
export const binaryContent = (
  response: HttpClientResponse,
  call: Ongoing,
  scope: Scope.Scope
): Effect.Effect<BinaryContent> => {
  const limit = call.limits.attempt
  let state: "waiting" | "begun" | "read" | "closed" = "waiting"

  const giveUpIf = (unread: "waiting" | "begun") =>
    Effect.suspend(() => {
      if (state !== unread) return Effect.void
      state = "closed"
      return close(response)
    })

  const bytes = Stream.suspend(() => {
    state = "read"
    return bytesOf(response)
  }).pipe(
    Stream.timeoutOrElse({ duration: limit, orElse: () => Stream.fail(timedOut("attempt", limit)) }),
    // Whoever begins to read may leave before anything is read.
    Stream.ensuring(giveUpIf("begun"))
  )

  // Started at once, or it could be ended before it has begun and leave the connection open.
  const wait = Effect.forkIn(Effect.ensuring(Effect.sleep(limit), giveUpIf("waiting")), scope, {
    startImmediately: true
  })

  return Effect.map(wait, (waiting) => ({
    contentType: response.headers["content-type"] ?? "application/octet-stream",
    contentLength: lengthOf(response.headers),
    etag: response.headers["etag"],
    fileName: fileNameOf(response.headers["content-disposition"]),
    stream: Stream.suspend((): BinaryContent["stream"] => {
      if (state === "closed") return Stream.fail(timedOut("attempt", limit))
      if (state !== "waiting")
        return Stream.fail(new TransportFailed({ message: "The bytes of an answer can be read once." }))
      state = "begun"
      return Stream.unwrap(Effect.as(Fiber.interrupt(waiting), bytes))
    }).pipe(Stream.mapError((error) => tell(call, error, "begun")))
  }))
}
