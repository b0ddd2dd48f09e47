/**
 * A page that chats, with the client of promises and nothing else: answers appear while they are made, and can be stopped. See
 * `browser/serve.ts` for how to run it.
 */
import * as Predicates from "@effect-chatbot/client/Predicates"
import { createChatbotClient } from "@effect-chatbot/client/promise"

/** Put in by the bundler. */
declare const BACKEND: string

const client = createChatbotClient({ baseUrl: BACKEND })
const form = document.querySelector("form")!
const log = document.querySelector("#log")!
const ask = document.querySelector<HTMLButtonElement>("button[type=submit]")!
const stop = document.querySelector<HTMLButtonElement>("button[type=button]")!

let chatId: string | undefined
let controller = new AbortController()

const paragraph = (className: string, text = "") => {
  const element = Object.assign(document.createElement("p"), { className, textContent: text })
  log.append(element)
  return element
}

const tell = async (question: string, signal: AbortSignal) => {
  const answer = paragraph("answer")
  try {
    chatId ??= (await client.chats.createByBotCode("guide", { signal })).chatId
    // To leave the loop, as by the signal, stops the answer.
    const pieces = client.chats.stream(chatId, question, { signal, onInterrupt: "stop" }).text()
    for await (const text of pieces) answer.append(text)
  } catch (error) {
    if (signal.aborted) answer.append(" …")
    else paragraph("error", Predicates.isChatbotError(error) ? error.message : String(error))
  }
}

const setBusy = (isBusy: boolean) => {
  ask.disabled = isBusy
  stop.disabled = !isBusy
}

stop.addEventListener("click", () => controller.abort())

form.addEventListener("submit", (event) => {
  event.preventDefault()
  const question = String(new FormData(form).get("question"))
  form.reset()
  paragraph("question", question)
  controller = new AbortController()
  setBusy(true)
  void tell(question, controller.signal).finally(() => setBusy(false))
})
