import * as BotRouter from "@effect-chatbot/server/BotRouter"
import * as BotsSync from "@effect-chatbot/server/BotsSync"
import { type Answer, CompletionProvider, fromParts } from "@effect-chatbot/server/CompletionProvider"
import * as EmbeddedProvider from "@effect-chatbot/server/EmbeddedProvider"
import { BotRepository } from "@effect-chatbot/server/repositories/BotRepository"
import type { Turn } from "@effect-chatbot/server/repositories/CompletionRepository"
import * as Tokenizer from "@effect-chatbot/server/Tokenizer"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestDatabase from "./support/TestDatabase.ts"

const backend = (bots: ReturnType<typeof BotsSync.layer>) =>
  Layer.mergeAll(EmbeddedProvider.layer, BotRouter.layer, BotRepository.layer, bots).pipe(
    Layer.provideMerge(Tokenizer.layer),
    Layer.provideMerge(TestDatabase.layer),
    Layer.provide([NodeFileSystem.layer, NodePath.layer])
  )

/** A folder of bots made of these files. */
const folderOf = (files: Readonly<Record<string, string>>): ReturnType<typeof BotsSync.layer> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      for (const [name, content] of Object.entries(files)) {
        const file = `${folder}/${name}`
        yield* fs.makeDirectory(file.slice(0, file.lastIndexOf("/")), { recursive: true })
        yield* fs.writeFileString(file, content)
      }
      return BotsSync.layer(folder)
    }).pipe(Effect.orDie)
  )

interface Asked {
  readonly history?: ReadonlyArray<Turn>
  readonly baseSystemMessage?: string
  readonly userSystemMessage?: string
  /** Whether a start bot is to answer itself. */
  readonly itself?: boolean
}

/** The answer of a bot, or of the one that it routes to, with the paths of its sources. */
const ask = Effect.fnUntraced(function* (code: string, userMessage: string, asked: Asked = {}) {
  const sql = yield* SqlClient.SqlClient
  const provider = yield* CompletionProvider
  const bots = yield* BotRepository
  const router = yield* BotRouter.BotRouter
  const history = asked.history ?? []
  const bot = yield* bots.findByCode(code)
  if (bot === undefined) return yield* Effect.die(new Error(`There is no bot ${code}`))
  const earlier = history.map((turn) => turn.userMessage)
  const route = asked.itself === true ? undefined : yield* router.route(bot, userMessage, earlier)
  const parts = provider.complete({
    bot: { ...(route?.bot ?? bot), baseSystemMessage: asked.baseSystemMessage },
    userMessage,
    history,
    userSystemMessage: asked.userSystemMessage
  })
  const answer = fromParts(yield* Stream.runCollect(parts))
  assert.isDefined(answer)
  const paths = yield* Effect.forEach(answer.sources, (id) =>
    Effect.map(sql<{ path: string }>`SELECT path FROM documents WHERE id = ${id}`, ([row]) => row?.path)
  )
  return { ...answer, paths }
})

const turn = (userMessage: string, answer: Answer): Turn => ({ userMessage, assistantMessage: answer.assistantMessage })

layer(backend(BotsSync.layer()), { timeout: 20_000 })("EmbeddedProvider with the bots that ship", (it) => {
  /** Each sample question with the document and a phrase that its answer must have. */
  const expected: Readonly<Record<string, readonly [path: string, phrase: string]>> = {
    "How do I start the server?": ["start.md", "`pnpm serve` starts the server"],
    "How do I ask a bot a question from my program?": ["chats.md", "yield* chats.complete(chat.chatId"],
    "How do I read all items of a list?": ["lists.md", "reads all items of all pages as a `Stream`"],
    "How do I handle an error by its tag?": ["errors.md", "`Effect.catchTag`"],
    "How do I create a chat over HTTP?": ["chats-and-bots.md", "`POST /api/chats` creates a chat"],
    "How does paging work?": ["conventions.md", "`PageNumber` and `PageSize`"],
    "How do I change the port of the server?": ["settings.md", "`CHATBOT_PORT`"],
    "How do I add a bot of my own?": ["bots-folder.md", "a file `bot.yaml`"],
    "What is this product?": ["overview.md", "This product is a chatbot"],
    "How do I try it?": ["try.md", "npx -y pnpm@12 start"]
  }

  it.effect("answers each sample question of each bot from the right document", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const bots = yield* sql<{ code: string; sampleQuestion1: string | null; sampleQuestion2: string | null }>`
        SELECT code, sample_question1, sample_question2 FROM bots ORDER BY code`
      assert.deepStrictEqual(
        bots.map((_) => _.code),
        ["api", "client", "guide", "product", "server"]
      )
      for (const { code, sampleQuestion1, sampleQuestion2 } of bots) {
        for (const question of [sampleQuestion1, sampleQuestion2]) {
          const [path, phrase] = expected[question ?? ""] ?? []
          if (question === null || path === undefined || phrase === undefined) {
            return assert.fail(`no answer is expected for "${question}" of ${code}`)
          }
          const answer = yield* ask(code, question)
          assert.strictEqual(answer.tags[0], "answer", question)
          assert.strictEqual(answer.paths[0], path, question)
          assert.include(answer.assistantMessage, phrase, question)
          const guided = yield* ask("guide", question)
          assert.strictEqual(guided.tags[0], "answer", question)
          assert.isAbove(guided.sources.length, 0, question)
        }
      }
    })
  )

  it.effect("answers other questions about the product", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [code: string, question: string, phrase: string]> = [
        ["guide", "What is this product?", "This product is a chatbot"],
        ["guide", "is it free?", "MIT license"],
        ["guide", "What are start bots?", "A start bot is a bot that routes"],
        ["guide", "where is my data stored?", "The data folder holds"],
        ["guide", "what does CHATBOT_REQUIRE_TERMS do?", "must accept the terms before the first chat"],
        ["guide", "CHATBOT_PORT", "`CHATBOT_PORT`"],
        ["guide", "How do I authenticate a request?", "bearer token in the `Authorization` header"],
        ["client", "how do I delete all chats but keep favourites?", "keepFavorites: true"],
        ["guide", "how do I cancel a request?", "interrupt its fiber"],
        ["client", "How do I install the client?", "not published on the npm registry yet"],
        ["client", "what timeouts are there?", "the whole call 60 seconds"],
        ["client", "what does ChatBusy mean?", "still answering an earlier question"],
        ["client", "what does chats.rename do?", "gives a chat another display name"],
        ["client", "give me an example of reading a page", "pageNumber"],
        ["api", "how many endpoints are there?", "71 endpoints"],
        ["api", "What does status 404 mean?", "404 means that the thing does not exist"],
        ["api", "what is a ticket?", "A ticket is a one-time password"],
        ["api", "Which endpoint stops all bots?", "`GET /api/bots/stop`"],
        ["api", "how do I get the image of a bot?", "/api/bots/botimage/"],
        ["server", "where is the admin token?", "`admin-token` in the data folder"],
        ["server", "how can I back up the database?", "chatbot backup"],
        ["server", "how do I run several servers?", "CHATBOT_CLUSTER"],
        ["server", "is there a health check?", "/health/live"],
        ["server", "can I get metrics for Prometheus?", "CHATBOT_METRICS_PORT"],
        ["server", "how do I stop the server?", "SIGTERM"],
        ["server", "How long are chats kept?", "an hour after its last use"],
        ["server", "Is my data safe if the process crashes?", "loses nothing"],
        ["server", "what environment variables are there?", "- `CHATBOT_DATA_DIR` is the data folder"],
        ["server", "which fields does bot.yaml have?", "- `sampleQuestions` holds up to two questions"]
      ]
      for (const [code, question, phrase] of cases) {
        const { assistantMessage, tags } = yield* ask(code, question)
        assert.strictEqual(tags[0], "answer", question)
        assert.include(assistantMessage, phrase, question)
      }
    })
  )

  it.effect("answers what people ask first", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [code: string, question: string, ...phrases: ReadonlyArray<string>]> = [
        ["guide", "How long is a ticket valid?", "60 seconds", "works once"],
        ["api", "How long is a ticket valid?", "60 seconds", "works once"],
        ["api", "How long does a ticket live?", "60 seconds"],
        ["guide", "Do I need an OpenAI key?", "You need no OpenAI key", "embedded provider", "no network"],
        ["guide", "Do I need an API key?", "No API key is needed"],
        ["guide", "Does it work offline?", "works offline"],
        ["guide", "What does it cost?", "costs nothing"],
        ["guide", "Which database does it use?", "SQLite", "`node:sqlite`", "in the data folder"],
        ["guide", "Can I use Postgres?", "CHATBOT_DATABASE_URL"],
        ["guide", "Can I use my own documents?", "Yes", "`CHATBOT_BOTS_DIR`", "folder `knowledge`"],
        [
          "guide",
          "How do I see how many tokens were used?",
          "`statistics.tokenUsage`",
          "`GET /api/statistic/tokenUsageStatistic`"
        ],
        ["client", "How do I see how many tokens were used?", "`statistics.tokenUsage`"],
        ["api", "How do I see how many tokens were used?", "`GET /api/statistic/tokenUsageStatistic`"],
        ["guide", "How do I run the tests?", "npx -y pnpm@12 test"],
        ["guide", "Is there streaming of answers?", "chats.stream", "piece by piece"],
        ["guide", "Is there a Docker image?", "There is no Docker image"],
        ["guide", "Can I run two servers on the same data folder?", "the second one says"],
        [
          "guide",
          "What errors can chats.complete fail with?",
          "InvalidRequest",
          "Forbidden",
          "ChatNotFound",
          "ChatBusy",
          "PayloadTooLarge",
          "ProviderFailed",
          "ProviderTimedOut",
          "BotsStopped",
          "Unauthorized",
          "RateLimited",
          "InternalError",
          "Unavailable",
          "TransportFailed",
          "RequestTimedOut",
          "UnexpectedStatus",
          "InvalidResponse"
        ],
        ["guide", "How do I set a timeout for one call?", "You set a timeout", "provideService(Timeouts.Timeouts, {"],
        ["client", "How do I set a timeout for one call?", "provideService(Timeouts.Timeouts, {"],
        ["guide", "How do I retry failed requests?", "retries failed requests by itself", "three attempts"],
        ["guide", "Does it support Azure OpenAI?", "Azure OpenAI, Ollama", "Admins store such an OpenAI service"],
        [
          "server",
          "How do I use a language model?",
          "POST /api/admin/openAiServices",
          "`openAiServiceId`",
          "`modelName`"
        ],
        ["server", "How do I rotate the secret key?", "`CHATBOT_SECRET_KEY_PREVIOUS`"],
        ["guide", "How do I upgrade?", "git pull", "migrated to the new version on start"],
        ["guide", "How do I stop the server?", "Ctrl+C", "SIGTERM"],
        ["guide", "How do I install the server?", "clone the repository"],
        ["guide", "How do I install it?", "not published on the npm registry yet", '"workspace:*"'],
        ["client", "How do I install it?", "not published on the npm registry yet", '"workspace:*"'],
        ["guide", "How do I use it in the browser?", "runs in browsers too", "Transport.layer"],
        ["client", "How do I use it in the browser?", "runs in browsers too", "Transport.layer"],
        ["product", "How do I use it in the browser?", "runs in browsers too"],
        ["guide", "How do I connect to a backend?", "`ChatbotClient.layer`"],
        ["guide", "How do I create a token for a user?", "npx -y pnpm@12 access-token create alice --days 90"],
        ["guide", "How do I get an access token?", "npx -y pnpm@12 access-token create alice --days 90"],
        ["guide", "How do I revoke a token?", "npx -y pnpm@12 access-token revoke"],
        ["guide", "Do you speak German?", "English only"],
        ["guide", "How do I check that a backend conforms?", "`CHATBOT_USER_TOKEN`", "pnpm@12 conformance http"],
        ["guide", "What is the conformance kit?", "checks a backend", "against the contract"],
        [
          "product",
          "How do I check a backend of my own with the 46 core operations?",
          "`--contract --group core --bot CODE`"
        ],
        ["product", "What does the exit code of the conformance kit mean?", "2 when it could not be checked"],
        ["guide", "How do I test a program that uses the client?", "`ChatbotTest.layer`", "in memory"],
        ["guide", "How do I mock the client?", "`ChatbotTest.mock`"],
        ["client", "Can I test what happens when the network fails?", "`Faults.layer`"],
        ["guide", "Can I call a bot from a workflow?", "`Activities`"],
        ["guide", "Does a workflow that is killed ask twice?", "asks its question once", "idempotency key"],
        ["client", "How does a workflow compensate for a chat?", "`Activities.deleteOnFailure`"],
        ["guide", "Is there an MCP server?", "--silent mcp"],
        ["guide", "Can I use the OpenAI SDK?", "under `/v1`"],
        ["product", "Can I use a bot as a LanguageModel?", "`ChatbotModel.layer`"],
        ["guide", "Are there examples?", "`packages/examples`", "how to run them"]
      ]
      for (const [code, question, ...phrases] of cases) {
        const { assistantMessage, tags } = yield* ask(code, question)
        assert.strictEqual(tags[0], "answer", question)
        for (const phrase of phrases) assert.include(assistantMessage, phrase, question)
        assert.isFalse(assistantMessage.startsWith("```"), question)
      }
    })
  )

  it.effect("says what it is when it is asked about nothing else, and who writes its answers", () =>
    Effect.gen(function* () {
      for (const question of ["What is this?", "What does this thing do?", "What is it?", "what's this about"]) {
        const { assistantMessage, sources, tags } = yield* ask("guide", question)
        assert.deepStrictEqual([tags, sources], [["about"], []], question)
        assert.include(assistantMessage, "This product is a chatbot: a server with bots", question)
      }
      assert.include((yield* ask("server", "What does it do?")).assistantMessage, "questions about running the server")
      for (const question of ["Who wrote you?", "Who made you?", "Are you an AI?", "What model do you use?"]) {
        const { assistantMessage, tags } = yield* ask("guide", question)
        assert.deepStrictEqual(tags, ["maker"], question)
        assert.include(assistantMessage, "no language model writes my answers", question)
        assert.include(assistantMessage, "embedded provider", question)
      }
      // After a question of another subject, "it" is that subject.
      const history = [turn("What is a ticket?", yield* ask("guide", "What is a ticket?"))]
      const { assistantMessage } = yield* ask("guide", "What does it do?", { history })
      assert.include(assistantMessage, "ticket")
      assert.notInclude(assistantMessage, "This product is a chatbot")
      const about = [turn("What is this?", yield* ask("guide", "What is this?"))]
      assert.deepStrictEqual((yield* ask("guide", "And what does it do?", { history: about })).tags, ["about"])
    })
  )

  it.effect("asks for English when it is asked in another language", () =>
    Effect.gen(function* () {
      for (const question of [
        "Wie starte ich den Server?",
        "Comment démarrer le serveur ?",
        "サーバーを起動するには?"
      ]) {
        const { assistantMessage, tags } = yield* ask("guide", question)
        assert.deepStrictEqual(tags, ["no-answer"], question)
        assert.include(assistantMessage, "I answer questions in English.", question)
      }
      assert.notInclude((yield* ask("guide", "Who wrote Hamlet?")).assistantMessage, "in English")
    })
  )

  it.effect("admits what it does not know, and says what it can be asked", () =>
    Effect.gen(function* () {
      for (const question of ["What is the capital of France?", "Who wrote Hamlet?", "asdfghjkl", "?", "Why?", "\0"]) {
        const answer = yield* ask("guide", question)
        assert.deepStrictEqual([answer.tags, answer.sources], [["no-answer"], []], question)
        assert.include(
          answer.assistantMessage,
          "I do not know that; I can answer about: What this product is; What the product is made of; How to try the product; How to check a backend; Bots for programs of AI."
        )
        assert.include(answer.assistantMessage, "“How do I try it?”")
      }
      for (const question of ["What is the weather in the port of Rome?", "What colour is the server?"]) {
        assert.deepStrictEqual((yield* ask("guide", question)).tags, ["no-answer"], question)
      }
      const { assistantMessage } = yield* ask("api", "Who wrote Hamlet?")
      assert.include(assistantMessage, "I can answer about: Access: tokens, roles and tickets; Endpoints for admins;")
    })
  )

  it.effect("greets, takes thanks, and says who it is", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [message: string, tag: string, phrase: string]> = [
        ["Hello!", "greeting", "I am the guide of this chatbot"],
        ["good morning", "greeting", "I am the guide of this chatbot"],
        ["Thanks a lot!", "thanks", "You are welcome"],
        ["great, thank you", "thanks", "You are welcome"],
        ["Who are you?", "about", "It passes each question on"],
        ["help", "about", "It passes each question on"]
      ]
      for (const [message, tag, phrase] of cases) {
        const answer = yield* ask("guide", message, { itself: true })
        assert.deepStrictEqual([answer.tags, answer.sources], [[tag], []], message)
        assert.include(answer.assistantMessage, phrase, message)
      }
      // A greeting before a question does not hide the question.
      assert.strictEqual((yield* ask("server", "Hi, where is the admin token?")).tags[0], "answer")
    })
  )

  it.effect("understands a question that leans on the one before, over small talk too", () =>
    Effect.gen(function* () {
      const first = yield* ask("guide", "How long are chats kept?")
      const thanks = yield* ask("guide", "Thanks!")
      const history = [turn("How long are chats kept?", first), turn("Thanks!", thanks)]
      const second = yield* ask("guide", "and how do I change that?", { history })
      assert.include(second.assistantMessage, "`PUT /api/users/current`")
      assert.strictEqual(second.paths[0], "data.md")
      assert.isTrue(second.trace.some((line) => line.includes("with those of the question before")))
      // A question of its own is not drawn back to what was before.
      const third = yield* ask("guide", "What is a ticket?", { history })
      assert.include(third.assistantMessage, "ticket")
      assert.notInclude(third.assistantMessage, "kept")
    })
  )

  it.effect("goes on about the server that was started: how to stop it, and why so", () =>
    Effect.gen(function* () {
      const first = turn("How do I start the server?", yield* ask("guide", "How do I start the server?"))
      const stop = yield* ask("guide", "And how do I stop it?", { history: [first] })
      assert.match(stop.assistantMessage, /^You stop the server with Ctrl\+C.*SIGTERM/)
      const why = yield* ask("guide", "Why?", { history: [first, turn("And how do I stop it?", stop)] })
      assert.include(why.assistantMessage, "because an answer is stored only when it is whole")
    })
  )

  it.effect("gives the same answer to the same question", () =>
    Effect.gen(function* () {
      for (const question of ["How do I start the server?", "Who wrote Hamlet?", "tokens"]) {
        const answers = yield* Effect.all([ask("guide", question), ask("guide", question), ask("guide", question)], {
          concurrency: "unbounded"
        })
        const same = answers.map(({ assistantMessage, paths, sources, tags }) => ({
          assistantMessage,
          paths,
          sources,
          tags
        }))
        assert.deepStrictEqual(same[1], same[0])
        assert.deepStrictEqual(same[2], same[0])
      }
    })
  )

  it.effect("counts the tokens of all that it reads and writes", () =>
    Effect.gen(function* () {
      const tokenizer = yield* Tokenizer.Tokenizer
      const question = "Hello!"
      const plain = yield* ask("guide", question)
      assert.strictEqual(plain.promptTokens, yield* tokenizer.count(question))
      assert.strictEqual(plain.completionTokens, yield* tokenizer.count(plain.assistantMessage))
      const instructed = yield* ask("guide", question, {
        baseSystemMessage: "Be kind.",
        userSystemMessage: "Be brief."
      })
      assert.strictEqual(instructed.promptTokens, yield* tokenizer.count(`Be kind.\nBe brief.\n${question}`))
      const found = yield* ask("guide", "How do I start the server?")
      assert.isAbove(found.promptTokens, found.completionTokens)
    })
  )

  it.effect("traces how it came to its answer", () =>
    Effect.gen(function* () {
      const { trace } = yield* ask("server", "How do I change the port of the server?")
      assert.strictEqual(trace[0], "provider: embedded")
      for (const start of ["terms: change ", "retrieval: ", "hit 1: score ", "answer: "]) {
        assert.isTrue(
          trace.some((line) => line.startsWith(start)),
          start
        )
      }
      assert.isTrue(
        trace.some((line) => line.includes("settings.md (Settings of the server › Change the port or the address)"))
      )
    })
  )
})

const facts = (code: string, more = "") => `code: ${code}\nimplementationType: Facts\ndisplayName: ${code}\n${more}`

const zoo = folderOf({
  "zoo/bot.yaml": facts(
    "zoo",
    `facts:\n  - The **giraffe** [Gerda](https://example.org) likes acacia leaves\n  - Pandas rest all day.\n  - Pandas rest because bamboo feeds them badly.\n  - text: Dodos are on show.\n    isActive: false\n`
  ),
  "zoo/knowledge/animals.md": [
    "# Animals",
    "",
    "## Lions",
    "",
    "Lions sleep twenty hours a day, e.g. under a tree. They _hunt_ at night with `roar.wav`. Their cubs play all day.",
    "Visitors may watch the lions from the bridge.",
    "",
    "## Penguins",
    "",
    "The penguins are fed three times a day:",
    "",
    "- At 9:00 they get herring.",
    "- At 13:00 they get squid.",
    "- At 17:00 they get sprats.",
    "",
    "## Opening the gate",
    "",
    "The keeper opens the gate with a command.",
    "",
    "```sh",
    "gate open --slowly # mind the penguins. And the lions.",
    "```",
    "",
    "## Feeding robot",
    "",
    "The robot is started with a button. It needs a minute to warm up.",
    "",
    "```sh",
    "robot start",
    "```",
    "",
    "Its buckets are emptied on Sundays.",
    "",
    "## Siren",
    "",
    "```sh",
    "siren --loud",
    "```",
    "",
    "## Prices",
    "",
    "| Ticket | Price | Valid |",
    "| --- | --- | --- |",
    "| Adult | 20 francs | one day |",
    "| Child | 5 francs | one day |",
    ""
  ].join("\n"),
  "zoo/knowledge/otters.txt": "Otters are cared for by Olga.\n\nOtters hold hands when they sleep.",
  "zoo/knowledge/olga.txt": "Olga is on holiday in June. Then the otters are cared for by Omar.",
  "zoo/knowledge/staff/omar.txt": "Omar cares for otters, too, and for the lions.",
  "zoo/knowledge/staff/otto.txt": "Otto cares for no otters at all.",
  "zoo/knowledge/map.bin": "lions lions lions",
  "zoo/knowledge/beavers/bark.txt": "Beavers like bark.",
  "zoo/knowledge/beavers/buds.txt": "Beavers like buds.",
  "zoo/knowledge/beavers/ferns.txt": "Beavers like ferns.",
  "zoo/knowledge/beavers/roots.txt": "Beavers like roots.",
  "bare/bot.yaml": facts("bare"),
  "start/bot.yaml":
    "code: start\nimplementationType: Start\ndisplayName: Start\nfacts: [The reception is at the gate.]\nlinks:\n  - {code: zoo, isDefault: true}\n  - {code: bare}\n"
})

layer(backend(zoo))("EmbeddedProvider", (it) => {
  const says = (question: string, code = "zoo") => Effect.map(ask(code, question), (answer) => answer.assistantMessage)

  it.effect("answers in whole sentences, in the order of the document and without marks", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* says("How long do lions sleep?"),
        "Lions sleep twenty hours a day, e.g. under a tree. They hunt at night with `roar.wav`."
      )
      // A sentence that leans on the one before comes with it.
      assert.include(
        yield* says("Who hunts at night?"),
        "Lions sleep twenty hours a day, e.g. under a tree. They hunt at night"
      )
      assert.include(yield* says("What does Gerda like?"), "The giraffe Gerda likes acacia leaves.")
    })
  )

  it.effect("brings the list that a sentence announces, and single rows of a table", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* says("How often are the penguins fed?"),
        "The penguins are fed three times a day:\n\n- At 9:00 they get herring.\n- At 13:00 they get squid.\n- At 17:00 they get sprats."
      )
      assert.strictEqual(yield* says("When do they get squid?"), "At 13:00 they get squid.")
      assert.strictEqual(yield* says("What is the price for a child?"), "Child: price 5 francs, valid one day.")
    })
  )

  it.effect("brings the code when the question asks how, whole, and not when it does not", () =>
    Effect.gen(function* () {
      const code = "```sh\ngate open --slowly # mind the penguins. And the lions.\n```"
      assert.strictEqual(yield* says("How do I open the gate?"), `The keeper opens the gate with a command.\n\n${code}`)
      assert.strictEqual(yield* says("Who opens the gate?"), "The keeper opens the gate with a command.")
    })
  )

  it.effect("never begins with code: what leads to it comes first, or its heading", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* says("How are the buckets emptied?"),
        "The robot is started with a button. It needs a minute to warm up.\n\n```sh\nrobot start\n```\n\nIts buckets are emptied on Sundays."
      )
      assert.strictEqual(yield* says("How do I sound the siren?"), "Siren:\n\n```sh\nsiren --loud\n```")
    })
  )

  it.effect("prefers the reason when it is asked why", () =>
    Effect.gen(function* () {
      assert.match(yield* says("Do pandas rest?"), /^Pandas rest all day\./)
      assert.match(yield* says("Why do pandas rest?"), /^Pandas rest because bamboo feeds them badly\./)
    })
  )

  it.effect("names the documents it used and no others, at most three, and none for a fact", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* ask("zoo", "How long do lions sleep?")).paths, ["animals.md"])
      const fact = yield* ask("zoo", "acacia leaves")
      assert.deepStrictEqual([fact.tags, fact.paths], [["answer"], []])
      const otters = yield* ask("zoo", "Who cares for the otters?")
      assert.isAbove(otters.paths.length, 0)
      assert.isAtMost(otters.paths.length, 3)
      assert.strictEqual(new Set(otters.paths).size, otters.paths.length)
      for (const path of otters.paths) assert.match(path ?? "", /^(?:otters|olga|staff\/omar|staff\/otto)\.txt$/)
      const beavers = yield* ask("zoo", "What do beavers like?")
      assert.lengthOf(beavers.assistantMessage.match(/Beavers like/g) ?? [], 4)
      assert.lengthOf(new Set(beavers.paths), 3)
    })
  )

  it.effect("does not know facts that are not active, nor files that are not text", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* ask("zoo", "Are dodos on show?")).tags, ["no-answer"])
      assert.strictEqual(
        yield* says("Are dodos on show?"),
        "I do not know that; I can answer about: Animals; bark; buds; ferns; roots."
      )
      assert.strictEqual(yield* says("Are dodos on show?", "bare"), "I do not know that; I can answer about: bare.")
    })
  )

  it.effect("lets a start bot that is asked itself answer with what it knows, and a bot with nothing but that", () =>
    Effect.gen(function* () {
      const answer = yield* ask("start", "Where is the reception?", { itself: true })
      assert.deepStrictEqual([answer.tags, answer.sources], [["answer"], []])
      assert.deepStrictEqual((yield* ask("start", "How long do lions sleep?", { itself: true })).tags, ["no-answer"])
      assert.deepStrictEqual((yield* ask("bare", "How long do lions sleep?")).tags, ["no-answer"])
    })
  )

  it.effect("takes a very long message in its stride", () =>
    Effect.gen(function* () {
      const answer = yield* ask("zoo", `How long do lions sleep? ${"x".repeat(500_000)} ${"lions ".repeat(50_000)}`)
      assert.strictEqual(answer.tags[0], "answer")
    })
  )
})
