/**
 * All the services of the backend, on a database.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { Answering } from "./Answering.ts"
import { AuditLog } from "./AuditLog.ts"
import { AzureConfigurations } from "./AzureConfigurations.ts"
import { BotAdministration } from "./BotAdministration.ts"
import { BotFacts } from "./BotFacts.ts"
import { BotFeedbacks } from "./BotFeedbacks.ts"
import { BotLinks } from "./BotLinks.ts"
import * as BotRouter from "./BotRouter.ts"
import { BotService } from "./BotService.ts"
import { Caches } from "./Caches.ts"
import { ChatAccess } from "./ChatAccess.ts"
import { ChatService } from "./ChatService.ts"
import type { CompletionProvider } from "./CompletionProvider.ts"
import { CompletionRuns } from "./CompletionRuns.ts"
import { Downloads } from "./Downloads.ts"
import { IdempotencyKeys } from "./IdempotencyKeys.ts"
import { Jwts } from "./Jwts.ts"
import { OneTimeChats } from "./OneTimeChats.ts"
import { OpenAiServices } from "./OpenAiServices.ts"
import { AdminBotRepository } from "./repositories/AdminBotRepository.ts"
import { AuditRepository } from "./repositories/AuditRepository.ts"
import { AzureConfigurationRepository } from "./repositories/AzureConfigurationRepository.ts"
import { BotFactRepository } from "./repositories/BotFactRepository.ts"
import { BotLinkRepository } from "./repositories/BotLinkRepository.ts"
import { BotRepository } from "./repositories/BotRepository.ts"
import { ChatRepository } from "./repositories/ChatRepository.ts"
import { CompletionLogRepository } from "./repositories/CompletionLogRepository.ts"
import { CompletionRepository } from "./repositories/CompletionRepository.ts"
import { DocumentRepository } from "./repositories/DocumentRepository.ts"
import { FeedbackRepository } from "./repositories/FeedbackRepository.ts"
import { IdempotencyKeyRepository } from "./repositories/IdempotencyKeyRepository.ts"
import { OpenAiServiceRepository } from "./repositories/OpenAiServiceRepository.ts"
import { SettingsRepository } from "./repositories/SettingsRepository.ts"
import { TicketRepository } from "./repositories/TicketRepository.ts"
import { TokenBudgetRepository } from "./repositories/TokenBudgetRepository.ts"
import { TokenRepository } from "./repositories/TokenRepository.ts"
import { TokenUsageRepository } from "./repositories/TokenUsageRepository.ts"
import { Transactions } from "./repositories/Transactions.ts"
import { UserRepository } from "./repositories/UserRepository.ts"
import { UserSystemMessageRepository } from "./repositories/UserSystemMessageRepository.ts"
import { Retention } from "./Retention.ts"
import type { SecretBox } from "./SecretBox.ts"
import { StatisticService } from "./StatisticService.ts"
import { StopFlag } from "./StopFlag.ts"
import { SystemStatus } from "./SystemStatus.ts"
import { Tickets } from "./Tickets.ts"
import { TokenBudgets } from "./TokenBudgets.ts"
import type { Tokenizer } from "./Tokenizer.ts"
import { Tokens } from "./Tokens.ts"
import { UserService } from "./UserService.ts"
import { UserSystemMessages } from "./UserSystemMessages.ts"

const repositories = Layer.mergeAll(
  AdminBotRepository.layer,
  AuditRepository.layer,
  AzureConfigurationRepository.layer,
  BotFactRepository.layer,
  BotLinkRepository.layer,
  BotRepository.layer,
  ChatRepository.layer,
  CompletionLogRepository.layer,
  CompletionRepository.layer,
  DocumentRepository.layer,
  FeedbackRepository.layer,
  IdempotencyKeyRepository.layer,
  OpenAiServiceRepository.layer,
  SettingsRepository.layer,
  TicketRepository.layer,
  TokenBudgetRepository.layer,
  TokenRepository.layer,
  TokenUsageRepository.layer,
  UserRepository.layer,
  UserSystemMessageRepository.layer
).pipe(Layer.provideMerge(Transactions.layer))

/** The services that the handlers call. */
export type Services =
  | AuditLog
  | AzureConfigurations
  | BotAdministration
  | BotFacts
  | BotFeedbacks
  | BotLinks
  | BotService
  | Caches
  | ChatService
  | CompletionRuns
  | Downloads
  | IdempotencyKeys
  | Jwts
  | OneTimeChats
  | OpenAiServices
  | Retention
  | StatisticService
  | SystemStatus
  | Tickets
  | Tokens
  | UserService
  | UserSystemMessages

/** What the services need of the rest of the backend. The tables must be there when they are built. */
export type Requirements = CompletionProvider | SecretBox | SqlClient.SqlClient | Tokenizer

/** All the services, and nothing that runs by itself. Their random numbers and hashes are those of Node. */
export const layer: Layer.Layer<Services, never, Requirements> = Layer.mergeAll(
  AuditLog.layer,
  AzureConfigurations.layer,
  BotAdministration.layer,
  BotFacts.layer,
  BotFeedbacks.layer,
  BotLinks.layer,
  BotService.layer,
  ChatService.layer,
  CompletionRuns.layer.pipe(Layer.provide([Answering.layer, StopFlag.layer])),
  Downloads.layer,
  IdempotencyKeys.layer,
  Jwts.layer,
  OpenAiServices.layer,
  Retention.layer,
  StatisticService.layer,
  SystemStatus.layer,
  Tokens.layer,
  UserService.layer,
  UserSystemMessages.layer
).pipe(
  (services) => Layer.provideMerge(OneTimeChats.layer, services),
  Layer.provideMerge([Caches.layer, Tickets.layer]),
  Layer.provide([BotRouter.layer, ChatAccess.layer, TokenBudgets.layer]),
  Layer.provide([repositories, NodeCrypto.layerSecureRandom, NodeCrypto.layerDigest])
)
