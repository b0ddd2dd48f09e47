import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tour } from "../src/Tour.ts"
import * as Fake from "./support/Fake.ts"

// That the tour goes through to its end is tested with the real backend, in start.test.ts.
describe("tour", () => {
  it.effect("ends with the call that failed, and takes back what it made", () =>
    Effect.gen(function* () {
      const { layer, requests } = Fake.backend({
        ...Fake.echo,
        "GET /api/System/status/current": () => ({ value: null }),
        "GET /api/users/current": () => ({ id: 1, login: "jane", roles: ["User"], isKeepChatHistory: true }),
        "GET /api/bots": () => Fake.page({ botId: "echo", code: "echo", displayName: "Echo" }),
        "GET /api/bots/startbots": () => Fake.page(),
        "GET /api/bots/botimage/echo": () => Fake.problem("BotImageNotFound", 404, "The bot has no image."),
        "POST /api/chats/chat-1/completions": () => Fake.problem("ProviderFailed", 502, "The provider is ill."),
        "DELETE /api/chats/chat-1": () => new Response()
      })
      const screen = Fake.screen()
      const error = yield* tour.pipe(Effect.provide([layer, screen.layer]), Effect.flip)
      assert.strictEqual(error.message, "chats.complete: The provider is ill. (ProviderFailed)")
      assert.strictEqual(requests.at(-1), "DELETE /api/chats/chat-1")
      assert.include(screen.lines(), "  users.current                   jane, User, keeps chats for ever")
      assert.include(screen.lines(), "  bots.image                      Echo has no image")
    })
  )

  it.effect("changes nothing that others would notice on a backend that is not its own", () =>
    Effect.gen(function* () {
      const { layer, requests } = Fake.backend({
        ...Fake.echo,
        "GET /api/System/status/current": () => ({ value: "" }),
        "GET /api/users/current": () => ({ id: 1, roles: ["Admin", "User"] }),
        "GET /api/bots": () => Fake.page(),
        "GET /api/bots/startbots": () => Fake.page()
      })
      // It gets as far as the second chat, of which this backend knows nothing.
      yield* tour.pipe(Effect.provide([layer, Fake.screen().layer]), Effect.flip)
      assert.deepStrictEqual(
        requests.filter((request) => !request.startsWith("GET ") && !request.startsWith("POST /api/chats")),
        ["DELETE /api/chats/chat-1"]
      )
    })
  )
})
