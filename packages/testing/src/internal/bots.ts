import type * as BotsFolder from "@effect-chatbot/server/BotsFolder"
import * as BotsSync from "@effect-chatbot/server/BotsSync"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BotSeed, Seed } from "../Seed.ts"

const mediaTypeOf = (path: string): string =>
  path.endsWith(".md") ? "text/markdown; charset=utf-8" : "text/plain; charset=utf-8"

const documentOf = Effect.fnUntraced(function* (path: string, text: string) {
  const digest = yield* Digest.Digest
  const content = new TextEncoder().encode(text)
  return {
    path,
    title: /^#\s+(.+)$/m.exec(text)?.[1]?.trim() ?? path,
    mediaType: mediaTypeOf(path),
    content,
    etag: yield* digest.digestHex(Digest.sha256, content),
    text
  } satisfies BotsFolder.Document
})

const botOf = Effect.fnUntraced(function* (code: string, seed: BotSeed) {
  const links = Object.entries(seed.links ?? {})
  return {
    code,
    implementationType: seed.links === undefined ? "Facts" : "Start",
    displayName: seed.displayName ?? code,
    displayMessage: seed.displayMessage,
    description: seed.description,
    sampleQuestions: (seed.sampleQuestions ?? []).filter((question) => question !== undefined),
    baseSystemMessage: seed.baseSystemMessage,
    isActive: seed.isActive ?? true,
    isPublic: seed.isPublic ?? true,
    isOpen: seed.isOpen ?? false,
    isUserSystemMessageSupported: seed.isUserSystemMessageSupported ?? true,
    modelName: "embedded",
    language: "en",
    facts: (seed.facts ?? []).map((text) => ({ text, isActive: true })),
    links: links.map(([code, keywords], index) => ({ code, keywords, isDefault: index === 0 })),
    documents: yield* Effect.forEach(Object.entries(seed.documents ?? {}), ([path, text]) => documentOf(path, text)),
    image: undefined
  } satisfies BotsFolder.Bot
})

/** Brings the bots in, as a bots folder is. A link to a bot that is not there is a mistake of the test. */
export const seedBots = Effect.fnUntraced(
  function* (seeds: NonNullable<Seed["bots"]>) {
    for (const [code, { links = {} }] of Object.entries(seeds)) {
      const missing = Object.keys(links).find((linked) => !Object.hasOwn(seeds, linked))
      if (missing !== undefined) {
        return yield* Effect.die(new Error(`The bot "${code}" links to "${missing}", which is not among the bots`))
      }
    }
    const bots = yield* Effect.forEach(Object.entries(seeds), ([code, seed]) => botOf(code, seed))
    return yield* BotsSync.sync({ folder: "the seed of a test", bots, fingerprint: "seed" })
  },
  Effect.provide(Layer.merge(Digest.layerWebCrypto, SecureRandom.layerWebCrypto)),
  Effect.orDie
)
