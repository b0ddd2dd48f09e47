import * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import { defaultCodecTransformer } from "effect/ai/LanguageModel"
import type * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"

const unreadable = (what: string) =>
  new AiError.InvalidUserInputError({
    description: `Bots read text only, and the prompt has ${what}. Leave it out, or tell it as a text.`
  })

type Said = Prompt.UserMessage | Prompt.AssistantMessage

/** The text of a message. What a model thought is no part of what it said. */
const textOf = Effect.fnUntraced(function* ({ content, role }: Said) {
  const texts: Array<string> = []
  for (const part of content) {
    if (part.type === "text") texts.push(part.text)
    else if (part.type === "file") return yield* unreadable(`a file (${part.mediaType}) of the ${role}`)
    else if (part.type !== "reasoning") return yield* unreadable("calls of tools")
  }
  return texts.join("\n")
})

/** What a bot without structured output is told, so that its answer can be read all the same. */
const format = (responseFormat: LanguageModel.ProviderOptions["responseFormat"]) =>
  responseFormat.type === "text"
    ? Effect.succeed([])
    : Effect.try({
        try: () => [
          "Answer with nothing but JSON that fits this JSON Schema:\n" +
            JSON.stringify(defaultCodecTransformer(responseFormat.schema).jsonSchema)
        ],
        catch: (error) =>
          new AiError.UnsupportedSchemaError({ description: error instanceof Error ? error.message : String(error) })
      })

/**
 * The one question that a prompt becomes. A prompt of one message is that message, word for word; of a longer one, the instructions come
 * first, then who said what, and last what is asked.
 */
export const toQuestion = Effect.fnUntraced(function* (
  { content }: Prompt.Prompt,
  responseFormat: LanguageModel.ProviderOptions["responseFormat"]
) {
  const instructions: Array<string> = []
  const said: Array<{ readonly role: Said["role"]; readonly text: string }> = []
  for (const message of content) {
    if (message.role === "system") instructions.push(message.content)
    else if (message.role === "tool") return yield* unreadable("results of tools")
    else said.push({ role: message.role, text: yield* textOf(message) })
  }
  instructions.push(...(yield* format(responseFormat)))
  // What a user says in several messages is asked together.
  const asked = said.length - 1 - said.findLastIndex(({ role }) => role === "assistant")
  const question = said
    .splice(said.length - asked)
    .map(({ text }) => text)
    .join("\n\n")
  if (question.trim() === "") {
    return yield* new AiError.InvalidUserInputError({
      description: "The prompt asks nothing: its last message must be one of the user, with a text."
    })
  }
  if (instructions.length === 0 && said.length === 0) return question
  const conversation = said.map(({ role, text }) => `${role === "user" ? "User" : "Assistant"}: ${text}`)
  return [
    ...(instructions.length === 0 ? [] : [`Follow these instructions:\n${instructions.join("\n\n")}`]),
    ...(conversation.length === 0 ? [] : [`What was said before:\n${conversation.join("\n\n")}`]),
    `Answer this:\n${question}`
  ].join("\n\n")
})

/** A JSON without the fence that models like to put around it. */
export const unfenced = (text: string): string => /^\s*```[a-z]*\n([\s\S]*)\n```\s*$/i.exec(text)?.[1] ?? text
