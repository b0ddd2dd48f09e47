/** Breaks that an operation can have whatever it is for: of lists, of what is missing, and of bodies that lack something. */
import { checks } from "@effect-chatbot/testing/Conformance"
import type { OperationName } from "../../src/internal/conformance/operations.ts"
import { asks, bodies, type Break, type Change, having, row, where, withQuery } from "./Break.ts"

/** The operations that have a check of this name. */
const checkedFor = (fault: string): ReadonlyArray<OperationName> =>
  checks.filter(({ id }) => id.endsWith(`/${fault}`)).map(({ operations: [name] }) => name)

/** Another status, in the head and in the body. */
const withStatus = (name: OperationName, status: number, other: number) =>
  where(name, status, (answer) => ({
    ...answer,
    status: other,
    text: answer.text.replace(`"status":${status}`, `"status":${other}`)
  }))

/** What else finds these faults of an operation. */
type Also = { readonly [name in OperationName]?: ReadonlyArray<string> }

const alsoMissing: Also = {
  "bots.search": ["bots.search/hides-bots-that-are-not-public"],
  "bots.listByStartBot": ["bots.listByStartBot/hides-bots-that-are-not-public"],
  "chats.create": ["chats.create/hides-bots-that-are-not-public"],
  "chats.createByBotCode": ["chats.createByBotCode/hides-bots-that-are-not-public"],
  "chats.complete": ["chats.complete/streams-no-refusal"],
  "chats.setUserSystemMessage": ["chats.setUserSystemMessage/takes-no-message-of-others"],
  "chats.download": ["chats.download/hides-what-is-anothers", "chats.download/leads-nowhere-else"]
}

const alsoLacking: Also = {
  "chats.create": ["chats.create/refuses-what-is-no-json"],
  "chats.complete": ["chats.complete/tells-no-question-when-it-refuses"],
  "users.createSystemMessage": ["users.createSystemMessage/refuses-what-is-no-key"],
  "adminBots.create": ["adminBots.create/refuses-other-types"]
}

/** Which lists are searched for what is to be on none. */
const alsoUnsearched: Also = {
  "bots.list": ["bots.list/orders", "bots.list/leaves-out-what-cannot-be-used", "bots.list/limits-its-query"],
  "bots.startBots": ["bots.startBots/orders", "bots.startBots/has-start-bots-alone"],
  "users.chats": ["users.chats/orders"],
  "adminBots.list": ["adminBots.list/orders", "adminBots.list/has-bots-that-cannot-be-used"],
  "adminBots.listStartBots": ["adminBots.listStartBots/orders", "adminBots.listStartBots/has-start-bots-alone"],
  "adminBots.listUnassigned": ["adminBots.listUnassigned/orders", "adminBots.listUnassigned/leaves-out-what-is-linked"]
}

const missing = checkedFor("misses-with-404").map((name) =>
  row(
    `what is missing is 410: ${name}`,
    withStatus(name, 404, 410),
    `${name}/misses-with-404`,
    ...(alsoMissing[name] ?? [])
  )
)

const lacking = checkedFor("refuses-a-body-that-lacks-something").map((name) =>
  row(
    `a body that lacks something is 422: ${name}`,
    withStatus(name, 400, 422),
    `${name}/refuses-a-body-that-lacks-something`,
    ...(alsoLacking[name] ?? [])
  )
)

/** A list that does not know this parameter. */
const ignoring = (parameter: string) => (name: OperationName) =>
  asks(name, (request) => withQuery(request, (query) => query.delete(parameter)))

/** A parameter is another, where there is one. */
const changing = (parameter: string, change: (value: string) => string) => (name: OperationName) =>
  asks(name, (request) =>
    withQuery(request, (query) => {
      const value = query.get(parameter)
      if (value !== null) query.set(parameter, change(value))
    })
  )

/** What can be wrong with a list, and which of the checks of lists find it. */
const ofLists: ReadonlyArray<
  readonly [what: string, change: (name: OperationName) => Change, ...faults: Array<string>]
> = [
  ["has a field of its own", (name) => bodies(name, having("_links", {})), "answers-as-described"],
  ["knows no page but the first", ignoring("PageNumber"), "pages", "refuses-other-pages"],
  ["knows no size of a page", ignoring("PageSize"), "searches", "pages", "refuses-other-pages"],
  ["knows no order", ignoring("OrderBy"), "orders", "refuses-other-pages"],
  ["knows an order one way only", changing("OrderBy", (order) => order.replace(/ desc$/i, "")), "orders"],
  [
    "counts what is on the page",
    (name) => bodies(name, (page) => ({ ...page, totalItemCount: page.items.length })),
    "searches",
    "pages"
  ],
  ["is one page long", (name) => bodies(name, having("totalPageCount", 1)), "pages"],
  ["has no next page", (name) => bodies(name, having("hasNext", false)), "pages"],
  [
    "counts pages from 0",
    (name) =>
      bodies(
        name,
        having("pageNumber", (page: number) => page - 1)
      ),
    "pages",
    "gives-pages-of-20"
  ],
  [
    "gives pages of 10",
    (name) =>
      asks(name, (request) =>
        withQuery(request, (query) => {
          if (!query.has("PageSize")) query.set("PageSize", "10")
        })
      ),
    "gives-pages-of-20"
  ],
  [
    "gives pages of any size",
    changing("PageSize", (size) => (Number(size) > 100 ? "100" : size)),
    "refuses-other-pages"
  ],
  ["repeats the first page as the second", changing("PageNumber", (page) => (page === "2" ? "1" : page)), "pages"]
]

const listed = checkedFor("gives-pages-of-20")

const lists = listed.flatMap((name) =>
  ofLists.map(([what, change, ...faults]) =>
    row(`a list ${what}: ${name}`, change(name), ...faults.map((fault) => `${name}/${fault}`))
  )
)

const unsearched = listed.map((name) =>
  row(
    `a list knows no search: ${name}`,
    ignoring("SearchFor")(name),
    `${name}/searches`,
    ...(alsoUnsearched[name] ?? [])
  )
)

/** Every break of this kind. */
export const commonBreaks: ReadonlyArray<Break> = [...lists, ...unsearched, ...missing, ...lacking]
