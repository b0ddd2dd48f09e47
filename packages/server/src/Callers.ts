/**
 * Questions about who calls.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import type { UserId } from "@effect-chatbot/schema/Ids"

/** A caller with a valid token. */
export type SignedIn = Extract<Caller, { readonly _tag: "User" }>

/** Whether the caller has the role `Admin`. */
export const isAdmin = (caller: Caller): boolean => caller._tag === "User" && caller.roles.includes("Admin")

/** The id of the user who calls; absent for an anonymous caller. */
export const userId = (caller: Caller): UserId | undefined => (caller._tag === "User" ? caller.id : undefined)
