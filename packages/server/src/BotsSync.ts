/**
 * Brings a folder of bots into the database: the seed of a new one, and what changed in the folder since the last start of an old one.
 *
 * What admins changed is theirs. On a start, a bot whose texts, facts or links an admin has changed keeps them, and one that an admin has
 * deleted or given another code does not come back. Documents, which only the folder can change, follow it all the same.
 */
import * as Arr from "effect/Array"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import * as BotsFolder from "./BotsFolder.ts"
import * as Knowledge from "./Knowledge.ts"
import { codesLock } from "./repositories/AdminBotRepository.ts"
import * as SearchText from "./SearchText.ts"
import * as Lock from "./sql/Lock.ts"

/** What {@link sync} did. */
export interface Synced {
  /** `false` when the database had all of it already. */
  readonly changed: boolean
  /** The codes of bots that are new. */
  readonly added: ReadonlyArray<string>
  /** The codes of bots that were there and are different now, in themselves or in what they know. */
  readonly updated: ReadonlyArray<string>
  /** The codes of bots that were in the folder and are not any more. They are kept, for their chats, but not active. */
  readonly deactivated: ReadonlyArray<string>
}

const settingsKey = "bots_folder"

/** What the database remembers of the folder it was last brought in step with. */
const State = Schema.fromJsonString(
  Schema.Struct({
    fingerprint: Schema.String,
    splitVersion: Schema.Int,
    codes: Schema.Array(Schema.String)
  })
)
const decodeState = Schema.decodeUnknownOption(State)
const encodeState = Schema.encodeSync(State)

interface BotRow {
  readonly displayName: string
  readonly implementationType: string
  readonly displayMessage: string | null
  readonly description: string | null
  readonly searchName: string
  readonly searchText: string
  readonly sampleQuestion1: string | null
  readonly sampleQuestion2: string | null
  readonly baseSystemMessage: string | null
  readonly isActive: number
  readonly isPublic: number
  readonly isOpen: number
  readonly isUserSystemMessageSupported: number
  readonly modelName: string | null
  readonly imageEtag: string | null
}

const toRow = (bot: BotsFolder.Bot): BotRow => ({
  displayName: bot.displayName,
  implementationType: bot.implementationType,
  displayMessage: bot.displayMessage ?? null,
  description: bot.description ?? null,
  searchName: SearchText.fold(bot.displayName),
  searchText: SearchText.foldAll([bot.displayName, bot.displayMessage, bot.description, ...bot.sampleQuestions]),
  sampleQuestion1: bot.sampleQuestions[0] ?? null,
  sampleQuestion2: bot.sampleQuestions[1] ?? null,
  baseSystemMessage: bot.baseSystemMessage ?? null,
  isActive: bot.isActive ? 1 : 0,
  isPublic: bot.isPublic ? 1 : 0,
  isOpen: bot.isOpen ? 1 : 0,
  isUserSystemMessageSupported: bot.isUserSystemMessageSupported ? 1 : 0,
  modelName: bot.modelName,
  imageEtag: bot.image?.etag ?? null
})

interface KnownRow extends BotRow {
  readonly id: string
  readonly code: string
  readonly editedUtc: string | null
}

const same = <A extends object>(a: A, b: { readonly [K in keyof A]: unknown }): boolean =>
  Object.entries(a).every(([key, value]) => value === b[key as keyof A])

/** How a folder is brought in. */
export interface Options {
  /**
   * Whether the folder also wins where admins have changed its bots, and brings back those they deleted. What a folder cannot say of a bot,
   * such as its logins, stays; bots that were never in it are left alone. Default `false`.
   */
  readonly overwrite?: boolean | undefined
}

/**
 * Brings a folder into the database, in one transaction. Bots are known by their code, documents by their path, and facts by their
 * text, so the ids of what stays are kept; a document with the same content is not touched. What the folder has no more of a bot's
 * facts, documents and links is removed; a bot it has no more is deactivated. Cheap when nothing changed.
 */
export const sync = Effect.fn("BotsSync.sync")(function* (
  folder: BotsFolder.BotsFolder,
  { overwrite = false }: Options = {}
): Effect.fn.Return<Synced, SqlError.SqlError, SqlClient.SqlClient | SecureRandom.SecureRandom> {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const now = DateTime.formatIso(yield* DateTime.now)

  const insertAll = (table: string, rows: ReadonlyArray<Record<string, unknown>>) =>
    Effect.forEach(Arr.chunksOf(rows, 100), (chunk) => sql`INSERT INTO ${sql(table)} ${sql.insert(chunk)}`, {
      discard: true
    })

  const syncFacts = Effect.fnUntraced(function* (botId: string, bot: BotsFolder.Bot) {
    const rows = yield* sql<{ id: string; factText: string; isActive: number }>`
      SELECT id, fact_text, is_active FROM bot_facts WHERE bot_id = ${botId} ORDER BY id DESC`
    const known = new Map(rows.map((row) => [row.factText, row]))
    const passages: Array<Record<string, unknown>> = []
    // Admins may have said a fact twice; the oldest is kept.
    const gone = rows.filter((row) => known.get(row.factText) !== row)
    let changed = false
    for (const [ordinal, fact] of bot.facts.entries()) {
      const row = known.get(fact.text)
      known.delete(fact.text)
      const isActive = fact.isActive ? 1 : 0
      if (row?.isActive === isActive) continue
      changed = true
      const id = row?.id ?? (yield* random.uuidV7())
      if (row === undefined) {
        yield* sql`INSERT INTO bot_facts ${sql.insert({
          id,
          botId,
          factText: fact.text,
          searchText: SearchText.fold(fact.text),
          isActive,
          createdUtc: now,
          updatedUtc: now
        })}`
      } else {
        yield* sql`UPDATE bot_facts SET ${sql.update({ isActive, updatedUtc: now })} WHERE id = ${id}`
        yield* sql`DELETE FROM passages WHERE bot_fact_id = ${id}`
      }
      if (fact.isActive)
        passages.push({ botId, documentId: null, botFactId: id, ordinal, heading: "", text: fact.text })
    }
    yield* insertAll("passages", passages)
    for (const { id } of [...gone, ...known.values()]) {
      changed = true
      yield* sql`DELETE FROM bot_facts WHERE id = ${id}`
    }
    return changed
  })

  const syncDocuments = Effect.fnUntraced(function* (botId: string, bot: BotsFolder.Bot, splitAgain: boolean) {
    const known = new Map(
      (yield* sql<{ id: string; path: string; etag: string; language: string | null }>`
        SELECT id, path, etag, language FROM documents WHERE bot_id = ${botId}`).map((row) => [row.path, row])
    )
    const passages: Array<Record<string, unknown>> = []
    let changed = false
    for (const document of bot.documents) {
      const row = known.get(document.path)
      known.delete(document.path)
      const language = bot.language ?? null
      const isNew = row?.etag !== document.etag
      if (!isNew && row.language === language && !splitAgain) continue
      changed ||= isNew || row.language !== language
      const id = row?.id ?? (yield* random.uuidV7())
      const fields = {
        title: document.title,
        language,
        mediaType: document.mediaType,
        content: document.content,
        size: document.content.length,
        etag: document.etag,
        updatedUtc: now
      }
      if (row === undefined) {
        yield* sql`INSERT INTO documents ${sql.insert({ id, botId, path: document.path, ...fields })}`
      } else if (isNew) {
        yield* sql`UPDATE documents SET ${sql.update(fields)} WHERE id = ${id}`
      } else {
        yield* sql`UPDATE documents SET language = ${language} WHERE id = ${id}`
      }
      if (!isNew && !splitAgain) continue
      if (row !== undefined) yield* sql`DELETE FROM passages WHERE document_id = ${id}`
      if (document.text === undefined) continue
      for (const [ordinal, { heading, text }] of Knowledge.split(document.text, document.title).entries()) {
        passages.push({ botId, documentId: id, botFactId: null, ordinal, heading, text })
      }
    }
    yield* insertAll("passages", passages)
    for (const { id } of known.values()) {
      changed = true
      yield* sql`DELETE FROM documents WHERE id = ${id}`
    }
    return changed
  })

  const syncLinks = Effect.fnUntraced(function* (
    startBotId: string,
    bot: BotsFolder.Bot,
    ids: ReadonlyMap<string, string>
  ) {
    const known = yield* sql<{ botId: string; isDefault: number; keywords: string | null }>`
      SELECT bot_id, is_default, keywords FROM bot_links WHERE start_bot_id = ${startBotId} ORDER BY bot_id`
    const wanted = bot.links
      .flatMap((link) => {
        const botId = ids.get(link.code)
        const keywords = link.keywords.length === 0 ? null : link.keywords.join(", ")
        return botId === undefined ? [] : [{ botId, isDefault: link.isDefault ? 1 : 0, keywords }]
      })
      .toSorted((a, b) => (a.botId < b.botId ? -1 : 1))
    if (JSON.stringify(known) === JSON.stringify(wanted)) return false
    yield* sql`DELETE FROM bot_links WHERE start_bot_id = ${startBotId}`
    yield* insertAll(
      "bot_links",
      wanted.map(({ botId, isDefault, keywords }) => ({ startBotId, botId, isDefault, keywords }))
    )
    return true
  })

  const write = Effect.gen(function* () {
    // Of two processes that start at once, the second finds it done.
    yield* Lock.takePatiently(sql, codesLock)
    const [kept] = yield* sql<{ value: string }>`SELECT value FROM settings WHERE key = ${settingsKey}`
    const state = Option.getOrUndefined(decodeState(kept?.value))
    const splitAgain = state?.splitVersion !== Knowledge.splitVersion
    if (state?.fingerprint === folder.fingerprint && !splitAgain && !overwrite) {
      return { changed: false, added: [], updated: [], deactivated: [] } satisfies Synced
    }

    const known = new Map(
      (yield* sql<KnownRow>`
        SELECT id, code, edited_utc, display_name, implementation_type, display_message, description, search_name, search_text, sample_question1, sample_question2,
          base_system_message, is_active, is_public, is_open, is_user_system_message_supported, model_name, image_etag
        FROM bots WHERE deleted_utc IS NULL`).map((row) => [row.code, row])
    )
    const added: Array<string> = []
    const updated = new Set<string>()
    const ids = new Map<string, string>()
    const isTheirs = (code: string) => !overwrite && (known.get(code)?.editedUtc ?? null) !== null
    const cameBefore = new Set(state?.codes)
    // One that came before and is not there was deleted by an admin, or has another code now; and one that is there was not always ours.
    const bots = folder.bots.filter(
      ({ code }) => overwrite || (cameBefore.has(code) ? known.has(code) : !isTheirs(code))
    )
    for (const bot of bots) {
      const before = known.get(bot.code)
      const row = toRow(bot)
      const image = { image: bot.image?.content ?? null, imageType: bot.image?.mediaType ?? null }
      const id = before?.id ?? (yield* random.uuidV7())
      ids.set(bot.code, id)
      if (before === undefined) {
        added.push(bot.code)
        yield* sql`INSERT INTO bots ${sql.insert({
          id,
          code: bot.code,
          ...row,
          ...image,
          openAiServiceId: null,
          createdUtc: now,
          updatedUtc: now
        })}`
      } else if (isTheirs(bot.code)) {
        continue
      } else if (!same(row, before) || before.editedUtc !== null) {
        updated.add(bot.code)
        yield* sql`UPDATE bots SET ${sql.update({
          ...row,
          ...image,
          editedUtc: null,
          // The model that a folder names is one of the embedded provider.
          openAiServiceId: null
        })} WHERE id = ${id}`
      }
    }
    for (const bot of bots) {
      const id = ids.get(bot.code) ?? ""
      const facts = !isTheirs(bot.code) && (yield* syncFacts(id, bot))
      const documents = yield* syncDocuments(id, bot, splitAgain)
      const links = !isTheirs(bot.code) && (yield* syncLinks(id, bot, ids))
      if (known.has(bot.code) && (facts || documents || links)) updated.add(bot.code)
    }
    for (const code of updated) yield* sql`UPDATE bots SET updated_utc = ${now} WHERE code = ${code}`

    // Only what came from a folder: bots that were made otherwise are no business of it.
    const deactivated = Array.from(cameBefore).filter(
      (code) => !ids.has(code) && !isTheirs(code) && known.get(code)?.isActive === 1
    )
    for (const code of deactivated) {
      yield* sql`UPDATE bots SET ${sql.update({ isActive: 0, isOpen: 0, updatedUtc: now })} WHERE code = ${code}`
    }
    const value = encodeState({
      fingerprint: folder.fingerprint,
      splitVersion: Knowledge.splitVersion,
      // A bot that went stays known, so that it is not taken for one that was made otherwise.
      codes: Array.from(new Set([...ids.keys(), ...cameBefore]))
    })
    yield* sql`INSERT INTO settings ${sql.insert({ key: settingsKey, value })}
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`
    return { changed: true, added, updated: Array.from(updated), deactivated } satisfies Synced
  })

  return yield* sql.withTransaction(write)
})

/** Reads the folder (by default the one that ships with the server) and brings it into the database; says in the log what changed. */
export const layer = (
  folder: string = BotsFolder.defaultFolder,
  options: Options = {}
): Layer.Layer<
  never,
  BotsFolder.BotsFolderInvalid | SqlError.SqlError,
  FileSystem.FileSystem | Path.Path | SqlClient.SqlClient
> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { added, changed, deactivated, updated } = yield* Effect.flatMap(BotsFolder.load(folder), (bots) =>
        sync(bots, options)
      )
      if (changed)
        yield* Effect.logInfo("The bots folder was brought in").pipe(
          Effect.annotateLogs({ added, updated, deactivated })
        )
    })
  ).pipe(Layer.provide([Digest.layerWebCrypto, SecureRandom.layerWebCrypto]))
