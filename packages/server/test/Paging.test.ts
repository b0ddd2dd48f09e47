import * as Paging from "@effect-chatbot/server/Paging"
import { UserSystemMessages } from "@effect-chatbot/server/UserSystemMessages"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Services from "./support/TestServices.ts"

const options = { fields: { id: 0, displayName: 0, isActive: 0 }, orderBy: "displayName" } as const

const request = (query: Parameters<typeof Paging.request>[0]) => Paging.request(query, options)

const issues = (query: Parameters<typeof Paging.request>[0]) =>
  Effect.map(Effect.flip(request(query)), (error) => error.issues.map(({ path }) => path.join(".")))

describe("Paging.request", () => {
  it.effect("decides what a query leaves open", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* request({}), {
        search: undefined,
        orderBy: "displayName",
        descending: false,
        pageNumber: 1,
        pageSize: 20,
        offset: 0
      })
      const third = yield* request({ pageNumber: 3, pageSize: 7, searchFor: "" })
      assert.deepStrictEqual([third.offset, third.search], [14, undefined])
    })
  )

  it.effect("reads an order in any case, with or without a direction", () =>
    Effect.gen(function* () {
      for (const [orderBy, field, descending] of [
        ["id", "id", false],
        ["DISPLAYNAME", "displayName", false],
        ["displayname asc", "displayName", false],
        ["  isActive   DESC ", "isActive", true],
        ["", "displayName", false]
      ] as const) {
        const order = yield* request({ orderBy })
        assert.deepStrictEqual([order.orderBy, order.descending], [field, descending], orderBy)
      }
    })
  )

  it.effect("refuses what is not an order of the list, and names those that are", () =>
    Effect.gen(function* () {
      for (const orderBy of [
        "unknown",
        "id up",
        "id asc desc",
        "id;DROP TABLE users",
        "id,displayName",
        "constructor"
      ]) {
        assert.deepStrictEqual(yield* issues({ orderBy }), ["query.OrderBy"], orderBy)
      }
      const error = yield* Effect.flip(request({ orderBy: "unknown" }))
      assert.include(error.issues[0]?.message, "id, displayName, isActive")
    })
  )

  it.effect("refuses pages that do not exist and pages that are too large, all at once", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* issues({ pageSize: 101 }), ["query.PageSize"])
      assert.deepStrictEqual(yield* issues({ pageNumber: 0, pageSize: 0, orderBy: "x" }), [
        "query.PageNumber",
        "query.PageSize",
        "query.OrderBy"
      ])
      assert.strictEqual((yield* request({ pageSize: 100 })).pageSize, 100)
    })
  )
})

layer(Services.layer)("pages of a list", (it) => {
  let users = 0
  /** A user without anything. */
  const newUser = Effect.suspend(() => Services.user(`user-${users++}`))

  it.effect("break ties by id, in the direction of the order", () =>
    Effect.gen(function* () {
      const messages = yield* UserSystemMessages
      const ann = yield* newUser
      const made = yield* Effect.replicateEffect(messages.create(ann, { displayName: "Same", systemMessage: "m" }), 7)
      const all = (orderBy: string) =>
        Effect.map(
          Effect.forEach([1, 2, 3, 4], (pageNumber) => messages.list(ann, { pageNumber, pageSize: 2, orderBy })),
          (pages) => pages.flatMap(({ items }) => items.map((item) => item.userSystemMessageId))
        )
      assert.deepStrictEqual(yield* all("displayName"), made)
      assert.deepStrictEqual(yield* all("displayName desc"), made.toReversed())
    })
  )

  const letters = Schema.Literals(["a", "B", "b", "ä", "Ä", "ß", "É", "%", "_", "\\", "'", " ", "1", "😀"])
  const names = Schema.Array(Schema.Array(letters).check(Schema.isBetweenLength(1, 4))).check(Schema.isMaxLength(30))
  const inputs = {
    names,
    pageSize: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 })),
    orderBy: Schema.Literals(["displayName", "displayName desc", "userSystemMessageId", "userSystemMessageId DESC"]),
    search: Schema.Array(letters).check(Schema.isMaxLength(2))
  }

  it.effect.prop(
    "partition it in any order, with or without a search",
    inputs,
    ({ names, orderBy, pageSize, search }) =>
      Effect.gen(function* () {
        const messages = yield* UserSystemMessages
        const ann = yield* newUser
        const bob = yield* newUser
        const wanted = search.join("")
        const expected = new Set<string>()
        for (const letters of names) {
          // A name is never blank.
          const displayName = `.${letters.join("")}`
          const id = yield* messages.create(ann, { displayName, systemMessage: "text" })
          yield* messages.create(bob, { displayName, systemMessage: "text" })
          if (displayName.toLowerCase().includes(wanted.toLowerCase())) expected.add(id)
        }

        const seen: Array<string> = []
        const shown: Array<string> = []
        let pageNumber = 1
        while (true) {
          const page = yield* messages.list(ann, { pageNumber, pageSize, orderBy, searchFor: wanted })
          const pages = Math.ceil(expected.size / pageSize)
          assert.deepStrictEqual(
            [page.totalItemCount, page.totalPageCount, page.pageNumber, page.pageSize, page.hasPrevious, page.hasNext],
            [expected.size, pages, pageNumber, pageSize, pageNumber > 1, pageNumber < pages]
          )
          for (const item of page.items) {
            seen.push(item.userSystemMessageId)
            shown.push((item.displayName ?? "").toLowerCase())
          }
          if (!page.hasNext) break
          pageNumber++
        }
        assert.deepStrictEqual([seen.length, new Set(seen)], [expected.size, expected])

        // UUIDv7 text and UTF-8 sort by code point, and so does this.
        const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
        // Of items of the same name, that of the lower id comes first; the other way round in a descending order.
        const keys = orderBy.startsWith("userSystemMessageId")
          ? seen
          : shown.map((name, index) => `${name}\0${seen[index]}`)
        const sorted = keys.toSorted(byCodePoint)
        assert.deepStrictEqual(keys, orderBy.toLowerCase().endsWith("desc") ? sorted.toReversed() : sorted)

        const beyond = yield* messages.list(ann, { pageNumber: pageNumber + 7, pageSize, searchFor: wanted })
        assert.deepStrictEqual([beyond.items, beyond.totalItemCount, beyond.hasNext], [[], expected.size, false])
        return true
      })
  )
})
