/**
 * Makes a request of a `keyed` endpoint take effect once, however often it is sent: by the key that its caller gives it
 * (draft-ietf-httpapi-idempotency-key-header).
 */
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type { CurrentCaller } from "./Authorization.ts"

/**
 * The request header with the key: a quoted string of structured fields (RFC 9651, 3.3.3) or the bare text, 1 to 255 visible ASCII
 * characters.
 */
export const keyHeader = "Idempotency-Key"

/** The response header that says `true` where a backend honours keys. */
export const supportedHeader = "Idempotency-Supported"

/** The response header that says `true` of an answer that was given before. */
export const replayedHeader = "Idempotency-Replayed"

/** The middleware of every endpoint of the retry class `keyed`. Its errors stand on the endpoints. */
export class IdempotencyKeys extends HttpApiMiddleware.Service<IdempotencyKeys, { requires: CurrentCaller }>()(
  "@effect-chatbot/api/IdempotencyKeys"
) {}
