/** The endpoints of the contract as what they are made of, so that tests of all of them name none. */
import { Access } from "@effect-chatbot/api/Access"
import { Api } from "@effect-chatbot/api/Api"
import { errorClassOf } from "@effect-chatbot/api/Problem"
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Resources } from "./Resources.ts"

/** What belongs to somebody. */
export type Kind = "bot" | "chat" | "completion" | "message"

/** An endpoint of the contract. */
export interface Endpoint {
  readonly name: string
  readonly method: string
  /** With parameters as in `/api/chats/:chatId`. */
  readonly path: string
  readonly access: Access
  /** The tags of the errors it declares. */
  readonly errors: ReadonlyArray<string>
  readonly query: ReadonlyArray<string>
  readonly params: ReadonlyArray<string>
  /** The fields of its payload that must be there; absent where it has no payload. */
  readonly payload: ReadonlyArray<string> | undefined
  /** What its parameters and its payload name, in the order in which it is looked for. */
  readonly kinds: ReadonlyArray<Kind>
}

/** What the parameters and the fields of payloads name that belong to somebody. */
const kindOf: Readonly<Record<string, Kind>> = {
  botCode: "bot",
  botId: "bot",
  botid: "bot",
  chatId: "chat",
  chatid: "chat",
  completionId: "completion",
  completionid: "completion",
  startBotId: "bot",
  systemmessageid: "message",
  userSystemMessageId: "message",
  usersystempromptid: "message"
}

/** What an endpoint says when something of a kind is not found. */
export const notFound: Readonly<Record<Kind, string>> = {
  bot: "BotNotFound",
  chat: "ChatNotFound",
  completion: "CompletionNotFound",
  message: "UserSystemMessageNotFound"
}

const fieldsOf = (schema: Schema.Constraint | undefined, onlyNeeded = false): ReadonlyArray<string> => {
  const ast = schema === undefined ? undefined : SchemaAST.toEncoded(schema.ast)
  return ast?._tag === "Objects"
    ? ast.propertySignatures
        .filter(({ type }) => !onlyNeeded || !SchemaAST.isOptional(type))
        .map(({ name }) => String(name))
    : []
}

/** All endpoints of the contract. */
export const endpoints: ReadonlyArray<Endpoint> = Object.values(Api.groups).flatMap((group) =>
  Object.values(group.endpoints).map((endpoint): Endpoint => {
    const params = fieldsOf(endpoint.params)
    const payloads: HttpApiEndpoint.PayloadMap = endpoint.payload
    const [body] = Array.from(payloads.values()).flatMap(({ schemas }) => schemas)
    const payload = body === undefined ? undefined : fieldsOf(body, true)
    const kinds = [...params, ...(payload ?? [])].flatMap((name) => kindOf[name] ?? [])
    return {
      name: `${group.identifier}.${endpoint.identifier}`,
      method: endpoint.method,
      path: endpoint.path,
      access: Context.get(endpoint.annotations, Access),
      errors: Array.from(endpoint.error).flatMap((error) => errorClassOf(error as Schema.Constraint)?.identifier ?? []),
      query: fieldsOf(endpoint.query),
      params,
      payload,
      kinds: Array.from(new Set(kinds))
    }
  })
)

let codes = 0

/** What stands for the parameters and the fields of payloads. */
const values: Readonly<Record<string, (resources: Resources) => unknown>> = {
  "*": ({ path }) => path,
  botCode: ({ botCode }) => botCode,
  botFactId: ({ botFactId }) => botFactId,
  botId: ({ botId }) => botId,
  botid: ({ botId }) => botId,
  chatId: ({ chatId }) => chatId,
  chatid: ({ chatId }) => chatId,
  code: () => `code-${++codes}`,
  completionId: ({ completionId }) => completionId,
  completionid: ({ completionId }) => completionId,
  displayName: () => "A name",
  displayNameTv: () => ({ value: "A name" }),
  factText: () => "A fact.",
  feedbackId: ({ feedbackId }) => feedbackId,
  isStopAllBots: () => "false",
  keepfavorites: () => "false",
  openAiServiceId: ({ openAiServiceId }) => openAiServiceId,
  startBotId: ({ startBotId }) => startBotId,
  systemMessage: () => "Be brief.",
  systemmessageid: ({ messageId }) => messageId,
  userMessage: () => "What is it?",
  userSystemMessageId: ({ messageId }) => messageId,
  usersystempromptid: ({ messageId }) => messageId
}

/** A request of an endpoint. */
export interface Request {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

/** A request of an endpoint that names these resources. A parameter that is not known here is a mistake of the test. */
export const requestOf = (endpoint: Endpoint, resources: Resources): Request => {
  const valueOf = (name: string): unknown => {
    const value = values[name]
    if (value === undefined) throw new Error(`${endpoint.name} has a "${name}" that has no value here`)
    return value(resources)
  }
  const path = endpoint.params.reduce(
    (path, name) => path.replace(name === "*" ? "*" : `:${name}`, String(valueOf(name))),
    endpoint.path
  )
  const body =
    endpoint.payload === undefined
      ? undefined
      : Object.fromEntries(endpoint.payload.map((name) => [name, valueOf(name)]))
  return { method: endpoint.method, path, body }
}

/** Resources in which those of one kind are another's. */
export const mix = (own: Resources, other: Resources, kind: Kind): Resources => {
  switch (kind) {
    case "bot":
      // What belongs to a bot goes with it.
      return { ...other, chatId: own.chatId, completionId: own.completionId, messageId: own.messageId }
    case "chat":
      return { ...own, chatId: other.chatId }
    case "completion":
      return { ...own, completionId: other.completionId }
    case "message":
      return { ...own, messageId: other.messageId }
  }
}
