/**
 * The sources of answers, as callers see them.
 */
import type { InformationSource } from "@effect-chatbot/schema/Chat"
import type { ChatId } from "@effect-chatbot/schema/Ids"
import type { SourceRow } from "./repositories/CompletionRepository.ts"

/** The last part of a path. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/**
 * A source with the places where its file can be downloaded and a ticket for that is made, relative to the server's origin.
 *
 * In the place of a file the code of its bot comes first: in the chat of a start bot the answers of several bots may name files of the
 * same path.
 */
export const toInformationSource = (chatId: ChatId, source: SourceRow): InformationSource => {
  const chat = `/api/chats/${encodeURIComponent(chatId)}`
  const path = [source.botCode, ...source.path.split("/")].map(encodeURIComponent).join("/")
  return {
    id: source.documentId,
    fileName: fileName(source.path),
    url: `${chat}/downloads/${path}`,
    language: source.language,
    createTicketUrl: `${chat}/tickets`
  }
}

/** The bot and the path of a file, from what stands after `downloads/`, decoded; absent when it cannot be one. */
export const parsePath = (path: string): { readonly botCode: string; readonly path: string } | undefined => {
  const slash = path.indexOf("/")
  return slash < 1 ? undefined : { botCode: path.slice(0, slash), path: path.slice(slash + 1) }
}
