/** A backend whose models count what they are asked, and cases of the example whose process is killed at a point of their life. */
import { ChatbotClient } from "@effect-chatbot/client/ChatbotClient"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Program from "../../support/Program.ts"
import * as Bundle from "./Bundle.ts"
import * as Gate from "./Gate.ts"
import * as Models from "./Models.ts"
import { freePort } from "./Ports.ts"

const adminToken = "an-admin-token-of-the-tests-that-nobody-can-guess"

/** The file that answers cite. */
const knowledge = "# Tickets\n\nA ticket opens one download: the first or the second of a case, or none.\n"

/** Which bot has a good answer. */
export type Kind = "first" | "second" | "none"

/**
 * Where in the life of a case its process is killed: at a moment of a request, in the middle of an answer, or while it waits for a person,
 * which it does before it asks for a ticket.
 */
export interface Point {
  readonly kind: Kind
  /** The number of the request, from 1. */
  readonly request: number
  readonly moment: Gate.Moment | "half said" | "waiting"
}

const asking = ["create", "complete", "create", "complete", "feedback"]

/** All bots: those that are asked in cases, and some more. */
export const codes = ["first", "second", "judge", "a", "b", "c"]

/** What a case asks the backend for, in order. */
const requestsOf: { readonly [K in Kind]: ReadonlyArray<string> } = {
  first: [...asking, "ticket", "download", "delete", "delete"],
  second: [...asking, ...asking, "ticket", "download", "delete", "delete", "delete", "delete"],
  none: [...asking, ...asking, "delete", "delete", "delete", "delete"]
}

const pointsOf = (kind: Kind): ReadonlyArray<Point> =>
  requestsOf[kind].flatMap((name, index): ReadonlyArray<Point> => {
    const at = (moment: Point["moment"]): Point => ({ kind, request: index + 1, moment })
    const own = name === "complete" ? [at("half said")] : name === "ticket" ? [at("waiting")] : []
    return [...own, ...Gate.moments.map(at)]
  })

/** All points in the lives of three cases. */
export const allPoints: ReadonlyArray<Point> = [...pointsOf("first"), ...pointsOf("second"), ...pointsOf("none")]

const moments: ReadonlyArray<Point["moment"]> = [...Gate.moments, "half said", "waiting"]

const oneOf = (points: ReadonlyArray<Point>) =>
  Effect.map(Random.nextIntBetween(0, points.length, { halfOpen: true }), (index) => points[index]!)

/** Random ones: as many at each moment, and the last two where a case gives up what it has made. */
export const somePoints = (count: number) =>
  Effect.forEach(Array.from({ length: count }).keys(), (index) =>
    oneOf(
      allPoints.filter(({ kind, moment, request }) =>
        index < count - 2 ? moment === moments[index % moments.length] : kind === "none" && request > 10
      )
    )
  )

/** A point in words. */
export const describe = ({ kind, moment, request }: Point) =>
  `${kind}: request ${request}, ${requestsOf[kind][request - 1]}, ${moment}`

const answer = ({ model, question }: Models.Asked) => {
  if (model === "judge") return question.includes("Answer: good") ? "Yes, it is." : "No, it is not."
  return question.startsWith(`${model}: `) ? "good: It opens one download." : "bad: Nobody knows."
}

const botYaml = (code: string) => `code: ${code}\nimplementationType: Facts\ndisplayName: ${code}\nisPublic: true\n`

/** A case under way. */
interface Case {
  readonly point: Point
  /** The process that was killed. */
  readonly killed: Deferred.Deferred<number>
  /** It goes on after that. */
  readonly goesOn: Deferred.Deferred<void>
  /** A question was refused, because it is being answered. */
  readonly refused: Deferred.Deferred<void>
  requests: number
  /** What was done for the first time, but for tickets. */
  readonly done: Array<string>
  /** How many completions each chat has when the first one is about to be deleted. */
  completions: ReadonlyArray<number>
}

/** A stage. */
export interface Options {
  /** The environments of the processes of the example. */
  readonly environments: ReadonlyArray<Program.Environment>
  /** How many of them are started at first; all by default. */
  readonly started?: number | undefined
  /** What is killed: the process of the example, or the backend. */
  readonly victim?: "program" | "backend" | undefined
}

/** Starts a backend, and a process of the example for each environment. */
export const make = Effect.fnUntraced(function* ({
  environments,
  started = environments.length,
  victim = "program"
}: Options) {
  const fs = yield* FileSystem.FileSystem
  const scope = yield* Effect.scope
  const runPromise = Effect.runPromiseWith(yield* Effect.context())
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "chatbot-test-" })
  const models = yield* Models.make(answer)
  for (const code of codes) {
    yield* fs.makeDirectory(`${folder}/bots/${code}/knowledge`, { recursive: true })
    yield* fs.writeFileString(`${folder}/bots/${code}/bot.yaml`, botYaml(code))
    yield* fs.writeFileString(`${folder}/bots/${code}/knowledge/tickets.md`, knowledge)
  }
  yield* fs.makeDirectory(`${folder}/files`)
  const bundle = `${folder}/main.mjs`
  const port = yield* freePort
  const serve = Effect.gen(function* () {
    const program = yield* Program.start("server/src/main.ts", {
      CHATBOT_PORT: String(port),
      CHATBOT_DATA_DIR: `${folder}/data`,
      CHATBOT_BOTS_DIR: `${folder}/bots`,
      CHATBOT_ADMIN_TOKEN: adminToken,
      CHATBOT_LOG_LEVEL: "Error"
    })
    return { program, url: yield* Program.listening(program) }
  }).pipe(Effect.provideService(Scope.Scope, scope))
  const [{ program: firstBackend, url: backendUrl }] = yield* Effect.all([serve, Bundle.write(bundle)], {
    concurrency: 2
  })
  let backend = firstBackend

  const layer = ChatbotClient.layer({ baseUrl: backendUrl, token: adminToken }).pipe(Layer.provide(NodeTransport.layer))
  const client = Context.get(yield* Layer.build(layer), ChatbotClient)
  const openAiServiceId = yield* client.admin.openAiServices.create({
    displayName: "Models",
    isActive: true,
    azureOpenAiEndpoint: models.url,
    azureOpenAiApiKey: Redacted.make("sk-of-the-tests")
  })
  const bots = yield* Stream.runCollect(client.adminBots.items())
  for (const { botId, code = "" } of bots) {
    const displayNameTv = { value: code }
    yield* client.adminBots.update(botId, {
      code,
      displayNameTv,
      isActive: true,
      isPublic: true,
      openAiServiceId,
      modelName: code
    })
  }

  const programs: Array<Program.Program> = []
  const gates: Array<string> = []
  const seen: Array<string> = []
  /** What a deletion waits for. */
  let beforeDeletion = Effect.void
  const secrets = [adminToken]
  let current: Case | undefined
  /** Which process made the last request. */
  let last = 0

  const killAt = Effect.fnUntraced(function* (index: number, request: number, moment: Point["moment"]) {
    if (current?.point.request !== request || current.point.moment !== moment) return
    const { killed } = current
    if (yield* Deferred.isDone(killed)) return
    const program = victim === "program" ? programs[index]! : backend
    yield* program.kill("SIGKILL")
    yield* program.ended
    yield* Deferred.succeed(killed, index)
  })

  const signOfLife = Effect.fnUntraced(function* ({ goesOn, killed }: Case) {
    if (yield* Deferred.isDone(killed)) yield* Deferred.succeed(goesOn, undefined)
  })

  const countCompletions = Effect.gen(function* () {
    const chats = yield* Stream.runCollect(client.users.chatItems())
    return yield* Effect.forEach(chats, ({ chatId }) =>
      Effect.map(client.chats.get(chatId), ({ completions }) => completions.length)
    )
  })

  const watchOf = (index: number): Gate.Watch => {
    const numbers = new WeakMap<Gate.Passing, number>()
    const watch = Effect.fnUntraced(function* (request: Gate.Passing, moment: Gate.Moment) {
      if (moment === "arrived") {
        seen.push(request.path)
        if (request.method === "DELETE") yield* beforeDeletion
      }
      if (moment === "answered" && request.path.endsWith("/tickets")) secrets.push(JSON.parse(String(request.content)))
      if (current === undefined) return
      if (moment === "arrived") {
        last = index
        numbers.set(request, ++current.requests)
        if (request.method === "DELETE" && current.completions.length === 0) {
          current.completions = yield* countCompletions
        }
        yield* signOfLife(current)
      }
      if (moment === "answered" && request.status === 409) yield* Deferred.succeed(current.refused, undefined)
      const isNew = request.status === 200 && !request.isReplayed
      if (moment === "answered" && isNew && /\/(?:bybotcode|completions|feedback)$/.test(request.path)) {
        current.done.push(request.path.split("/").at(-1)!)
      }
      yield* killAt(index, numbers.get(request) ?? 0, moment)
    })
    return (request, moment) => runPromise(Effect.orDie(watch(request, moment)))
  }
  const start = (index: number) =>
    Effect.gen(function* () {
      programs[index] = yield* Program.command(process.execPath, [bundle], {
        CHATBOT_BASE_URL: gates[index]!,
        CHATBOT_TOKEN: adminToken,
        WORKFLOW_BOTS: "first,second",
        WORKFLOW_JUDGE: "judge",
        WORKFLOW_FILES: `${folder}/files`,
        ...environments[index]
      })
    }).pipe(Effect.provideService(Scope.Scope, scope))

  for (const index of environments.keys()) {
    gates.push(yield* Gate.make(backendUrl, watchOf(index)))
    if (index < started) yield* start(index)
  }

  const voteIn = (id: string, index: number) => programs[index]!.type(`vote ${id} good\n`)

  /** Is the person of a case: votes whenever a process says that it waits. */
  const vote = (id: string, one: Case, index: number) => {
    const program = programs[index]!
    return program.said(new RegExp(`^${id}: \\w+ says: `, "m")).pipe(
      Effect.andThen(signOfLife(one)),
      Effect.andThen(killAt(index, one.point.request, "waiting")),
      Effect.andThen(voteIn(id, index)),
      // It may be killed before.
      Effect.exit,
      Effect.forkIn(scope)
    )
  }

  const resultOf = (id: string, index: number) =>
    Effect.map(programs[index]!.said(new RegExp(`^${id}: (["{].*)$`, "m")), ([, json = ""]): unknown =>
      JSON.parse(json)
    )

  /** Asks a case, kills what is to be killed at a point of its life, and gives what it came to. */
  const run = Effect.fnUntraced(function* (id: string, point: Point) {
    const { kind, moment, request } = point
    const one: Case = {
      point,
      killed: yield* Deferred.make<number>(),
      goesOn: yield* Deferred.make<void>(),
      refused: yield* Deferred.make<void>(),
      requests: 0,
      done: [],
      completions: []
    }
    current = one
    models.between(() =>
      Effect.gen(function* () {
        if (current?.point.moment !== "half said" || current.requests !== current.point.request) return
        yield* killAt(last, current.requests, "half said")
        // So that who asks again finds it being answered, where it still is.
        if (victim === "program") yield* Deferred.await(current.refused)
      }).pipe(runPromise)
    )
    const ask = (index: number) =>
      programs[index]!.type(`ask ${id} ${kind}: Which download does a ticket open in ${id}?\n`)
    for (const index of programs.keys()) yield* vote(id, one, index)
    yield* ask(0)

    const killed = yield* Deferred.await(one.killed)
    if (victim === "backend") {
      backend = (yield* serve).program
      const result = yield* resultOf(id, 0)
      return { ...one, result }
    }
    const isAlone = programs.length === 1
    const alive = isAlone ? killed : 1 - killed
    if (isAlone) {
      yield* start(killed)
      yield* vote(id, one, killed)
    }
    // It may have been asleep already, and waits for the person only.
    if (moment === "waiting") yield* voteIn(id, alive)
    // It goes on by itself, if there is something left to do.
    const isOver = request === requestsOf[kind].length && moment.endsWith("delivered")
    if (!isOver) yield* Deferred.await(one.goesOn)
    // Who asks again gets what the case came to.
    yield* ask(alive)
    const result = yield* resultOf(id, alive)
    if (!isAlone) yield* start(killed)
    return { ...one, result }
  })

  /** Fails unless a case did everything once, and has left nothing. */
  const check = Effect.fnUntraced(function* (
    id: string,
    { kind, moment }: Point,
    { completions, done, result }: Effect.Success<ReturnType<typeof run>>
  ) {
    const askedBots = kind === "first" ? ["first"] : ["first", "second"]
    const file = `${folder}/files/${id}.md`
    assert.deepStrictEqual(
      result,
      kind === "none" ? "NoGoodAnswer" : { bot: kind, answer: "good: It opens one download.", opinion: "good", file }
    )
    // Each question was asked once: the chats know it, the provider, and the backend did nothing twice.
    assert.deepStrictEqual(
      completions,
      askedBots.flatMap(() => [1, 1])
    )
    assert.deepStrictEqual(
      done,
      askedBots.flatMap(() => ["bybotcode", "completions", "bybotcode", "completions", "feedback"])
    )
    assert.deepStrictEqual(
      models.asked.filter(({ question }) => question.includes(`in ${id}?`)).map(({ model }) => model),
      // An answer that was being made dies with its backend, and is asked for again.
      [
        ...(victim === "backend" && moment === "half said" ? askedBots.slice(0, 1) : []),
        ...askedBots.flatMap((bot) => [bot, "judge"])
      ]
    )
    assert.deepStrictEqual(yield* Stream.runCollect(client.users.chatItems()), [])
    if (kind === "none") assert.isFalse(yield* fs.exists(file))
    else assert.strictEqual(yield* fs.readFileString(file), knowledge)
  })

  /** Fails unless the ledger of the backend, the feedback and the files are those of these cases, each once. */
  const checkAll = Effect.fnUntraced(function* (points: ReadonlyArray<Point>) {
    const usage = yield* Stream.runCollect(client.statistics.tokenUsageItems())
    assert.strictEqual(
      usage.reduce((sum, { requestCount }) => sum + requestCount, 0),
      models.asked.length
    )
    const feedback = yield* Effect.forEach(bots, ({ botId }) =>
      Stream.runCollect(client.adminBots.feedback.items(botId))
    )
    assert.strictEqual(feedback.flat().length, points.length + points.filter(({ kind }) => kind !== "first").length)
    assert.strictEqual(
      (yield* fs.readDirectory(`${folder}/files`)).filter((name) => name.startsWith("case-")).length,
      points.filter(({ kind }) => kind !== "none").length
    )
  })

  const end = Effect.forEach(programs, ({ ended, kill }) => Effect.andThen(kill("SIGTERM"), ended), { discard: true })

  return {
    check,
    checkAll,
    client,
    end,
    folder,
    holdDeletions: (until: Effect.Effect<void>) => {
      beforeDeletion = until
    },
    models,
    programs,
    restart: start,
    run,
    secrets,
    seen
  }
})
