import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type Answer, send } from "./support/raw.ts"
import { TestBackend } from "./support/TestBackend.ts"

let logins = 0
const someone = Effect.gen(function* () {
  const backend = yield* TestBackend
  return yield* backend.tokenOf(`wire-${++logins}`)
})

const boss = Effect.map(TestBackend, ({ adminToken }) => adminToken)

const assertProblem = (answer: Answer, status: number, tag: string) => {
  assert.strictEqual(answer.status, status, answer.text)
  assert.strictEqual(answer.headers["content-type"], "application/problem+json")
  const problem = answer.json()
  assert.strictEqual(problem.type, tag === "about:blank" ? tag : `urn:effect-chatbot:problem:${tag}`)
  assert.strictEqual(problem.status, status)
  assert.isString(problem.title)
  assert.isString(problem.detail)
  assert.match(problem.instance, /^\//)
  assert.strictEqual(problem.requestId, answer.headers["x-request-id"])
  return problem
}

const paths = (answer: Answer) => answer.json().issues.map((issue: { path: ReadonlyArray<string> }) => issue.path)

const createChat = (token: Effect.Success<typeof someone>, body: unknown = { botCode: "client" }) =>
  Effect.map(send("POST", "/api/chats/create/bybotcode", { token, body }), (answer) => answer.json())

const countChats = (token: Effect.Success<typeof someone>) =>
  Effect.map(send("GET", "/api/users/current/chats", { token }), (answer) => answer.json().totalItemCount as number)

layer(TestBackend.layer, { excludeTestServices: true })("the wire", (it) => {
  it.effect.each([
    "application/json",
    "application/json; charset=utf-8",
    "text/json",
    "application/*+json",
    "application/vnd.api+json",
    "APPLICATION/JSON"
  ])("a body may be of type %s", (type) =>
    Effect.gen(function* () {
      const answer = yield* send("POST", "/api/chats/create/bybotcode", {
        token: yield* someone,
        headers: { "content-type": type },
        body: JSON.stringify({ botCode: "client" })
      })
      assert.strictEqual(answer.status, 200, answer.text)
    })
  )

  it.effect.each([
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x"
  ])("a body of type %s is refused and nothing is written", (type) =>
    Effect.gen(function* () {
      const token = yield* someone
      const answer = yield* send("POST", "/api/chats/create/bybotcode", {
        token,
        headers: { "content-type": type },
        body: JSON.stringify({ botCode: "client" })
      })
      assertProblem(answer, 415, "UnsupportedMediaType")
      assert.strictEqual(yield* countChats(token), 0)
    })
  )

  it.effect.each(["true", "True", "TRUE"])("a path boolean may be %s", (spelling) =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      yield* send("PUT", `/api/users/current/chats/${chatId}/isfavorite`, { token, body: { isFavorite: true } })
      const answer = yield* send("DELETE", `/api/users/current/chats/all/${spelling}`, { token })
      assert.deepInclude(answer, { status: 200, text: "" })
      assert.strictEqual(yield* countChats(token), 1)
    })
  )

  it.effect.each(["xyz", "1", "0", "truee", "%20true"])(
    "the path boolean %s is refused and nothing is deleted",
    (spelling) =>
      Effect.gen(function* () {
        const token = yield* someone
        const { botId } = yield* createChat(token)
        const answer = yield* send("DELETE", `/api/users/current/chats/all/${spelling}`, { token })
        assertProblem(answer, 400, "InvalidRequest")
        assert.deepStrictEqual(paths(answer), [["params", "keepfavorites"]])
        assertProblem(
          yield* send("DELETE", `/api/users/current/chats/bybot/${botId}/${spelling}`, { token }),
          400,
          "InvalidRequest"
        )
        assert.strictEqual(yield* countChats(token), 1)
      })
  )

  it.effect("names of queries and paths match in any case", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const answer = yield* send("GET", "/API/Bots?PAGESIZE=1&pagenumber=2&orderby=DISPLAYNAME%20ASC&searchfor=", {
        token
      })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.deepInclude(answer.json(), { pageSize: 1, pageNumber: 2, hasPrevious: true })
      assert.strictEqual((yield* send("GET", "/api/chats/openchatbotid", {})).json().isPublic, true)
      assert.strictEqual((yield* send("GET", "/api/users/current/chats?onlyfavorites=True", { token })).status, 200)
      const refused = yield* send("GET", "/api/users/current/chats?onlyfavorites=1", { token })
      assertProblem(refused, 400, "InvalidRequest")
      assert.deepStrictEqual(paths(refused), [["query", "OnlyFavorites"]])
    })
  )

  it.effect.each([
    ["PageSize=101", ["query", "PageSize"]],
    ["PageSize=0", ["query", "PageSize"]],
    ["pagesize=many", ["query", "PageSize"]],
    ["PageNumber=0", ["query", "PageNumber"]],
    ["PageNumber=1.5", ["query", "PageNumber"]],
    ["PageNumber=99999999999", ["query", "PageNumber"]],
    ["OrderBy=nothing", ["query", "OrderBy"]],
    ["OrderBy=displayName%20sideways", ["query", "OrderBy"]]
  ] as const)("the query %s is refused by its path", ([query, path]) =>
    Effect.gen(function* () {
      const answer = yield* send("GET", `/api/bots?${query}`, { token: yield* someone })
      assertProblem(answer, 400, "InvalidRequest")
      // A value may break more than one rule.
      for (const told of paths(answer)) assert.deepStrictEqual(told, [...path])
      assert.isNotEmpty(paths(answer))
    })
  )

  it.effect("a query that the contract does not know is ignored, whatever stands in it", () =>
    Effect.gen(function* () {
      const token = yield* someone
      for (const query of ["%00=%00", "a=1&__proto__=%00&=%ff", "page size=%zz"].map((query) =>
        query.replace(" ", "%20")
      )) {
        const answer = yield* send("GET", `/api/users/current?${query}`, { token })
        assert.strictEqual(answer.status, 200, answer.text)
      }
    })
  )

  it.effect("all that is wrong with a body is told at once, and nothing is written", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const answer = yield* send("POST", "/api/users/current/userSystemMessage", {
        token,
        body: { displayName: 1, systemMessage: "" }
      })
      assertProblem(answer, 400, "InvalidRequest")
      assert.deepStrictEqual(paths(answer), [
        ["payload", "displayName"],
        ["payload", "systemMessage"]
      ])
      const count = yield* send("GET", "/api/users/current/userSystemMessageCount", { token })
      assert.deepStrictEqual(count.json(), { systemMessageCount: 0 })
    })
  )

  it.effect.each(["", "null", "{", "[]", '"text"', '{"botCode":null}', "{}"])("the body %j is refused", (body) =>
    Effect.gen(function* () {
      const token = yield* someone
      assertProblem(yield* send("POST", "/api/chats/create/bybotcode", { token, body }), 400, "InvalidRequest")
      assert.strictEqual(yield* countChats(token), 0)
    })
  )

  it.effect("what was sent is not repeated in a problem", () =>
    Effect.gen(function* () {
      const answer = yield* send("POST", "/api/chats/create/bybotcode", {
        token: yield* someone,
        body: { botCode: { canary: "prompt-canary" } }
      })
      assertProblem(answer, 400, "InvalidRequest")
      assert.notInclude(answer.text, "prompt-canary")
    })
  )

  it.effect("a body over the limit is refused, with its length or without", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const message = { displayName: "big", systemMessage: "x".repeat(1024 * 1024) }
      const known = yield* send("POST", "/api/users/current/userSystemMessage", { token, body: message })
      assert.strictEqual(assertProblem(known, 413, "PayloadTooLarge").maxBytes, 1024 * 1024)
      const chunk = Buffer.alloc(64 * 1024, "x")
      const chunks = [Buffer.from('{"displayName":"big","systemMessage":"'), ...Array.from({ length: 17 }, () => chunk)]
      const unknown = yield* send("POST", "/api/users/current/userSystemMessage", {
        token,
        headers: { "content-type": "application/json" },
        body: chunks
      })
      assertProblem(unknown, 413, "PayloadTooLarge")
      const count = yield* send("GET", "/api/users/current/userSystemMessageCount", { token })
      assert.deepStrictEqual(count.json(), { systemMessageCount: 0 })
    })
  )

  it.effect("texts that are blank or over their limits are refused, all at once, and nothing is written", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { botId, chatId } = yield* createChat(token)
      const long = "x".repeat(64_001)
      const refused = [
        ["POST", `/api/chats/${chatId}/completions`, { userMessage: long }, ["userMessage"]],
        ["POST", `/api/chats/${chatId}/completions`, { userMessage: " \n" }, ["userMessage"]],
        ["POST", `/api/bots/${botId}/search`, { userMessage: long }, ["userMessage"]],
        ["PUT", `/api/chats/${chatId}/displayName`, { displayName: long }, ["displayName"]],
        ["POST", `/api/chats/${chatId}/feedback`, { voteId: 1, userComment: long }, ["userComment"]],
        [
          "POST",
          "/api/users/current/userSystemMessage",
          { displayName: long, systemMessage: long },
          ["displayName", "systemMessage"]
        ]
      ] as const
      for (const [method, path, body, names] of refused) {
        const answer = yield* send(method, path, { token, body })
        assertProblem(answer, 400, "InvalidRequest")
        assert.deepStrictEqual(
          paths(answer),
          names.map((name) => ["payload", name])
        )
      }
      const status = yield* send("PUT", "/api/System/status/current", { token: yield* boss, body: { value: long } })
      assertProblem(status, 400, "InvalidRequest")
      assert.deepStrictEqual((yield* send("GET", `/api/chats/${chatId}`, { token })).json().completions, [])
      const count = yield* send("GET", "/api/users/current/userSystemMessageCount", { token })
      assert.deepStrictEqual(count.json(), { systemMessageCount: 0 })
    })
  )

  it.effect("bare texts are JSON, and plain only where that is preferred", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId, botId } = yield* createChat(token)
      const requests = [
        ["/api/users/current/userSystemMessage", { displayName: "a", systemMessage: "b" }, token],
        [`/api/chats/${chatId}/tickets`, undefined, token],
        [`/api/bots/${botId}/search`, { userMessage: "Hello" }, token],
        ["/api/admin/openAiServices", { displayName: "a" }, yield* boss]
      ] as const
      for (const [path, body, token] of requests) {
        for (const accept of [
          undefined,
          "*/*",
          "application/json",
          "text/json, application/json",
          "text/plain, */*;q=1"
        ]) {
          const headers: Record<string, string> = accept === undefined ? {} : { accept }
          const answer = yield* send("POST", path, { token, body, headers })
          assert.strictEqual(answer.status, 200, answer.text)
          assert.match(answer.headers["content-type"] ?? "", /^application\/json/, accept)
          assert.isString(answer.json())
        }
        for (const accept of ["text/plain", "text/plain, application/json;q=0.5", "text/*, */*;q=0.1"]) {
          const answer = yield* send("POST", path, { token, body, headers: { accept } })
          assert.match(answer.headers["content-type"] ?? "", /^text\/plain/, accept)
          assert.match(answer.text, /^[\w-]+$/)
        }
      }
    })
  )

  it.effect("what has no content is 200 with an empty body", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const answers = [
        yield* send("PUT", "/api/users/current/acceptTerms", { token }),
        yield* send("PUT", `/api/chats/${chatId}/displayName`, { token, body: { displayName: "x" } }),
        yield* send("DELETE", `/api/chats/${chatId}`, { token }),
        yield* send("PUT", "/api/statistic", { token: yield* boss })
      ]
      for (const answer of answers) assert.deepInclude(answer, { status: 200, text: "" })
    })
  )

  it.effect("the cache answers an empty object and stop a bare boolean", () =>
    Effect.gen(function* () {
      const token = yield* boss
      assert.deepInclude(yield* send("DELETE", "/cache", { token }), { status: 200, text: "{}" })
      assert.deepInclude(yield* send("GET", "/api/bots/stop", { token }), { status: 200, text: "true" })
    })
  )

  it.effect("HEAD does not reach an endpoint that changes state", () =>
    Effect.gen(function* () {
      const answer = yield* send("HEAD", "/api/bots/stop", { token: yield* boss })
      assert.strictEqual(answer.status, 405)
      assert.strictEqual(answer.headers["allow"], "GET")
    })
  )

  it.effect("every field is written, and none is null that the contract does not allow to be", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const completed = yield* send("POST", `/api/chats/${chatId}/completions`, {
        token,
        body: { userMessage: "How do I page through a list?" }
      })
      assert.sameMembers(Object.keys(completed.json()), [
        "completionId",
        "chatId",
        "userMessage",
        "assistantMessage",
        "promptTokens",
        "completionTokens",
        "totalTokens",
        "botId",
        "botDisplayName",
        "botDisplayMessage",
        "botDescription",
        "chatDisplayName",
        "metaData",
        "traceLog"
      ])
      const chat = (yield* send("GET", `/api/chats/${chatId}`, { token })).json()
      assert.sameMembers(Object.keys(chat), [
        "chatId",
        "displayName",
        "createdUtc",
        "lastAccessedUtc",
        "botId",
        "botDisplayName",
        "botDisplayMessage",
        "botDescription",
        "botSampleQuestion1",
        "botSampleQuestion2",
        "completions",
        "isFavorite",
        "isUserSystemMessageSupported",
        "userSystemMessageId",
        "userSystemMessageDisplayName"
      ])
      assert.match(chat.createdUtc, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match(chat.lastAccessedUtc, /Z$/)
      assert.isBoolean(chat.isFavorite)
      assert.strictEqual(chat.userSystemMessageId, null)
      const [stored] = chat.completions
      assert.isArray(stored.metaData.sources)
      assert.isArray(stored.metaData.tags)
      assert.match(stored.createdUtc, /Z$/)
      const page = (yield* send("GET", "/api/users/current/chats", { token })).json()
      assert.sameMembers(Object.keys(page), [
        "pageNumber",
        "totalPageCount",
        "pageSize",
        "totalItemCount",
        "hasPrevious",
        "hasNext",
        "items"
      ])
    })
  )

  it.effect("the urls of a source work as they stand, with a ticket or with a token", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const completed = yield* send("POST", `/api/chats/${chatId}/completions`, {
        token,
        body: { userMessage: "How do I page through a list?" }
      })
      const [source] = completed.json().metaData.sources
      const ticket = (yield* send("POST", source.createTicketUrl, { token })).json()
      const file = yield* send("GET", `${source.url}?Ticket=${ticket}`)
      assert.strictEqual(file.status, 200, file.text)
      assert.match(file.headers["content-disposition"] ?? "", /^attachment; filename=/)
      assert.strictEqual(file.headers["x-content-type-options"], "nosniff")
      const used = yield* send("GET", `${source.url}?ticket=${ticket}`)
      assert.notInclude(assertProblem(used, 401, "Unauthorized").instance, ticket)
      const whole = yield* send("GET", source.url, { token })
      assert.strictEqual(whole.text, file.text)
      const etag = whole.headers["etag"] ?? ""
      const part = yield* send("GET", source.url, { token, headers: { range: "bytes=2-5" } })
      assert.deepInclude(part, { status: 206, text: whole.text.slice(2, 6) })
      const size = Number(whole.headers["content-length"])
      assert.strictEqual(part.headers["content-range"], `bytes 2-5/${size}`)
      const tail = yield* send("GET", source.url, { token, headers: { range: "bytes=-3", "if-range": etag } })
      assert.deepInclude(tail, { status: 206, text: Buffer.from(whole.text).subarray(-3).toString() })
      const stale = yield* send("GET", source.url, { token, headers: { range: "bytes=2-5", "if-range": '"other"' } })
      assert.strictEqual(stale.status, 200)
      const beyond = yield* send("GET", source.url, { token, headers: { range: `bytes=${size}-` } })
      assert.strictEqual(beyond.status, 416)
      assert.strictEqual(beyond.headers["content-range"], `bytes */${size}`)
      // Who was given nothing may use the ticket again.
      const another = (yield* send("POST", source.createTicketUrl, { token })).json()
      for (const [range, status] of [
        [`bytes=${size}-`, 416],
        ["bytes=0-1", 206],
        ["bytes=0-1", 401]
      ] as const) {
        const answer = yield* send("GET", `${source.url}?ticket=${another}`, { headers: { range } })
        assert.strictEqual(answer.status, status, answer.text)
      }
      const same = yield* send("GET", source.url, { token, headers: { "if-none-match": `W/"x", ${etag}` } })
      assert.deepInclude(same, { status: 304, text: "" })
      const head = yield* send("HEAD", source.url, { token })
      assert.deepInclude(head, { status: 200, text: "" })
      assert.strictEqual(head.headers["content-length"], String(size))
    })
  )

  it.effect.each([
    "..%2f..%2fbot.yaml",
    "..%2F",
    "client/..%2f..%2fbot.yaml",
    "client/%2e%2e/%2e%2e/bot.yaml",
    "client%5c..%5cbot.yaml",
    "%2fetc%2fpasswd",
    "client/intro.md%00",
    "%252e%252e%252fbot.yaml",
    "client/nothing.md"
  ])("the download %s is not found", (path) =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const answer = yield* send("GET", `/api/chats/${chatId}/downloads/${path}`, { token })
      assertProblem(answer, 404, "DownloadNotFound")
    })
  )

  it.effect("no text may have a NUL character or half a character, and none is stored", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const admin = { token: yield* boss }
      for (const bad of ["\\u0000", "\\ud83d", "\\udE00x", "ok\\u0000\\ud800"]) {
        // As the text of JSON: what spells it with escapes is the caller.
        const json = (...lines: ReadonlyArray<string>) => ({
          token,
          body: `{${lines.join(",").replaceAll("BAD", bad)}}`
        })
        for (const [method, path, options, issue] of [
          ["POST", `/api/chats/${chatId}/completions`, json(`"userMessage":"BAD?"`), ["userMessage"]],
          ["POST", "/api/chats/create/bybotcode", json(`"botCode":"BAD"`), ["botCode"]],
          [
            "POST",
            "/api/users/current/userSystemMessage",
            json(`"displayName":"BAD"`, `"systemMessage":"m"`),
            ["displayName"]
          ],
          [
            "POST",
            "/api/admin/openAiServices",
            { ...json(`"displayName":"BAD"`, `"isActive":true`), ...admin },
            ["displayName"]
          ]
        ] as const) {
          const answer = yield* send(method, path, options)
          if (answer.status === 404 || answer.status === 405) assert.fail(`${method} ${path} ${answer.status}`)
          assertProblem(answer, 400, "InvalidRequest")
          assert.deepStrictEqual(paths(answer), [["payload", ...issue]], answer.text)
        }
      }
      assert.lengthOf((yield* send("GET", `/api/chats/${chatId}`, { token })).json().completions, 0)
    })
  )

  it.effect("a text that only looks like one that cannot be stored is kept as it is", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const userMessage = "What is \\u0000, and \u{1F600}?"
      const body = JSON.stringify({ userMessage }).replace("\u{1F600}", "\\ud83d\\ude00")
      const answer = yield* send("POST", `/api/chats/${chatId}/completions`, { token, body })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(answer.json().userMessage, userMessage)
    })
  )

  it.effect("a NUL character in a URL is refused in its query, and names nothing in its path", () =>
    Effect.gen(function* () {
      const token = yield* someone
      for (const name of ["SearchFor", "OrderBy", "searchfor"]) {
        const answer = yield* send("GET", `/api/bots?${name}=a%00b`, { token })
        assertProblem(answer, 400, "InvalidRequest")
        assert.deepStrictEqual(paths(answer), [["query", name === "searchfor" ? "SearchFor" : name]])
      }
      const { chatId } = yield* createChat(token)
      assertProblem(yield* send("GET", `/api/chats/${chatId}%00`, { token }), 404, "ChatNotFound")
      assertProblem(yield* send("GET", "/api/bots/botimage/%00", { token }), 404, "BotNotFound")
      assertProblem(yield* send("GET", "/api/%00", { token }), 404, "about:blank")
    })
  )

  it.effect("an image has a tag and is not sent again", () =>
    Effect.gen(function* () {
      const { openChatBotId } = (yield* send("GET", "/api/chats/OpenChatBotId")).json()
      const image = yield* send("GET", `/api/bots/botimage/${openChatBotId}`)
      assert.strictEqual(image.status, 200)
      assert.strictEqual(image.headers["content-type"], "image/png")
      const again = yield* send("GET", `/api/bots/botimage/${openChatBotId}`, {
        headers: { "if-none-match": image.headers["etag"] ?? "" }
      })
      assert.strictEqual(again.status, 304)
    })
  )

  it.effect("a bad token is refused everywhere, and no token where one is needed", () =>
    Effect.gen(function* () {
      for (const headers of [
        { authorization: "Bearer nothing" },
        { authorization: "Basic YTpi" },
        { authorization: "Bearer " }
      ]) {
        for (const path of ["/api/chats/OpenChatBotId", "/api/users/current"]) {
          const answer = yield* send("GET", path, { headers })
          assertProblem(answer, 401, "Unauthorized")
          assert.strictEqual(answer.headers["www-authenticate"], "Bearer")
        }
      }
      assertProblem(yield* send("GET", "/api/users/current"), 401, "Unauthorized")
      assertProblem(yield* send("GET", "/api/bots/stop", { token: yield* someone }), 403, "Forbidden")
    })
  )

  it.effect("feedback about another chat than that of the path is refused", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const { chatId } = yield* createChat(token)
      const other = yield* createChat(token)
      const answer = yield* send("POST", `/api/chats/${chatId}/feedback`, {
        token,
        body: { chatId: other.chatId, voteId: 1 }
      })
      assertProblem(answer, 400, "InvalidRequest")
      assert.deepStrictEqual(paths(answer), [["payload", "chatId"]])
    })
  )

  it.effect("who may not do it learns nothing of what is wrong with the request", () =>
    Effect.gen(function* () {
      const answer = yield* send("POST", "/api/admin/openAiServices", { token: yield* someone, body: "{" })
      assertProblem(answer, 403, "Forbidden")
    })
  )

  it.effect("what is missing and what is another's are the same problem", () =>
    Effect.gen(function* () {
      const { chatId } = yield* createChat(yield* someone)
      const token = yield* someone
      const missingId = "00000000-0000-7000-8000-000000000000"
      const foreign = assertProblem(yield* send("GET", `/api/chats/${chatId}`, { token }), 404, "ChatNotFound")
      const missing = assertProblem(yield* send("GET", `/api/chats/${missingId}`, { token }), 404, "ChatNotFound")
      const plain = (problem: Record<string, unknown>, id: string) =>
        JSON.stringify({ ...problem, requestId: "" }).replaceAll(id, "ID")
      assert.strictEqual(plain(foreign, chatId), plain(missing, missingId))
    })
  )

  it.effect("what has no route is a problem too", () =>
    Effect.gen(function* () {
      assertProblem(yield* send("GET", "/api/nothing"), 404, "about:blank")
      assertProblem(yield* send("GET", "/"), 404, "about:blank")
    })
  )

  it.effect("what has a route for other methods says which", () =>
    Effect.gen(function* () {
      for (const [method, path, allow] of [
        ["PATCH", "/api/chats", "POST"],
        ["POST", "/API/Bots?PageSize=5", "GET, HEAD"],
        ["PUT", "/api/chats/1", "GET, DELETE, HEAD"],
        // What could be an id may be deleted.
        ["PUT", "/api/chats/OpenChatBotId", "GET, DELETE, HEAD"],
        ["DELETE", `/api/chats/1/downloads/${"long/".repeat(100)}`, "GET, HEAD"],
        ["DELETE", "/openapi.json", "GET, HEAD"],
        ["POST", "/health/live", "GET, HEAD"]
      ] as const) {
        const answer = yield* send(method, path)
        assertProblem(answer, 405, "about:blank")
        assert.sameMembers(answer.headers["allow"]?.split(", ") ?? [], allow.split(", "), path)
      }
    })
  )

  it.effect("a body in a content coding is refused, and not read as if it had none", () =>
    Effect.gen(function* () {
      const token = yield* someone
      const ask = (coding: string) =>
        send("POST", "/api/chats/create/bybotcode", {
          token,
          body: { botCode: "nobody" },
          headers: { "content-encoding": coding }
        })
      const refused = yield* ask("gzip")
      assertProblem(refused, 415, "about:blank")
      assert.strictEqual(refused.headers["accept-encoding"], "identity")
      assertProblem(yield* ask("Identity"), 404, "BotNotFound")
    })
  )

  describe("of administration", () => {
    let codes = 0

    /** A start bot that is linked to a bot with a fact and feedback. It goes with the test. */
    const bots = Effect.acquireRelease(
      Effect.gen(function* () {
        const token = yield* boss
        const make = Effect.fnUntraced(function* (more: Record<string, unknown>) {
          const body = {
            code: `wire-${++codes}`,
            displayNameTv: { value: "A bot" },
            isActive: true,
            isPublic: true,
            ...more
          }
          return (yield* send("POST", "/api/admin/bots", { token, body })).json().botId as string
        })
        const startBotId = yield* make({ implementationType: "Start" })
        const botId = yield* make({})
        const freeId = yield* make({})
        const at = `/api/admin/bots/${botId}`
        const factText = "The Zugspitze is 2962 metres tall."
        const { botFactId } = (yield* send("POST", `${at}/facts`, { token, body: { isActive: true, factText } })).json()
        yield* send("POST", `/api/admin/bots/${startBotId}/bots/${botId}`, { token, body: { isDefaultBot: true } })
        const { chatId } = (yield* send("POST", "/api/chats", { token, body: { botId } })).json()
        const feedback = { voteId: -1, messageCreatedUtc: "2026-01-01T00:00:00.000Z" }
        const said = yield* send("POST", `/api/chats/${chatId}/feedback`, { token, body: feedback })
        return { startBotId, botId, freeId, botFactId, feedbackId: said.json().feedbackId as string }
      }),
      ({ botId, freeId, startBotId }) =>
        Effect.gen(function* () {
          const token = yield* boss
          for (const id of [botId, freeId, startBotId]) yield* send("DELETE", `/api/admin/bots/${id}`, { token })
        })
    )

    const page = "pageNumber totalPageCount pageSize totalItemCount hasPrevious hasNext items"
    const flags = "isActive isStartBot isPublic isBotAdmin isBotContributor"
    const summary = `botId code implementationType displayName displayMessage description isFactBot isOpenBot isEditingSupported createdUtc updatedUtc openAiServiceId openAiService modelName ${flags}`
    const whole = `botId code implementationType displayNameTv displayMessageTv descriptionTv sampleQuestion1Tv sampleQuestion2Tv baseSystemMessage userLogins userGroups adminLogins contributorLogins createdUtc updatedUtc openAiServiceId openAiService modelName ${flags}`
    const clients =
      "isBlobServiceClientSet blobServiceClientDisplayUri isSearchClientSet searchClientEndpoint indexName"
    const acs = `${clients} indexFields useSemanticSearch semanticSearchConfigurationName maxResults maxCharsTotal`
    const azure = `${clients} semanticSearchConfigurationName embeddingModelName maxResults temperature searchFilter searchStrictness searchShouldRestrictResultScope`
    const feedback =
      "id botId userMessage assistantMessage userComment messageCreatedUtc createdUtc voteId status adminComment adminUpdatedUtc"
    const linked = "botId botCode botDisplayName botDisplayMessage botDescription isDefaultBot isStartBot keywords"

    it.effect("every operation is reached in any case of its path, and answers what the contract says", () =>
      Effect.gen(function* () {
        const { botFactId, botId, feedbackId, freeId, startBotId } = yield* bots
        const token = yield* boss
        const paging = "?pAGESIZE=100&orderby=DISPLAYNAME%20desc&SEARCHFOR=&pagenumber=1"
        const fact = { isActive: false, factText: "x" }
        const term = { value: "x", valueDe: "y" }
        const bot = {
          code: `wire-${++codes}`,
          displayNameTv: term,
          displayMessageTv: term,
          descriptionTv: term,
          sampleQuestion1Tv: term,
          sampleQuestion2Tv: term
        }
        /** Of a page the fields of its items, or what is answered else: the fields of an object, a list of texts, nothing. */
        const operations: ReadonlyArray<
          readonly [string, string, unknown, { items: string } | { fields: string } | { texts: true } | undefined]
        > = [
          ["GET", `/api/admin/bots${paging}`, undefined, { items: summary }],
          ["POST", "/api/admin/bots", bot, { fields: "botId" }],
          ["GET", `/api/admin/bots/startbots${paging}`, undefined, { items: summary }],
          ["GET", "/api/admin/bots/implementationTypes", undefined, { texts: true }],
          ["PUT", "/api/admin/bots/stop/fALSE", undefined, undefined],
          ["PUT", `/api/admin/bots/${botId}`, { ...bot, code: `wire-${++codes}` }, undefined],
          ["GET", `/api/admin/bots/${botId}`, undefined, { fields: whole }],
          [
            "GET",
            `/api/admin/bots/${botId}/facts?ORDERBY=facttext`,
            undefined,
            { items: "botFactId isActive factText createdUtc updatedUtc" }
          ],
          ["POST", `/api/admin/bots/${botId}/facts`, fact, { fields: "botFactId" }],
          ["PUT", `/api/admin/bots/${botId}/facts/${botFactId}`, fact, undefined],
          ["DELETE", `/api/admin/bots/${botId}/facts/${botFactId}`, undefined, undefined],
          ["GET", `/api/admin/bots/${startBotId}/bots`, undefined, { items: linked }],
          ["GET", `/api/admin/bots/${startBotId}/unassignedbots`, undefined, { items: "botId botDisplayName" }],
          ["POST", `/api/admin/bots/${startBotId}/bots/${freeId}`, { isDefaultBot: false }, undefined],
          ["PUT", `/api/admin/bots/${startBotId}/bots/${freeId}`, { keywords: "cat" }, undefined],
          ["DELETE", `/api/admin/bots/${startBotId}/bots/${freeId}`, undefined, undefined],
          [
            "GET",
            `/api/admin/bots/${botId}/feedback?FILTERBYVOTE=-1&showFeedbacksWithoutStatus=TRUE&SHOWFEEDBACKSWITHSTATUS=false&filterbystatus=0`,
            undefined,
            { items: feedback }
          ],
          ["PUT", `/api/admin/bots/${botId}/feedback/${feedbackId}`, { status: 2 }, undefined],
          ["GET", `/api/admin/bots/${botId}/acsBotConfiguration`, undefined, { fields: acs }],
          ["PUT", `/api/admin/bots/${botId}/acsBotConfiguration`, {}, undefined],
          ["GET", `/api/admin/bots/${botId}/azureOpenAISearchBotConfiguration`, undefined, { fields: azure }],
          ["PUT", `/api/admin/bots/${botId}/azureOpenAISearchBotConfiguration`, {}, undefined],
          ["GET", `/api/admin/bots/${botId}/configuration`, undefined, { fields: "configurationRaw" }],
          ["PUT", `/api/admin/bots/${botId}/configuration`, { configurationRaw: "x" }, undefined],
          ["DELETE", `/api/admin/bots/${freeId}`, undefined, undefined]
        ]
        assert.strictEqual(operations.length, 25)
        for (const [method, path, body, expected] of operations) {
          // Ids are told apart by their case, the rest of a path is not.
          const shouted = path.replaceAll(/(?<=\/)[a-z]+(?=[/?]|$)/gi, (segment) => segment.toUpperCase())
          assert.notStrictEqual(shouted, path)
          const answer = yield* send(method, shouted, { token, body })
          assert.strictEqual(answer.status, 200, `${method} ${path}: ${answer.text}`)
          if (expected === undefined) {
            assert.strictEqual(answer.text, "", path)
            continue
          }
          assert.match(answer.headers["content-type"] ?? "", /^application\/json/, path)
          const json = answer.json()
          if ("texts" in expected) assert.deepStrictEqual(json, ["Facts", "Start"])
          else if ("fields" in expected) assert.sameMembers(Object.keys(json), expected.fields.split(" "), path)
          else {
            assert.sameMembers(Object.keys(json), page.split(" "), path)
            assert.isNotEmpty(json.items, path)
            for (const item of json.items) assert.sameMembers(Object.keys(item), expected.items.split(" "), path)
          }
        }
      })
    )

    it.effect("the words of paths come before the ids of bots that are called like them", () =>
      Effect.gen(function* () {
        const token = yield* boss
        const sql = yield* SqlClient.SqlClient
        const ids = ["startbots", "implementationTypes", "stop"]
        for (const id of ids) {
          yield* sql`INSERT INTO bots ${sql.insert({
            id,
            code: id,
            implementationType: "Facts",
            displayName: "Overlapping",
            searchName: "overlapping",
            searchText: "overlapping",
            isActive: 1,
            isPublic: 1,
            isOpen: 0,
            isUserSystemMessageSupported: 0,
            createdUtc: "2026-01-01T00:00:00.000Z",
            updatedUtc: "2026-01-01T00:00:00.000Z"
          })}`
        }
        const { items } = (yield* send("GET", "/api/admin/bots/startbots", { token })).json()
        assert.isTrue(items.every((bot: { isStartBot: boolean }) => bot.isStartBot))
        assert.isArray((yield* send("GET", "/api/admin/bots/implementationTypes", { token })).json())
        // A path of two segments after `stop` is that of the flag.
        const body = { configurationRaw: "x" }
        const flag = yield* send("PUT", "/api/admin/bots/stop/configuration", { token, body })
        assertProblem(flag, 400, "InvalidRequest")
        assert.deepStrictEqual(paths(flag), [["params", "isStopAllBots"]])
        // Where there is no such word, the bot is meant, and it alone.
        for (const id of ids) {
          assert.strictEqual((yield* send("GET", `/api/admin/bots/${id}/facts`, { token })).json().totalItemCount, 0)
        }
        assert.strictEqual((yield* send("GET", "/api/admin/bots/stop", { token })).json().code, "stop")
        for (const [index, id] of ids.entries()) {
          assert.strictEqual((yield* send("DELETE", `/api/admin/bots/${id}`, { token })).status, 200)
          const left = yield* send("GET", "/api/admin/bots?searchFor=overlapping", { token })
          assert.strictEqual(left.json().totalItemCount, ids.length - 1 - index)
        }
      })
    )

    it.effect("the flag takes true and false in any case; anything else is refused and changes nothing", () =>
      Effect.gen(function* () {
        const token = yield* boss
        const { chatId } = yield* createChat(token)
        const isStopped = Effect.map(
          send("POST", `/api/chats/${chatId}/completions`, { token, body: { userMessage: "What is a ticket?" } }),
          ({ status }) => status === 503
        )
        yield* Effect.gen(function* () {
          for (const [spelling, expected] of [
            ["true", true],
            ["False", false],
            ["TRUE", true],
            ["fALSE", false]
          ] as const) {
            const answer = yield* send("PUT", `/api/admin/bots/stop/${spelling}`, { token })
            assert.deepInclude(answer, { status: 200, text: "" })
            for (const bad of ["xyz", "1", "0", "yes", "truee", "%20true", "null", "true%00", "-", "ｔrue"]) {
              const refused = yield* send("PUT", `/api/admin/bots/stop/${encodeURI(bad)}`, { token })
              assertProblem(refused, 400, "InvalidRequest")
            }
            assert.strictEqual(yield* isStopped, expected, spelling)
          }
        }).pipe(Effect.ensuring(send("PUT", "/api/admin/bots/stop/false", { token })))
      })
    )

    it.effect.each(["Acs", "AzureOpenAISearch", "facts", "START", "Facts ", "", "__proto__"])(
      "the implementation type %j is refused with a word of those there are, and nothing is written",
      (implementationType) =>
        Effect.gen(function* () {
          const token = yield* boss
          const code = `wire-${++codes}`
          const body = { code, displayNameTv: { value: "x" }, implementationType }
          const answer = yield* send("POST", "/api/admin/bots", { token, body })
          assertProblem(answer, 400, "InvalidRequest")
          assert.deepStrictEqual(paths(answer), [["payload", "implementationType"]])
          assert.include(answer.json().issues[0].message, "Facts or Start")
          const found = yield* send("GET", `/api/admin/bots?searchFor=${code}`, { token })
          assert.strictEqual(found.json().totalItemCount, 0)
        })
    )

    it.effect("who is no admin learns nothing, and changes nothing", () =>
      Effect.gen(function* () {
        const { botId, startBotId } = yield* bots
        const token = yield* someone
        const attempts = [
          ["PUT", "/api/admin/bots/stop/true"],
          ["PUT", "/api/admin/bots/stop/nonsense"],
          ["DELETE", `/api/admin/bots/${botId}`],
          ["DELETE", `/api/admin/bots/${startBotId}/bots/${botId}`],
          ["GET", "/api/admin/bots/nothing"],
          ["GET", "/api/admin/bots?PageSize=0"]
        ] as const
        for (const [method, path] of attempts) {
          assertProblem(yield* send(method, path, { token }), 403, "Forbidden")
          assertProblem(yield* send(method, path), 401, "Unauthorized")
        }
        const links = yield* send("GET", `/api/admin/bots/${startBotId}/bots`, { token: yield* boss })
        assert.strictEqual(links.json().totalItemCount, 1)
      })
    )
  })

  it.effect("an id given for a request is kept, if it is a plain one", () =>
    Effect.gen(function* () {
      const given = yield* send("GET", "/api/nothing", { headers: { "x-request-id": "abc-123" } })
      assert.strictEqual(given.headers["x-request-id"], "abc-123")
      const bad = yield* send("GET", "/api/nothing", { headers: { "x-request-id": "a b<script>" } })
      assert.match(bad.headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/)
    })
  )

  it.effect("the document is served", () =>
    Effect.gen(function* () {
      const answer = yield* send("GET", "/openapi.json")
      assert.strictEqual(answer.json().openapi, "3.1.0")
    })
  )
})
