/**
 * Who may call an endpoint. It is written on the endpoint and kept by the server, so that no endpoint is without a rule.
 */
import * as Context from "effect/Context"

/**
 * `Anyone`: a token is not needed; what is reached without one is the open bot and the chats with it.
 * `User`: a valid token is needed.
 * `Admin`: a valid token of a user with the role `Admin` is needed.
 */
export type Access = "Anyone" | "User" | "Admin"

/** The annotation that says who may call an endpoint; without it, admins only. */
export const Access = Context.Reference<Access>("@effect-chatbot/api/Access", { defaultValue: () => "Admin" })
