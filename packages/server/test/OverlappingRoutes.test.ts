/**
 * The routes of a user's chats overlap: `all`, `byid`, `bybot` and `completion` are words of paths, and could be ids. Whatever ids there
 * are, a request deletes what the contract says, and nothing else.
 */
import { UserSystemMessageId } from "@effect-chatbot/schema/Ids"
import { Tokens } from "@effect-chatbot/server/Tokens"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as FastCheck from "fast-check"
import { send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

const words = ["completion", "all", "byid", "bybot", "true", "false", "OpenChatBotId"] as const

const word = FastCheck.constantFrom(...words)

/** A chat with a completion, both called by such words. Every word is the id of one chat at most, and of one completion. */
interface Chat {
  readonly id: string
  readonly botId: string
  readonly messageId: string | undefined
  readonly isFavorite: boolean
  /** Whether it is that of somebody else. */
  readonly isForeign: boolean
  readonly completions: ReadonlyArray<string>
}

const chat = FastCheck.record({
  id: word,
  botId: word,
  messageId: FastCheck.option(word, { nil: undefined }),
  isFavorite: FastCheck.boolean(),
  isForeign: FastCheck.integer({ min: 0, max: 3 }).map((one) => one === 0),
  completions: FastCheck.uniqueArray(word, { maxLength: 2 })
})

const chats = FastCheck.uniqueArray(chat, { selector: ({ id }) => id, minLength: 5, maxLength: words.length }).map(
  (chats) => {
    const taken = new Set<string>()
    return chats.map((chat): Chat => {
      const completions = chat.completions.filter((id) => !taken.has(id))
      for (const id of completions) taken.add(id)
      return { ...chat, completions }
    })
  }
)

/** A word as it may stand in a path: words of the contract match in any case, and ids only as they are. */
const segment = FastCheck.oneof(
  { weight: 6, arbitrary: word },
  {
    weight: 1,
    arbitrary: FastCheck.constantFrom("ALL", "ById", "BYBOT", "Completion", "TRUE", "False", "openchatbotid", "other")
  }
)

/** Where a flag must be there mostly is one. */
const flag = FastCheck.oneof(
  { weight: 3, arbitrary: FastCheck.constantFrom("true", "false") },
  { weight: 1, arbitrary: segment }
)

/** The paths of the contract, with words for everything, and whatever else there could be. */
const segments = FastCheck.oneof(
  FastCheck.tuple(FastCheck.constant("all"), flag),
  FastCheck.tuple(FastCheck.constant("byid"), segment),
  FastCheck.tuple(segment, FastCheck.constant("completion"), segment),
  FastCheck.tuple(FastCheck.constant("bybot"), segment, flag),
  FastCheck.tuple(FastCheck.constant("bybot"), segment, segment, flag),
  FastCheck.tuple(segment),
  FastCheck.array(segment, { maxLength: 5 })
)

const request = FastCheck.record({
  method: FastCheck.constantFrom("DELETE", "DELETE", "GET"),
  at: FastCheck.oneof(
    { weight: 6, arbitrary: FastCheck.constant("/api/users/current/chats") },
    { weight: 1, arbitrary: FastCheck.constant("/api/chats") }
  ),
  segments
})

/** A request to the routes of chats. */
interface Request {
  readonly method: string
  readonly at: string
  readonly segments: ReadonlyArray<string>
}

const flagOf = (text: string): boolean | undefined =>
  text.toLowerCase() === "true" ? true : text.toLowerCase() === "false" ? false : undefined

const is = (segment: string | undefined, word: string) => segment?.toLowerCase() === word

/** What there is afterwards by the contract: a word of it comes before an id, and what is not a flag where one must be is refused. */
const after = (chats: ReadonlyArray<Chat>, { at, method, segments }: Request): ReadonlyArray<Chat> => {
  const [one, two, three, four] = segments
  const without = (isGone: (chat: Chat) => boolean) => chats.filter((chat) => chat.isForeign || !isGone(chat))
  const unlessKept = (keep: boolean, isMeant: (chat: Chat) => boolean) =>
    without((chat) => isMeant(chat) && !(keep && chat.isFavorite))

  if (method !== "DELETE") return chats
  if (at === "/api/chats") return segments.length === 1 ? without(({ id }) => id === one) : chats
  switch (segments.length) {
    case 2: {
      if (is(one, "byid")) return without(({ id }) => id === two)
      const keep = is(one, "all") ? flagOf(two ?? "") : undefined
      return keep === undefined ? chats : unlessKept(keep, () => true)
    }
    case 3: {
      if (is(one, "bybot")) {
        const keep = flagOf(three ?? "")
        return keep === undefined ? chats : unlessKept(keep, ({ botId }) => botId === two)
      }
      if (!is(two, "completion")) return chats
      return chats.map((chat) =>
        chat.isForeign || chat.id !== one
          ? chat
          : { ...chat, completions: chat.completions.filter((completion) => completion !== three) }
      )
    }
    case 4: {
      const keep = is(one, "bybot") ? flagOf(four ?? "") : undefined
      return keep === undefined
        ? chats
        : unlessKept(keep, ({ botId, messageId }) => botId === two && messageId === three)
    }
    default:
      return chats
  }
}

/** Which chats a request lists; none if it lists no chats. */
const listed = (chats: ReadonlyArray<Chat>, { at, method, segments }: Request): ReadonlyArray<string> | undefined => {
  if (method !== "GET" || at === "/api/chats" || segments.length > 2) return undefined
  const [botId, messageId] = segments
  return chats
    .filter(
      (chat) =>
        !chat.isForeign &&
        (botId === undefined || chat.botId === botId) &&
        (messageId === undefined || chat.messageId === messageId)
    )
    .map(({ id }) => id)
}

/** The users, and what they name: bots and user system messages of all these words. */
const setUp = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const tokens = yield* Tokens
  const [ann, bob] = [
    yield* tokens.create({ login: "overlapping-ann", roles: ["User"], name: "test" }),
    yield* tokens.create({ login: "overlapping-bob", roles: ["User"], name: "test" })
  ]
  const day = "2026-01-01T00:00:00.000Z"

  const insert = (table: string, rows: ReadonlyArray<Record<string, unknown>>) =>
    Effect.forEach(rows, (row) => sql`INSERT INTO ${sql(table)} ${sql.insert(row)}`, { discard: true })

  yield* insert(
    "bots",
    words.map((id) => ({
      id,
      code: id,
      implementationType: "Facts",
      displayName: id,
      searchName: id.toLowerCase(),
      searchText: "",
      isActive: 1,
      isPublic: 1,
      isOpen: 0,
      isUserSystemMessageSupported: 1,
      createdUtc: day,
      updatedUtc: day
    }))
  )
  yield* insert(
    "user_system_messages",
    words.map((id) => ({
      id: UserSystemMessageId.make(id),
      userId: ann.userId,
      displayName: id,
      searchName: id,
      systemMessage: "Be brief.",
      createdUtc: day,
      updatedUtc: day
    }))
  )

  /** Makes these chats all there are of the two. */
  const store = Effect.fnUntraced(function* (chats: ReadonlyArray<Chat>) {
    yield* sql`DELETE FROM chats WHERE user_id IN ${sql.in([ann.userId, bob.userId])}`
    yield* insert(
      "chats",
      chats.map(({ botId, id, isFavorite, isForeign, messageId }) => ({
        id,
        botId,
        userId: isForeign ? bob.userId : ann.userId,
        userSystemMessageId: messageId ?? null,
        isFavorite: isFavorite ? 1 : 0,
        createdUtc: day,
        lastAccessedUtc: day
      }))
    )
    const completions = chats.flatMap(({ botId, completions, id: chatId }) =>
      completions.map((id) => ({
        id,
        chatId,
        botId,
        userMessage: "Q",
        assistantMessage: "A",
        tags: "[]",
        promptTokens: 0,
        completionTokens: 0,
        createdUtc: day
      }))
    )
    yield* insert("completions", completions)
  })

  /** The ids of the chats there are, each with its completions. */
  const stored = Effect.gen(function* () {
    const rows = yield* sql<{ chatId: string; completionId: string | null }>`
      SELECT c.id AS chat_id, a.id AS completion_id FROM chats c LEFT JOIN completions a ON a.chat_id = c.id
      WHERE c.user_id IN ${sql.in([ann.userId, bob.userId])}`
    return rows.map(({ chatId, completionId }) => `${chatId}/${completionId ?? ""}`).toSorted()
  })

  return { token: ann.token, store, stored }
})

const told = (chats: ReadonlyArray<Chat>) =>
  chats
    .flatMap(({ completions, id }) =>
      completions.length === 0 ? [`${id}/`] : completions.map((other) => `${id}/${other}`)
    )
    .toSorted()

layer(TestBackend.layer, { excludeTestServices: true })("the routes of a user's chats", (it) => {
  it.effect("delete what the contract says, whatever the ids", () =>
    Effect.gen(function* () {
      const context = yield* Effect.context<TestBackend>()
      const { store, stored, token } = yield* setUp
      const run = Effect.runPromiseWith(context)
      let deletions = 0

      const meet = Effect.fnUntraced(function* (start: ReadonlyArray<Chat>, requests: ReadonlyArray<Request>) {
        yield* store(start)
        let chats = start
        for (const request of requests) {
          const { at, method, segments } = request
          const path = [at, ...segments].join("/")
          const answer = yield* send(method, path, { token })
          const next = after(chats, request)
          assert.deepStrictEqual(yield* stored, told(next), `${method} ${path}: ${answer.text}`)
          if (told(next).join() !== told(chats).join()) {
            deletions++
            assert.strictEqual(answer.status, 200, `${method} ${path}`)
          }
          chats = next
          const list = listed(chats, request)
          if (list !== undefined) {
            const items: ReadonlyArray<{ chatId: string }> = answer.json().items
            assert.deepStrictEqual(items.map(({ chatId }) => chatId).toSorted(), list.toSorted(), path)
          }
        }
      })

      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(chats, FastCheck.array(request, { minLength: 4, maxLength: 8 }), (chats, requests) =>
            run(meet(chats, requests))
          ),
          { numRuns: 120 }
        )
      )
      // It would prove nothing if nothing had been deleted.
      assert.isAbove(deletions, 50)
    })
  )
})
