/** A provider of models over real sockets that counts what it is asked, and stands still in the middle of an answer. */
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { listen } from "./Ports.ts"

/** What a model was asked. */
export interface Asked {
  readonly model: string
  readonly question: string
}

/** A provider on a free port. */
export interface Models {
  readonly url: string
  /** Every question, the first one first. */
  readonly asked: ReadonlyArray<Asked>
  /** Waits for this in the middle of every answer from now on. */
  readonly between: (hook: (asked: Asked) => Promise<void>) => void
}

const event = (data: unknown) => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`

const chunk = (content: string, finish: string | null = null) =>
  event({ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })

/** Models that answer a question as `answer` says. */
export const make = (answer: (asked: Asked) => string) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    let between: (asked: Asked) => Promise<void> = async () => {}
    const server = createServer(async (request, response) => {
      const { messages, model } = JSON.parse(Buffer.concat(await request.toArray()).toString())
      const one: Asked = { model: String(model), question: String(messages.at(-1).content) }
      asked.push(one)
      const text = answer(one)
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.write(chunk(text.slice(0, 2)))
      await between(one)
      const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
      response.end(`${chunk(text.slice(2))}${chunk("", "stop")}${event({ choices: [], usage })}${event("[DONE]")}`)
    })
    return {
      url: `${yield* listen(server)}/v1`,
      asked,
      between: (hook) => {
        between = hook
      }
    } satisfies Models
  })
