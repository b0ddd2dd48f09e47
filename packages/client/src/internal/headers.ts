/** The names of the headers that are neither of HTTP itself nor of the contract. */

/** Says which attempt a request is, from the second on. */
export const attempt = "x-attempt"

/** Says in an answer, as `false`, that the request should not be sent again, and as `true` that it may be. */
export const shouldRetry = "x-should-retry"

/** The id that the backend gives to a request. */
export const requestId = "x-request-id"
