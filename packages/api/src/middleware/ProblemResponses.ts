/**
 * Turns whatever fails while a request is answered into a problem: what the endpoint declares, what does not decode, and defects.
 */
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { Problems } from "../Problems.ts"

/** The middleware of every endpoint that answers problems. */
export class ProblemResponses extends HttpApiMiddleware.Service<ProblemResponses>()(
  "@effect-chatbot/api/ProblemResponses",
  { error: [Problems.RateLimited, Problems.InternalError, Problems.Unavailable] }
) {}
