import * as Context from "effect/Context"
import * as OpenApi from "effect/http-api/OpenApi"
import { Access } from "../Access.ts"
import { RetryClass } from "../RetryClass.ts"

/** What every endpoint must say about itself; the document says more about it, see `describe`. */
export interface Operation {
  /** The `operationId` of the contract. */
  readonly id: string
  readonly access: Access
  readonly retry: RetryClass
}

/** The annotations of an endpoint: its id in the OpenAPI document, who may call it and whether it may be sent again. */
export const operation = ({ access, id, retry }: Operation): Context.Context<never> =>
  OpenApi.annotations({
    identifier: id,
    transform: (document) => ({ ...document, "x-access": access, "x-retry": retry })
  }).pipe(Context.add(Access, access), Context.add(RetryClass, retry))
