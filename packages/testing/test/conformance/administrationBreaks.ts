/** Breaks of what admins do. */
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import {
  andThen,
  asks,
  bodies,
  both,
  type Break,
  checksOf,
  done,
  having,
  items,
  nothing,
  payloads,
  renamed,
  row,
  where,
  without
} from "./Break.ts"

const noBody = (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.setMethod(request, "GET")

/** Every break of this kind. */
export const administrationBreaks: ReadonlyArray<Break> = [
  row("a new bot has no id", bodies("adminBots.create", without("botId")), "adminBots.create/answers-as-described"),
  row(
    "a bot for admins has no code",
    bodies("adminBots.get", without("code")),
    "adminBots.create/answers-as-described",
    "adminBots.get/answers-as-described",
    "adminBots.update/answers-as-described"
  ),
  row(
    "a bot for admins has a bare text for its name",
    bodies("adminBots.get", having("displayNameTv", "Guide")),
    "adminBots.get/answers-as-described"
  ),
  row(
    "a bot for admins has one language",
    bodies("adminBots.get", having("displayNameTv", without("valueDe"))),
    "adminBots.create/answers-as-described",
    "adminBots.update/answers-as-described"
  ),
  row(
    "the bots for admins have no times",
    items("adminBots.list", having("updatedUtc", null)),
    "adminBots.list/answers-as-described"
  ),
  row(
    "the start bots for admins are all bots",
    asks("adminBots.listStartBots", (request) =>
      HttpClientRequest.updateUrl(request, (url) => url.replace(/\/startbots$/i, ""))
    ),
    "adminBots.listStartBots/has-start-bots-alone"
  ),
  row(
    "the types of bots are an object",
    bodies("adminBots.implementationTypes", (types) => ({ types })),
    "adminBots.implementationTypes/answers-as-described"
  ),
  row(
    "a bot keeps its old texts",
    payloads("adminBots.update", having("descriptionTv", { value: "Old." })),
    "adminBots.update/answers-as-described"
  ),
  row(
    "a bot is not deleted",
    nothing("adminBots.delete", ({ request }) => noBody(request)),
    "adminBots.delete/answers-as-described"
  ),
  row(
    "a code may be taken twice",
    where("adminBots.create", 409, ({ headers }) => ({
      status: 200,
      headers: { ...headers, "content-type": "application/json" },
      text: JSON.stringify({ botId: "1" })
    })),
    "adminBots.create/refuses-a-code-that-is-taken"
  ),
  row(
    "a new fact has no id",
    bodies("adminBots.createFact", renamed("botFactId", "id")),
    "adminBots.createFact/answers-as-described"
  ),
  row(
    "facts have no text",
    items("adminBots.listFacts", without("factText")),
    "adminBots.createFact/answers-as-described",
    "adminBots.updateFact/answers-as-described"
  ),
  row(
    "facts are not in the list",
    bodies("adminBots.listFacts", having("items", [])),
    ...checksOf(["adminBots.listFacts"], "answers-as-described", "searches", "orders", "pages"),
    "adminBots.createFact/answers-as-described",
    "adminBots.updateFact/answers-as-described",
    "adminBots.deleteFact/answers-as-described"
  ),
  row(
    "a fact keeps its old text",
    payloads("adminBots.updateFact", having("factText", "A is A.")),
    "adminBots.updateFact/answers-as-described"
  ),
  row(
    "a linked bot has a number for its code",
    items("adminBots.listLinks", having("botCode", 7)),
    "adminBots.listLinks/answers-as-described"
  ),
  row(
    "a link loses its keywords",
    payloads("adminBots.createLink", having("keywords", null)),
    "bots.search/finds-by-keyword",
    "adminBots.createLink/answers-as-described"
  ),
  row(
    "a link keeps its old keywords",
    payloads("adminBots.updateLink", having("keywords", "old")),
    "adminBots.updateLink/answers-as-described"
  ),
  row(
    "a bot that is linked is also unassigned",
    bodies("adminBots.listUnassigned", having("items", [])),
    ...checksOf(["adminBots.listUnassigned"], "answers-as-described", "searches", "orders", "pages")
  ),
  row(
    "feedback has no vote",
    items("adminBots.listFeedback", without("voteId")),
    "adminBots.listFeedback/has-what-was-said"
  ),
  row(
    "feedback is of every vote",
    asks("adminBots.listFeedback", (request) => HttpClientRequest.setUrl(request, new URL(request.url))),
    ...checksOf(["adminBots.listFeedback"], "searches", "orders", "refuses-other-pages", "selects", "pages")
  ),
  row(
    "feedback keeps its old status",
    payloads("adminBots.updateFeedback", having("status", 1)),
    "adminBots.listFeedback/selects",
    "adminBots.updateFeedback/answers-as-described"
  ),
  row(
    "a configuration of Azure tells no index",
    bodies("adminBots.getAcsConfiguration", without("indexName")),
    "adminBots.updateAcsConfiguration/keeps-what-is-not-to-change"
  ),
  row(
    "a configuration of Azure keeps its old index",
    payloads("adminBots.updateAcsConfiguration", having("indexName", "old")),
    "adminBots.updateAcsConfiguration/answers-as-described",
    "adminBots.updateAcsConfiguration/keeps-what-is-not-to-change"
  ),
  row(
    "a configuration of Azure has its temperature as a text",
    bodies("adminBots.getSearchConfiguration", having("temperature", String)),
    "adminBots.getSearchConfiguration/answers-as-described",
    "adminBots.updateSearchConfiguration/answers-as-described"
  ),
  row(
    "a configuration of Azure keeps its old strictness",
    payloads("adminBots.updateSearchConfiguration", having("searchStrictness", 1)),
    "adminBots.updateSearchConfiguration/answers-as-described"
  ),
  row(
    "a configuration is an object",
    bodies("adminBots.getConfiguration", having("configurationRaw", {})),
    "adminBots.getConfiguration/answers-as-described"
  ),
  row(
    "a configuration stays as it is",
    payloads("adminBots.updateConfiguration", having("configurationRaw", "{}")),
    "adminBots.updateConfiguration/answers-as-described"
  ),
  row(
    "a new OpenAI service is an object",
    bodies("admin.createOpenAiService", (id) => ({ id })),
    "admin.createOpenAiService/answers-as-described"
  ),
  row(
    "an OpenAI service does not say whether it has a key",
    bodies("admin.getOpenAiService", without("isAzureOpenAiSet")),
    "admin.getOpenAiService/answers-as-described"
  ),
  row(
    "an OpenAI service keeps its old name",
    payloads("admin.updateOpenAiService", having("displayName", "Old")),
    "admin.updateOpenAiService/answers-as-described",
    "admin.updateOpenAiService/keeps-what-is-not-to-change"
  ),
  row(
    "an OpenAI service loses its key",
    payloads("admin.updateOpenAiService", having("isUpdateOpenAi", true)),
    "admin.updateOpenAiService/keeps-what-is-not-to-change"
  ),
  row(
    "the OpenAI services are a bare list",
    bodies("admin.listOpenAiServices", ({ items }) => items),
    ...checksOf(
      ["admin.listOpenAiServices"],
      "answers-as-described",
      "searches",
      "orders",
      "gives-pages-of-20",
      "pages"
    )
  ),
  row(
    "an OpenAI service is not deleted",
    nothing("admin.deleteOpenAiService", ({ request }) =>
      noBody(HttpClientRequest.updateUrl(request, (url) => url.replace(/openAiService\//i, "openAiServices/")))
    ),
    "admin.deleteOpenAiService/answers-as-described"
  ),
  row(
    "the flag that stops bots stays as it is",
    asks("adminBots.setStopped", (request) =>
      HttpClientRequest.updateUrl(request, (url) => url.replace(/true$/i, "false"))
    ),
    "adminBots.setStopped/answers-as-described",
    "adminBots.setStopped/stops-with-503"
  ),
  row(
    "a bot of a type that there is not is made",
    where("adminBots.create", 400, (answer) => ({ ...answer, status: 422 })),
    "adminBots.create/refuses-other-types",
    "adminBots.create/refuses-a-body-that-lacks-something"
  ),
  row(
    "a bot may take the code of another",
    where("adminBots.update", 409, done),
    "adminBots.update/refuses-a-code-that-is-taken"
  ),
  row(
    "bots that are not active are not for admins either",
    bodies("adminBots.list", (page) => ({
      ...page,
      items: page.items.filter(({ isActive }: { readonly isActive: boolean }) => isActive)
    })),
    "adminBots.list/has-bots-that-cannot-be-used"
  ),
  row(
    "a flag that stops bots may be anything",
    asks("adminBots.setStopped", (request) =>
      HttpClientRequest.updateUrl(request, (url) => url.replace(/stop\/(?!true$|false$)\w+$/i, "stop/false"))
    ),
    "adminBots.setStopped/refuses-what-is-neither-true-nor-false"
  ),
  row(
    "a bot that is linked could be linked again",
    both(
      bodies("adminBots.listUnassigned", (page) => ({
        ...page,
        items: page.items.map(({ botId, displayName }: { readonly botId: string; readonly displayName: string }) => ({
          botId,
          botDisplayName: displayName
        }))
      })),
      asks("adminBots.listUnassigned", (request) =>
        HttpClientRequest.updateUrl(request, (url) => url.replace(/\/[^/]+\/unassignedbots$/i, ""))
      )
    ),
    ...checksOf(["adminBots.listUnassigned"], "orders", "leaves-out-what-is-linked", "misses-with-404")
  ),
  row("a bot is linked twice", where("adminBots.createLink", 409, done), "adminBots.createLink/refuses-a-second-one"),
  row(
    "a start bot has two default bots",
    items("adminBots.listLinks", having("isDefaultBot", true)),
    "adminBots.updateLink/leaves-one-default"
  ),
  row(
    "a link is made anew when it is deleted",
    andThen("adminBots.deleteLink", ({ request }) =>
      HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.setMethod(request, "POST"), {
        isDefaultBot: false,
        keywords: ""
      })
    ),
    "adminBots.deleteLink/answers-as-described"
  ),
  row(
    "a configuration of Azure has a field of its own",
    bodies("adminBots.getAcsConfiguration", having("_links", {})),
    "adminBots.getAcsConfiguration/answers-as-described"
  ),
  row(
    "a configuration of Azure loses its credential",
    payloads("adminBots.updateSearchConfiguration", having("isUpdateSearchClient", true)),
    "adminBots.updateSearchConfiguration/keeps-what-is-not-to-change"
  )
]
