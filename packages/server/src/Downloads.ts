/**
 * The files that the sources of a chat name. They come from the database; no path from outside ever meets the file system.
 */
import type { Caller } from "@effect-chatbot/api/middleware/Authorization"
import { type ChatNotFound, DownloadNotFound, Unauthorized } from "@effect-chatbot/schema/Errors"
import type { ChatId, Ticket } from "@effect-chatbot/schema/Ids"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ChatAccess } from "./ChatAccess.ts"
import { DocumentRepository, type DocumentRow } from "./repositories/DocumentRepository.ts"
import * as Sources from "./Sources.ts"
import { Tickets } from "./Tickets.ts"

/** A file that may be downloaded. */
export interface Download {
  readonly fileName: string
  readonly mediaType: string
  /** In bytes. */
  readonly size: number
  /** Changes with the content; the opaque part of an entity tag, without quotes. */
  readonly etag: string
  /** Uses up the ticket it was opened with, if there was one; to be done before anything of the file is given. */
  readonly redeem: Effect.Effect<void, Unauthorized>
  /**
   * The bytes from `start` to `end`, both of them included; all by default. The stream dies when the file is replaced meanwhile, so that
   * nobody gets half of each.
   */
  readonly bytes: (range?: { readonly start: number; readonly end: number }) => Stream.Stream<Uint8Array>
}

/** How much of a file is in memory at a time, for each who downloads. For every part SQLite reads the whole file. */
const chunkSize = 1024 * 1024

/** The files that the sources of a chat name. */
export class Downloads extends Context.Service<
  Downloads,
  {
    /**
     * Opens the file that a source of the chat names, for whoever has a ticket or reaches the chat. `path` is what stands after
     * `downloads/`, decoded: the code of the bot and the path of the file in its knowledge.
     *
     * A bad ticket is `Unauthorized`; a good one can still be used until the download is redeemed. Without a ticket and a token, a
     * chat that is missing or has an owner is `Unauthorized`.
     */
    readonly open: (
      caller: Caller,
      chatId: ChatId,
      path: string,
      ticket: Ticket | undefined
    ) => Effect.Effect<Download, Unauthorized | ChatNotFound | DownloadNotFound>
  }
>()("@effect-chatbot/server/Downloads") {
  /** The files in the database. */
  static readonly layer: Layer.Layer<Downloads, never, ChatAccess | DocumentRepository | Tickets> = Layer.effect(
    Downloads,
    Effect.gen(function* () {
      const access = yield* ChatAccess
      const documents = yield* DocumentRepository
      const tickets = yield* Tickets

      const bytes =
        (document: DocumentRow): Download["bytes"] =>
        (range = { start: 0, end: document.size - 1 }) =>
          Stream.paginate(range.start, (offset) => {
            const length = Math.min(chunkSize, range.end + 1 - offset)
            if (length <= 0) return Effect.succeed([[], Option.none<number>()] as const)
            return Effect.flatMap(documents.part(document, offset, length), (part) =>
              part?.length === length
                ? Effect.succeed([[part], Option.some(offset + length)] as const)
                : Effect.die(new Error("The document was replaced while it was downloaded"))
            )
          })

      const open = Effect.fn("Downloads.open")(function* (
        caller: Caller,
        chatId: ChatId,
        path: string,
        ticket: Ticket | undefined
      ) {
        if (ticket === undefined) {
          yield* Effect.mapError(access.reachable(caller, chatId), (error) =>
            caller._tag === "Anonymous"
              ? new Unauthorized({ message: "A ticket or a valid bearer token is needed." })
              : error
          )
        } else {
          // A ticket is for who has no token. With one, it must be that of somebody who could have made the ticket.
          if (caller._tag === "User") {
            yield* Effect.mapError(
              access.reachable(caller, chatId),
              () => new Unauthorized({ message: "The ticket is somebody else's." })
            )
          }
          yield* tickets.check(chatId, ticket)
        }

        const parts = Sources.parsePath(path)
        const document =
          parts === undefined ? undefined : yield* documents.findSource(chatId, parts.botCode, parts.path)
        if (document === undefined) return yield* new DownloadNotFound({ path })

        return {
          fileName: Sources.fileName(document.path),
          mediaType: document.mediaType,
          size: document.size,
          etag: document.etag,
          redeem: ticket === undefined ? Effect.void : tickets.redeem(chatId, ticket),
          bytes: bytes(document)
        }
      })

      return { open }
    })
  )
}
