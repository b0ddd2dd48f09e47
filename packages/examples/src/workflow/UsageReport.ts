/**
 * A report on a schedule: what was used on the day before, written once for each time, however many processes there are.
 */
import * as Activities from "@effect-chatbot/client/Activities"
import { fromDateTime } from "@effect-chatbot/schema/PlainDate"
import type { TokenUsage } from "@effect-chatbot/schema/TokenUsage"
import { Config, Console, Cron, DateTime, Effect, Layer, Schema, Stream } from "effect"
import { ClusterCron } from "effect/cluster"
import { Activity, Workflow } from "effect/workflow"
import * as Files from "./Files.ts"

/** The report of a time. */
export const UsageReport = Workflow.make("UsageReport", {
  payload: { time: Schema.DateTimeUtc },
  idempotencyKey: ({ time }) => DateTime.formatIso(time),
  error: Activities.anyError
})

const toLine = ({ botDisplayName, completionTokens, promptTokens, requestCount }: TokenUsage) =>
  [botDisplayName, requestCount, promptTokens, completionTokens].join(",")

/** Runs reports. They go into the folder of the files, under their time. */
export const UsageReportLive = UsageReport.toLayer(
  Effect.fnUntraced(function* ({ time }) {
    const day = fromDateTime(DateTime.subtract(time, { days: 1 }))
    const rows: Array<TokenUsage> = []
    for (let pageNumber = 1, hasNext = true; hasNext; pageNumber++) {
      const page = yield* Activities.tokenUsage(`page ${pageNumber}`, {
        fromRequestDate: day,
        toRequestDate: day,
        pageNumber,
        pageSize: 100
      })
      rows.push(...page.items)
      hasNext = page.hasNext
    }
    const csv = ["bot,requests,promptTokens,completionTokens", ...rows.map(toLine), ""].join("\n")
    yield* Activity.make({
      name: "write",
      execute: Effect.orDie(
        Files.write(`usage-${DateTime.formatIso(time).replaceAll(":", "-")}.csv`, Stream.encodeText(Stream.make(csv)))
      ).pipe(Effect.asVoid)
    })
    yield* Console.log(`Report of ${DateTime.formatIso(time)}: ${rows.length} rows`)
  })
)

/** Begins a report each morning at six, or when `WORKFLOW_REPORT_CRON` says. */
export const UsageReportSchedule = Layer.unwrap(
  Effect.map(Config.String("WORKFLOW_REPORT_CRON").pipe(Config.withDefault("0 6 * * *")), (cron) =>
    ClusterCron.make({
      name: "UsageReport",
      cron: Cron.parseUnsafe(cron, "UTC"),
      execute: Effect.flatMap(ClusterCron.CurrentScheduledTime, (time) => UsageReport.execute({ time }))
    })
  )
)
