/**
 * The caller of an endpoint that is for users.
 */
import { type Caller, CurrentCaller } from "@effect-chatbot/api/middleware/Authorization"
import * as Effect from "effect/Effect"
import type { SignedIn } from "../Callers.ts"

const isSignedIn = (caller: Caller): caller is SignedIn => caller._tag === "User"

/** The user who calls. The access rule of the endpoint has kept everybody else out. */
export const signedIn: Effect.Effect<SignedIn, never, CurrentCaller> = Effect.filterOrElse(
  CurrentCaller,
  isSignedIn,
  () => Effect.die(new Error("An endpoint for users was reached without a user"))
)
