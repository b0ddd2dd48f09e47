/** The backend that is broken, and runs of the kit against it. */
import * as ChatbotTest from "@effect-chatbot/testing/ChatbotTest"
import * as Conformance from "@effect-chatbot/testing/Conformance"
import type { Report } from "@effect-chatbot/testing/ConformanceReport"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { OperationName } from "../../src/internal/conformance/operations.ts"
import { type Break, broken, type Change, meeting, respond, sound } from "./Break.ts"

const documents = { "how/to ask.md": "# How to ask\n\nIn words.", "answers.md": "# Answers\n\nIn words too." }

const bots = {
  guide: { displayName: "Guide", facts: ["The guide knows how to ask."], documents, isOpen: true },
  start: { displayName: "Start", links: { guide: ["ask"] } },
  other: { displayName: "Other", facts: ["The other is not the guide."] }
}

const chats = {
  earlier: { bot: "other", user: "ada", questions: ["Who are you?"], isFavorite: true }
}

/** An image, as far as its first bytes go. */
const gif = "GIF89a"

/** The backend with nothing wrong in it, and who calls it. */
const world = Effect.gen(function* () {
  const { answer, baseUrl, botId, http, tokenOf } = yield* ChatbotTest.Backend
  const guide = yield* botId("guide")
  const tokens = {
    token: yield* tokenOf("admin"),
    userToken: yield* tokenOf("ada"),
    otherToken: yield* tokenOf("grace")
  }

  // An answer that takes its time goes on when somebody follows it: who leaves it finds its end, and who stops it does so in the middle.
  const isFollowed = Latch.makeUnsafe()
  // And no backend is waited for at its end.
  yield* Effect.addFinalizer(() => isFollowed.open)
  const follow = meeting(["chats.complete", "chats.events"], ({ name, request }, send) => {
    if (name === "chats.events") isFollowed.openUnsafe()
    else isFollowed.closeUnsafe()
    return send(request)
  })
  const atLength = Stream.concat(Stream.make("One "), Stream.fromEffect(Effect.as(isFollowed.await, "word.")))
  yield* answer(({ bot, userMessage }) => ({
    text: userMessage.endsWith("at length.") ? atLength : Stream.make("One ", "two ", "three."),
    sources: bot === "guide" ? Object.keys(documents) : []
  }))

  const image = meeting("bots.image", ({ params, request }, send) =>
    params["botId"] === guide
      ? Effect.succeed(respond(request, { status: 200, headers: { "content-type": "image/gif" }, text: gif }))
      : send(request)
  )
  const all = Object.values(tokens)
  return {
    options: { baseUrl, botCode: "guide", isDestructive: true, ...tokens },
    http: broken(broken(http, follow, all), image, all),
    tokens: all
  }
})

const inWorld = <A, E>(effect: Effect.Effect<A, E, ChatbotTest.Backend | Scope.Scope>): Effect.Effect<A, E> =>
  Effect.suspend(() => Effect.provide(Effect.scoped(effect), ChatbotTest.layer({ bots, chats })))

/** A run against a backend of its own with this wrong in it. Some breaks let time pass for all that run, so nothing else does. */
const run = (change: Change, checks: ReadonlyArray<Conformance.Check>): Effect.Effect<Report, Conformance.CannotRun> =>
  inWorld(
    Effect.flatMap(world, ({ http, options, tokens }) =>
      Conformance.run({ ...options, checks, concurrency: 1 }).pipe(
        Effect.provideService(HttpClient.HttpClient, broken(http, change, tokens))
      )
    )
  )

/** Which checks are run where something is wrong. */
class Choice extends Context.Service<Choice, (broken: Break) => ReadonlyArray<Conformance.Check>>()(
  "test/conformance/Choice"
) {}

/** The checks that should find it, and all others that are about the same operations. */
const quick = Layer.succeed(Choice, ({ change, fails }) =>
  Conformance.checks.filter(
    ({ id, operations }) => fails.includes(id) || operations.some((name) => change.of.includes(name))
  )
)

/** All checks that send a request of these operations, if only to prepare something: what is wrong with them can be of no other check. */
const full = Layer.effect(
  Choice,
  inWorld(
    Effect.gen(function* () {
      const { http, options, tokens } = yield* world
      let asked = new Set<OperationName>()
      const noting = meeting("all", ({ name, request }, send) => {
        asked.add(name)
        return send(request)
      })
      const target = Conformance.layer(options).pipe(
        Layer.provide(Layer.succeed(HttpClient.HttpClient, broken(http, noting, tokens)))
      )
      const asking = yield* Effect.forEach(Conformance.checks, (check) => {
        asked = new Set()
        return Effect.as(Conformance.verify(check), { check, asked })
      }).pipe(Effect.provide(target))
      return ({ change }: Break) =>
        asking.filter(({ asked }) => change.of.some((name) => asked.has(name))).map(({ check }) => check)
    })
  )
)

const isFull = process.env["CHATBOT_TEST_FULL"] === "true"

const tagged = ({ results }: Report, tag: string) =>
  results.filter(({ outcome }) => outcome._tag === tag).map(({ check }) => check)

/** Nothing is wrong with the backend to begin with, of any check. */
export const isSound = Effect.map(run(sound, Conformance.checks), (report) =>
  assert.sameMembers(
    tagged(report, "Passed"),
    Conformance.checks.map(({ id }) => id)
  )
)

/**
 * Each of these things is found by the checks that should find it, and by no others. With `CHATBOT_TEST_FULL=true` no check is left out that
 * could be wrong about it.
 */
export const finds = (what: string, breaks: ReadonlyArray<Break>): void =>
  layer(isFull ? full : quick)(`the kit, of ${what},`, (it) => {
    it.effect.each(breaks.map((broken) => [broken.name, broken] as const))("finds that %s", ([, broken]) =>
      Effect.gen(function* () {
        const checksFor = yield* Choice
        const report = yield* run(broken.change, checksFor(broken))
        assert.sameMembers(tagged(report, "Failed"), [...broken.fails])
        // Whatever a backend does, no check dies of it.
        for (const { check, outcome } of report.results) {
          if (outcome._tag === "Blocked") assert.notInclude(outcome.reason, "the check itself is broken", check)
        }
      })
    )
  })
