/**
 * What the main thread may ask of the worker. See `worker/main.ts` for how to run it.
 */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

/** The question was not answered, or not to its end. */
export class NotAnswered extends Schema.TaggedError<NotAnswered>()("NotAnswered", {
  /** The tag of the error of the client. */
  reason: Schema.String,
  message: Schema.String
}) {}

/** The answers of the guide, piece by piece. */
export class Answers extends RpcGroup.make(
  Rpc.make("Ask", {
    payload: { question: Schema.String },
    success: Schema.String,
    error: NotAnswered,
    stream: true
  })
) {}
