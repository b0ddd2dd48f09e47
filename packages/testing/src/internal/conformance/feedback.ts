import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { admin, check, missingBot, user } from "./adminGiven.ts"
import { type Check, contract, decision } from "./Check.ts"
import { equals, itemsOf, ok, prepared, seen, success, text } from "./expect.ts"
import * as Given from "./given.ts"
import { listChecks } from "./lists.ts"
import { described, misses, nobodys } from "./patterns.ts"

/** A new feedback about an answer of a bot. It goes with the chat that it is about. */
const given = Effect.fnUntraced(function* (botId: string, userComment: string, voteId = 1) {
  const { chatId } = yield* Given.chat("user", { botId })
  const payload = { userMessage: "What?", assistantMessage: "That.", userComment, voteId }
  const { body } = yield* seen("chats.feedback", { params: { chatId }, payload }, { feedbackId: Schema.String })
  return body.feedbackId
})

const said = { id: Schema.String, userMessage: text, assistantMessage: text, userComment: text, voteId: Schema.Finite }

/** The checks of what is said about the answers of bots. */
export const feedback: ReadonlyArray<Check> = [
  ...listChecks(check, {
    name: "adminBots.listFeedback",
    items: "feedbacks",
    id: "id",
    text: "userComment",
    needs: admin,
    makes: user,
    given: Effect.map(Given.bot(), ({ botId }) => ({
      input: { params: { botId } },
      make: (text) => given(botId, text)
    }))
  }),
  check(
    "adminBots.listFeedback/has-what-was-said",
    {
      title: "A feedback has the question, the answer, the comment and the vote that it was given with",
      source: contract,
      needs: user,
      also: ["chats.feedback"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const id = yield* given(botId, "Good.", -1)
      const answer = yield* ok("adminBots.listFeedback", { params: { botId } })
      const items = yield* itemsOf(answer, said)
      yield* equals(answer, "items", items, [
        { id, userMessage: "What?", assistantMessage: "That.", userComment: "Good.", voteId: -1 }
      ])
    })
  ),
  check(
    "adminBots.listFeedback/selects",
    {
      title: "Feedbacks can be asked for by their vote, and by whether they have a status, and which",
      source: decision,
      needs: user,
      also: ["adminBots.updateFeedback"]
    },
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const fresh = yield* given(botId, "Good.", 1)
      const done = yield* given(botId, "Bad.", -1)
      const params = { botId, feedbackId: done }
      yield* prepared(ok("adminBots.updateFeedback", { params, payload: { status: 2 } }))
      for (const [query, wanted] of [
        [{ FilterByVote: 1 }, [fresh]],
        [{ FilterByVote: -1 }, [done]],
        [{ ShowFeedbacksWithoutStatus: true }, [fresh]],
        [{ ShowFeedbacksWithStatus: true }, [done]],
        [{ ShowFeedbacksWithStatus: "True", FilterByStatus: 1 }, []]
      ] as const) {
        const answer = yield* ok("adminBots.listFeedback", { params: { botId }, query })
        const items = yield* itemsOf(answer, { id: Schema.String })
        yield* equals(
          answer,
          "items",
          items.map(({ id }) => id),
          [...wanted]
        )
      }
    })
  ),
  misses(check, "adminBots.listFeedback", "The feedback about a bot", admin, missingBot),
  described(
    check,
    "adminBots.updateFeedback",
    "A feedback that an admin has looked at has the status and the comment, and the answer is empty",
    user,
    Effect.gen(function* () {
      const { botId } = yield* Given.bot()
      const feedbackId = yield* given(botId, "Good.")
      const payload = { status: 2, adminComment: "Thanks." }
      yield* success("adminBots.updateFeedback", { params: { botId, feedbackId }, payload })
      const read = yield* prepared(ok("adminBots.listFeedback", { params: { botId } }))
      const items = yield* prepared(itemsOf(read, { status: Schema.Finite, adminComment: text }))
      yield* equals(read, "items", items, [payload])
    })
  ),
  misses(
    check,
    "adminBots.updateFeedback",
    "A feedback",
    admin,
    Effect.map(Given.bot(), ({ botId }) => ({ params: { botId, feedbackId: nobodys }, payload: { status: 1 } }))
  )
]
