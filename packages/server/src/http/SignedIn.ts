/**
 * The caller of an endpoint that is for users.
 */
import { CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import * as Effect from "effect/Effect"
import type { SignedIn } from "../Callers.ts"

/** The user who calls. The access rule of the endpoint has kept everybody else out. */
export const signedIn: Effect.Effect<SignedIn, never, CurrentCaller> = Effect.flatMap(CurrentCaller, (caller) =>
  caller._tag === "User" ? Effect.succeed(caller) : Effect.die(new Error("An endpoint for users was reached without a user")))
