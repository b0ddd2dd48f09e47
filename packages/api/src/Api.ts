/**
 * The contract: one `HttpApi` with the 71 operations and two that are added, for the client, the server and the OpenAPI document alike.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import { ruled } from "./Access.ts"
import { Admin } from "./groups/Admin.ts"
import { AdminBots } from "./groups/AdminBots.ts"
import { Bots } from "./groups/Bots.ts"
import { Cache } from "./groups/Cache.ts"
import { Chats } from "./groups/Chats.ts"
import { Statistics } from "./groups/Statistics.ts"
import { System } from "./groups/System.ts"
import { Users } from "./groups/Users.ts"
import { Authorization } from "./middleware/Authorization.ts"
import { ProblemResponses } from "./middleware/ProblemResponses.ts"

/** The contract of the chatbot backend. */
export class Api extends HttpApi.make("chatbot")
  .add(Admin, AdminBots, Bots, Cache, Chats, Statistics, System, Users)
  .middleware(Authorization)
  .middleware(ProblemResponses)
  // A caller is told all that is wrong with a request, not only the first of it.
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotateMerge(
    OpenApi.annotations({
      title: "AiChatBot.Api",
      version: "1.0",
      description: "The backend of a chatbot: bots, chats, users, statistics and their administration."
    })
  )
  .pipe(ruled) {}
