import { ChatbotClient } from "@effect-chatbot/client"
import * as Activities from "@effect-chatbot/client/Activities"
import * as NodeTransport from "@effect-chatbot/client/NodeTransport"
import { Console, Effect, Layer, Schema } from "effect"
import { Workflow, WorkflowEngine } from "effect/workflow"

const Answer = Workflow.make("Answer", {
  payload: { caseId: Schema.String, question: Schema.String },
  idempotencyKey: ({ caseId }) => caseId,
  success: Schema.String,
  error: Activities.anyError
})

const AnswerLive = Answer.toLayer(
  Effect.fnUntraced(function* ({ question }) {
    const { chatId } = yield* Activities.createByBotCode("open", "client").pipe(Activities.deleteOnFailure("give up"))
    const { assistantMessage = "" } = yield* Activities.complete("ask", chatId, question)
    yield* Activities.deleteChat("clean up", chatId)
    return assistantMessage
  })
)

const Client = ChatbotClient.layerConfig.pipe(Layer.provide(NodeTransport.layer))

// In memory; with `ClusterWorkflowEngine` of `effect/cluster` in SQLite or PostgreSQL.
const Engine = AnswerLive.pipe(Layer.provideMerge(WorkflowEngine.layerMemory), Layer.provide(Client))

const program = Answer.execute({ caseId: "case-1", question: "How do I page through a list?" }).pipe(
  Effect.flatMap((answer) => Console.log(answer))
)

await Effect.runPromise(Effect.provide(program, Engine))
