/**
 * Which pages of other origins may call the backend from a browser (WHATWG Fetch, 3.3). Without a list, none.
 */
import { completionIdHeader } from "@effect-chatbot/api/EventStream"
import { keyHeader, replayedHeader, supportedHeader } from "@effect-chatbot/api/middleware/IdempotencyKeys"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as RequestId from "./RequestId.ts"

/** What stands in the list for every origin. */
export const anyOrigin = "*"

const allowedHeaders = [
  "Authorization",
  "Content-Type",
  keyHeader,
  "Last-Event-ID",
  "If-None-Match",
  "Range",
  RequestId.header,
  "traceparent",
  "tracestate"
]

const exposedHeaders = [
  RequestId.header,
  completionIdHeader,
  supportedHeader,
  replayedHeader,
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "WWW-Authenticate",
  "ETag",
  "Content-Disposition",
  "Content-Range",
  "Accept-Ranges"
]

/** How long a browser remembers what it was allowed, in seconds. */
const maxAge = 600

/**
 * Answers preflights, and tells browsers which origins may read the answers. Credentials of the browser are allowed to origins that are
 * listed, and never where every origin is.
 */
export const middleware = (origins: ReadonlyArray<string>) =>
  HttpMiddleware.cors({
    // Asked every time, so that nothing is told to an origin that is not in the list.
    allowedOrigins: origins.includes(anyOrigin) ? [] : (origin) => origins.includes(origin),
    allowedMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    allowedHeaders,
    exposedHeaders,
    credentials: !origins.includes(anyOrigin),
    maxAge
  })
