import * as Context from "effect/Context"
import * as OpenApi from "effect/http-api/OpenApi"
import { Access } from "../Access.ts"
import { RetryClass } from "../RetryClass.ts"

/** What every endpoint must say about itself. */
export interface Operation {
  /** The `operationId` of the contract. */
  readonly id: string
  readonly summary: string
  readonly description: string
  readonly access: Access
  readonly retry: RetryClass
}

/** The annotations of an endpoint: its texts in the OpenAPI document, who may call it and whether it may be sent again. */
export const operation = ({ access, description, id, retry, summary }: Operation): Context.Context<never> =>
  OpenApi.annotations({
    identifier: id,
    summary,
    description,
    // An empty requirement makes the token optional (OpenAPI 3.1, 4.8.10).
    transform: (document) => ({
      ...document,
      security: access === "Anyone" ? [{}, { bearer: [] }] : [{ bearer: [] }],
      "x-access": access,
      "x-retry": retry
    })
  }).pipe(Context.add(Access, access), Context.add(RetryClass, retry))
