/**
 * Runs the workflows beside it. It goes on with what it was at when it ended, also when it was killed.
 *
 * ```sh
 * pnpm serve
 * CHATBOT_TOKEN=$(cat .chatbot/admin-token) node packages/examples/src/workflow/main.ts
 * ask case-1 How do I page through a list?
 * vote case-1 good
 * survey survey-1 What is a ticket?
 * ```
 *
 * It asks the bots that `WORKFLOW_BOTS` names, with commas between, and `WORKFLOW_JUDGE` is the one that judges their answers. Its workflows
 * are kept in the file `workflows.db`, or where `WORKFLOW_DATABASE` says; on PostgreSQL several processes share them, each with a
 * `WORKFLOW_PORT` of its own.
 */
import { ChatbotClient, IdempotencyKeys, RetryPolicy } from "@effect-chatbot/client"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Console, Effect, Layer, Schema, Stdio, Stream } from "effect"
import { DurableDeferred } from "effect/workflow"
import * as Engine from "./Engine.ts"
import { Person, SecondOpinion, SecondOpinionLive } from "./SecondOpinion.ts"
import { Survey, SurveyLive } from "./Survey.ts"
import { UsageReportLive, UsageReportSchedule } from "./UsageReport.ts"

const settings = Config.all({
  bots: Config.Array(Schema.String, "WORKFLOW_BOTS").pipe(Config.withDefault(["api", "client"])),
  judge: Config.String("WORKFLOW_JUDGE").pipe(Config.withDefault(undefined))
})

const obey = Effect.fnUntraced(function* (line: string) {
  const { bots, judge } = yield* settings
  const [command, id = "", ...rest] = line.trim().split(" ")
  const text = rest.join(" ")
  const tell = (result: unknown) => Console.log(`${id}: ${JSON.stringify(result)}`)
  switch (command) {
    case "ask": {
      const asked = SecondOpinion.execute({ caseId: id, question: text, bots, judge })
      return yield* Effect.matchEffect(asked, { onSuccess: tell, onFailure: ({ _tag }) => tell(_tag) })
    }
    case "vote": {
      const payload = { caseId: id, question: text, bots, judge }
      const token = yield* DurableDeferred.tokenFromPayload(Person, { workflow: SecondOpinion, payload })
      return yield* DurableDeferred.succeed(Person, { token, value: text === "good" ? "good" : "bad" })
    }
    case "survey": {
      const all = yield* Stream.runCollect((yield* ChatbotClient).bots.items())
      const codes = all.flatMap(({ code }) => code ?? [])
      return yield* Effect.flatMap(Survey.execute({ surveyId: id, question: text, bots: codes }), tell)
    }
    default:
      return yield* Console.log("ask <case> <question> | vote <case> good|bad | survey <name> <question>")
  }
})

/** Does what the lines on its input say, all at once. */
const Commands = Layer.effectDiscard(
  Effect.flatMap(Stdio.Stdio, ({ stdin }) =>
    stdin.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.mapEffect((line) => Effect.catchCause(obey(line), (cause) => Effect.logError(cause)), {
        concurrency: 100,
        unordered: true
      }),
      Stream.runDrain,
      Effect.forkScoped
    )
  )
)

/** A workflow has time: it waits for a backend that starts again. And it knows that its backend honours keys. */
const Patience = Layer.mergeAll(
  Layer.succeed(RetryPolicy.RetryPolicy, {
    ...RetryPolicy.standard,
    attempts: 20,
    backoff: RetryPolicy.fullJitter({ initial: "200 millis", max: "4 seconds" })
  }),
  Layer.succeed(IdempotencyKeys.IdempotencyKeys, { ...IdempotencyKeys.standard, honoured: true })
)

const Client = ChatbotClient.layerConfig.pipe(Layer.provide([NodeTransport.layer, Patience]))

const Main = Layer.mergeAll(Commands, UsageReportSchedule).pipe(
  Layer.provide([SecondOpinionLive, SurveyLive, UsageReportLive]),
  Layer.provide([Client, Engine.layer, NodeServices.layer])
)

NodeRuntime.runMain(Layer.launch(Main))
