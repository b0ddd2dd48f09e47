/** What a call tells of itself while it is made. Here are its types alone, so that a call that is not told of does not load the rest. */
import type { Completion } from "@effect-chatbot/schema/Chat"
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Event } from "../Completion.ts"
import type { Told } from "./story.ts"

/** What is known of a request without what a caller put into it. */
export interface Route {
  readonly method: string
  /** The path as the contract writes it, as in `/api/chats/:chatId`. */
  readonly route: string
}

/** A call that is told of. */
export interface Traced extends Told {
  readonly kind: "call" | "completion"
  readonly backend: { readonly name: string }
  readonly clock: Clock.Clock
  /** From when it is told of. */
  trace: Trace | undefined
}

/** An attempt, as far as it is told of. */
export type Attempt = Told["attempts"][number]

/** What happens in a call. */
export interface Trace {
  /** An attempt sends its request, which is made with these headers beside its own. */
  readonly send: <A, E, R>(
    attempt: Attempt,
    route: Route,
    request: (headers: Record<string, string>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** The attempt failed, as its entry says. */
  readonly failed: (attempt: Attempt) => void
  /** An event of a stream came. */
  readonly event: (event: Event) => void
}

/** Tells of calls. */
export interface Recorder {
  /** Tells of a call, which is this effect. */
  readonly call: <A, E, R>(call: Traced, self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Tells of a call, which is this stream. */
  readonly stream: <E, R>(call: Traced, self: Stream.Stream<Event, E, R>) => Stream.Stream<Event, E, R>
}

/** What a completion tells of itself. */
export type Usage = Pick<Completion, "completionId" | "completionTokens" | "promptTokens">
