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

/** The annotation that says who may call an endpoint; without it, admins only, but see {@link ruled}. */
export const Access = Context.Reference<Access>("@effect-chatbot/api/Access", { defaultValue: () => "Admin" })

/** What of an `HttpApi` has rules. */
interface Endpoints {
  readonly groups: {
    readonly [group: string]: {
      readonly endpoints: { readonly [endpoint: string]: { readonly annotations: Context.Context<never> } }
    }
  }
}

/** The contract as it is, if every endpoint of it says itself who may call it. Else nothing can be built on it: the module that makes it fails to load. */
export const ruled = <Api extends Endpoints>(api: Api): Api => {
  const without = Object.entries(api.groups).flatMap(([group, { endpoints }]) =>
    Object.entries(endpoints)
      .filter(([, { annotations }]) => !annotations.mapUnsafe.has(Access.key))
      .map(([endpoint]) => `${group}.${endpoint}`)
  )
  if (without.length > 0) {
    throw new Error(`No rule says who may call ${without.join(", ")}: annotate it with Access`)
  }
  return api
}
