/**
 * What is found out about a request while it is answered, for its line in the log and for the metrics.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What is known of a request. None of it comes from the request itself, so that it is bounded and tells no secret. */
export interface RequestStory {
  /** The id of its operation, such as `chats.complete`. */
  operation: string
  /** The path of its operation, with names in the place of values. */
  route: string | undefined
  /** The id of the user who calls, if there is one. */
  userId: number | undefined
}

/** The story of a request that has only begun. */
export const empty = (): RequestStory => ({ operation: "none", route: undefined, userId: undefined })

/** The story of the request being answered; what is told outside of one is forgotten. */
export const RequestStory = Context.Reference<RequestStory>("@effect-chatbot/server/RequestStory", {
  defaultValue: empty
})

/** Tells more of the request being answered. */
export const tell = (more: Partial<RequestStory>): Effect.Effect<void> =>
  Effect.map(RequestStory, (story) => {
    Object.assign(story, more)
  })
