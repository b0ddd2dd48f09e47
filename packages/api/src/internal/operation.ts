import * as Context from "effect/Context"
import * as OpenApi from "effect/http-api/OpenApi"
import { Access } from "../Access.ts"
import { keyHeader, replayedHeader, supportedHeader } from "../middleware/IdempotencyKeys.ts"
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

/** What the middleware reads of a request of the retry class `keyed`. */
const keyParameter = {
  name: keyHeader,
  in: "header",
  required: false,
  description:
    "Makes the request take effect once within 24 hours, however often it is sent: a quoted string or the bare text, 1 to 255 visible ASCII characters.",
  schema: { type: "string", minLength: 1 }
}

const says = (description: string) => ({ description, schema: { type: "string", enum: ["true"] } })

/** What it writes into the answer. */
const answerHeaders = {
  [supportedHeader]: says("This backend honours idempotency keys."),
  [replayedHeader]: says("The request was answered before, and this is that answer.")
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
      ...(retry === "keyed"
        ? {
            parameters: [...document["parameters"], keyParameter],
            responses: { ...document["responses"], 200: { ...document["responses"][200], headers: answerHeaders } }
          }
        : undefined),
      security: access === "Anyone" ? [{}, { bearer: [] }] : [{ bearer: [] }],
      "x-access": access,
      "x-retry": retry
    })
  }).pipe(Context.add(Access, access), Context.add(RetryClass, retry))
