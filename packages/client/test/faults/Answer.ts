/** The answer of a backend to the question of the faults: as JSON, as the events of a stream, and as what a program has of them. */
import type * as EventStream from "@effect-chatbot/api/EventStream"
import type { Event } from "@effect-chatbot/client/Completion"
import type { Chat, Completion } from "@effect-chatbot/schema/Chat"
import * as CompletionEvent from "@effect-chatbot/schema/CompletionEvent"
import { BotId, ChatId, CompletionId, SourceId } from "@effect-chatbot/schema/Ids"

/** The chat in which is asked. */
export const chatId = ChatId.make("chat-1")

/** The answer. */
export const completionId = CompletionId.make("completion-1")

const pieces = ["Höllo", " ", "wörld", " €", "𝄞", " 👩‍👩‍👧", "\n", '"quoted" \\ \u2028', "data: x\n\nid: 9\n\n", ""]

/** An answer of so many events, in which is all that there can be: texts of several bytes, line ends, sources, and an unknown event. */
export const eventsOf = (count: number): ReadonlyArray<EventStream.Numbered> => {
  const deltas = Array.from({ length: count - 4 }, (_, i) =>
    CompletionEvent.Delta.make({ text: pieces[i % pieces.length]! })
  )
  const metaData = { tags: ["ä"], sources: [{ id: SourceId.make("s-1"), fileName: "hölp.md", url: "/hölp.md" }] }
  return [
    CompletionEvent.Started.make({ completionId, chatId, botId: BotId.make("bot-1"), botDisplayName: "Führer" }),
    ...deltas,
    CompletionEvent.Unknown.make({ name: "thinking", data: { text: "Hm\n\nevent: completed" } }),
    CompletionEvent.Sources.make({ metaData }),
    CompletionEvent.Completed.make({
      completion: {
        completionId,
        chatId,
        assistantMessage: deltas.map(({ text }) => text).join(""),
        promptTokens: 3,
        completionTokens: count,
        totalTokens: count + 3,
        metaData
      }
    })
  ].map((event, i) => ({ id: i + 1, event }))
}

/** A short answer. */
export const events: ReadonlyArray<EventStream.Numbered> = eventsOf(12)

/** What a program has of events, but for their `failed`. */
export const received = (events: ReadonlyArray<EventStream.Numbered>): ReadonlyArray<Event> =>
  events.map(({ event }) => event).filter((event): event is Event => event._tag !== "Failed")

/** The answer as JSON. */
export const completionJson = { completionId, chatId, userMessage: "hi", assistantMessage: "Hällo", totalTokens: 3 }

/** The answer as a program has it. */
export const completion: Completion = {
  ...completionJson,
  promptTokens: 0,
  completionTokens: 0
}

/** The chat as JSON. */
export const chatJson = { chatId, displayName: "Chät", isFavorite: true, completions: null }

/** The chat as a program has it. */
export const chat: Chat = {
  chatId,
  displayName: "Chät",
  completions: [],
  isFavorite: true,
  isUserSystemMessageSupported: false
}
